import type { Actor, ManualContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { sql } from '../utils/sql.ts';
import { getPayment, invoiceBalances } from './offline-payments.service.ts';
import { collectInvoice, type Collected } from './payment-collection.service.ts';

const refusals: Partial<Record<Collected['status'], string>> = {
  NO_METHOD: 'There is no payment method that can be charged. Add one, or pay by a link.',
  NOTHING_DUE: 'Nothing of the invoice is due.',
  IN_PROGRESS: 'A payment of the invoice is under way. Wait for what comes of it, a few minutes.',
};

/**
 * Charges an invoice because somebody asks for it.
 * @throws AppError not_found for the invoice or the payment method; conflict where there is nothing to charge, nothing to
 *   charge to, or a charge is under way; payment_failed when it was declined
 */
export async function collectByPerson(ctx: ManualContext<Actor>, invoiceId: string, paymentMethodId?: string) {
  if (paymentMethodId !== undefined) await assertMethodOf(ctx, invoiceId, paymentMethodId);
  const { status, decline, paymentId } = await collectInvoice(ctx, invoiceId, {
    initiatedBy: 'PERSON',
    paymentMethodId,
  });
  if (paymentId === null)
    throw new AppError('conflict', refusals[status] ?? 'It could not be charged.', { reason: status });
  const [payment, [invoice]] = await Promise.all([getPayment(ctx, paymentId), invoiceBalances(ctx, [invoiceId])]);
  if (status === 'FAILED') {
    const { code = 'unknown', message } = payment.failure ?? {};
    throw new AppError('payment_failed', `The payment has failed: ${message ?? code}`, {
      reason: code,
      decline,
      paymentId,
    });
  }
  return { payment, invoice: orNotFound(invoice, 'invoice') };
}

/** One of the tenant that the invoice is for, and that can be charged. */
async function assertMethodOf(ctx: ManualContext<Actor>, invoiceId: string, paymentMethodId: string): Promise<void> {
  const invoice = sql`select tenant_id as "tenantId" from invoices where id = ${invoiceId}`;
  const method = sql`select tenant_id as "tenantId", status from payment_methods where id = ${paymentMethodId}`;
  const [[billed], [named]] = await ctx.sql.batch<[{ tenantId: string }[], { tenantId: string; status: string }[]]>(
    invoice,
    method,
  );
  const { tenantId } = orNotFound(billed, 'invoice');
  const { status } = orNotFound(named?.tenantId === tenantId ? named : undefined, 'payment method');
  if (status === 'ACTIVE') return;
  throw new AppError('conflict', `The payment method is ${status}: only one that is ACTIVE can be charged.`);
}
