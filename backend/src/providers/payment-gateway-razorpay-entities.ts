import { z } from 'zod';
import { declineOf } from './payment-gateway-declines.ts';
import {
  GatewayRefused,
  type GatewayEvent,
  type GatewayFailure,
  type GatewayMethod,
  type GatewayOrder,
  type GatewayPayment,
  type GatewayPaymentLink,
  type GatewayRefund,
  type GatewayToken,
} from './payment-gateway.provider.ts';

// What Razorpay answers and sends, as far as we read it. Fields that are not named here are dropped, so that a token, an
// address or a phone number cannot get into what we keep.

const id = z.string().min(1);
/** Empty texts stand for nothing, as null does. */
const text = z
  .string()
  .nullish()
  .transform((given) => given || null);
/** What we only keep and show: no reason to take a payment for unreadable. */
const label = text.catch(null);
const paise = z.number().int().nonnegative();
const seconds = z.number().int();
/** 0 stands for never. */
const moment = z
  .number()
  .int()
  .nullish()
  .transform((given) => (given ? new Date(given * 1000) : null));
/** No notes are an empty list. */
const notes = z.record(z.string(), z.unknown()).nullish().catch({});

export const paymentEntity = z.object({
  id,
  amount: paise,
  currency: z.literal('INR'),
  status: z.enum(['created', 'authorized', 'captured', 'refunded', 'failed']),
  order_id: text,
  method: text,
  amount_refunded: paise.nullish(),
  refund_status: label,
  international: z.boolean().nullish().catch(null),
  bank: label,
  wallet: label,
  card: z.object({ last4: label, network: label, type: label, issuer: label }).nullish().catch(null),
  token_id: text,
  customer_id: text,
  notes,
  fee: paise.nullish(),
  tax: paise.nullish(),
  error_code: text,
  error_description: text,
  error_source: label,
  error_step: label,
  error_reason: text,
  acquirer_data: z
    .object({ rrn: label, arn: label, auth_code: label, bank_transaction_id: label, upi_transaction_id: label })
    .nullish()
    .catch(null),
  created_at: seconds,
});

export const orderEntity = z.object({
  id: id.transform((given) => (given.startsWith('order_') ? given : `order_${given}`)),
  amount: paise,
  amount_paid: paise,
  receipt: text,
  status: z.enum(['created', 'attempted', 'paid']),
});

export const refundEntity = z.object({
  id,
  amount: paise,
  payment_id: id,
  receipt: text,
  status: z.enum(['pending', 'processed', 'failed']),
  created_at: seconds,
});

const numeral = z.union([z.number().int(), z.string().regex(/^\d+$/).transform(Number)]).nullish();

export const tokenEntity = z.object({
  id,
  method: text,
  card: z
    .object({ last4: label, network: label, issuer: label, expiry_month: numeral, expiry_year: numeral })
    .nullish(),
  vpa: z.object({ username: text, handle: text }).nullish(),
  recurring: z.boolean().nullish(),
  recurring_details: z.object({ status: text, failure_reason: label }).nullish(),
  max_amount: paise.nullish(),
  expired_at: moment,
});

export const paymentLinkEntity = z.object({
  id,
  short_url: z.string(),
  status: z.enum(['created', 'partially_paid', 'paid', 'expired', 'cancelled']),
  amount: paise,
  amount_paid: paise.nullish(),
  reference_id: text,
  expire_by: moment,
  payments: z.array(z.object({ payment_id: id })).nullish(),
});

export const errorBody = z.object({
  error: z.object({
    code: text,
    description: text,
    reason: text,
    metadata: z.object({ payment_id: text }).nullish().catch(null),
  }),
});

export const collectionOf = <Entity extends z.ZodType>(entity: Entity) => z.object({ items: z.array(entity) });

const methods: Record<string, GatewayMethod> = {
  card: 'CARD',
  upi: 'UPI',
  netbanking: 'NETBANKING',
  wallet: 'WALLET',
  emandate: 'EMANDATE',
  nach: 'EMANDATE',
};

const methodOf = (name: string | null): GatewayMethod => methods[name ?? ''] ?? 'OTHER';

const upperCase = <Text extends string>(status: Text): Uppercase<Text> => status.toUpperCase() as Uppercase<Text>;

export function failureOf(error: {
  code: string | null;
  reason: string | null;
  description: string | null;
}): GatewayFailure {
  // `NA` is what the documentation shows where there is no reason.
  const reason = error.reason && error.reason !== 'NA' ? error.reason : 'unknown';
  return { code: error.code ?? 'unknown', reason, description: error.description ?? '', decline: declineOf(reason) };
}

export const paymentOf = (entity: z.output<typeof paymentEntity>): GatewayPayment => ({
  id: entity.id,
  orderId: entity.order_id,
  status: upperCase(entity.status),
  amountPaise: entity.amount,
  amountRefundedPaise: entity.amount_refunded ?? 0,
  feePaise: entity.fee ?? 0,
  taxPaise: entity.tax ?? 0,
  method: methodOf(entity.method),
  tokenId: entity.token_id,
  customerId: entity.customer_id,
  failure:
    entity.status === 'failed'
      ? failureOf({ code: entity.error_code, reason: entity.error_reason, description: entity.error_description })
      : null,
  createdAt: new Date(entity.created_at * 1000),
  raw: entity,
});

export const orderOf = (entity: z.output<typeof orderEntity>): GatewayOrder => ({
  id: entity.id,
  status: upperCase(entity.status),
  amountPaise: entity.amount,
  amountPaidPaise: entity.amount_paid,
  receipt: entity.receipt,
});

export const refundOf = (entity: z.output<typeof refundEntity>): GatewayRefund => ({
  id: entity.id,
  paymentId: entity.payment_id,
  amountPaise: entity.amount,
  status: upperCase(entity.status),
  receipt: entity.receipt,
  createdAt: new Date(entity.created_at * 1000),
});

const mandateStatuses: Record<string, GatewayToken['mandate']['status']> = {
  initiated: 'INITIATED',
  confirmed: 'ACTIVE',
  rejected: 'REJECTED',
  paused: 'PAUSED',
  cancelled: 'CANCELLED',
  cancellation_initiated: 'CANCELLED',
  expired: 'CANCELLED',
};

const beginningOf = (name: string): string => name.slice(0, Math.min(3, Math.floor(name.length / 2)));

export const tokenOf = ({ card, vpa, recurring_details: details, ...entity }: z.output<typeof tokenEntity>) =>
  ({
    id: entity.id,
    method: methodOf(entity.method),
    brand: card?.issuer ?? null,
    network: card?.network ?? null,
    last4: card?.last4 ?? null,
    expiryMonth: card?.expiry_month ?? null,
    expiryYear: card?.expiry_year ?? null,
    vpa: vpa?.username && vpa.handle ? `${beginningOf(vpa.username)}***@${vpa.handle}` : null,
    mandate: {
      status: mandateStatuses[details?.status ?? ''] ?? 'INITIATED',
      maxAmountPaise: entity.max_amount ?? null,
      expiresAt: entity.expired_at,
      failureReason: details?.failure_reason ?? null,
    },
  }) satisfies GatewayToken;

export const paymentLinkOf = (entity: z.output<typeof paymentLinkEntity>): GatewayPaymentLink => ({
  id: entity.id,
  url: entity.short_url,
  status: upperCase(entity.status),
  amountPaise: entity.amount,
  amountPaidPaise: entity.amount_paid ?? 0,
  reference: entity.reference_id,
  expiresAt: entity.expire_by,
});

const payloadOf = <Entity extends z.ZodType>(entity: Entity) => z.object({ entity }).optional();

const webhookBody = z.object({
  event: z.string().min(1),
  created_at: moment,
  payload: z.object({
    payment: payloadOf(paymentEntity),
    order: payloadOf(orderEntity),
    refund: payloadOf(refundEntity),
    payment_link: payloadOf(paymentLinkEntity),
    token: payloadOf(tokenEntity),
    // Notifications have their time in here.
    created_at: moment,
  }),
});

/**
 * Reads a webhook whose signature was verified. Events that we know nothing of have a type and no more.
 * @throws GatewayRefused when it is none
 */
export function parseRazorpayWebhook(rawBody: Buffer, eventId: string): GatewayEvent {
  const { event, created_at: createdAt, payload } = readWebhook(rawBody);
  return {
    id: eventId,
    type: event,
    createdAt: createdAt ?? payload.created_at,
    ...(payload.payment && { payment: paymentOf(payload.payment.entity) }),
    ...(payload.order && { order: orderOf(payload.order.entity) }),
    ...(payload.refund && { refund: refundOf(payload.refund.entity) }),
    ...(payload.payment_link && { paymentLink: paymentLinkOf(payload.payment_link.entity) }),
    ...(payload.token && { token: tokenOf(payload.token.entity) }),
  };
}

function readWebhook(rawBody: Buffer): z.output<typeof webhookBody> {
  let body: unknown;
  try {
    body = JSON.parse(rawBody.toString('utf8'));
  } catch {
    throw new GatewayRefused('The body of the webhook is not JSON');
  }
  const read = webhookBody.safeParse(body);
  if (read.success) return read.data;
  const places = read.error.issues.map((issue) => issue.path.join('.') || 'the body');
  throw new GatewayRefused(`The webhook is of a shape that we do not know: ${[...new Set(places)].join(', ')}`);
}
