import { createHmac } from 'node:crypto';
import type { GatewayPayment } from '../../../src/providers/payment-gateway.provider.ts';
import type { SandboxGateway } from '../../../src/providers/payment-gateway-sandbox.provider.ts';
import type { JobName, JobPayload } from '../../../src/queues/index.ts';
import { issueInvoice, type InvoiceOrder } from '../../../src/services/invoice-issue.service.ts';
import {
  buildBilledTenant,
  buildPaymentMethod,
  buildPlan,
  buildSubscription,
  freshKey,
  noon,
  resetClock,
  runJob,
  setClock,
} from '../../support/billing.ts';
import type { Answer } from '../../support/client.ts';
import { asSystem } from '../../support/dunning.ts';
import { startFinanceApp, type FinanceApp } from '../../support/finance.ts';
import type { TestApp } from '../../support/server.ts';

export type PaymentsApp = FinanceApp & { sandbox: SandboxGateway };

/** The API with a sandbox gateway of its own. */
export async function startPaymentsApp(environment: Record<string, string> = {}): Promise<PaymentsApp> {
  const app = await startFinanceApp(environment);
  const { paymentSandbox } = await import('../../../src/services/payment-gateway.service.ts');
  return { ...app, sandbox: paymentSandbox() as SandboxGateway };
}

/** 1,180.00 rupees with tax for each 1,000.00. */
export const issue = (tenantId: string, order: Partial<InvoiceOrder> & { unitPrice?: string } = {}) =>
  asSystem((tx) => {
    const { unitPrice = '1000.00', ...rest } = order;
    return issueInvoice(tx, {
      tenantId,
      subscriptionId: null,
      reason: 'MANUAL',
      collectionMethod: 'AUTOMATIC',
      period: null,
      lines: [{ kind: 'MANUAL', description: 'Set-up', sacCode: '997331', quantity: '1', unitPrice }],
      ...rest,
    });
  });

/** A tenant with an open invoice over 1,180.00. */
export async function buildDebtor(app: TestApp, order: Parameters<typeof issue>[1] = {}) {
  const built = await buildBilledTenant(app);
  return { ...built, invoice: await issue(built.tenantId, order) };
}

export const collect = (
  app: TestApp,
  invoiceId: string,
  token: string,
  options: { key?: object; body?: object } = {},
) =>
  app.call('POST', `/api/revenue/invoices/${invoiceId}/collect`, {
    token,
    body: options.body ?? {},
    headers: { ...freshKey(), ...options.key },
  });

export type PaymentRow = {
  id: string;
  status: string;
  amount: string;
  initiated_by: string;
  failure_code: string | null;
  decline: string | null;
  gateway_order_id: string | null;
  gateway_payment_id: string | null;
  polls: number;
  payment_method_id: string | null;
  gateway_fee: string;
  gateway_tax: string;
};

export const paymentsOf = (app: TestApp, invoiceId: string): Promise<PaymentRow[]> =>
  app.query<PaymentRow>(
    `select id, status, amount::text, initiated_by, failure_code, decline, gateway_order_id, gateway_payment_id, polls,
            payment_method_id, gateway_fee::text, gateway_tax::text
       from payments where invoice_id = $1 order by created_at, id`,
    [invoiceId],
  );

export async function invoiceOf(app: TestApp, id: string) {
  const [row] = await app.query<{ status: string; due: string; paid: string; collect_after: Date | null }>(
    `select status, amount_due::text as due, amount_paid::text as paid, collect_after from invoices where id = $1`,
    [id],
  );
  return row;
}

/** What the gateway has taken for an invoice, whatever we think. */
export async function takenAtGateway({ sandbox, ...app }: PaymentsApp, invoiceId: string): Promise<GatewayPayment[]> {
  const orders = (await paymentsOf(app, invoiceId)).flatMap(({ gateway_order_id: order }) => order ?? []);
  const payments = await Promise.all(orders.map((order) => sandbox.paymentsOfOrder(order)));
  return payments.flat().filter(({ status }) => status === 'CAPTURED' || status === 'REFUNDED');
}

/** Does the jobs of these names that wait, as a worker would. @returns how many */
export async function workOff(app: TestApp, ...names: JobName[]): Promise<number> {
  const rows = await app.query<{ name: JobName; payload: JobPayload<JobName>; tenant_id: string | null }>(
    `update outbox_messages set published_at = now() where published_at is null and job = any ($1)
     returning job as name, payload, tenant_id`,
    [names],
  );
  for (const { name, payload, tenant_id: tenantId } of rows) await runJob(name, payload, tenantId);
  return rows.length;
}

type Signed = { signature?: string; eventId?: string; body: string | Buffer };

export async function signatureFor(body: string | Buffer): Promise<string> {
  const { webhookSecrets } = await import('../../../src/services/payment-gateway.service.ts');
  return createHmac('sha256', webhookSecrets()[0] as string)
    .update(body)
    .digest('hex');
}

/** A webhook as the gateway sends it. */
export const sendWebhook = async (app: TestApp, { signature, eventId, body }: Signed): Promise<Answer> =>
  app.call('POST', '/api/payments/webhooks/sandbox', {
    rawBody: body.toString(),
    headers: {
      'x-razorpay-signature': signature ?? (await signatureFor(body)),
      ...(eventId && { 'x-razorpay-event-id': eventId }),
    },
  });

/** Delivers all that the sandbox has to tell over HTTP, and has it worked on. @returns the types, in order */
export async function deliverAll(app: PaymentsApp): Promise<string[]> {
  const webhooks = app.sandbox.takeWebhooks(10_000);
  for (const { body, signature, eventId } of webhooks) {
    const answer = await sendWebhook(app, { body, signature, eventId });
    if (answer.status !== 200) throw new Error(answer.text);
    app.sandbox.markDelivered(eventId);
  }
  await workOff(app, 'invoice.gateway-event');
  return webhooks.map(({ body }) => (JSON.parse(body.toString()) as { event: string }).event);
}

/** The balance, which is the sum of its entries. */
export async function creditOf(app: TestApp, tenantId: string): Promise<string> {
  const [row] = await app.query<{ balance: string; entries: string }>(
    `select coalesce((select credit_balance from billing_accounts where tenant_id = $1), 0)::numeric(14, 2)::text as balance,
            coalesce((select sum(amount) from billing_entries where tenant_id = $1), 0)::numeric(14, 2)::text as entries`,
    [tenantId],
  );
  if (row?.balance !== row?.entries) throw new Error(`The balance is ${row?.balance}, its entries ${row?.entries}`);
  return row?.balance ?? '';
}

const MINUTE_MS = 60_000;
const RENEWED_AT = new Date(noon('2026-08-03')).getTime();
export const renewedAt = new Date(RENEWED_AT);

/** So many minutes after noon of 3 August, and as long as a test may take. */
export const minute = (minutes: number): void =>
  setClock(new Date(RENEWED_AT + minutes * MINUTE_MS + Math.sign(minutes) * 20_000));

export const collectionRun = (): Promise<void> => runJob('invoice.collection-run', {});

export const dunningOf = (app: TestApp, invoiceId: string) =>
  app.query<{ status: string; hard_declined: boolean; started_on: string }>(
    `select status, hard_declined, to_char(started_on, 'YYYY-MM-DD') as started_on from dunning_runs where invoice_id = $1`,
    [invoiceId],
  );

/** A tenant with an invoice of its subscription that is to be charged by itself at noon of 3 August, which it is. */
export async function buildRenewal(app: TestApp, tokenId: string | null) {
  // Whoever signs in does so now: sessions go by the real time.
  resetClock();
  const plan = await buildPlan(app);
  const debtor = await buildDebtor(app);
  minute(0);
  const subscriptionId = await buildSubscription(app, debtor.tenantId, plan);
  const methodId = tokenId === null ? null : await buildPaymentMethod(app, debtor.tenantId, tokenId);
  const invoice = await issue(debtor.tenantId, {
    subscriptionId,
    reason: 'SUBSCRIPTION_CYCLE',
    period: { start: '2026-08-01', end: '2026-09-01' },
    collectAfter: renewedAt,
  });
  return { ...debtor, invoice, subscriptionId, methodId };
}
