import { randomBytes } from 'node:crypto';
import type { SandboxError, SandboxOutcome, Verdict } from './payment-gateway-sandbox-outcomes.ts';
import { shortHash, type SandboxKind, type SandboxStore } from './payment-gateway-sandbox-store.ts';
import { GatewayRefused } from './payment-gateway.provider.ts';

// The things of the sandbox, with the fields that Razorpay documents, and what happens to them. `own` is what the
// sandbox notes beside them.

type Notes = Record<string, unknown>;

export type OrderEntity = {
  id: string;
  entity: 'order';
  amount: number;
  amount_paid: number;
  amount_due: number;
  currency: 'INR';
  receipt: string;
  status: 'created' | 'attempted' | 'paid';
  attempts: number;
  notes: Notes;
  created_at: number;
};

export type KeptOrder = {
  entity: OrderEntity;
  own: {
    payments: string[];
    customerId?: string;
    mandate?: { method: 'card' | 'upi'; maxAmount: number; expireAt: number };
  };
};

export type PaymentEntity = {
  id: string;
  entity: 'payment';
  amount: number;
  currency: 'INR';
  status: 'created' | 'authorized' | 'captured' | 'refunded' | 'failed';
  order_id: string;
  method: string;
  amount_refunded: number;
  refund_status: null | 'partial' | 'full';
  captured: boolean;
  description: string | null;
  email: string;
  contact: string | null;
  customer_id: string | null;
  token_id: string | null;
  notes: Notes;
  fee: number | null;
  tax: number | null;
  error_code: string | null;
  error_description: string | null;
  error_source: string | null;
  error_step: string | null;
  error_reason: string | null;
  created_at: number;
};

export type KeptPayment = { entity: PaymentEntity; own: { refunds: string[] } };

export type TokenEntity = {
  id: string;
  entity: 'token';
  method: 'card' | 'upi';
  card?: Record<string, unknown>;
  vpa?: { username: string; handle: string; name: null };
  recurring: true;
  recurring_details: { status: string; failure_reason: string | null };
  max_amount: number;
  expired_at: number;
  created_at: number;
};

export type KeptToken = { entity: TokenEntity; own: { customerId: string; outcome: SandboxOutcome } };

export type LinkEntity = {
  id: string;
  short_url: string;
  status: 'created' | 'paid' | 'expired' | 'cancelled';
  amount: number;
  amount_paid: number;
  currency: 'INR';
  description: string;
  reference_id: string;
  customer: Record<string, unknown>;
  expire_by: number;
  expired_at: number;
  cancelled_at: number;
  notes: Notes;
  order_id: string | null;
  payments: { payment_id: string; amount: number; status: string }[] | null;
  created_at: number;
};

export type KeptLink = { entity: LinkEntity };

/** The least that each part of the sandbox needs. */
export type Sandbox = {
  store: SandboxStore;
  now: () => Date;
};

export const secondsNow = ({ now }: Sandbox): number => Math.floor(now().getTime() / 1000);

export const newId = (prefix: string): string => `${prefix}_${shortHash(randomBytes(12).toString('hex'))}`;

let events = 0;

/** Puts what happened where it waits for delivery. Its id begins with the time, so that the oldest comes first. */
export function emit(sandbox: Sandbox, type: string, payload: Record<string, object>): void {
  const time = sandbox.now().getTime().toString(16).padStart(12, '0');
  const count = (events++ % 0x1_00_00_00).toString(16).padStart(6, '0');
  sandbox.store.write('webhooks', `evt_${time}${count}${randomBytes(4).toString('hex')}`, {
    entity: 'event',
    account_id: 'acc_sandbox',
    event: type,
    contains: Object.keys(payload),
    payload: Object.fromEntries(Object.entries(payload).map(([kind, entity]) => [kind, { entity }])),
    created_at: secondsNow(sandbox),
  });
}

export function mustRead<Thing>({ store }: Sandbox, kind: SandboxKind, id: string): Thing {
  const found = /^[\w-]{1,100}$/.test(id) ? store.read<Thing>(kind, id) : undefined;
  if (!found) throw new RequestRefused('The id provided does not exist');
  return found;
}

/** What Razorpay answers with an error. */
export class RequestRefused extends GatewayRefused {
  readonly error: Partial<SandboxError>;

  constructor(description: string, error: Partial<SandboxError> = {}, paymentId?: string) {
    super(description, { paymentId });
    this.error = error;
  }
}

/** Rounds half up: whole paise. */
const percentOf = (paise: number, percent: number): number => Math.floor((paise * percent + 50) / 100);

/** 2 %, and 18 % GST on that, which the fee includes (rule 22). */
export function feeOf(amount: number): { fee: number; tax: number } {
  const withoutTax = percentOf(amount, 2);
  const tax = percentOf(withoutTax, 18);
  return { fee: withoutTax + tax, tax };
}

export type PaymentDetails = {
  method: string;
  email: string;
  contact?: string;
  customerId?: string;
  tokenId?: string;
  description?: string;
  notes?: Notes;
};

/** Makes a payment of an order. Call it with the order locked. */
export function addPayment(sandbox: Sandbox, order: KeptOrder, details: PaymentDetails, verdict: Verdict): KeptPayment {
  const payment: KeptPayment = {
    entity: {
      id: newId('pay'),
      entity: 'payment',
      amount: order.entity.amount,
      currency: 'INR',
      status: 'created',
      order_id: order.entity.id,
      method: details.method,
      amount_refunded: 0,
      refund_status: null,
      captured: false,
      description: details.description ?? null,
      email: details.email,
      contact: details.contact ?? null,
      customer_id: details.customerId ?? null,
      token_id: details.tokenId ?? null,
      notes: details.notes ?? {},
      fee: null,
      tax: null,
      error_code: null,
      error_description: null,
      error_source: null,
      error_step: null,
      error_reason: null,
      created_at: secondsNow(sandbox),
    },
    own: { refunds: [] },
  };
  order.own.payments.push(payment.entity.id);
  order.entity.attempts += 1;
  if (order.entity.status === 'created') order.entity.status = 'attempted';
  settle(sandbox, order, payment, verdict);
  return payment;
}

/** Gives a payment what becomes of it, and tells. Call it with the order locked. */
export function settle(sandbox: Sandbox, order: KeptOrder, payment: KeptPayment, verdict: Verdict): void {
  const { entity } = payment;
  const wasAuthorized = entity.status === 'authorized';
  if (verdict.status === 'failed') Object.assign(entity, { status: 'failed', ...errorFields(verdict.error) });
  if (verdict.status === 'authorized') entity.status = 'authorized';
  if (verdict.status === 'captured') {
    Object.assign(entity, { status: 'captured', captured: true, ...feeOf(entity.amount) });
    Object.assign(order.entity, { status: 'paid', amount_paid: entity.amount, amount_due: 0 });
  }
  // Written before it is told, so that who is told finds it.
  sandbox.store.write('payments', entity.id, payment);
  sandbox.store.write('orders', order.entity.id, order);
  if (verdict.status === 'failed') emit(sandbox, 'payment.failed', { payment: entity });
  if (verdict.status === 'authorized' || (verdict.status === 'captured' && !wasAuthorized)) {
    emit(sandbox, 'payment.authorized', {
      payment: { ...entity, status: 'authorized', captured: false, fee: null, tax: null },
    });
  }
  if (verdict.status === 'captured') {
    emit(sandbox, 'payment.captured', { payment: entity });
    emit(sandbox, 'order.paid', { payment: entity, order: order.entity });
  }
}

const errorFields = ({ code, description, source, step, reason }: SandboxError) => ({
  error_code: code,
  error_description: description,
  error_source: source,
  error_step: step,
  error_reason: reason,
});

export const lockOfOrder = (orderId: string): string => `order ${orderId}`;
