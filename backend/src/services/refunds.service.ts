import type { PaymentStatus, RefundStatus } from '../generated/prisma/enums.ts';
import { GatewayRefused, type GatewayRefund } from '../providers/payment-gateway.provider.ts';
import type { ManualContext, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { newId } from '../utils/ids.ts';
import { decimal, rupees, toPaise, type Decimal } from '../utils/money.ts';
import { sql, type Sql } from '../utils/sql.ts';
import { moveCreditBalance } from './billing-account.service.ts';
import { paymentGateway } from './payment-gateway.service.ts';

// Money that goes back by the way it came. It is decided on within the transaction of what it is for, and sent by a job;
// what cannot be sent goes to the credit balance instead, so that it is never lost.

/** The gateway gives no less back. */
const LEAST = 1;

export type NewRefund = {
  paymentId: string;
  /** Rupees. */
  amount: Decimal;
  creditNoteId: string | null;
};

type RefundablePayment = {
  tenantId: string;
  status: PaymentStatus;
  amount: string;
  amountRefunded: string;
  gatewayPaymentId: string | null;
};

const lockPayment = (id: string): Sql => sql`
  select tenant_id as "tenantId", status, amount::text, amount_refunded::text as "amountRefunded",
         gateway_payment_id as "gatewayPaymentId"
    from payments where id = ${id} for update`;

/**
 * Decides to give back of a payment; the job `invoice.refund` sends it. All refunds of a payment together are at most what
 * came: of two of 60 on 100 one is refused (rule 22). Lock the invoice before, not after.
 * @returns the id of the refund, which is PENDING
 * @throws AppError not_found; conflict for more than is left, and for what came otherwise than through the gateway: credit
 *   that to the tenant's balance
 */
export async function createRefund(ctx: WriteContext, { paymentId, amount, creditNoteId }: NewRefund): Promise<string> {
  const payment = orNotFound(await ctx.sql.one<RefundablePayment>(lockPayment(paymentId)), 'payment');
  assertRefundable(payment, amount);
  const { tenantId } = payment;
  const id = newId();
  await ctx.db.payment.update({
    where: { id: paymentId },
    data: { amountRefunded: rupees(decimal(payment.amountRefunded).plus(amount)), updatedAt: ctx.now },
    select: { id: true },
  });
  await ctx.db.refund.create({
    data: {
      id,
      tenantId,
      paymentId,
      creditNoteId,
      amount: rupees(amount),
      createdById: ctx.actor?.id ?? null,
      createdAt: ctx.now,
      updatedAt: ctx.now,
    },
    select: { id: true },
  });
  ctx.enqueue('invoice.refund', { refundId: id }, { tenantId, dedupeKey: `refund-${id}` });
  audit(ctx, { id, tenantId }, { status: 'PENDING', paymentId, amount: rupees(amount), creditNoteId });
  return id;
}

function assertRefundable(payment: RefundablePayment, amount: Decimal): void {
  if (payment.status !== 'SUCCEEDED') throw new AppError('conflict', 'Only a payment that came can be given back.');
  if (payment.gatewayPaymentId === null) {
    const why = 'The payment did not come through the gateway, and cannot go back through it. Use the credit balance.';
    throw new AppError('conflict', why);
  }
  if (amount.lt(LEAST)) throw new AppError('conflict', 'Less than a rupee is not given back. Use the credit balance.');
  const left = decimal(payment.amount).minus(payment.amountRefunded);
  if (amount.gt(left)) {
    throw new AppError('conflict', `Of the payment ${rupees(left)} rupees are left to be given back.`, {
      refundable: rupees(left),
    });
  }
}

const audit = (ctx: WriteContext, refund: { id: string; tenantId: string }, after: object): void =>
  ctx.audit({
    action: 'revenue.refund',
    resource: 'refund',
    resourceId: refund.id,
    tenantId: refund.tenantId,
    after,
  });

export type RefundRow = {
  id: string;
  tenantId: string;
  paymentId: string;
  creditNoteId: string | null;
  /** Rupees. */
  amount: string;
  status: RefundStatus;
  gatewayRefundId: string | null;
  gateway: string | null;
  gatewayPaymentId: string | null;
};

const refund = (condition: Sql): Sql => sql`
  select r.id, r.tenant_id as "tenantId", r.payment_id as "paymentId", r.credit_note_id as "creditNoteId", r.amount::text,
         r.status, r.gateway_refund_id as "gatewayRefundId", p.gateway, p.gateway_payment_id as "gatewayPaymentId"
    from refunds r join payments p on p.id = r.payment_id where ${condition}`;

export const refundById = (id: string): Sql => refund(sql`r.id = ${id}`);
/** By the gateway's id, or by ours, which it was given as a receipt. */
export const refundOfGateway = ({ id, receipt }: GatewayRefund): Sql =>
  refund(sql`r.gateway_refund_id = ${id} or r.id = ${receipt ?? ''}`);

/** Refunds of which the gateway has not said what became of them, for a while. */
export const refundsToAskFor = (before: Date, limit: number): Sql => sql`
  select id from refunds where status = 'PENDING' and created_at <= ${before} order by created_at, id limit ${limit}`;

/**
 * Sends a refund to the gateway, or asks what became of it. Safe to repeat: the gateway knows it by its receipt.
 * @throws GatewayUnavailable or GatewayUnknown: try again
 */
export async function sendRefund(ctx: ManualContext, id: string): Promise<void> {
  const row = orNotFound(await ctx.sql.one<RefundRow>(refundById(id)), 'refund');
  const gateway = paymentGateway();
  if (row.status !== 'PENDING' || row.gateway !== gateway.name || row.gatewayPaymentId === null) return;
  const { paymentId, gatewayPaymentId, creditNoteId } = row;
  try {
    const told = row.gatewayRefundId
      ? await gateway.fetchRefund(row.gatewayRefundId)
      : await gateway.refund({
          paymentId: gatewayPaymentId,
          amountPaise: toPaise(row.amount),
          receipt: id,
          notes: { paymentId, ...(creditNoteId && { creditNoteId }) },
        });
    await ctx.transact((tx) => recordRefund(tx, row, told));
  } catch (error) {
    if (!(error instanceof GatewayRefused)) throw error;
    await ctx.transact((tx) => failRefund(tx, row, error.failure?.description || 'The gateway has refused it.'));
  }
}

/** Writes down what the gateway says of a refund; states only move forward. @returns whether that is new */
export async function recordRefund(tx: WriteContext, row: RefundRow, told: GatewayRefund): Promise<boolean> {
  if (told.status === 'FAILED') return failRefund(tx, row, 'The bank has sent it back.');
  const status = told.status === 'PROCESSED' ? 'SUCCEEDED' : 'PENDING';
  const { count } = await tx.db.refund.updateMany({
    where: { id: row.id, status: 'PENDING' },
    data: { status, gatewayRefundId: told.id, updatedAt: tx.now },
  });
  if (count === 0 || status === 'PENDING') return false;
  audit(tx, row, { status });
  return true;
}

/** The money is still here, and is the tenant's credit from now on: so says the credit note, only by another way. */
async function failRefund(tx: WriteContext, row: RefundRow, failureMessage: string): Promise<boolean> {
  const { id, tenantId, paymentId, creditNoteId } = row;
  await tx.sql.one(lockPayment(paymentId));
  const { count } = await tx.db.refund.updateMany({
    where: { id, status: 'PENDING' },
    data: { status: 'FAILED', failureMessage, updatedAt: tx.now },
  });
  if (count === 0) return false;
  await tx.db.payment.update({
    where: { id: paymentId },
    data: { amountRefunded: { decrement: row.amount }, updatedAt: tx.now },
    select: { id: true },
  });
  const amount = decimal(row.amount);
  await moveCreditBalance(tx, { tenantId, kind: 'CREDIT_NOTE', amount, creditNoteId, paymentId });
  audit(tx, row, { status: 'FAILED', reason: failureMessage, credited: row.amount });
  return true;
}
