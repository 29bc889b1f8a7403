import type { z } from 'zod';
import type { creditNote } from '../../../src/validators/credit-notes.validator.ts';
import type { invoice } from '../../../src/validators/invoice-views.validator.ts';
import { buildBilledTenant, freshKey } from '../../support/billing.ts';
import type { Answer } from '../../support/client.ts';
import { startFinanceApp } from '../../support/finance.ts';
import type { TestApp } from '../../support/server.ts';

export type Invoice = z.output<typeof invoice>;
export type CreditNote = z.output<typeof creditNote>;
export type Line = { description?: string; sacCode?: string; quantity?: string; unitPrice: string; discount?: string };

/** 590.00 rupees with tax. */
export const training: Line = { description: 'Training of the staff', unitPrice: '500.00' };

const dataOf = <Data>(answer: Answer, status: number): Data => {
  if (answer.status !== status) throw new Error(`Not a ${status}: ${answer.text}`);
  return answer.body.data as Data;
};

/** What finance does with invoices, over HTTP; each throws where it is refused. */
export function desk(app: TestApp, token: string) {
  const post = (path: string, body: object = {}, headers: Record<string, string> = freshKey()) =>
    app.call('POST', `/api/revenue${path}`, { token, body, headers });
  const get = (path: string) => app.call('GET', `/api/revenue${path}`, { token });

  const draft = async (tenantId: string, lines: Line[] = [training], more: object = {}): Promise<Invoice> => {
    const named = lines.map((line) => ({ description: 'A service', ...line }));
    return dataOf(await post('/invoices', { tenantId, lines: named, ...more }), 201);
  };
  const finalize = async (id: string, body: object = {}): Promise<Invoice> =>
    dataOf(await post(`/invoices/${id}/finalize`, body), 200);
  return {
    post,
    get,
    draft,
    finalize,
    issue: async (tenantId: string, lines?: Line[], more?: object) => finalize((await draft(tenantId, lines, more)).id),
    read: async (id: string): Promise<Invoice> => dataOf(await get(`/invoices/${id}`), 200),
    credit: async (invoiceId: string, body: object = { full: true }): Promise<CreditNote> =>
      dataOf(await post('/credit-notes', { invoiceId, reason: 'GOODWILL', ...body }), 201),
  };
}

export type Desk = ReturnType<typeof desk>;

/** The API, finance at its desk with its token, and a tenant that can be billed. */
export async function startDesk(
  payer: Parameters<typeof buildBilledTenant>[1] = {},
  environment: Record<string, string> = {},
) {
  const app = await startFinanceApp(environment);
  const { tenantId } = await buildBilledTenant(app, payer);
  return { app, token: app.finance, finance: desk(app, app.finance), tenantId };
}

/** Puts rupees to the credit balance of a tenant, as an overpayment would. */
export const giveCredit = (app: TestApp, tenantId: string, amount: string) =>
  app.query(
    `with a as (
       insert into billing_accounts (tenant_id, credit_balance, updated_at) values ($1, $2, now())
       on conflict (tenant_id) do update set credit_balance = billing_accounts.credit_balance + excluded.credit_balance
       returning tenant_id, credit_balance)
     insert into billing_entries (id, tenant_id, kind, amount, balance)
     select 'c' || substr(md5(random()::text), 1, 24), tenant_id, 'OVERPAYMENT', $2, credit_balance from a`,
    [tenantId, amount],
  );

export const balanceOf = async (app: TestApp, tenantId: string): Promise<string> => {
  const [row] = await app.query<{ balance: string }>(
    `select credit_balance::text as balance from billing_accounts where tenant_id = $1`,
    [tenantId],
  );
  return row?.balance ?? '0.00';
};

/** The balance is the sum of its entries. */
export const entriesOf = (app: TestApp, tenantId: string) =>
  app.query<{ kind: string; amount: string; balance: string }>(
    `select kind, amount::text, balance::text from billing_entries where tenant_id = $1 order by created_at, id`,
    [tenantId],
  );

/**
 * Pays on an invoice as the gateway would have it paid: a payment that came, and where it went.
 * @returns the id of the payment
 */
export async function payOn(app: TestApp, invoice: { id: string; tenantId: string }, amount: string): Promise<string> {
  const [row] = await app.query<{ id: string }>(
    `with p as (
       insert into payments (id, tenant_id, invoice_id, transaction_id, amount, method, status, initiated_by, gateway,
                             gateway_payment_id, received_on, succeeded_at, updated_at)
       select 'c' || substr(md5(random()::text), 1, 24), $2, $1, 'pay_' || md5(random()::text), $3, 'CARD', 'SUCCEEDED',
              'PERSON', 'sandbox', 'pay_' || md5(random()::text), '2026-08-02', now(), now() returning id),
     a as (
       insert into payment_allocations (id, tenant_id, payment_id, invoice_id, amount)
       select 'c' || substr(md5(random()::text), 1, 24), $2, p.id, $1, $3 from p),
     i as (
       update invoices set amount_paid = amount_paid + $3::numeric, amount_due = amount_due - $3::numeric,
              status = (case when amount_due = $3::numeric then 'PAID' else status::text end)::invoice_status,
              paid_at = case when amount_due = $3::numeric then now() end
        where id = $1)
     select id from p`,
    [invoice.id, invoice.tenantId, amount],
  );
  return row?.id ?? '';
}

/** What the audit trail says of something, in order. */
export const auditsOf = (app: TestApp, id: string) =>
  app.query<{ action: string; details: Record<string, unknown> }>(
    `select action, changes as details from audit_logs where resource_id = $1 order by created_at, sequence`,
    [id],
  );
