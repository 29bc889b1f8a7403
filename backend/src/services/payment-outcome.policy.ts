import type { DeclineKind, PaymentChannel } from '../generated/prisma/enums.ts';
import type { GatewayMethod, GatewayPayment } from '../providers/payment-gateway.provider.ts';

// What an answer of the gateway means for our payment.

export type PaymentFailure = {
  /** What programs decide by, such as `insufficient_funds`. */
  code: string;
  /** For people. */
  message: string;
  /** Null where it says nothing of the payment method. */
  decline: DeclineKind | null;
};

export type PaymentOutcome =
  | { status: 'SUCCEEDED' | 'AUTHORIZED'; payment: GatewayPayment }
  | { status: 'FAILED'; failure: PaymentFailure; payment: GatewayPayment | null }
  | { status: 'UNKNOWN'; gatewayPaymentId: string | null };

/** Nothing was charged, for a reason that is not the payer's: it counts for nobody. */
export const NOT_ATTEMPTED = 'not_attempted';

export const notAttempted = (message: string): PaymentOutcome => ({
  status: 'FAILED',
  failure: { code: NOT_ATTEMPTED, message, decline: null },
  payment: null,
});

export function outcomeOf(payment: GatewayPayment): PaymentOutcome {
  const { id, status } = payment;
  if (status === 'CREATED') return { status: 'UNKNOWN', gatewayPaymentId: id };
  if (status === 'FAILED') return { status, failure: failureOf(payment), payment };
  // We give back only what we know to have come: the gateway has returned what was never captured.
  if (status === 'REFUNDED') return { status: 'FAILED', failure: RETURNED, payment };
  return { status: status === 'CAPTURED' ? 'SUCCEEDED' : 'AUTHORIZED', payment };
}

const RETURNED: PaymentFailure = { code: 'refunded', message: 'The gateway has given it back.', decline: 'SOFT' };

const failureOf = ({ failure }: GatewayPayment): PaymentFailure => ({
  code: failure?.reason ?? 'unknown',
  message: failure?.description || 'The payment has failed.',
  decline: failure?.decline ?? 'SOFT',
});

const order: GatewayPayment['status'][] = ['CAPTURED', 'AUTHORIZED', 'CREATED', 'REFUNDED', 'FAILED'];

/** What counts of all tries to pay one order: money first, then what may still become money. */
export const decisiveOf = (payments: readonly GatewayPayment[]): GatewayPayment | undefined =>
  payments.toSorted((a, b) => order.indexOf(a.status) - order.indexOf(b.status))[0];

const channels: Record<GatewayMethod, PaymentChannel> = {
  CARD: 'CARD',
  UPI: 'UPI',
  NETBANKING: 'NETBANKING',
  WALLET: 'WALLET',
  EMANDATE: 'OTHER',
  OTHER: 'OTHER',
};

export const channelOf = ({ method }: GatewayPayment): PaymentChannel => channels[method];

const MINUTE_MS = 60_000;
const pauses = [1, 5, 15, 60];

/** When the gateway is asked again, after it was asked so often: in 1, 5, 15 minutes, then every hour. */
export const nextPoll = (now: Date, polls: number): Date => new Date(now.getTime() + (pauses[polls] ?? 60) * MINUTE_MS);

const LOST_AFTER_MS = 60 * MINUTE_MS;

/** Whether a charge that the gateway knows nothing of never reached it: it has had an hour to turn up. */
export const isLost = (now: Date, createdAt: Date): boolean => now.getTime() - createdAt.getTime() >= LOST_AFTER_MS;
