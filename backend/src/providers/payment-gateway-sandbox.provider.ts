import { createHmac } from 'node:crypto';
import { gatewayOver } from './payment-gateway-razorpay.provider.ts';
import { sandboxTransport } from './payment-gateway-sandbox-api.ts';
import { payLink, sandboxPage } from './payment-gateway-sandbox-links.ts';
import { verdictOf, type SandboxOutcome } from './payment-gateway-sandbox-outcomes.ts';
import {
  lockOfOrder,
  mustRead,
  RequestRefused,
  settle,
  type KeptOrder,
  type KeptPayment,
  type Sandbox,
} from './payment-gateway-sandbox-state.ts';
import { sandboxStore } from './payment-gateway-sandbox-store.ts';
import { addToken, changeMandate, completeMandate, type NewToken } from './payment-gateway-sandbox-tokens.ts';
import type { PaymentGateway } from './payment-gateway.provider.ts';
import type { RazorpayTransport } from './payment-gateway-razorpay-http.ts';

export { sandboxOutcomes, type SandboxOutcome } from './payment-gateway-sandbox-outcomes.ts';

/** A webhook that waits to be delivered: what Razorpay sends, with its headers. */
export type SandboxWebhook = {
  /** The bytes that were signed. */
  body: Buffer;
  /** `X-Razorpay-Signature` */
  signature: string;
  /** `X-Razorpay-Event-Id` */
  eventId: string;
};

/** What payers and banks do, and the way of what happened back to us. */
export type SandboxGateway = PaymentGateway & {
  readonly name: 'sandbox';
  /** What answers in the place of Razorpay's API. */
  readonly transport: RazorpayTransport;
  /** A saved method whose charges have this outcome. @returns its id */
  addToken(token: NewToken): string;
  /** The payer allows the mandate, and charges will have this outcome; or says no. */
  completeMandate(
    orderId: string,
    outcome?: SandboxOutcome | 'rejected',
  ): Promise<{ tokenId: string; paymentId: string }>;
  /** The payer pauses, resumes or cancels a mandate in the app of the bank. Not of the tokens that always exist. */
  changeMandate(tokenId: string, status: 'ACTIVE' | 'PAUSED' | 'CANCELLED'): Promise<void>;
  /** The bank is done with a payment that stayed CREATED. */
  finishPayment(paymentId: string, outcome?: SandboxOutcome): Promise<void>;
  /** Somebody follows the link and pays; after a failed try they may try again. */
  payLink(linkId: string, outcome?: SandboxOutcome): Promise<{ paymentId: string }>;
  /** What happened and was not delivered yet, oldest first. */
  takeWebhooks(limit: number): SandboxWebhook[];
  markDelivered(eventId: string): void;
};

/**
 * A gateway on this machine: no money moves, and it answers as Razorpay does. The adapter that talks to it is the one
 * that talks to Razorpay. Everything is kept in files, so that several processes share it; docs/payments-sandbox.md.
 * @param directory of its own
 * @param webhookSecret what webhooks are signed with
 */
export function sandboxGateway(
  directory: string,
  webhookSecret: string,
  now: () => Date = () => new Date(),
): SandboxGateway {
  const sandbox: Sandbox = { store: sandboxStore(directory), now };
  const transport = sandboxTransport(sandbox);
  const gateway = gatewayOver(transport, {
    name: 'sandbox',
    checkoutOf: (orderId) => ({ checkoutUrl: sandboxPage(orderId) }),
  });
  return {
    ...gateway,
    name: 'sandbox',
    transport,
    addToken: (token) => addToken(sandbox, token),
    completeMandate: (orderId, outcome = 'success') => completeMandate(sandbox, orderId, outcome),
    changeMandate: (tokenId, status) =>
      changeMandate(sandbox, tokenId, status === 'ACTIVE' ? 'confirmed' : status === 'PAUSED' ? 'paused' : 'cancelled'),
    finishPayment: (paymentId, outcome = 'success') => finishPayment(sandbox, paymentId, outcome),
    payLink: (linkId, outcome = 'success') => payLink(sandbox, linkId, outcome),
    takeWebhooks: (limit) => takeWebhooks(sandbox, webhookSecret, limit),
    markDelivered: (eventId) => sandbox.store.remove('webhooks', eventId),
  };
}

async function finishPayment(sandbox: Sandbox, paymentId: string, outcome: SandboxOutcome): Promise<void> {
  const { entity: known } = mustRead<KeptPayment>(sandbox, 'payments', paymentId);
  await sandbox.store.locked(lockOfOrder(known.order_id), () => {
    const payment = mustRead<KeptPayment>(sandbox, 'payments', paymentId);
    if (payment.entity.status !== 'created') throw new RequestRefused('The bank is done with this payment');
    settle(sandbox, mustRead<KeptOrder>(sandbox, 'orders', known.order_id), payment, verdictOf(outcome, 2));
  });
}

function takeWebhooks({ store }: Sandbox, secret: string, limit: number): SandboxWebhook[] {
  return store
    .ids('webhooks')
    .slice(0, limit)
    .flatMap((eventId) => {
      // Another process may have delivered it meanwhile.
      const event = store.read('webhooks', eventId);
      if (event === undefined) return [];
      const body = Buffer.from(JSON.stringify(event));
      return [{ body, signature: createHmac('sha256', secret).update(body).digest('hex'), eventId }];
    });
}
