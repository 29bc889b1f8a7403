import type { DeclineKind } from '../generated/prisma/enums.ts';
import {
  GatewayRefused,
  GatewayUnavailable,
  GatewayUnknown,
  type GatewayPayment,
  type PaymentGateway,
} from '../providers/payment-gateway.provider.ts';
import type { ManualContext, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { newId } from '../utils/ids.ts';
import { decimal, toPaise } from '../utils/money.ts';
import { startDunning } from './dunning-start.service.ts';
import { lockedInvoice, type LockedInvoice } from './invoice-settlement.service.ts';
import * as queries from './payment-collection.queries.ts';
import { paymentGateway } from './payment-gateway.service.ts';
import { recordOutcome } from './payment-outcome.service.ts';
import { nextPoll, notAttempted, outcomeOf, type PaymentOutcome } from './payment-outcome.policy.ts';
import { paymentFacts, type PaymentFacts } from './payments.queries.ts';

// Charging what is due to a payment method (rule 22). Three transactions, and nothing open while the gateway is asked:
// the attempt is noted down; its order is, after which it counts as charged; what came of it is. Where a process dies in
// between, the poll goes on (`payment-poll.service.ts`): before the order by charging, after it by asking.

type Anybody = ManualContext;

export type CollectOptions = {
  initiatedBy: 'RENEWAL' | 'DUNNING' | 'PERSON';
  /** This one and no other. Default: the subscription's, else the tenant's. */
  paymentMethodId?: string | undefined;
  /** Of dunning, from 1. */
  attemptNumber?: number | undefined;
};

export type Collected = {
  /** IN_PROGRESS: another attempt is under way, and `paymentId` is null. UNKNOWN: the poll finds out. */
  status: 'SUCCEEDED' | 'FAILED' | 'UNKNOWN' | 'NO_METHOD' | 'NOTHING_DUE' | 'IN_PROGRESS';
  decline: DeclineKind | null;
  paymentId: string | null;
};

/** What is sent to the gateway. */
export type Attempt = Omit<queries.AttemptRow, 'paymentId'> & {
  /** As it was noted down. */
  payment: PaymentFacts & { invoiceId: string };
};

const without = (status: Collected['status'], paymentId: string | null = null): Collected => ({
  status,
  decline: null,
  paymentId,
});

/**
 * Charges all that is due of an invoice, at most once at a time. A renewal that fails, or finds nothing to charge to,
 * begins to be dunned for. Call it outside of transactions. It takes three of them, with two dozen statements in all.
 * @throws AppError not_found; service_unavailable for a person, when the gateway cannot be reached and nothing was charged
 */
export async function collectInvoice(ctx: Anybody, invoiceId: string, options: CollectOptions): Promise<Collected> {
  const begun = await ctx.transact((tx) => begin(tx, invoiceId, options));
  return 'status' in begun ? begun : makeAttempt(ctx, begun);
}

async function begin(tx: WriteContext, invoiceId: string, options: CollectOptions): Promise<Attempt | Collected> {
  const invoice = await lockedInvoice(tx, invoiceId);
  if (invoice.status !== 'OPEN' || decimal(invoice.amountDue).isZero()) return without('NOTHING_DUE');
  const { tenantId, subscriptionId, amountDue: amount } = invoice;
  const { initiatedBy, paymentMethodId, attemptNumber } = options;
  const attempt = {
    paymentId: newId(),
    invoiceId,
    tenantId,
    subscriptionId,
    amount,
    initiatedBy,
    paymentMethodId,
    attemptNumber,
    gateway: paymentGateway().name,
    pollAfter: nextPoll(tx.now, 1),
    createdById: tx.actor?.id ?? null,
    now: tx.now,
  };
  const isAutomatic = initiatedBy !== 'PERSON';
  const row = await tx.sql.one<queries.AttemptRow>(queries.beginAttempt(attempt, isAutomatic));
  if (!row) return withoutMethod(tx, invoice, initiatedBy);
  const { paymentId: id, ...charged } = row;
  if (id === null) return without('IN_PROGRESS');
  auditCharge(tx, invoice, { paymentId: id, amount, initiatedBy });
  const payment = { ...newPayment, ...attempt, id, paymentMethodId: charged.paymentMethodId, createdAt: tx.now };
  return { ...charged, payment };
}

const newPayment = {
  status: 'CREATED',
  decline: null,
  gatewayOrderId: null,
  gatewayPaymentId: null,
  polls: 0,
} as const;

async function withoutMethod(
  tx: WriteContext,
  invoice: LockedInvoice,
  initiatedBy: CollectOptions['initiatedBy'],
): Promise<Collected> {
  if (initiatedBy !== 'RENEWAL') return without('NO_METHOD');
  await tx.sql.one(queries.collectFrom(invoice.id, null, tx.now));
  auditCharge(tx, invoice, { initiatedBy, reason: 'There is no payment method that can be charged' }, 'FAILURE');
  await startDunning(tx, invoice, { failedOn: dayInIndia(tx.now), hardDeclined: false });
  return without('NO_METHOD');
}

const auditCharge = (
  tx: WriteContext,
  { id, tenantId }: Pick<LockedInvoice, 'id' | 'tenantId'>,
  details: object,
  outcome: 'SUCCESS' | 'FAILURE' = 'SUCCESS',
): void =>
  tx.audit({ action: 'revenue.invoice_collect', resource: 'invoice', resourceId: id, tenantId, outcome, details });

/** Sends an attempt that was noted down. It may be called again as long as nobody has charged. */
export async function makeAttempt(ctx: Anybody, attempt: Attempt): Promise<Collected> {
  const { payment } = attempt;
  const outcome = limitOf(attempt) ?? (await charge(ctx, paymentGateway(), attempt));
  if (outcome === 'SOMEBODY_ELSE') return without('UNKNOWN', payment.id);
  if (outcome === 'UNAVAILABLE') return putOff(ctx, payment);
  return writeDown(ctx, payment, outcome);
}

/** The bank would say no: the gateway need not be asked. */
function limitOf({ payment: { amount }, mandateMax }: Attempt): PaymentOutcome | undefined {
  if (mandateMax === null || decimal(amount).lte(mandateMax)) return undefined;
  const message = `The payer has allowed at most ${mandateMax} rupees at once, and ${amount} are due.`;
  return { status: 'FAILED', failure: { code: 'mandate_limit', message, decline: 'SOFT' }, payment: null };
}

type Charged = PaymentOutcome | 'SOMEBODY_ELSE' | 'UNAVAILABLE';

async function charge(ctx: Anybody, gateway: PaymentGateway, attempt: Attempt): Promise<Charged> {
  const { payment, number } = attempt;
  const { id: paymentId, invoiceId, amount } = payment;
  const amountPaise = toPaise(amount);
  try {
    const order = await gateway.createOrder({
      amountPaise,
      currency: 'INR',
      receipt: paymentId,
      notes: { paymentId, invoiceId, ...(number && { invoice: number }) },
    });
    const claimed = await ctx.transact(({ sql }) => sql.one(queries.claimAttempt(paymentId, order.id, ctx.now)));
    if (!claimed) return 'SOMEBODY_ELSE';
    const told = await gateway.charge({
      orderId: order.id,
      amountPaise,
      customerId: attempt.customerId,
      tokenId: attempt.tokenId,
      email: attempt.email,
      ...(attempt.phone && { phone: attempt.phone }),
      description: `Invoice ${number ?? ''}`.trim(),
      receipt: paymentId,
    });
    return await settled(ctx, gateway, told);
  } catch (error) {
    return outcomeOfError(ctx, paymentId, error);
  }
}

/** What is only held is taken. Where that fails it stays held, and the poll tries again. */
export async function settled(
  ctx: Pick<Anybody, 'log'>,
  gateway: PaymentGateway,
  payment: GatewayPayment,
): Promise<PaymentOutcome> {
  if (payment.status !== 'AUTHORIZED') return outcomeOf(payment);
  const captured = await gateway.capture(payment.id, payment.amountPaise).catch((error: unknown) => {
    ctx.log.warn('A payment could not be captured', { gatewayPaymentId: payment.id, error });
    return payment;
  });
  return outcomeOf(captured);
}

function outcomeOfError({ log }: Anybody, paymentId: string, error: unknown): Charged {
  log.warn('A charge has failed', { paymentId, error });
  if (error instanceof GatewayUnavailable) return 'UNAVAILABLE';
  if (error instanceof GatewayUnknown) return { status: 'UNKNOWN', gatewayPaymentId: error.paymentId ?? null };
  if (!(error instanceof GatewayRefused)) throw error;
  const { reason = 'refused', description, decline = 'SOFT' } = error.failure ?? {};
  const message = description || 'The gateway has refused the charge.';
  return { status: 'FAILED', failure: { code: reason, message, decline }, payment: null };
}

/**
 * The gateway could not be reached, and nothing was charged. That is nobody's failure, so that dunning does not count it:
 * the attempt stays, and the poll makes it. A person tries again when they like.
 */
async function putOff(ctx: Anybody, payment: PaymentFacts): Promise<Collected> {
  if (payment.initiatedBy === 'PERSON') {
    await writeDown(ctx, payment, notAttempted('The payment gateway could not be reached.'));
    throw new AppError(
      'service_unavailable',
      'The payment gateway does not answer. Nothing was charged: try again in a moment.',
      { retryAfterSeconds: 30 },
    );
  }
  const again = nextPoll(ctx.now, payment.polls);
  await ctx.transact(({ sql }) => sql.one(queries.releaseAttempt(payment.id, again, ctx.now)));
  return without('UNKNOWN', payment.id);
}

/** @returns what is known of the payment then, which others may have told before */
async function writeDown(ctx: Anybody, payment: PaymentFacts, outcome: PaymentOutcome): Promise<Collected> {
  const { id } = payment;
  const known = await ctx.transact(async (tx) => {
    const status = await recordOutcome(tx, payment, outcome);
    if (status) return { status, decline: outcome.status === 'FAILED' ? outcome.failure.decline : null };
    return orNotFound(await tx.sql.one<PaymentFacts>(paymentFacts(id)), 'payment');
  });
  const { status, decline } = known;
  if (status === 'FAILED') return { status, decline, paymentId: id };
  return without(status === 'SUCCEEDED' ? status : 'UNKNOWN', id);
}
