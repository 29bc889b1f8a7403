import {
  GatewayRefused,
  GatewayUnavailable,
  type GatewayPayment,
  type GatewayPaymentLink,
  type PaymentGateway,
} from '../providers/payment-gateway.provider.ts';
import type { Actor, ManualContext, WriteContext } from '../types/context.ts';
import { environment } from '../config/environment.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { dateColumn } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { newId } from '../utils/ids.ts';
import { decimal, fromPaise, rupees, toPaise } from '../utils/money.ts';
import { lockedInvoice, usePayment } from './invoice-settlement.service.ts';
import { lockSubscriptionRow } from './payments.queries.ts';
import { paymentGateway } from './payment-gateway.service.ts';
import { closePaymentLinks } from './payment-link-closing.service.ts';
import * as queries from './payment-links.queries.ts';
import { channelOf } from './payment-outcome.policy.ts';

// A page of the gateway on which an invoice can be paid, by whoever has its address.

const VALID_MS = 7 * 86_400_000;
/** What is about to expire is not handed out again. */
const STILL_VALID_MS = 3_600_000;

type Anybody = ManualContext;
export type LinkRow = queries.LinkRow;

/**
 * The page on which all that is due of an invoice can be paid. There is one at a time: as long as it is valid and the
 * amount is the same it is answered again; one over another amount is cancelled.
 * @throws AppError not_found; invalid_transition where nothing is due; conflict while the invoice is being paid
 */
export async function paymentLinkFor(ctx: ManualContext<Actor>, invoiceId: string): Promise<LinkRow> {
  const invoice = orNotFound(await ctx.sql.one<queries.PayableInvoice>(queries.payableInvoice(invoiceId)), 'invoice');
  assertPayable(invoice);
  const links = await ctx.sql.many<LinkRow>(queries.linksOf(invoiceId));
  const open = links.filter(({ status }) => status === 'OPEN');
  const current = open.find((link) => isGood(ctx, link, invoice));
  if (current) return current;
  return unlessAway(async () => {
    for (const link of open) await withdraw(ctx, link);
    const made = await makeUsable(ctx, invoice, links.length + 1);
    return ctx.transact((tx) => keep(tx, invoice, made));
  });
}

const MOST_TRIES = 3;

/**
 * Two who ask at once number it alike, and get the same one from the gateway. So does somebody who comes after a process
 * that died before it noted it down; that one may be dead by now.
 */
async function makeUsable(
  { now }: Anybody,
  invoice: queries.PayableInvoice,
  from: number,
): Promise<GatewayPaymentLink> {
  for (let serial = from; serial < from + MOST_TRIES; serial += 1) {
    const made = await make(paymentGateway(), now, invoice, serial);
    if (made.status === 'CREATED') return made;
  }
  throw new AppError('conflict', 'No link could be made for this invoice. Try again later.');
}

function assertPayable({ status, isBeingPaid }: queries.PayableInvoice): void {
  if (status !== 'OPEN') {
    const why = `The invoice is ${status}: only one that is open can be paid by a link.`;
    throw new AppError('invalid_transition', why, { status });
  }
  if (isBeingPaid) {
    throw new AppError('conflict', 'A payment of this invoice is under way. Wait for what comes of it, a few minutes.');
  }
}

const isGood = ({ now }: Anybody, link: LinkRow, { amountDue }: queries.PayableInvoice): boolean =>
  link.gateway === paymentGateway().name &&
  decimal(link.amount).equals(amountDue) &&
  link.expiresAt.getTime() - now.getTime() > STILL_VALID_MS;

async function unlessAway<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof GatewayUnavailable) {
      const why = 'The payment gateway does not answer. Try again in a moment.';
      throw new AppError('service_unavailable', why, { retryAfterSeconds: 30 }, { cause });
    }
    if (!(cause instanceof GatewayRefused)) throw cause;
    throw new AppError('conflict', 'The payment gateway refuses a link for this invoice. Try again.', {}, { cause });
  }
}

/** @throws AppError conflict when it turns out that somebody has just paid with it */
async function withdraw(ctx: Anybody, link: LinkRow): Promise<void> {
  const gateway = paymentGateway();
  if (link.gateway === gateway.name) {
    try {
      await gateway.cancelPaymentLink(link.gatewayLinkId);
    } catch (error) {
      if (!(error instanceof GatewayRefused)) throw error;
      await lookAtLink(ctx, link.id);
      throw new AppError('conflict', 'Somebody has just paid by the link that there is. Read the invoice again.');
    }
  }
  await ctx.transact((tx) => setStatus(tx, link.id, link.expiresAt <= ctx.now ? 'EXPIRED' : 'CANCELLED'));
}

const make = (
  gateway: PaymentGateway,
  now: Date,
  { id, number, amountDue, buyer }: queries.PayableInvoice,
  serial: number,
): Promise<GatewayPaymentLink> =>
  gateway.createPaymentLink({
    amountPaise: toPaise(amountDue),
    description: `Invoice ${number ?? ''}`.trim(),
    customer: { name: buyer.name, email: buyer.email, ...(buyer.phone && { phone: buyer.phone }) },
    reference: `${id}-${toPaise(amountDue).toString(36)}-${serial}`,
    expiresAt: new Date(now.getTime() + VALID_MS),
    notes: { invoiceId: id },
    callbackUrl: new URL(`/billing/invoices/${id}`, environment().PUBLIC_URL).href,
  });

async function keep(tx: WriteContext, invoice: queries.PayableInvoice, made: GatewayPaymentLink): Promise<LinkRow> {
  const gateway = paymentGateway().name;
  const expiresAt = made.expiresAt ?? new Date(tx.now.getTime() + VALID_MS);
  const link = {
    id: newId(),
    tenantId: invoice.tenantId,
    invoiceId: invoice.id,
    gateway,
    gatewayLinkId: made.id,
    url: made.url,
    amount: rupees(fromPaise(made.amountPaise)),
    expiresAt,
    createdAt: tx.now,
    updatedAt: tx.now,
  };
  const { count } = await tx.db.paymentLink.createMany({ data: [link], skipDuplicates: true });
  const kept = orNotFound(await tx.sql.one<LinkRow>(queries.linkOfGateway(gateway, made.id)), 'payment link');
  if (count > 0) {
    tx.audit({
      action: 'revenue.payment_link',
      resource: 'payment_link',
      resourceId: kept.id,
      tenantId: kept.tenantId,
      after: { invoiceId: invoice.id, amount: kept.amount, expiresAt: kept.expiresAt },
    });
  }
  return kept;
}

const setStatus = async (tx: WriteContext, id: string, status: 'EXPIRED' | 'CANCELLED'): Promise<void> =>
  void (await tx.db.paymentLink.updateMany({ where: { id, status: 'OPEN' }, data: { status, updatedAt: tx.now } }));

/** Asks the gateway what became of a link, where its webhook may be lost. */
export async function lookAtLink(ctx: Anybody, id: string): Promise<void> {
  const link = orNotFound(await ctx.sql.one<LinkRow>(queries.linkById(id)), 'payment link');
  if (link.gateway !== paymentGateway().name) return;
  const { payments, ...told } = await paymentGateway().fetchPaymentLink(link.gatewayLinkId);
  const paid = payments.find(({ status }) => status === 'CAPTURED');
  await ctx.transact(async (tx) => {
    if (paid) await recordLinkPayment(tx, link, paid);
    else await recordLinkStatus(tx, link, told.status);
  });
}

export async function recordLinkStatus(
  tx: WriteContext,
  { id }: Pick<LinkRow, 'id'>,
  status: GatewayPaymentLink['status'],
): Promise<void> {
  if (status === 'EXPIRED' || status === 'CANCELLED') return setStatus(tx, id, status);
  await tx.db.paymentLink.updateMany({ where: { id }, data: { updatedAt: tx.now } });
}

/**
 * Notes down the money that came by a link, once, whoever tells it; also by one that was cancelled meanwhile. What the
 * invoice does not need any more goes to the credit balance.
 * @returns whether that is new
 */
export async function recordLinkPayment(tx: WriteContext, link: LinkRow, told: GatewayPayment): Promise<boolean> {
  const { tenantId, invoiceId } = link;
  const invoice = await tx.sql.one<{ subscriptionId: string | null }>(queries.subscriptionOf(invoiceId));
  if (invoice?.subscriptionId) await tx.sql.one(lockSubscriptionRow(invoice.subscriptionId));
  await lockedInvoice(tx, invoiceId);
  const payment = { id: newId(), tenantId, amount: fromPaise(told.amountPaise) };
  const { count } = await tx.db.payment.createMany({ data: [rowOf(tx, link, told, payment.id)], skipDuplicates: true });
  await tx.db.paymentLink.update({ where: { id: link.id }, data: { status: 'PAID', updatedAt: tx.now } });
  if (count === 0) return false;
  await usePayment(tx, payment, [invoiceId]);
  await closePaymentLinks(tx, invoiceId);
  tx.enqueue('email.payment-received', { paymentId: payment.id }, { tenantId });
  tx.audit({
    action: 'revenue.payment_update',
    resource: 'payment',
    resourceId: payment.id,
    tenantId,
    details: { status: 'SUCCEEDED', amount: rupees(payment.amount), paymentLinkId: link.id },
  });
  return true;
}

const rowOf = ({ now }: WriteContext, link: LinkRow, told: GatewayPayment, id: string) => ({
  id,
  tenantId: link.tenantId,
  invoiceId: link.invoiceId,
  transactionId: told.id,
  amount: rupees(fromPaise(told.amountPaise)),
  gatewayFee: rupees(fromPaise(told.feePaise)),
  gatewayTax: rupees(fromPaise(told.taxPaise)),
  method: channelOf(told),
  status: 'SUCCEEDED' as const,
  initiatedBy: 'PAYMENT_LINK' as const,
  gateway: link.gateway,
  gatewayOrderId: told.orderId,
  gatewayPaymentId: told.id,
  gatewayResponse: JSON.parse(JSON.stringify(told.raw)) as object,
  receivedOn: dateColumn(dayInIndia(now)),
  succeededAt: now,
  createdAt: now,
  updatedAt: now,
});

/** Tells the gateway that nobody is to pay by a link any more. Where somebody has, that is noted down. */
export async function cancelLink(ctx: Anybody, id: string): Promise<void> {
  const link = orNotFound(await ctx.sql.one<LinkRow>(queries.linkById(id)), 'payment link');
  const gateway = paymentGateway();
  if (link.gateway !== gateway.name) return;
  try {
    await gateway.cancelPaymentLink(link.gatewayLinkId);
  } catch (error) {
    if (!(error instanceof GatewayRefused)) throw error;
    await lookAtLink(ctx, id);
  }
}
