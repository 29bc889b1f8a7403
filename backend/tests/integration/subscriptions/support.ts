import { expect } from 'vitest';
import type { Answer } from '../../support/client.ts';
import { buildBilledTenant, buildPaymentMethod, buildPlan, freshKey, runJob } from '../../support/billing.ts';
import type { FinanceApp } from '../../support/finance.ts';
import type { TestApp } from '../../support/server.ts';
import { newId } from '../../../src/utils/ids.ts';

// What tests of subscriptions call, as a person with a token.

type Body = Record<string, unknown>;

/** Calls an API of subscriptions; what needs an Idempotency-Key gets a new one each time. */
export const subscriptionsOf = (app: TestApp, token: () => string) => {
  const post = (path: string, body?: Body, who = token()): Promise<Answer> =>
    app.call('POST', `/api/subscriptions${path}`, { token: who, body, headers: freshKey() });
  const get = (path: string, who = token()): Promise<Answer> =>
    app.call('GET', `/api/subscriptions${path}`, { token: who });
  const put = (path: string, body: Body, who = token()): Promise<Answer> =>
    app.call('PUT', `/api/subscriptions${path}`, { token: who, body });
  const remove = (path: string, who = token()): Promise<Answer> =>
    app.call('DELETE', `/api/subscriptions${path}`, { token: who });
  return { post, get, put, remove };
};

export type Subscriptions = ReturnType<typeof subscriptionsOf>;

/** What finance does with subscriptions; the app starts later than this is called. */
export function deskOf(app: () => FinanceApp) {
  const subscriptions = () => subscriptionsOf(app(), () => app().finance);
  return {
    subscriptions,
    read: async (id: string) => dataOf(await subscriptions().get(`/${id}`)),
    post: (id: string, what: string, body?: Body, who = app().finance) =>
      subscriptions().post(`/${id}/${what}`, body, who),
  };
}

/** The data of an answer that succeeded. */
export function dataOf(answer: Answer, status = 200) {
  expect(answer.status, answer.text).toBe(status);
  return answer.body.data;
}

/** A refusal with its sentence. */
export function refused(answer: Answer, status: number, told: RegExp | string): void {
  expect(answer.status, answer.text).toBe(status);
  expect(answer.body.error.message).toMatch(told);
}

type Subscribing = {
  plan?: Awaited<ReturnType<typeof buildPlan>>;
  state?: string;
  method?: boolean;
  body?: Body;
};

/** A tenant with a payment method that works, and its subscription. */
export async function subscribe(
  app: TestApp,
  subscriptions: Subscriptions,
  { plan, state = 'KA', method = true, body = {} }: Subscribing = {},
) {
  const chosen = plan ?? (await buildPlan(app));
  const built = await buildBilledTenant(app, { state });
  if (method) await buildPaymentMethod(app, built.tenantId);
  const order = { tenantId: built.tenantId, planId: chosen.id, billingCycle: 'MONTHLY', ...body };
  const subscription = dataOf(await subscriptions.post('', order), 201);
  return { ...built, plan: chosen, subscription, id: subscription.id as string };
}

export const runBilling = () => runJob('invoice.billing-run', {});

type InvoiceFacts = {
  id: string;
  reason: string;
  status: string;
  start: string;
  end: string;
  taxable: string;
  total: string;
  collect: Date | null;
};

/** The invoices of a subscription, by their period. */
export const invoicesOf = (app: TestApp, id: string) =>
  app.query<InvoiceFacts>(
    `select id, reason, status, to_char(period_start, 'YYYY-MM-DD') as start, to_char(period_end, 'YYYY-MM-DD') as end,
            taxable::text, total::text, collect_after as collect
       from invoices where subscription_id = $1 order by period_start, created_at, occurrence`,
    [id],
  );

/** What happened to a subscription, in order. */
export const historyOf = async (app: TestApp, id: string) =>
  app.query<{ type: string; movement: string | null; before: string; after: string; on: string }>(
    `select type, movement, mrr_before::text as before, mrr_after::text as after, to_char(effective_on, 'YYYY-MM-DD') as on
       from subscription_changes where subscription_id = $1 order by created_at, id`,
    [id],
  );

/** The movements add up to the MRR, and no row of history begins elsewhere than the one before has ended (rule 28). */
export async function expectHistoryAddsUp(app: TestApp, id: string): Promise<void> {
  const rows = await historyOf(app, id);
  let mrr = '0.00';
  for (const { before, after } of rows) {
    expect(before).toBe(mrr);
    mrr = after;
  }
  const [row] = await app.query<{ mrr: string; moved: string }>(
    `select s.mrr::text, (select coalesce(sum(h.mrr_after - h.mrr_before), 0)::numeric(14, 2)::text from subscription_changes h
       where h.subscription_id = s.id and h.movement is not null) as moved from subscriptions s where s.id = $1`,
    [id],
  );
  expect(row).toEqual({ mrr, moved: mrr });
}

export const tenantStatus = async (app: TestApp, tenantId: string) =>
  (await app.query<{ status: string }>(`select status from tenants where id = $1`, [tenantId]))[0]?.status;

export const setTenantStatus = (app: TestApp, tenantId: string, status: string) =>
  app.query(`update tenants set status = $2::tenant_status where id = $1`, [tenantId, status]);

/** Another version of a plan, which is the current one from then on. */
export async function buildVersion(
  app: TestApp,
  planId: string,
  prices: { monthlyPrice: string; annualPrice: string },
) {
  const id = newId();
  await app.query(
    `with p as (update subscription_plans set current_number = current_number + 1 where id = $1 returning id, current_number)
     insert into subscription_plan_versions (id, plan_id, number, monthly_price, annual_price, trial_days, sac_code)
     select $2, p.id, p.current_number, $3, $4, 0, '997331' from p`,
    [planId, id, prices.monthlyPrice, prices.annualPrice],
  );
  return id;
}

type CouponTerms = {
  kind?: 'PERCENT' | 'FIXED';
  percent?: string | null;
  amount?: string | null;
  duration?: 'ONCE' | 'REPEATING' | 'FOREVER';
  months?: number | null;
  planIds?: string[];
  most?: number | null;
  redeemBy?: string | null;
  status?: 'ACTIVE' | 'INACTIVE';
};

let coupons = 0;

export async function buildCoupon(app: TestApp, terms: CouponTerms = {}) {
  const one = {
    kind: 'PERCENT',
    percent: terms.kind === 'FIXED' ? null : '10.00',
    amount: null,
    duration: 'FOREVER',
    months: null,
    planIds: [],
    most: null,
    redeemBy: null,
    status: 'ACTIVE',
    ...terms,
  };
  const coupon = { id: newId(), code: `CODE${process.pid}X${(coupons += 1)}` };
  await app.query(
    `insert into coupons (id, code, name, kind, percent, amount, duration, duration_months, plan_ids, max_redemptions, redeem_by,
                          status, updated_at)
     values ($1, $2, $2, $3::coupon_kind, $4, $5, $6::coupon_duration, $7, $8, $9, $10, $11::coupon_status, now())`,
    [
      coupon.id,
      coupon.code,
      one.kind,
      one.percent,
      one.amount,
      one.duration,
      one.months,
      one.planIds,
      one.most,
      one.redeemBy,
      one.status,
    ],
  );
  return coupon;
}

export async function buildAddOn(app: TestApp, { monthlyPrice = '250.00', annualPrice = '2500.00' } = {}) {
  const addOn = { id: newId(), code: `second-library-${process.pid}-${(coupons += 1)}`, monthlyPrice, annualPrice };
  await app.query(
    `insert into add_ons (id, code, name, monthly_price, annual_price, sac_code, updated_at)
     values ($1, $2, 'Second library', $3, $4, '997331', now())`,
    [addOn.id, addOn.code, monthlyPrice, annualPrice],
  );
  return addOn;
}
