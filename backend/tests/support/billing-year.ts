import { createRandom, type Random } from '../../prisma/seed/deterministic.ts';
import { scopedReader } from '../../src/config/scope.ts';
import { faultsOfBooks } from '../../src/services/books.service.ts';
import { addDays } from '../../src/utils/india-day.ts';
import { newId } from '../../src/utils/ids.ts';
import { buildPlan, freshKey, runJob, setClock } from './billing.ts';
import type { TestApp } from './server.ts';

// A year of billing: many tenants, the calendar day by day, and people who do all kinds of things in between.

/** What becomes of charges, by sandbox token, out of a hundred tenants. */
const TOKENS: readonly [token: string, share: number][] = [
  ['token_success', 74],
  ['token_declined', 6],
  ['token_insufficient', 4],
  ['token_fails_twice', 5],
  ['token_timeout_captured', 3],
  ['token_timeout_failed', 2],
  ['token_timeout_lost', 2],
  ['token_authorized', 2],
  ['token_expired_card', 2],
];
/** By GST code: the first is where StudySpot supplies from. */
const STATES = ['MH', 'KA', 'RJ', 'DL', 'UP'] as const;

export type Plan = Awaited<ReturnType<typeof buildPlan>>;
export type Market = { tenantIds: string[]; plans: Plan[]; addOnId: string; coupons: string[] };

/** Tenants with billing profiles and payment methods, plans, an add-on and coupons; laid by SQL, since it is many. */
export async function buildMarket(app: TestApp, tenants: number, seed: string): Promise<Market> {
  const random = createRandom(seed);
  const plans = [
    await buildPlan(app, { monthlyPrice: '999.00', annualPrice: '9990.00', trialDays: 14 }),
    await buildPlan(app, { monthlyPrice: '2499.00', annualPrice: '24990.00', trialDays: 7 }),
    await buildPlan(app, { monthlyPrice: '4999.00', annualPrice: '49990.00' }),
  ];
  const tenantIds = Array.from({ length: tenants }, () => newId());
  const rows = tenantIds.map((id, index) => ({
    id,
    name: `Hall ${seed} ${index}`,
    slug: `hall-${seed}-${id.slice(-10)}`,
    state: random.pick(STATES),
    method: newId(),
    token: tokenOf(random),
  }));
  await app.query(
    `with x as (select * from jsonb_to_recordset($1::jsonb) as x(id text, name text, slug text, state text, method text, token text)),
     t as (insert into tenants (id, name, slug, email, status, state, updated_at)
           select id, name, slug, slug || '@hall.example', 'ACTIVE', state, now() from x),
     p as (insert into billing_profiles (tenant_id, legal_name, email, address_line, city, state, pincode, updated_at)
           select id, name || ' Private Limited', slug || '@hall.example', '1 Station Road', 'City', state, '400001', now() from x)
     insert into payment_methods (id, tenant_id, kind, status, gateway, gateway_customer_id, gateway_token_id, label, is_default, updated_at)
     select method, id, 'CARD', 'ACTIVE', 'sandbox', 'cust_' || id, token, 'Visa 4242', true, now() from x where token is not null`,
    [JSON.stringify(rows)],
  );
  const addOnId = newId();
  await app.query(
    `insert into add_ons (id, code, name, monthly_price, annual_price, sac_code, updated_at)
     values ($1, $2, 'Second library', 499, 4990, '997331', now())`,
    [addOnId, `library-${seed}`],
  );
  const coupons = ['ONCE', 'REPEATING', 'FOREVER'].map((duration) => `${duration}-${seed}`.toUpperCase());
  await app.query(
    `insert into coupons (id, code, name, kind, percent, amount, duration, duration_months, updated_at) values
       ($1, $4, 'Once', 'FIXED', null, 300, 'ONCE', null, now()), ($2, $5, 'Three months', 'PERCENT', 20, null, 'REPEATING', 3, now()),
       ($3, $6, 'For ever', 'PERCENT', 10, null, 'FOREVER', null, now())`,
    [newId(), newId(), newId(), ...coupons],
  );
  return { tenantIds, plans, addOnId, coupons };
}

/** One in thirty has no way to pay. */
function tokenOf(random: Random): string | null {
  if (random.chance(1 / 30)) return null;
  let left = random.integer(0, 99);
  for (const [token, share] of TOKENS) {
    if (left < share) return token;
    left -= share;
  }
  return 'token_success';
}

/** When what the calendar brings is done on a day; what has to wait for 24 hours has done so on the next. */
const TIMETABLE = [
  ['12:00', 'invoice.billing-run'],
  ['12:20', 'invoice.collection-run'],
  ['12:40', 'dunning.run'],
] as const;

/** Everything that the calendar brings on a day, around noon in India, by so many workers at once. */
export async function playDay(day: string, workers = 1): Promise<void> {
  for (const [time, job] of TIMETABLE) {
    setClock(`${day}T${time}:00+05:30`);
    await Promise.all(Array.from({ length: workers }, () => runJob(job, {})));
  }
}

export const daysFrom = (first: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => addDays(first, index));

/** What does not hold of the books; nothing, if all is well. */
export const bookFaults = () => faultsOfBooks(scopedReader({ role: 'portal' }));

/** How much there is of everything that billing writes down. */
export const counts = (app: TestApp) =>
  app.query(
    `select (select count(*) from invoices) as invoices, (select count(*) from payments) as payments,
            (select count(*) from subscription_changes) as changes, (select count(*) from payment_allocations) as allocations,
            (select count(*) from billing_entries) as entries, (select count(*) from dunning_steps) as steps,
            (select count(*) from credit_notes) as notes, (select sum(mrr) from subscriptions) as mrr`,
  );

type Subscription = { id: string; tenantId: string; status: string; planId: string };
type OpenInvoice = { id: string; tenantId: string; due: string; status: string };

/** What people do: each picks somebody it suits, and asks for it over HTTP. */
export function peopleOf(app: TestApp, market: Market, { token, seed }: { token: string; seed: string }) {
  const random = createRandom(`people:${seed}`);
  const done = new Map<string, number>();
  const post = async (what: string, path: string, body: object): Promise<void> => {
    const answer = await app.call('POST', path, { token, headers: freshKey(), body });
    if (answer.status >= 500 || answer.status === 400) throw new Error(`${what} ${path}: ${answer.text}`);
    if (answer.status < 300) done.set(what, (done.get(what) ?? 0) + 1);
  };
  const subscription = (condition: string) =>
    app
      .query<Subscription>(
        `select id, tenant_id as "tenantId", status, plan_id as "planId" from subscriptions where ${condition}
          order by md5(id || $1) limit 1`,
        [String(random.next())],
      )
      .then(([row]) => row);
  const invoice = (condition: string) =>
    app
      .query<OpenInvoice>(
        `select id, tenant_id as "tenantId", amount_due::text as due, status from invoices where ${condition}
          order by md5(id || $1) limit 1`,
        [String(random.next())],
      )
      .then(([row]) => row);
  const on = async (what: string, condition: string, path: string, body: () => object): Promise<void> => {
    const found = await subscription(condition);
    if (found) await post(what, `/api/subscriptions/${found.id}${path}`, body());
  };
  const planId = () => random.pick(market.plans).id;
  const acts: Record<string, (today: string) => Promise<void>> = {
    upgrade: () => on('upgrade', `status = 'ACTIVE'`, '/change', () => ({ planId: planId() })),
    changeCycle: () =>
      on('changeCycle', `status = 'ACTIVE'`, '/change', () => ({
        planId: planId(),
        billingCycle: random.pick(['MONTHLY', 'ANNUAL'] as const),
      })),
    changeInTrial: () => on('changeInTrial', `status = 'TRIAL'`, '/change', () => ({ planId: planId() })),
    pause: (today) =>
      on('pause', `status = 'ACTIVE'`, '/pause', () =>
        random.chance(0.5) ? { resumeOn: addDays(today, random.integer(3, 40)) } : {},
      ),
    resume: () => on('resume', `status = 'PAUSED'`, '/resume', () => ({})),
    cancelAtEnd: () =>
      on('cancelAtEnd', `status = 'ACTIVE'`, '/cancel', () => ({ at: 'PERIOD_END', reason: 'Closes for good' })),
    cancelNow: () =>
      on('cancelNow', `status in ('ACTIVE', 'PAUSED', 'PAST_DUE')`, '/cancel', () => ({
        at: 'NOW',
        reason: 'Closes at once',
      })),
    uncancel: () => on('uncancel', `cancel_at_period_end`, '/uncancel', () => ({})),
    reactivate: () => on('reactivate', `status in ('CANCELLED', 'EXPIRED')`, '/reactivate', () => ({})),
    coupon: () =>
      on('coupon', `status in ('ACTIVE', 'TRIAL')`, '/coupons', () => ({ code: random.pick(market.coupons) })),
    addOn: () =>
      on('addOn', `status = 'ACTIVE'`, '/add-ons', () => ({ addOnId: market.addOnId, quantity: random.integer(1, 3) })),
    collect: async () => {
      const found = await invoice(`status = 'OPEN'`);
      if (found) await post('collect', `/api/revenue/invoices/${found.id}/collect`, {});
    },
    transfer: async () => {
      const found = await invoice(`status in ('OPEN', 'UNCOLLECTIBLE')`);
      const share = random.pick(['1', '0.5', '1.2']);
      const amount = found ? Math.max(1, Math.round(Number(found.due) * Number(share))).toFixed(2) : '';
      const body = { amount, method: 'BANK_TRANSFER', reference: `UTR${newId()}` };
      if (found) await post('transfer', `/api/revenue/invoices/${found.id}/payments`, body);
    },
    writeOff: async () => {
      const found = await invoice(`status = 'OPEN'`);
      if (found)
        await post('writeOff', `/api/revenue/invoices/${found.id}/mark-uncollectible`, { reason: 'They are gone' });
    },
    voidInvoice: async () => {
      const found = await invoice(`status in ('OPEN', 'PAID')`);
      if (found) await post('voidInvoice', `/api/revenue/invoices/${found.id}/void`, { reason: 'Issued by mistake' });
    },
    manual: async () => {
      const lines = [{ description: 'Set-up', quantity: '1', unitPrice: `${random.integer(100, 9000)}.50` }];
      const body = { tenantId: random.pick(market.tenantIds), lines };
      const draft = await app.call('POST', '/api/revenue/invoices', { token, headers: freshKey(), body });
      if (draft.status !== 201) throw new Error(draft.text);
      await post('manual', `/api/revenue/invoices/${draft.body.data.id}/finalize`, { collect: random.chance(0.5) });
    },
    creditNote: async () => {
      const found = await invoice(`status in ('OPEN', 'PAID') and total > 0 and reason <> 'SUBSCRIPTION_CHANGE'`);
      if (!found) return;
      if (random.chance(0.3)) {
        return post('creditNote', '/api/revenue/credit-notes', { invoiceId: found.id, reason: 'GOODWILL', full: true });
      }
      const [line] = await app.query<{ id: string; taxable: string }>(
        `select id, taxable::text from invoice_items where invoice_id = $1 and taxable > 0 order by position limit 1`,
        [found.id],
      );
      if (!line) return;
      const lines = [
        { invoiceItemId: line.id, amount: (Number(line.taxable) * random.pick([0.1, 0.333, 0.5])).toFixed(2) },
      ];
      await post('creditNote', '/api/revenue/credit-notes', { invoiceId: found.id, reason: 'GOODWILL', lines });
    },
  };
  return {
    done,
    random,
    kinds: Object.keys(acts),
    /** One of them does something. */
    act: async (today: string): Promise<void> => {
      const kind = random.pick(Object.keys(acts));
      await acts[kind]?.(today);
    },
    /** Tenants without a subscription take one. */
    subscribe: async (some: number): Promise<void> => {
      const free = await app.query<{ id: string }>(
        `select t.id from tenants t where t.id = any ($1) and not exists (select from subscriptions s where s.tenant_id = t.id)
          order by t.id limit $2`,
        [market.tenantIds, some],
      );
      for (const { id } of free) {
        await post('subscribe', '/api/subscriptions', {
          tenantId: id,
          planId: planId(),
          billingCycle: random.chance(0.65) ? 'MONTHLY' : 'ANNUAL',
          collectionMethod: random.chance(0.9) ? 'AUTOMATIC' : 'SEND_INVOICE',
          ...(random.chance(0.2) && { couponCode: random.pick(market.coupons) }),
        });
      }
    },
  };
}
