import type { InvoiceReason, InvoiceStatus, PaymentInitiator } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { dateColumn } from '../utils/india-day.ts';
import { newId } from '../utils/ids.ts';
import { decimal, Decimal, rupees, ZERO } from '../utils/money.ts';
import { sql, type Sql } from '../utils/sql.ts';
import { moveCreditBalance } from './billing-account.service.ts';
import { closeDunningOf } from './dunning-close.service.ts';
import { recoverSubscription } from './subscription-recovery.service.ts';

// What is paid or credited on invoices, and what follows from it in the same transaction: dunning closes, and the
// subscription is no longer past due (rule 25).

export type LockedInvoice = {
  id: string;
  tenantId: string;
  subscriptionId: string | null;
  number: string | null;
  status: InvoiceStatus;
  reason: InvoiceReason;
  total: string;
  amountPaid: string;
  amountCredited: string;
  /** Rupees, as text. */
  amountDue: string;
  /** A day in India. */
  dueDate: string | null;
  issueDate: string | null;
  version: number;
};

const lockInvoice = (id: string): Sql => sql`
  select id, tenant_id as "tenantId", subscription_id as "subscriptionId", number, status, reason, total::text,
         amount_paid::text as "amountPaid", amount_credited::text as "amountCredited", amount_due::text as "amountDue",
         to_char(due_date, 'YYYY-MM-DD') as "dueDate", to_char(issue_date, 'YYYY-MM-DD') as "issueDate", version
    from invoices where id = ${id} for update`;

/** The invoice, which nobody else changes until the end of the transaction. @throws AppError not_found */
export const lockedInvoice = async (ctx: WriteContext, id: string): Promise<LockedInvoice> =>
  orNotFound(await ctx.sql.one<LockedInvoice>(lockInvoice(id)), 'invoice');

export type Settled = { status: InvoiceStatus; amountDue: Decimal };
type SettledRow = {
  status: InvoiceStatus;
  before: InvoiceStatus;
  amountDue: string;
  subscriptionId: string | null;
  tenantId: string;
};

const settleInvoice = (id: string, { paid, credited }: { paid: Decimal; credited: Decimal }, now: Date): Sql => {
  const [p, c] = [rupees(paid), rupees(credited)];
  const due = sql`(i.amount_due - ${p}::numeric - ${c}::numeric)`;
  return sql`
    update invoices i set
      amount_paid = i.amount_paid + ${p}::numeric, amount_credited = i.amount_credited + ${c}::numeric, amount_due = ${due},
      status = (case when ${due} = 0 then 'PAID' when i.status = 'PAID' then 'OPEN' else i.status::text end)::invoice_status,
      paid_at = case when ${due} = 0 then coalesce(i.paid_at, ${now}::timestamptz) end,
      collect_after = case when ${due} = 0 then null else i.collect_after end,
      version = i.version + 1, updated_at = ${now}
      from (select status from invoices where id = ${id} for update) b
     where i.id = ${id} and i.status in ('OPEN', 'PAID', 'UNCOLLECTIBLE')
    returning i.status, b.status as before, i.amount_due::text as "amountDue", i.subscription_id as "subscriptionId",
              i.tenant_id as "tenantId"`;
};

/**
 * Something of an invoice was paid or credited, or with negative amounts that is undone. What follows is done with it.
 * @throws AppError invalid_transition for a draft or a void invoice, or for more than is due
 */
export async function settle(
  ctx: WriteContext,
  invoiceId: string,
  by: { paid?: Decimal; credited?: Decimal },
): Promise<Settled> {
  const amounts = { paid: by.paid ?? ZERO, credited: by.credited ?? ZERO };
  const row = await ctx.sql.one<SettledRow>(settleInvoice(invoiceId, amounts, ctx.now));
  if (!row)
    throw new AppError('invalid_transition', 'Only an invoice that was issued and not voided can be paid or credited.');
  const amountDue = decimal(row.amountDue);
  ctx.audit({
    action: 'revenue.invoice_paid',
    resource: 'invoice',
    resourceId: invoiceId,
    tenantId: row.tenantId,
    details: {
      paid: rupees(amounts.paid),
      credited: rupees(amounts.credited),
      due: rupees(amountDue),
      status: row.status,
    },
  });
  if (row.status === 'PAID' && row.before !== 'PAID') {
    await closeDunningOf(ctx, invoiceId, amounts.paid.gt(ZERO) ? 'PAID' : 'SETTLED');
    if (row.subscriptionId) await recoverSubscription(ctx, row.subscriptionId);
  }
  return { status: row.status, amountDue };
}

/** A payment that has come, as far as its use needs it. */
export type ReceivedPayment = { id: string; tenantId: string; amount: Decimal };

/**
 * Puts a payment that came to invoices, in the order that is given; what is left when all are paid goes to the tenant's
 * credit balance. The payment was noted down as SUCCEEDED by the caller, once.
 */
export async function usePayment(
  ctx: WriteContext,
  payment: ReceivedPayment,
  invoiceIds: readonly string[],
): Promise<{ allocated: { invoiceId: string; amount: Decimal }[]; credited: Decimal }> {
  let left = payment.amount;
  const allocated: { invoiceId: string; amount: Decimal }[] = [];
  for (const invoiceId of invoiceIds) {
    const invoice = await lockedInvoice(ctx, invoiceId);
    const isPayable = invoice.status === 'OPEN' || invoice.status === 'UNCOLLECTIBLE';
    const amount = isPayable ? Decimal.min(left, invoice.amountDue) : ZERO;
    if (amount.lte(ZERO)) continue;
    await allocatePayment(ctx, { paymentId: payment.id, tenantId: payment.tenantId, invoiceId, amount });
    allocated.push({ invoiceId, amount });
    left = left.minus(amount);
  }
  if (left.gt(ZERO)) {
    await moveCreditBalance(ctx, {
      tenantId: payment.tenantId,
      kind: 'OVERPAYMENT',
      amount: left,
      paymentId: payment.id,
    });
  }
  return { allocated, credited: left };
}

export type Allocation = { paymentId: string; tenantId: string; invoiceId: string; amount: Decimal };

/** Puts a part of a payment to an invoice, or with a negative amount takes it away again. */
export async function allocatePayment(ctx: WriteContext, { amount, ...rest }: Allocation): Promise<Settled> {
  await ctx.db.paymentAllocation.create({ data: { ...rest, amount: rupees(amount), createdAt: ctx.now } });
  return settle(ctx, rest.invoiceId, { paid: amount });
}

/** Pays an invoice from what the tenant has to its credit, as far as that goes. The account is locked by the caller. */
export async function payFromCredit(
  ctx: WriteContext,
  invoice: { id: string; tenantId: string; amountDue: Decimal },
  balance: Decimal,
): Promise<Settled> {
  const { id: invoiceId, tenantId } = invoice;
  const amount = Decimal.min(balance, invoice.amountDue);
  const initiatedBy: PaymentInitiator = 'SYSTEM';
  const id = newId();
  await ctx.db.payment.create({
    data: {
      id,
      tenantId,
      invoiceId,
      transactionId: id,
      amount: rupees(amount),
      method: 'CREDIT_BALANCE',
      status: 'SUCCEEDED',
      initiatedBy,
      receivedOn: dateColumn(dayInIndia(ctx.now)),
      succeededAt: ctx.now,
      createdAt: ctx.now,
    },
  });
  await moveCreditBalance(ctx, { tenantId, kind: 'APPLIED', amount: amount.negated(), invoiceId, paymentId: id });
  return allocatePayment(ctx, { paymentId: id, tenantId, invoiceId, amount });
}
