import { createHash } from 'node:crypto';
import { z } from 'zod';
import { asking, isMissing, type Ask } from './payment-gateway-razorpay-ask.ts';
import {
  collectionOf,
  orderEntity,
  orderOf,
  parseRazorpayWebhook,
  paymentEntity,
  paymentLinkEntity,
  paymentLinkOf,
  paymentOf,
  refundEntity,
  refundOf,
  tokenEntity,
  tokenOf,
} from './payment-gateway-razorpay-entities.ts';
import { razorpayHttp, type RazorpayAccess, type RazorpayTransport } from './payment-gateway-razorpay-http.ts';
import {
  assertNotes,
  assertPaise,
  assertReference,
  GatewayRefused,
  GatewayUnknown,
  type GatewayOrder,
  type GatewayPayment,
  type NewCharge,
  type NewPaymentLink,
  type NewRefund,
  type PaymentGateway,
} from './payment-gateway.provider.ts';

/** Razorpay, as https://razorpay.com/docs/api documents it. */
export const razorpayGateway = (access: RazorpayAccess): PaymentGateway =>
  gatewayOver(razorpayHttp(access), { name: 'razorpay', checkoutOf: () => ({ keyId: access.keyId }) });

type Kind = {
  name: PaymentGateway['name'];
  /** What the payer's browser needs to authorise a mandate. */
  checkoutOf: (orderId: string) => { checkoutUrl?: string; keyId?: string };
};

/** The same gateway over whatever answers as Razorpay does. */
export function gatewayOver(transport: RazorpayTransport, kind: Kind): PaymentGateway {
  const ask = asking(transport);
  return {
    name: kind.name,
    ...customersOver(ask),
    ...ordersOver(ask, kind),
    ...paymentsOver(ask),
    ...refundsOver(ask),
    ...paymentLinksOver(ask),
    parseWebhook: parseRazorpayWebhook,
  };
}

const anything = z.unknown();
const part = encodeURIComponent;
const secondsOf = (date: Date): number => Math.floor(date.getTime() / 1000);

function customersOver(ask: Ask): Pick<PaymentGateway, 'createCustomer' | 'fetchToken' | 'deleteToken'> {
  const pathOf = (customerId: string, tokenId: string) => `/customers/${part(customerId)}/tokens/${part(tokenId)}`;
  const fetchToken: PaymentGateway['fetchToken'] = async (customerId, tokenId) =>
    tokenOf(await ask({ method: 'GET', path: pathOf(customerId, tokenId) }, tokenEntity));
  return {
    async createCustomer({ name, email, phone, reference }) {
      assertReference(reference);
      const body = {
        name: nameOf(name, reference),
        email,
        contact: phone,
        fail_existing: '0',
        notes: { reference },
      };
      return ask({ method: 'POST', path: '/customers', body }, z.object({ id: z.string().min(1) }));
    },
    fetchToken,
    async deleteToken(customerId, tokenId) {
      try {
        const { method } = await fetchToken(customerId, tokenId);
        const path = pathOf(customerId, tokenId);
        // A mandate of UPI that is only forgotten here still stands in the payer's app.
        if (method === 'UPI') await ask({ method: 'PUT', path: `${path}/cancel` }, anything);
        else await ask({ method: 'DELETE', path }, anything);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
  };
}

/** Razorpay takes 3 to 50 letters, digits and a few signs. A name in another script becomes the reference. */
function nameOf(name: string, reference: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replace(/[^A-Za-z0-9.'/@()]+/g, ' ')
    .trim()
    .slice(0, 50);
  return /[A-Za-z0-9].*[A-Za-z0-9]/.test(plain) && plain.length >= 3 ? plain : reference;
}

function ordersOver(ask: Ask, { checkoutOf }: Kind): Pick<PaymentGateway, 'createMandate' | 'createOrder'> {
  /** The oldest with that receipt: Razorpay lets several orders have one, and finds parts of a receipt, too. */
  const orderWith = async (receipt: string): Promise<GatewayOrder | undefined> => {
    const request = { method: 'GET', path: '/orders', query: { receipt, count: '100' } } as const;
    const { items } = await ask(request, collectionOf(orderEntity));
    const found = items.findLast((order) => order.receipt === receipt);
    return found && orderOf(found);
  };
  const orderOnce = async (amountPaise: number, receipt: string, details: Record<string, unknown>) => {
    const found = await orderWith(receipt);
    if (found && found.amountPaise !== amountPaise) {
      throw new GatewayRefused(`The receipt ${receipt} is that of an order over ${found.amountPaise} paise`);
    }
    const body = { amount: amountPaise, currency: 'INR', receipt, payment_capture: true, ...details };
    return found ?? orderOf(await ask({ method: 'POST', path: '/orders', body }, orderEntity));
  };
  return {
    async createMandate({ customerId, method, maxAmountPaise, expiresAt, reference }) {
      assertPaise(maxAmountPaise);
      assertReference(reference);
      const order = await orderOnce(AUTHORISATION_PAISE, reference, {
        customer_id: customerId,
        method: method === 'CARD' ? 'card' : 'upi',
        token: { max_amount: maxAmountPaise, expire_at: secondsOf(expiresAt), frequency: 'as_presented' },
      });
      return { orderId: order.id, ...checkoutOf(order.id) };
    },
    async createOrder({ amountPaise, receipt, notes }) {
      assertPaise(amountPaise);
      assertReference(receipt);
      assertNotes(notes);
      return orderOnce(amountPaise, receipt, { notes });
    },
  };
}

/** What Razorpay takes to see that a card or an account is real. */
const AUTHORISATION_PAISE = 100;

function paymentsOver(ask: Ask): Pick<PaymentGateway, 'charge' | 'capture' | 'fetchPayment' | 'paymentsOfOrder'> {
  const fetchPayment: PaymentGateway['fetchPayment'] = async (paymentId) =>
    paymentOf(await ask({ method: 'GET', path: `/payments/${part(paymentId)}` }, paymentEntity));
  return {
    fetchPayment,
    async paymentsOfOrder(orderId) {
      const request = { method: 'GET', path: `/orders/${part(orderId)}/payments` } as const;
      return (await ask(request, collectionOf(paymentEntity))).items.map(paymentOf);
    },
    async charge(charge) {
      const { paymentId, refusal } = await begunBy(ask, charge);
      const payment = await fetchPayment(paymentId).catch((cause: unknown) => {
        throw new GatewayUnknown(`Payment ${paymentId} was begun, and cannot be read`, { paymentId, cause });
      });
      // The refusal may speak of an older payment, of another order.
      if (refusal && payment.orderId !== charge.orderId) throw refusal;
      return payment;
    },
    async capture(paymentId, amountPaise) {
      assertPaise(amountPaise);
      const path = `/payments/${part(paymentId)}/capture`;
      const body = { amount: amountPaise, currency: 'INR' };
      try {
        return paymentOf(await ask({ method: 'POST', path, body, movesMoney: true }, paymentEntity));
      } catch (error) {
        if (!(error instanceof GatewayRefused)) throw error;
        const payment = await fetchPayment(paymentId);
        if (!isTaken(payment) || payment.amountPaise !== amountPaise) throw error;
        return payment;
      }
    },
  };
}

const isTaken = ({ status }: GatewayPayment): boolean => status === 'CAPTURED' || status === 'REFUNDED';

/**
 * Razorpay answers a charge with the id of the payment alone, and a declined one with an error that names it.
 * @throws GatewayRefused, GatewayUnavailable or GatewayUnknown when no payment is named
 */
async function begunBy(ask: Ask, charge: NewCharge): Promise<{ paymentId: string; refusal?: Error }> {
  assertPaise(charge.amountPaise);
  assertReference(charge.receipt);
  const body = {
    email: charge.email,
    contact: charge.phone,
    amount: charge.amountPaise,
    currency: 'INR',
    order_id: charge.orderId,
    customer_id: charge.customerId,
    token: charge.tokenId,
    recurring: true,
    description: charge.description.slice(0, 255),
    notes: { receipt: charge.receipt },
  };
  const request = { method: 'POST', path: '/payments/create/recurring', body, movesMoney: true } as const;
  try {
    const answer = await ask(request, z.object({ razorpay_payment_id: z.string().min(1) }));
    return { paymentId: answer.razorpay_payment_id };
  } catch (error) {
    const named = error instanceof GatewayRefused || error instanceof GatewayUnknown ? error.paymentId : undefined;
    if (!named) throw error;
    return { paymentId: named, refusal: error as Error };
  }
}

function refundsOver(ask: Ask): Pick<PaymentGateway, 'refund' | 'fetchRefund'> {
  /** The header alone does not do: keys are not kept for ever, and a job may be tried again much later. */
  const refundWith = async ({ paymentId, receipt }: NewRefund) => {
    const request = { method: 'GET', path: `/payments/${part(paymentId)}/refunds`, query: { count: '100' } } as const;
    const { items } = await ask(request, collectionOf(refundEntity));
    return items.find((refund) => refund.receipt === receipt);
  };
  return {
    async refund(refund) {
      const { paymentId, amountPaise, receipt, notes } = refund;
      assertPaise(amountPaise);
      assertReference(receipt);
      assertNotes(notes);
      const found = await refundWith(refund);
      if (found && found.amount !== amountPaise) {
        throw new GatewayRefused(`The receipt ${receipt} is that of a refund of ${found.amount} paise`);
      }
      const request = {
        method: 'POST',
        path: `/payments/${part(paymentId)}/refund`,
        body: { amount: amountPaise, speed: 'normal', receipt, notes },
        headers: { 'x-refund-idempotency': idempotencyKeyOf(receipt) },
        movesMoney: true,
      } as const;
      return refundOf(found ?? (await ask(request, refundEntity)));
    },
    async fetchRefund(refundId) {
      return refundOf(await ask({ method: 'GET', path: `/refunds/${part(refundId)}` }, refundEntity));
    },
  };
}

/** At least 10 letters and digits, which a receipt need not be. */
const idempotencyKeyOf = (receipt: string): string => createHash('sha256').update(receipt).digest('hex').slice(0, 40);

function paymentLinksOver(
  ask: Ask,
): Pick<PaymentGateway, 'createPaymentLink' | 'fetchPaymentLink' | 'cancelPaymentLink'> {
  const pathOf = (linkId: string) => `/payment_links/${part(linkId)}`;
  const linkWith = async (reference: string) => {
    const request = { method: 'GET', path: '/payment_links', query: { reference_id: reference } } as const;
    const answer = await ask(request, z.object({ payment_links: z.array(paymentLinkEntity).nullish() }));
    return answer.payment_links?.find((link) => link.reference_id === reference);
  };
  return {
    async createPaymentLink(link) {
      assertPaise(link.amountPaise);
      assertReference(link.reference);
      assertNotes(link.notes);
      const request = { method: 'POST', path: '/payment_links', body: linkBody(link) } as const;
      const kept =
        (await linkWith(link.reference)) ??
        (await ask(request, paymentLinkEntity).catch(async (error: unknown) => {
          // Refused where somebody else has just made it.
          const made = error instanceof GatewayRefused ? await linkWith(link.reference) : undefined;
          if (!made) throw error;
          return made;
        }));
      if (kept.amount !== link.amountPaise) {
        throw new GatewayRefused(`The reference ${link.reference} is that of a link over ${kept.amount} paise`);
      }
      return paymentLinkOf(kept);
    },
    async fetchPaymentLink(linkId) {
      const link = await ask({ method: 'GET', path: pathOf(linkId) }, paymentLinkEntity);
      // It takes one payment, so that this is one request more.
      const payments = await Promise.all(
        (link.payments ?? []).map(({ payment_id: paymentId }) =>
          ask({ method: 'GET', path: `/payments/${part(paymentId)}` }, paymentEntity),
        ),
      );
      return { ...paymentLinkOf(link), payments: payments.map(paymentOf) };
    },
    async cancelPaymentLink(linkId) {
      try {
        await ask({ method: 'POST', path: `${pathOf(linkId)}/cancel` }, anything);
      } catch (error) {
        if (!(error instanceof GatewayRefused) || isMissing(error)) throw error;
        const { status } = await ask({ method: 'GET', path: pathOf(linkId) }, paymentLinkEntity);
        if (status !== 'cancelled' && status !== 'expired') throw error;
      }
    },
  };
}

const linkBody = ({
  amountPaise,
  customer,
  reference,
  description,
  expiresAt,
  notes,
  callbackUrl,
}: NewPaymentLink) => ({
  amount: amountPaise,
  currency: 'INR',
  accept_partial: false,
  description: description.slice(0, 2048),
  reference_id: reference,
  customer: { name: customer.name, email: customer.email, contact: customer.phone },
  expire_by: secondsOf(expiresAt),
  notify: { sms: false, email: false },
  reminder_enable: false,
  notes,
  ...(callbackUrl && { callback_url: callbackUrl, callback_method: 'get' }),
});
