import { newId } from '../../../src/utils/ids.ts';
import { buildPaymentMethod, buildPlan } from '../../support/billing.ts';
import type { TestApp } from '../../support/server.ts';

let serial = 0;

/** What stands for a payer wherever it may have got to. */
export const PAYER = 'meera.sharma@okbank';

/**
 * A tenant's books with a row of everything: a contract that has ended, an invoice that is paid and taken back in part, how
 * it was paid, and the dunning before that.
 */
export async function fillBilling(app: TestApp, tenantId: string, actor = { id: 'asha', name: 'Asha Menon' }) {
  const plan = await buildPlan(app);
  const method = await buildPaymentMethod(app, tenantId, `token_of_${tenantId}`);
  await app.query(`update payment_methods set vpa = $2, label = $2 where id = $1`, [method, PAYER]);
  await app.query(
    `insert into billing_accounts (tenant_id, credit_balance, gateway_customer_id, dunning_pause_note, updated_at)
     values ($1, 100, $2, $3, now())`,
    [tenantId, `cust_${tenantId}`, `Waits for ${PAYER}`],
  );
  const subscription = newId();
  await app.query(
    `insert into subscriptions (id, tenant_id, plan_id, plan_version_id, status, billing_cycle, payment_method_id, started_on,
                                anchor_day, current_period_start, current_period_end, ended_on, updated_at)
     values ($1, $2, $3, $4, 'CANCELLED', 'MONTHLY', $5, '2026-07-01', 1, '2026-07-01', '2026-08-01', '2026-08-01', now())`,
    [subscription, tenantId, plan.id, plan.versionId, method],
  );
  await fillContract(app, { tenantId, subscription, plan, actor });
  const invoice = await buildPaidInvoice(app, { tenantId, subscription, method });
  await fillMoney(app, { tenantId, ...invoice });
  return { plan, method, subscription, ...invoice };
}

type Plan = { id: string; versionId: string };
type Contract = { tenantId: string; subscription: string; plan: Plan; actor: { id: string; name: string } };

async function fillContract(app: TestApp, { tenantId, subscription, plan, actor }: Contract) {
  const [coupon, addOn] = [newId(), newId()];
  await app.query(
    `with c as (insert into coupons (id, code, name, kind, percent, duration, updated_at) values ($1, $1, 'C', 'PERCENT', 10, 'ONCE', now()))
     insert into add_ons (id, code, name, monthly_price, annual_price, sac_code, updated_at) values ($2, $2, 'A', 1, 1, '997331', now())`,
    [coupon, addOn],
  );
  await app.query(
    `with c as (insert into subscription_coupons (id, tenant_id, subscription_id, coupon_id, kind, percent, duration, added_on)
                values ($1, $2, $3, $4, 'PERCENT', 10, 'ONCE', '2026-07-01'))
     insert into subscription_add_ons (id, tenant_id, subscription_id, add_on_id, quantity, monthly_price, annual_price, added_on)
     values ($1, $2, $3, $5, 1, 1, 1, '2026-07-01')`,
    [newId(), tenantId, subscription, coupon, addOn],
  );
  await app.query(
    `with c as (insert into subscription_changes (id, tenant_id, subscription_id, type, to_status, to_plan_version_id, to_cycle,
                                        effective_on, mrr_before, mrr_after, movement, actor_id, actor_name)
                values ($1, $2, $3, 'CREATED', 'ACTIVE', $4, 'MONTHLY', '2026-07-01', 0, 999, 'NEW', $5, $6))
     insert into subscription_scheduled_changes (id, tenant_id, subscription_id, plan_version_id, billing_cycle, effective_on, status,
                                                 requested_by_id, requested_by)
     values ($1, $2, $3, $4, 'ANNUAL', '2026-08-01', 'CANCELLED', $5, $6)`,
    [newId(), tenantId, subscription, plan.versionId, actor.id, actor.name],
  );
}

const seller = JSON.stringify({ legalName: 'StudySpot Technologies Private Limited', gstin: '27AAPFU0939F1ZV' });
const buyer = JSON.stringify({ legalName: 'Saraswati Reading Hall', stateCode: '29' });

/** An invoice of 999 rupees and tax that waits to be paid. @returns its id and that of its line */
export async function buildOpenInvoice(app: TestApp, tenantId: string, subscription: string | null = null) {
  const [invoice, item, number] = [newId(), newId(), (serial += 1)];
  await app.query(
    `insert into invoices (id, tenant_id, subscription_id, status, reason, collection_method, period_start, period_end, updated_at)
     values ($1, $2, $3, 'DRAFT', 'SUBSCRIPTION_CREATE', 'AUTOMATIC', '2026-07-01', '2026-08-01', now())`,
    [invoice, tenantId, subscription],
  );
  await app.query(
    `insert into invoice_items (id, tenant_id, invoice_id, position, kind, description, sac_code, quantity, unit_price, amount, taxable,
                                tax_rate, igst, total)
     values ($1, $2, $3, 1, 'PLAN', 'Growth', '997331', 1, 999, 999, 999, 18, 179.82, 1178.82)`,
    [item, tenantId, invoice],
  );
  await app.query(
    `update invoices set status = 'OPEN', number = $2, fiscal_year = '26-27', serial = $3, issue_date = '2026-07-01',
            due_date = '2026-07-08', seller = $4, buyer = $5, buyer_name = 'Saraswati Reading Hall', place_of_supply = '29',
            supply = 'INTER_STATE', subtotal = 999, taxable = 999, igst = 179.82, round_off = 0.18, total = 1179, amount_due = 1179,
            finalized_at = '2026-07-01T06:00:00Z' where id = $1`,
    [invoice, `T/26-27/${String(number).padStart(6, '0')}`, number, seller, buyer],
  );
  return { invoice, item };
}

async function buildPaidInvoice(
  app: TestApp,
  { tenantId, subscription, method }: { tenantId: string; subscription: string; method: string },
) {
  const { invoice, item } = await buildOpenInvoice(app, tenantId, subscription);
  const [run, payment] = [newId(), newId()];
  await app.query(
    `insert into dunning_runs (id, tenant_id, invoice_id, subscription_id, campaign_id, plan, status, started_on, closed_at, close_reason, updated_at)
     values ($1, $2, $3, $4, (select id from dunning_campaigns where is_default), '{}', 'CLOSED', '2026-07-01', now(), 'PAID', now())`,
    [run, tenantId, invoice, subscription],
  );
  await app.query(
    `insert into dunning_steps (id, tenant_id, run_id, kind, number, due_on, outcome, note, updated_at)
     values ($1, $2, $3, 'ATTEMPT', 1, '2026-07-02', 'DONE', $4, now())`,
    [newId(), tenantId, run, `Charged ${PAYER}`],
  );
  await app.query(
    `insert into payments (id, tenant_id, invoice_id, transaction_id, amount, method, status, initiated_by, gateway, gateway_payment_id,
                           payment_method_id, gateway_response, received_on, succeeded_at, updated_at)
     values ($1, $2, $3, $1, 1179, 'UPI', 'SUCCEEDED', 'DUNNING', 'sandbox', $1, $4, $5, '2026-07-02', '2026-07-02T06:00:00Z', now())`,
    [payment, tenantId, invoice, method, JSON.stringify({ vpa: PAYER })],
  );
  await app.query(
    `insert into payment_allocations (id, tenant_id, payment_id, invoice_id, amount) values ($1, $2, $3, $4, 1179)`,
    [newId(), tenantId, payment, invoice],
  );
  await app.query(
    `update invoices set status = 'PAID', amount_paid = 1179, amount_due = 0, paid_at = now() where id = $1`,
    [invoice],
  );
  return { invoice, item, payment };
}

/** A credit note, money back, a page to pay on and what the gateway told. */
async function fillMoney(
  app: TestApp,
  { tenantId, invoice, item, payment }: { tenantId: string; invoice: string; item: string; payment: string },
) {
  const note = newId();
  await app.query(
    `insert into credit_notes (id, tenant_id, invoice_id, number, fiscal_year, serial, reason, issue_date, seller, buyer, buyer_name,
                               place_of_supply, supply, taxable, cgst, sgst, igst, round_off, total, credit_amount, refund_amount, offset_amount)
     values ($1, $2, $3, $4, '26-27', $5, 'GOODWILL', '2026-07-03', $6, $7, 'Saraswati Reading Hall', '29', 'INTER_STATE',
             100, 0, 0, 18, 0, 118, 100, 18, 0)`,
    [note, tenantId, invoice, `TCN/26-27/${String((serial += 1)).padStart(5, '0')}`, serial, seller, buyer],
  );
  await app.query(
    `with i as (insert into credit_note_items (id, tenant_id, credit_note_id, invoice_item_id, position, taxable, cgst, sgst, igst, total)
                values ($1, $2, $3, $4, 1, 100, 0, 0, 18, 118)),
          e as (insert into billing_entries (id, tenant_id, kind, amount, balance, credit_note_id) values ($1, $2, 'CREDIT_NOTE', 100, 100, $3))
     insert into refunds (id, tenant_id, payment_id, credit_note_id, amount, status, updated_at) values ($1, $2, $5, $3, 18, 'SUCCEEDED', now())`,
    [newId(), tenantId, note, item, payment],
  );
  await app.query(
    `with l as (insert into payment_links (id, tenant_id, invoice_id, gateway, gateway_link_id, url, amount, status, expires_at, updated_at)
                values ($1, $2, $3, 'sandbox', $1, 'https://pay.example/' || $1, 1179, 'PAID', now(), now()))
     insert into gateway_events (id, tenant_id, gateway, event_id, type, payload) values ($1, $2, 'sandbox', $1, 'payment.captured', $4)`,
    [newId(), tenantId, invoice, JSON.stringify({ vpa: PAYER })],
  );
}
