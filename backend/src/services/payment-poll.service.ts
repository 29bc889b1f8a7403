import { GatewayUnavailable } from '../providers/payment-gateway.provider.ts';
import type { JobContext } from '../queues/job-context.ts';
import { orNotFound } from '../utils/errors.ts';
import { makeAttempt, settled } from './payment-collection.service.ts';
import { resumableAttempt, type AttemptRow } from './payment-collection.queries.ts';
import { paymentGateway } from './payment-gateway.service.ts';
import { recordOutcome } from './payment-outcome.service.ts';
import { decisiveOf, isLost, nextPoll, notAttempted, type PaymentOutcome } from './payment-outcome.policy.ts';
import { paymentFacts, pollLater, type PaymentFacts } from './payments.queries.ts';

/** A charge by itself that could not be sent is tried for so long; then it begins anew, with what is due by then. */
const GIVE_UP_AFTER_MS = 24 * 3_600_000;

/**
 * Finds out what became of a payment whose outcome is not known, and never charges again what may have been charged
 * (rule 22). An attempt that got no order was not charged for sure, and is made now.
 */
export async function pollPayment(ctx: JobContext, id: string): Promise<void> {
  const payment = orNotFound(await ctx.sql.one<PaymentFacts>(paymentFacts(id)), 'payment');
  if (payment.status === 'SUCCEEDED' || payment.status === 'FAILED') return;
  if (payment.gateway !== paymentGateway().name) return askLater(ctx, payment);
  if (payment.gatewayOrderId === null) return goOn(ctx, payment);
  const outcome = await ask(ctx, payment.gatewayOrderId, payment).catch((error: unknown) => {
    if (error instanceof GatewayUnavailable) return undefined;
    throw error;
  });
  if (!outcome) return askLater(ctx, payment);
  await ctx.transact((tx) => recordOutcome(tx, payment, outcome));
}

async function ask(ctx: JobContext, orderId: string, payment: PaymentFacts): Promise<PaymentOutcome> {
  const gateway = paymentGateway();
  const told = decisiveOf(await gateway.paymentsOfOrder(orderId));
  if (told) return settled(ctx, gateway, told);
  if (isLost(ctx.now, payment.createdAt)) return notAttempted('The charge never reached the gateway.');
  return { status: 'UNKNOWN', gatewayPaymentId: payment.gatewayPaymentId };
}

const askLater = async (ctx: JobContext, { id, polls }: PaymentFacts): Promise<void> =>
  ctx.transact(async ({ sql }) => void (await sql.one(pollLater(id, nextPoll(ctx.now, polls), ctx.now))));

/** Only what charges by itself is made late: a person has gone, and may have paid otherwise. */
async function goOn(ctx: JobContext, payment: PaymentFacts): Promise<void> {
  const { id, invoiceId, initiatedBy, createdAt } = payment;
  const isInTime = ctx.now.getTime() - createdAt.getTime() < GIVE_UP_AFTER_MS;
  const row =
    initiatedBy !== 'PERSON' && isInTime
      ? await ctx.sql.one<AttemptRow>(resumableAttempt(id, paymentGateway().name))
      : undefined;
  if (row && invoiceId) return void (await makeAttempt(ctx, { ...row, payment: { ...payment, invoiceId } }));
  await ctx.transact((tx) => recordOutcome(tx, payment, notAttempted('It was never sent to the gateway.')));
}
