import type { RazorpayAnswer, RazorpayRequest, RazorpayTransport } from './payment-gateway-razorpay-http.ts';
import { cancelLink, createLink, findLinks, linkOf } from './payment-gateway-sandbox-links.ts';
import { verdictOf } from './payment-gateway-sandbox-outcomes.ts';
import {
  addPayment,
  emit,
  lockOfOrder,
  mustRead,
  RequestRefused,
  secondsNow,
  settle,
  type KeptOrder,
  type KeptPayment,
  type PaymentEntity,
  type Sandbox,
} from './payment-gateway-sandbox-state.ts';
import { shortHash } from './payment-gateway-sandbox-store.ts';
import { cancelToken, deleteToken, tokenFor, verdictOfMandate } from './payment-gateway-sandbox-tokens.ts';
import { GatewayUnknown } from './payment-gateway.provider.ts';

type Call = { ids: string[]; query: Record<string, string>; body: Record<string, unknown> };
type Operation = (sandbox: Sandbox, call: Call) => unknown;

/** What is asked for of Razorpay, answered from the files of the sandbox. */
const operations: [method: RazorpayRequest['method'], path: RegExp, operation: Operation][] = [
  ['POST', /^\/customers$/, createCustomer],
  [
    'GET',
    /^\/customers\/([^/]+)\/tokens\/([^/]+)$/,
    (sandbox, { ids: [customerId = '', id = ''] }) => tokenFor(sandbox, customerId, id).entity,
  ],
  [
    'DELETE',
    /^\/customers\/([^/]+)\/tokens\/([^/]+)$/,
    (sandbox, { ids: [customerId = '', id = ''] }) => deleteToken(sandbox, customerId, id),
  ],
  [
    'PUT',
    /^\/customers\/([^/]+)\/tokens\/([^/]+)\/cancel$/,
    (sandbox, { ids: [customerId = '', id = ''] }) => cancelToken(sandbox, customerId, id),
  ],
  ['POST', /^\/orders$/, createOrder],
  ['GET', /^\/orders$/, findOrders],
  ['GET', /^\/orders\/([^/]+)\/payments$/, paymentsOfOrder],
  ['POST', /^\/payments\/create\/recurring$/, charge],
  [
    'GET',
    /^\/payments\/([^/]+)$/,
    (sandbox, { ids: [id = ''] }) => mustRead<KeptPayment>(sandbox, 'payments', id).entity,
  ],
  ['POST', /^\/payments\/([^/]+)\/capture$/, capture],
  ['POST', /^\/payments\/([^/]+)\/refund$/, refund],
  ['GET', /^\/payments\/([^/]+)\/refunds$/, refundsOfPayment],
  ['GET', /^\/refunds\/([^/]+)$/, (sandbox, { ids: [id = ''] }) => mustRead<RefundEntity>(sandbox, 'refunds', id)],
  ['POST', /^\/payment_links$/, (sandbox, { body }) => createLink(sandbox, body)],
  ['GET', /^\/payment_links$/, (sandbox, { query }) => findLinks(sandbox, query.reference_id ?? '')],
  ['GET', /^\/payment_links\/([^/]+)$/, (sandbox, { ids: [id = ''] }) => linkOf(sandbox, id)],
  ['POST', /^\/payment_links\/([^/]+)\/cancel$/, (sandbox, { ids: [id = ''] }) => cancelLink(sandbox, id)],
];

/** Answers as Razorpay does, down to its errors. */
export const sandboxTransport =
  (sandbox: Sandbox): RazorpayTransport =>
  async ({ method, path, query = {}, body = {} }) => {
    for (const [itsMethod, pattern, operation] of operations) {
      const match = itsMethod === method ? pattern.exec(path) : null;
      if (!match) continue;
      try {
        const ids = match.slice(1).map(decodeURIComponent);
        return { status: 200, body: await operation(sandbox, { ids, query, body }) };
      } catch (error) {
        if (error instanceof RequestRefused) return refusalOf(error);
        throw error;
      }
    }
    return refusalOf(new RequestRefused('The requested URL was not found on the server.', { reason: 'NA' }));
  };

const refusalOf = ({ message, error, paymentId }: RequestRefused): RazorpayAnswer => ({
  status: error.code === 'GATEWAY_ERROR' ? 502 : 400,
  body: {
    error: {
      code: 'BAD_REQUEST_ERROR',
      source: 'business',
      step: 'payment_initiation',
      reason: 'input_validation_failed',
      ...error,
      description: message,
      metadata: paymentId ? { payment_id: paymentId } : {},
    },
  },
});

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function amountOf(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw new RequestRefused('The amount must be an integer.');
  if (value < 100) throw new RequestRefused('The amount must be at least INR 1.00');
  return value;
}

const notesOf = (value: unknown): Record<string, unknown> => (value ?? {}) as Record<string, unknown>;

/** Known again by our reference, where Razorpay goes by the details. */
async function createCustomer(sandbox: Sandbox, { body }: Call): Promise<unknown> {
  const notes = notesOf(body.notes);
  const id = `cust_${shortHash(textOf(notes.reference) || JSON.stringify(body))}`;
  return sandbox.store.locked(`customer ${id}`, () => {
    const existing = sandbox.store.read('customers', id);
    if (existing) return existing;
    const { name, email, contact } = body;
    const customer = {
      id,
      entity: 'customer',
      name,
      email,
      contact,
      gstin: null,
      notes,
      created_at: secondsNow(sandbox),
    };
    sandbox.store.write('customers', id, customer);
    return customer;
  });
}

const orderIdOf = (receipt: string): string => `order_${shortHash(receipt)}`;

/** One for each receipt, where Razorpay would make another. */
async function createOrder(sandbox: Sandbox, { body }: Call): Promise<unknown> {
  const amount = amountOf(body.amount);
  const receipt = textOf(body.receipt);
  const id = orderIdOf(receipt);
  const token = body.token as { max_amount: number; expire_at: number } | undefined;
  const order: KeptOrder = {
    entity: {
      id,
      entity: 'order',
      amount,
      amount_paid: 0,
      amount_due: amount,
      currency: 'INR',
      receipt,
      status: 'created',
      attempts: 0,
      notes: notesOf(body.notes),
      created_at: secondsNow(sandbox),
    },
    own: {
      payments: [],
      ...(typeof body.customer_id === 'string' && { customerId: body.customer_id }),
      ...(token && {
        mandate: {
          method: body.method === 'upi' ? 'upi' : 'card',
          maxAmount: amountOf(token.max_amount),
          expireAt: token.expire_at,
        },
      }),
    },
  };
  return sandbox.store.locked(lockOfOrder(id), () => {
    const existing = sandbox.store.read<KeptOrder>('orders', id);
    if (!existing) sandbox.store.write('orders', id, order);
    return (existing ?? order).entity;
  });
}

function findOrders({ store }: Sandbox, { query }: Call): unknown {
  return collection([store.read<KeptOrder>('orders', orderIdOf(query.receipt ?? ''))?.entity]);
}

const collection = (found: unknown[]) => {
  const items = found.filter((item) => item !== undefined);
  return { entity: 'collection', count: items.length, items };
};

const paymentOf = (sandbox: Sandbox, id: string): KeptPayment => mustRead<KeptPayment>(sandbox, 'payments', id);

function paymentsOfOrder(sandbox: Sandbox, { ids: [id = ''] }: Call): unknown {
  const { own } = mustRead<KeptOrder>(sandbox, 'orders', id);
  return collection(own.payments.map((paymentId) => paymentOf(sandbox, paymentId).entity));
}

async function charge(sandbox: Sandbox, { body }: Call): Promise<unknown> {
  const orderId = textOf(body.order_id);
  const customerId = textOf(body.customer_id);
  const { entity: token, own } = tokenFor(sandbox, customerId, textOf(body.token));
  checkCharge(mustRead<KeptOrder>(sandbox, 'orders', orderId), token.max_amount, amountOf(body.amount));
  if (own.outcome === 'timeout_lost') throw noAnswer();
  const verdict =
    verdictOfMandate(token) ?? verdictOf(own.outcome, await countCharge(sandbox, customerId, own.outcome));
  const payment = await sandbox.store.locked(lockOfOrder(orderId), () => {
    const order = mustRead<KeptOrder>(sandbox, 'orders', orderId);
    checkCharge(order, token.max_amount, amountOf(body.amount));
    const details = {
      method: token.method,
      email: textOf(body.email),
      contact: textOf(body.contact),
      customerId,
      tokenId: token.id,
      description: textOf(body.description),
      notes: notesOf(body.notes),
    };
    return addPayment(sandbox, order, details, verdict).entity;
  });
  if (own.outcome === 'timeout_captured' || own.outcome === 'timeout_failed') throw noAnswer();
  if (verdict.status === 'failed') throw new RequestRefused(verdict.error.description, verdict.error, payment.id);
  return { razorpay_payment_id: payment.id };
}

function checkCharge({ entity }: KeptOrder, most: number, amount: number): void {
  if (entity.status === 'paid') {
    throw new RequestRefused('The order is already paid.', { reason: 'order_already_paid' });
  }
  if (amount !== entity.amount) {
    throw new RequestRefused('The amount is not that of the order.', { reason: 'order_amount_mismatch' });
  }
  if (amount > most) throw new RequestRefused('Amount exceeds maximum amount allowed');
}

const noAnswer = () => new GatewayUnknown('The sandbox did not answer, as the token asks for');

/** @returns how often before */
async function countCharge({ store }: Sandbox, customerId: string, outcome: string): Promise<number> {
  if (outcome !== 'fails_twice') return 0;
  const id = shortHash(customerId);
  return store.locked(`tally ${id}`, () => {
    const before = store.read<number>('tallies', id) ?? 0;
    store.write('tallies', id, before + 1);
    return before;
  });
}

async function capture(sandbox: Sandbox, { ids: [id = ''], body }: Call): Promise<PaymentEntity> {
  const amount = amountOf(body.amount);
  const { entity: known } = paymentOf(sandbox, id);
  return sandbox.store.locked(lockOfOrder(known.order_id), () => {
    const payment = paymentOf(sandbox, id);
    const order = mustRead<KeptOrder>(sandbox, 'orders', known.order_id);
    if (payment.entity.status !== 'authorized') {
      throw new RequestRefused('This payment has already been captured or was never authorized.');
    }
    if (order.entity.status === 'paid') {
      throw new RequestRefused('The order is already paid.', { reason: 'order_already_paid' });
    }
    if (amount !== payment.entity.amount) {
      throw new RequestRefused('Capture amount must be equal to the amount authorized.');
    }
    settle(sandbox, order, payment, { status: 'captured' });
    return payment.entity;
  });
}

type RefundEntity = {
  id: string;
  entity: 'refund';
  amount: number;
  currency: 'INR';
  payment_id: string;
  receipt: string;
  notes: Record<string, unknown>;
  status: 'processed';
  speed_processed: 'normal';
  speed_requested: 'normal';
  created_at: number;
};

async function refund(sandbox: Sandbox, { ids: [id = ''], body }: Call): Promise<RefundEntity> {
  const amount = amountOf(body.amount);
  const receipt = textOf(body.receipt);
  const { entity: known } = paymentOf(sandbox, id);
  const refundId = `rfnd_${shortHash(`${id} ${receipt}`)}`;
  return sandbox.store.locked(lockOfOrder(known.order_id), () => {
    const existing = sandbox.store.read<RefundEntity>('refunds', refundId);
    if (existing && existing.amount !== amount) {
      throw new RequestRefused('Different request with the same idempotency key has already been processed.');
    }
    if (existing) return existing;
    const payment = paymentOf(sandbox, id);
    const refunded = addToRefunds(payment, refundId, amount);
    const entity: RefundEntity = {
      id: refundId,
      entity: 'refund',
      amount,
      currency: 'INR',
      payment_id: id,
      receipt,
      notes: notesOf(body.notes),
      status: 'processed',
      speed_processed: 'normal',
      speed_requested: 'normal',
      created_at: secondsNow(sandbox),
    };
    sandbox.store.write('refunds', refundId, entity);
    sandbox.store.write('payments', id, refunded);
    emit(sandbox, 'refund.created', { refund: entity, payment: refunded.entity });
    emit(sandbox, 'refund.processed', { refund: entity, payment: refunded.entity });
    return entity;
  });
}

function addToRefunds({ entity, own }: KeptPayment, refundId: string, amount: number): KeptPayment {
  if (!entity.captured) throw new RequestRefused('The payment status should be captured for action to be taken');
  if (entity.status === 'refunded') throw new RequestRefused('The payment has been fully refunded already');
  const refunded = entity.amount_refunded + amount;
  if (refunded > entity.amount) {
    throw new RequestRefused('The refund amount provided is greater than amount captured');
  }
  const isAll = refunded === entity.amount;
  return {
    entity: {
      ...entity,
      amount_refunded: refunded,
      refund_status: isAll ? 'full' : 'partial',
      status: isAll ? 'refunded' : entity.status,
    },
    own: { refunds: [...own.refunds, refundId] },
  };
}

function refundsOfPayment(sandbox: Sandbox, { ids: [id = ''] }: Call): unknown {
  const { own } = paymentOf(sandbox, id);
  return collection(own.refunds.map((refundId) => mustRead<RefundEntity>(sandbox, 'refunds', refundId)));
}
