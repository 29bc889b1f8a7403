import type { Client } from 'pg';
import { accountRow, addOnRows, couponRows, paymentMethodRow, subscriptionTableRow } from './billing-accounts.ts';
import type { Bill, Book } from './billing-book.ts';
import { countRedemptions, hasPlans, insertCatalogue, withoutSubscription } from './billing.ts';
import { itemRows } from './billing-documents.ts';
import { billingHistory } from './billing-history.ts';
import { insertMissing, type Rows } from './insert.ts';
import * as statements from './large-statements.ts';
import { largeStory } from './large-stories.ts';
import { seller } from './seller.ts';
import type { TenantProfile } from './tenants.ts';
import { rupees } from '../../src/utils/money.ts';

/** In all, the demo's included. */
export const LARGE_INVOICE_COUNT = 500_000;

/** Rows of one statement: JSON of more takes long to read. */
const CHUNK = 5_000;
/** Invoices of one statement: it has to end within the time that a statement may take. */
const STEP = 25_000;

type Progress = (text: string) => void;
type Options = {
  day: Date;
  report: Progress;
  /** How many are there in the end. */
  invoices?: number;
};

/**
 * Adds what the many tenants have bought, and as many invoices for messages that 500,000 are there: in the database, from a
 * table of what is to be. They have a series of numbers of their own, in the order of their time.
 * @returns how many invoices it added; 0 where they are there already
 */
export async function insertLargeBilling(
  client: Client,
  profiles: readonly TenantProfile[],
  { day, report, invoices = LARGE_INVOICE_COUNT }: Options,
): Promise<number> {
  await insertCatalogue(client, day);
  const { rows } = await client.query(statements.seriesExists);
  if (rows.length > 0 || !(await hasPlans(client))) return 0;
  const open = await withoutSubscription(client, profiles, day);
  const books = open.map((profile) => billingHistory(profile, largeStory(profile), day));
  await insertContracts(client, books);
  await stage(client, books, { day, invoices });
  const count = await insertInvoices(client, books, report);
  await insertPayments(client, books, count, report);
  return count;
}

async function insertContracts(client: Client, books: readonly Book[]): Promise<void> {
  await inChunks(
    client,
    'payment_methods',
    books.flatMap((book) => paymentMethodRow(book) ?? []),
  );
  const accounts = books.map((book) => accountRow(book, '0.00'));
  await insertMissing(client, 'billing_accounts', accounts, 'tenant_id');
  await inChunks(client, 'subscriptions', books.map(subscriptionTableRow));
  await inChunks(
    client,
    'subscription_changes',
    books.flatMap(({ changes }) => changes),
  );
  await inChunks(client, 'subscription_coupons', books.flatMap(couponRows));
  await inChunks(client, 'subscription_add_ons', books.flatMap(addOnRows));
  await countRedemptions(client, books);
}

async function inChunks<Table extends keyof Rows>(client: Client, table: Table, rows: Rows[Table][]) {
  for (let start = 0; start < rows.length; start += CHUNK) {
    await insertMissing(client, table, rows.slice(start, start + CHUNK));
  }
}

/** Puts down what is to be, with numbers: the bills of contracts, and those for messages in between. */
async function stage(
  client: Client,
  books: readonly Book[],
  { day, invoices }: { day: Date; invoices: number },
): Promise<void> {
  await client.query(statements.createStage);
  const bills = books.flatMap((book) => book.bills.map(stagedBill));
  for (let start = 0; start < bills.length; start += CHUNK) {
    await client.query(statements.stageBills, [JSON.stringify(bills.slice(start, start + CHUNK))]);
  }
  const { rows } = await client.query<{ count: number }>('select count(*)::int from invoices');
  const missing = invoices - (rows[0]?.count ?? 0) - bills.length;
  await client.query(statements.stageBuyers, [JSON.stringify(buyersOf(books, missing))]);
  await client.query(statements.stageMessages, [day.toISOString()]);
  await client.query(statements.numberStage);
  await client.query(statements.keepSeries);
}

const stagedBill = (bill: Bill) => ({
  id: bill.id,
  tenant_id: bill.tenantId,
  subscription_id: bill.subscriptionId,
  reason: bill.reason,
  collection_method: bill.collectionMethod,
  period_start: bill.period.start,
  period_end: bill.period.end,
  at: bill.at,
  paid_at: bill.paidAt,
  collect_after: bill.collectAfter,
  status: bill.paidAt ? 'PAID' : 'OPEN',
  subtotal: rupees(bill.amounts.subtotal),
  discount_total: rupees(bill.amounts.discountTotal),
  taxable: rupees(bill.amounts.taxable),
  cgst: rupees(bill.amounts.cgst),
  igst: rupees(bill.amounts.igst),
  round_off: rupees(bill.amounts.roundOff),
  total: rupees(bill.amounts.total),
});

/** How much more often those with many people buy messages. */
const weightOf = ({ students }: TenantProfile): number => (students > 5_000 ? 20 : students > 300 ? 4 : 1);

const DAY_MS = 86_400_000;

/** Who buys messages, since when, until when and how often: together exactly as often as is asked for. */
function buyersOf(books: readonly Book[], invoices: number) {
  const buyers = books.flatMap((book) => {
    const [first] = book.bills;
    return first ? [{ book, since: first.at, endedDaysAgo: endedDaysAgo(book) }] : [];
  });
  const weights = buyers.map(({ book, since, endedDaysAgo: ended }) => {
    const days = (book.day.getTime() - Date.parse(since)) / DAY_MS - ended;
    return Math.max(days, 1) * weightOf(book.profile);
  });
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  let [before, given] = [0, 0];
  return buyers.map(({ book: { row, story, buyer, supply }, since, endedDaysAgo: ended }, index) => {
    before += weights[index] ?? 0;
    const bills = Math.round((invoices * before) / all) - given;
    given += bills;
    return {
      tenant_id: row.tenantId,
      ordinal: index,
      bills,
      since,
      ended_days_ago: ended,
      unpaid_days_ago: story.abandoned?.since ?? 0,
      supply,
      buyer,
      buyer_name: buyer.legalName,
      buyer_gstin: buyer.gstin,
      place_of_supply: buyer.stateCode,
    };
  });
}

const endedDaysAgo = ({ story, profile }: Book): number =>
  story.abandoned?.ended ?? profile.changes.find(({ to }) => to === 'INACTIVE')?.daysAgo ?? 0;

async function insertInvoices(client: Client, books: readonly Book[], report: Progress): Promise<number> {
  const { rows } = await client.query<{ count: number }>('select count(*)::int from seed_bills');
  const count = rows[0]?.count ?? 0;
  for (let from = 1; from <= count; from += STEP) {
    await client.query(statements.draftInvoices, [from, from + STEP - 1]);
    await client.query(statements.insertMessageItems, [from, from + STEP - 1]);
  }
  report(`Large data: ${count.toLocaleString('en')} invoices drafted`);
  await inChunks(client, 'invoice_items', itemRows(books));
  for (let from = 1; from <= count; from += STEP) {
    await client.query(statements.finalizeInvoices, [from, from + STEP - 1, JSON.stringify(seller)]);
  }
  report(`Large data: ${count.toLocaleString('en')} invoices finalized`);
  return count;
}

async function insertPayments(client: Client, books: readonly Book[], count: number, report: Progress): Promise<void> {
  await inChunks(
    client,
    'payments',
    books.flatMap(({ payments }) => payments),
  );
  await inChunks(
    client,
    'payment_allocations',
    books.flatMap(({ allocations }) => allocations),
  );
  for (let from = 1; from <= count; from += STEP) {
    await client.query(statements.insertMessagePayments, [from, from + STEP - 1]);
    await client.query(statements.insertMessageAllocations, [from, from + STEP - 1]);
  }
  await client.query(statements.insertClosedRuns);
  report('Large data: payments added');
}
