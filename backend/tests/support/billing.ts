import type { TestApp } from './server.ts';
import { setClockOffset } from '../../src/config/clock.ts';
import type { JobName, JobPayload } from '../../src/queues/index.ts';
import { newId } from '../../src/utils/ids.ts';

// What tests of billing need: a moment to be at, plans to sell and tenants to bill.

/** Sets the clock of this process to a moment; it goes on from there. */
export const setClock = (moment: string | Date): void => setClockOffset(new Date(moment).getTime() - Date.now());

/** Back to the real time: call it in `afterEach`, other files share the process. */
export const resetClock = (): void => setClockOffset(0);

/** Noon of a day in India. */
export const noon = (day: string): string => `${day}T12:00:00+05:30`;

let serial = 0;
const next = () => `${process.pid}-${(serial += 1)}`;

type PlanOverrides = {
  name?: string;
  monthlyPrice?: string;
  annualPrice?: string;
  trialDays?: number;
  limits?: object;
  sacCode?: string;
};

/** A plan with its first version. */
export async function buildPlan(app: TestApp, overrides: PlanOverrides = {}) {
  const number = next();
  const plan = {
    id: newId(),
    versionId: newId(),
    code: `plan-${number}`,
    name: `Plan ${number}`,
    monthlyPrice: '999.00',
    annualPrice: '9990.00',
    trialDays: 0,
    limits: {},
    sacCode: '997331',
    ...overrides,
  };
  await app.query(
    `with p as (insert into subscription_plans (id, code, name, updated_at) values ($1, $2, $3, now()))
     insert into subscription_plan_versions (id, plan_id, number, monthly_price, annual_price, trial_days, sac_code, limits)
     values ($4, $1, 1, $5, $6, $7, $8, $9)`,
    [
      plan.id,
      plan.code,
      plan.name,
      plan.versionId,
      plan.monthlyPrice,
      plan.annualPrice,
      plan.trialDays,
      plan.sacCode,
      JSON.stringify(plan.limits),
    ],
  );
  return plan;
}

/** A tenant with its owner signed in, and a billing profile in a state: `MH` is where StudySpot supplies from. */
export async function buildBilledTenant(app: TestApp, { state = 'KA', gstin = null as string | null } = {}) {
  const built = await app.ownerWithToken();
  await app.query(
    `insert into billing_profiles (tenant_id, legal_name, gstin, email, address_line, city, state, pincode, updated_at)
     values ($1, 'Saraswati Reading Hall Private Limited', $2, 'accounts@saraswati.example', '12 Talwandi Road', 'City', $3, '560001', now())`,
    [built.tenantId, gstin, state],
  );
  return built;
}

/** A payment method that the sandbox gateway treats as its token says, such as `token_success` or `token_declined`. */
export async function buildPaymentMethod(app: TestApp, tenantId: string, token = 'token_success') {
  const id = newId();
  await app.query(
    `insert into payment_methods (id, tenant_id, kind, status, gateway, gateway_customer_id, gateway_token_id, label, brand, last4,
                                  expiry_month, expiry_year, mandate_max_amount, is_default, updated_at)
     values ($1, $2, 'CARD', 'ACTIVE', 'sandbox', $3, $4, 'Visa 4242', 'Visa', '4242', 12, 2036, 100000, true, now())`,
    [id, tenantId, `cust_${tenantId}`, token],
  );
  return id;
}

/** An Idempotency-Key that nobody used. */
export const freshKey = () => ({ 'idempotency-key': `key-${next()}-${Math.random().toString(36).slice(2)}` });

/** The handler of a job, run at once and in this process, as a worker would. */
export async function runJob<Name extends JobName>(
  name: Name,
  payload: JobPayload<Name>,
  tenantId: string | null = null,
) {
  const { handlers } = await import('../../src/jobs/index.ts');
  const { jobContext } = await import('../../src/queues/job-context.ts');
  const data = { payload, tenantId, requestId: null };
  const job = { id: newId(), name, data, attemptsMade: 0, timestamp: Date.now() };
  const ctx = jobContext(job as never, new AbortController().signal);
  await (handlers[name] as (ctx: unknown, payload: unknown) => Promise<unknown>)(ctx, payload);
}

/** A subscription to a plan as it is in the table, past every rule. */
export async function buildSubscription(
  app: TestApp,
  tenantId: string,
  plan: { id: string; versionId: string },
  { status = 'ACTIVE', addOns = [] as { id: string; quantity: number; endsOn?: string }[] } = {},
) {
  const id = newId();
  const hasEnded = status === 'CANCELLED' || status === 'EXPIRED';
  await app.query(
    `insert into subscriptions (id, tenant_id, plan_id, plan_version_id, status, billing_cycle, started_on, anchor_day,
                                current_period_start, current_period_end, ended_on, paused_on, updated_at)
     values ($1, $2, $3, $4, $5::subscription_status, 'MONTHLY', '2026-08-01', 1, '2026-08-01', '2026-09-01', $6, $7, now())`,
    [
      id,
      tenantId,
      plan.id,
      plan.versionId,
      status,
      hasEnded ? '2026-08-20' : null,
      status === 'PAUSED' ? '2026-08-20' : null,
    ],
  );
  for (const addOn of addOns) {
    await app.query(
      `insert into subscription_add_ons (id, tenant_id, subscription_id, add_on_id, quantity, monthly_price, annual_price, added_on, ends_on)
       select $1, $2, $3, id, $5, monthly_price, annual_price, '2026-08-01', $6 from add_ons where id = $4`,
      [newId(), tenantId, id, addOn.id, addOn.quantity, addOn.endsOn ?? null],
    );
  }
  return id;
}

/** An add-on that adds to the limits of plans. */
export async function buildAddOn(app: TestApp, limits: object = {}, { status = 'ACTIVE' } = {}) {
  const [id, number] = [newId(), next()];
  const addOn = {
    id,
    code: `add-on-${number}`,
    name: `Add-on ${number}`,
    monthlyPrice: '250.00',
    annualPrice: '2500.00',
  };
  await app.query(
    `insert into add_ons (id, code, name, monthly_price, annual_price, sac_code, limits, status, updated_at)
     values ($1, $2, $3, $4, $5, '998413', $6, $7::plan_status, now())`,
    [id, addOn.code, addOn.name, addOn.monthlyPrice, addOn.annualPrice, JSON.stringify(limits), status],
  );
  return addOn;
}
