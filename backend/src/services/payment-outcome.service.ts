import type { PaymentStatus } from '../generated/prisma/enums.ts';
import type { GatewayPayment } from '../providers/payment-gateway.provider.ts';
import type { WriteContext } from '../types/context.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { decimal, fromPaise, rupees, toPaise } from '../utils/money.ts';
import { startDunning } from './dunning-start.service.ts';
import { lockedInvoice, usePayment } from './invoice-settlement.service.ts';
import { collectFrom } from './payment-collection.queries.ts';
import { closePaymentLinks } from './payment-link-closing.service.ts';
import { failPaymentMethod } from './payment-method-status.service.ts';
import { channelOf, nextPoll, NOT_ATTEMPTED, type PaymentOutcome } from './payment-outcome.policy.ts';
import { lockSubscriptionRow, moveForward, type OutcomeRow, type PaymentFacts } from './payments.queries.ts';

// What becomes of a payment, whoever tells it first: the direct answer, a webhook or a poll. Each may come twice, and in
// any order; states only move forward, and what follows from one is done once, in its transaction (rule 23).

/**
 * Writes down what came of a payment, and does what follows from it. Money that came goes to its invoice, else to the
 * credit balance, also when it was thought to have failed; a renewal that failed begins to be dunned for.
 * @returns what is new; null when that much was known before
 */
export async function recordOutcome(
  ctx: WriteContext,
  payment: PaymentFacts,
  outcome: PaymentOutcome,
): Promise<PaymentStatus | null> {
  const { status } = outcome;
  if (status !== 'UNKNOWN') assertSameAmount(payment, outcome.payment);
  // Locked before the payment, in the order in which everybody locks.
  if (payment.subscriptionId && (status === 'SUCCEEDED' || status === 'FAILED'))
    await ctx.sql.one(lockSubscriptionRow(payment.subscriptionId));
  const invoice = payment.invoiceId ? await lockedInvoice(ctx, payment.invoiceId) : null;
  const moved = await ctx.sql.one(moveForward(rowOf(ctx, payment, outcome)));
  if (!moved) return null;
  audit(ctx, payment, outcome);
  if (status === 'SUCCEEDED') await useMoney(ctx, payment);
  if (outcome.status !== 'FAILED') return status;
  const { code, decline } = outcome.failure;
  if (decline === 'HARD' && payment.paymentMethodId) await failPaymentMethod(ctx, payment.paymentMethodId, code);
  const isAutomatic = payment.initiatedBy === 'RENEWAL' || payment.initiatedBy === 'DUNNING';
  if (code === NOT_ATTEMPTED && isAutomatic && invoice) await ctx.sql.one(collectFrom(invoice.id, ctx.now, ctx.now));
  if (code !== NOT_ATTEMPTED && payment.initiatedBy === 'RENEWAL' && invoice)
    await startDunning(ctx, invoice, { failedOn: dayInIndia(ctx.now), hardDeclined: decline === 'HARD' });
  return status;
}

/** @throws Error when the gateway speaks of another amount: somebody has to look at that */
function assertSameAmount({ id, amount }: PaymentFacts, told: GatewayPayment | null): void {
  if (told && told.amountPaise !== toPaise(amount))
    throw new Error(`Payment ${id} is over ${amount} rupees, and at the gateway over ${told.amountPaise} paise`);
}

function rowOf({ now }: WriteContext, { id, polls }: PaymentFacts, outcome: PaymentOutcome): OutcomeRow {
  const told = outcome.status === 'UNKNOWN' ? null : outcome.payment;
  const isOpen = outcome.status === 'UNKNOWN' || outcome.status === 'AUTHORIZED';
  return {
    id,
    status: outcome.status,
    gatewayPaymentId: outcome.status === 'UNKNOWN' ? outcome.gatewayPaymentId : (told?.id ?? null),
    method: told && channelOf(told),
    fee: rupees(fromPaise(told?.feePaise ?? 0)),
    tax: rupees(fromPaise(told?.taxPaise ?? 0)),
    response: told && JSON.stringify(told.raw),
    failure: outcome.status === 'FAILED' ? outcome.failure : null,
    pollAfter: isOpen ? nextPoll(now, polls) : null,
    today: dayInIndia(now),
    now,
  };
}

const audit = (ctx: WriteContext, { id, tenantId, amount }: PaymentFacts, outcome: PaymentOutcome): void =>
  ctx.audit({
    action: 'revenue.payment_update',
    resource: 'payment',
    resourceId: id,
    tenantId,
    outcome: outcome.status === 'FAILED' ? 'FAILURE' : 'SUCCESS',
    details: {
      status: outcome.status,
      amount,
      ...(outcome.status === 'FAILED' && { reason: outcome.failure.code, decline: outcome.failure.decline }),
    },
  });

async function useMoney(ctx: WriteContext, { id, tenantId, amount, invoiceId }: PaymentFacts): Promise<void> {
  await usePayment(ctx, { id, tenantId, amount: decimal(amount) }, invoiceId ? [invoiceId] : []);
  if (invoiceId) await closePaymentLinks(ctx, invoiceId);
  ctx.enqueue('email.payment-received', { paymentId: id }, { tenantId, dedupeKey: `payment-received-${id}` });
}
