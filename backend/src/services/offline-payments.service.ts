import type { z } from 'zod';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, invalidField, orNotFound } from '../utils/errors.ts';
import { addDays, dateColumn } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { newId } from '../utils/ids.ts';
import { decimal, rupees } from '../utils/money.ts';
import type { invoiceBalance, offlinePaymentBody } from '../validators/invoice-payments.validator.ts';
import type { payment } from '../validators/payments.validator.ts';
import { lockBillingAccount } from './billing-account.service.ts';
import { usePayment } from './invoice-settlement.service.ts';
import * as queries from './offline-payments.queries.ts';
import { closePaymentLinks } from './payment-link-closing.service.ts';
import { paymentById } from './payments.queries.ts';

// What came otherwise than through the gateway: noted down by people, as their bank account shows it.

type OfflinePayment = z.output<typeof offlinePaymentBody>;
export type PaymentView = z.input<typeof payment>;
export type InvoiceBalance = z.input<typeof invoiceBalance>;

/** An advance is paid shortly before the invoice; older money was meant for something else. */
const MOST_DAYS_BEFORE_ISSUE = 31;

/** How invoices stand, in the order that is asked for. */
export async function invoiceBalances(
  ctx: Pick<ReadContext, 'sql'>,
  ids: readonly string[],
): Promise<InvoiceBalance[]> {
  const rows = await ctx.sql.many<InvoiceBalance>(queries.balancesOf(ids));
  return ids.map((id) => orNotFound(rows.find((row) => row.id === id) ?? null, 'invoice'));
}

/** @throws AppError not_found */
export const getPayment = async (ctx: Pick<ReadContext, 'sql'>, id: string): Promise<PaymentView> =>
  orNotFound(await ctx.sql.one<PaymentView>(paymentById(id)), 'payment');

/**
 * Notes down a payment that came by bank, cheque, cash or otherwise, for one invoice or several of the same tenant, in the
 * order that is given. Less than is due leaves the last of them open; what is more goes to the credit balance.
 * @throws AppError not_found; invalid_transition where nothing is due; conflict for a reference that was noted down before
 */
export async function recordOfflinePayment(ctx: WriteContext<Actor>, invoiceId: string, input: OfflinePayment) {
  const { alsoSettle = [], ...paid } = input;
  const ids = [invoiceId, ...new Set(alsoSettle)];
  const invoice = await lockAll(ctx, invoiceId, ids);
  const today = dayInIndia(ctx.now);
  const receivedOn = paid.receivedOn ?? today;
  assertDay(receivedOn, today, invoice);
  const { tenantId } = invoice;
  await lockBillingAccount(ctx, tenantId);
  await assertNewReference(ctx, tenantId, paid);
  const id = newId();
  await insert(ctx, { id, tenantId, invoiceId, receivedOn, ...paid });
  const { credited } = await usePayment(ctx, { id, tenantId, amount: decimal(paid.amount) }, ids);
  for (const one of ids) await closePaymentLinks(ctx, one);
  ctx.enqueue('email.payment-received', { paymentId: id }, { tenantId });
  const after = { ...paid, receivedOn, invoiceIds: ids, credited: rupees(credited) };
  ctx.audit({ resource: 'payment', resourceId: id, tenantId, after });
  return { payment: await getPayment(ctx, id), invoices: await invoiceBalances(ctx, ids), credited: rupees(credited) };
}

/** Locks subscriptions, then invoices, each in one order: two who name the same invoices in another one do not meet. */
async function lockAll(ctx: WriteContext, id: string, ids: readonly string[]): Promise<queries.InvoiceToSettle> {
  await ctx.sql.many(queries.lockSubscriptionsOf(ids));
  const rows = await ctx.sql.many<queries.InvoiceToSettle>(queries.lockInvoices(ids));
  const invoice = orNotFound(rows.find((row) => row.id === id) ?? null, 'invoice');
  const others = rows.filter((row) => row.id !== id && row.tenantId === invoice.tenantId && isPayable(row));
  if (!isPayable(invoice)) {
    const why = `The invoice is ${invoice.status}, and nothing of it is due.`;
    throw new AppError('invalid_transition', why, { status: invoice.status });
  }
  if (others.length < ids.length - 1) {
    throw invalidField('alsoSettle', 'must name invoices of the same tenant of which something is due');
  }
  return invoice;
}

const isPayable = ({ status, amountDue }: queries.InvoiceToSettle): boolean =>
  (status === 'OPEN' || status === 'UNCOLLECTIBLE') && decimal(amountDue).gt(0);

function assertDay(receivedOn: string, today: string, { issueDate }: queries.InvoiceToSettle): void {
  if (receivedOn > today) throw invalidField('receivedOn', 'must not lie in the future');
  const earliest = addDays(issueDate ?? today, -MOST_DAYS_BEFORE_ISSUE);
  if (receivedOn < earliest) {
    throw invalidField('receivedOn', `must be ${earliest} or later: a month before the invoice was issued`);
  }
}

async function assertNewReference(
  ctx: WriteContext,
  tenantId: string,
  { method, reference }: Pick<OfflinePayment, 'method' | 'reference'>,
): Promise<void> {
  if (!reference) return;
  const same = await ctx.sql.one<{ id: string }>(queries.sameReference(tenantId, method, reference));
  if (!same) return;
  const issues = [{ in: 'body' as const, field: 'reference', message: 'was noted down before' }];
  throw new AppError('conflict', `A payment with the reference ${reference} was noted down before.`, {
    issues,
    paymentId: same.id,
  });
}

type Noted = Omit<OfflinePayment, 'alsoSettle' | 'receivedOn'> & {
  id: string;
  tenantId: string;
  invoiceId: string;
  receivedOn: string;
};

const insert = (ctx: WriteContext<Actor>, { id, receivedOn, reference, notes, ...paid }: Noted): Promise<unknown> =>
  ctx.db.payment.create({
    data: {
      ...paid,
      id,
      transactionId: id,
      status: 'SUCCEEDED',
      initiatedBy: 'OFFLINE',
      reference: reference ?? null,
      notes: notes ?? null,
      receivedOn: dateColumn(receivedOn),
      succeededAt: ctx.now,
      createdById: ctx.actor.id,
      createdAt: ctx.now,
      updatedAt: ctx.now,
    },
    select: { id: true },
  });
