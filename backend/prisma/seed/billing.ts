import type { Client } from 'pg';
import { accountRow, addOnRows, couponRows, paymentMethodRow, subscriptionTableRow } from './billing-accounts.ts';
import type { Book } from './billing-book.ts';
import {
  CREDIT_NOTE_PREFIX,
  creditOf,
  INVOICE_PREFIX,
  invoiceRows,
  itemRows,
  type Serials,
} from './billing-documents.ts';
import { billingHistory } from './billing-history.ts';
import type { InvoiceTableRow } from './billing-rows.ts';
import type { BillingStory } from './billing-stories.ts';
import { insertMissing } from './insert.ts';
import { catalogue, planCodes, planIdOf } from './plans.ts';
import { tenantId, tenantRow, type TenantProfile } from './tenants.ts';

/**
 * Adds the catalogue, and what the tenants have bought that are there as the seed made them and have no subscription yet.
 * @returns how many invoices it added
 */
export async function insertBilling(
  client: Client,
  profiles: readonly TenantProfile[],
  stories: Readonly<Record<string, BillingStory>>,
  day: Date,
): Promise<number> {
  await insertCatalogue(client, day);
  const open = await withoutSubscription(client, profiles, day);
  const books = open.flatMap((profile) => {
    const story = stories[profile.slug];
    return story ? [billingHistory(profile, story, day)] : [];
  });
  if (books.length === 0 || !(await hasPlans(client))) return 0;
  const [serials, creditSerials] = [await lastSerials(client, 'INVOICE'), await lastSerials(client, 'CREDIT_NOTE')];
  const [invoices, items] = [invoiceRows(books, serials), itemRows(books)];
  const credits = books.flatMap((book) => creditOf(book, items, creditSerials) ?? []);
  const balances = new Map(credits.map(({ entry }) => [entry.tenant_id, entry.balance]));

  await insertMissing(
    client,
    'payment_methods',
    books.flatMap((book) => paymentMethodRow(book) ?? []),
  );
  const accounts = books.map((book) => accountRow(book, balances.get(book.row.tenantId) ?? '0.00'));
  await insertMissing(client, 'billing_accounts', accounts, 'tenant_id');
  await insertMissing(client, 'subscriptions', books.map(subscriptionTableRow));
  await insertMissing(
    client,
    'subscription_changes',
    books.flatMap(({ changes }) => changes),
  );
  await insertMissing(client, 'subscription_coupons', books.flatMap(couponRows));
  await insertMissing(client, 'subscription_add_ons', books.flatMap(addOnRows));
  await draftInvoices(client, invoices);
  await insertMissing(client, 'invoice_items', items);
  await finalizeInvoices(client, invoices);
  await insertMoney(client, books);
  await insertMissing(
    client,
    'credit_notes',
    credits.map(({ note }) => note),
  );
  await insertMissing(
    client,
    'credit_note_items',
    credits.map(({ item }) => item),
  );
  await insertMissing(
    client,
    'billing_entries',
    credits.map(({ entry }) => entry),
  );
  await keepSerials(client, 'INVOICE', serials);
  await keepSerials(client, 'CREDIT_NOTE', creditSerials);
  await countRedemptions(client, books);
  return invoices.length;
}

export async function insertCatalogue(client: Client, day: Date): Promise<void> {
  const { plans, versions, addOns, coupons, campaigns } = catalogue(day);
  const added = await insertMissing(client, 'subscription_plans', plans);
  await insertMissing(
    client,
    'subscription_plan_versions',
    versions.filter(({ plan_id }) => added.has(plan_id)),
  );
  await insertMissing(client, 'add_ons', addOns);
  await insertMissing(client, 'coupons', coupons);
  await insertMissing(client, 'dunning_campaigns', campaigns);
}

/** Somebody may have plans of the same names: then nobody has ours. */
export async function hasPlans(client: Client): Promise<boolean> {
  const ids = planCodes.map(planIdOf);
  const { rows } = await client.query('select 1 from subscription_plans where id = any ($1)', [ids]);
  return rows.length === ids.length;
}

/** Tenants that are as the seed made them, as far as billing goes by it. */
export async function withoutSubscription(
  client: Client,
  profiles: readonly TenantProfile[],
  day: Date,
): Promise<TenantProfile[]> {
  const expected = profiles.map((profile) => ({ id: tenantId(profile), status: tenantRow(profile, day).status }));
  const { rows } = await client.query<{ id: string }>(
    `select t.id from tenants t join json_to_recordset($1) as e (id text, status text) on e.id = t.id and e.status = t.status::text
      where not exists (select from subscriptions s where s.tenant_id = t.id)
        and not exists (select from invoices i where i.tenant_id = t.id)`,
    [JSON.stringify(expected)],
  );
  const ids = new Set(rows.map(({ id }) => id));
  return profiles.filter((profile) => ids.has(tenantId(profile)));
}

const prefixes = { INVOICE: INVOICE_PREFIX, CREDIT_NOTE: CREDIT_NOTE_PREFIX } as const;

/** Locks the series: nobody finalizes meanwhile. */
async function lastSerials(client: Client, kind: keyof typeof prefixes): Promise<Serials> {
  const { rows } = await client.query<{ fiscalYear: string; last: number }>(
    `select fiscal_year as "fiscalYear", last_serial as last from document_series
      where kind = $1::document_kind and prefix = $2 order by fiscal_year for update`,
    [kind, prefixes[kind]],
  );
  return new Map(rows.map(({ fiscalYear, last }) => [fiscalYear, last]));
}

async function keepSerials(client: Client, kind: keyof typeof prefixes, serials: Serials): Promise<void> {
  for (const [fiscalYear, last] of serials) {
    await client.query(
      `insert into document_series (kind, fiscal_year, prefix, last_serial) values ($1::document_kind, $2, $3, $4)
       on conflict (kind, fiscal_year, prefix) do update set last_serial = excluded.last_serial`,
      [kind, fiscalYear, prefixes[kind], last],
    );
  }
}

const drafted = ['id', 'tenant_id', 'subscription_id', 'reason', 'collection_method', 'period_start', 'period_end']
  .concat('created_at', 'updated_at')
  .join(', ');

/** Lines go onto drafts alone: a trigger sees to it. */
async function draftInvoices(client: Client, invoices: readonly InvoiceTableRow[]): Promise<void> {
  await client.query(
    `insert into invoices (${drafted}) select ${drafted} from json_populate_recordset(null::invoices, $1)`,
    [JSON.stringify(invoices)],
  );
}

async function finalizeInvoices(client: Client, invoices: readonly InvoiceTableRow[]): Promise<void> {
  const [first] = invoices;
  if (!first) return;
  const columns = Object.keys(first).filter((column) => !drafted.split(', ').includes(column));
  await client.query(
    `update invoices i set ${columns.map((column) => `${column} = f.${column}`).join(', ')}, updated_at = f.updated_at
       from json_populate_recordset(null::invoices, $1) f where f.id = i.id`,
    [JSON.stringify(invoices)],
  );
}

async function insertMoney(client: Client, books: readonly Book[]): Promise<void> {
  await insertMissing(
    client,
    'payments',
    books.flatMap(({ payments }) => payments),
  );
  await insertMissing(
    client,
    'payment_allocations',
    books.flatMap(({ allocations }) => allocations),
  );
  await insertMissing(
    client,
    'dunning_runs',
    books.flatMap(({ runs }) => runs),
  );
  await insertMissing(
    client,
    'dunning_steps',
    books.flatMap(({ steps }) => steps),
  );
}

export async function countRedemptions(client: Client, books: readonly Book[]): Promise<void> {
  const ids = books.flatMap(({ row }) => row.coupons.map(({ couponId }) => couponId));
  await client.query(
    `update coupons c set redeemed_count = c.redeemed_count + r.times
       from (select id, count(*)::int as times from unnest($1::text[]) id group by id) r where r.id = c.id`,
    [ids],
  );
}
