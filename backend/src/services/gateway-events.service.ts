import { GatewayRefused, type GatewayEvent, type GatewayPayment } from '../providers/payment-gateway.provider.ts';
import type { JobContext } from '../queues/job-context.ts';
import { orNotFound } from '../utils/errors.ts';
import { sql, type Sql } from '../utils/sql.ts';
import { paymentGateway } from './payment-gateway.service.ts';
import { linkOfGateway } from './payment-links.queries.ts';
import { lookAtLink, recordLinkPayment, recordLinkStatus, type LinkRow } from './payment-links.service.ts';
import { hearOfToken, refreshMandate } from './payment-mandates.service.ts';
import { mandateOfOrder, mandateOfToken, type MandateRow } from './payment-methods.queries.ts';
import { outcomeOf } from './payment-outcome.policy.ts';
import { recordOutcome } from './payment-outcome.service.ts';
import { paymentOfOrder, type PaymentFacts } from './payments.queries.ts';
import { recordRefund, refundOfGateway, type RefundRow } from './refunds.service.ts';

// What follows from what the gateway has told. Events come late, twice and in any order: each says how something was then,
// and only what is news moves it forward (rule 23).

/** What came of an event, and whose it was. */
type Worked = { outcome: string; tenantId: string | null };

const IGNORED: Worked = { outcome: 'ignored', tenantId: null };
/** Of the same account at the gateway, and nothing that we have begun. */
const NOT_OURS: Worked = { outcome: 'not_ours', tenantId: null };
const UNREADABLE: Worked = { outcome: 'unreadable', tenantId: null };

type KeptEvent = { id: string; gateway: string; eventId: string; payload: unknown; processedAt: Date | null };

const keptEvent = (id: string): Sql => sql`
  select id, gateway, event_id as "eventId", payload, processed_at as "processedAt" from gateway_events where id = ${id}`;

/** Does what an event is about, unless that was done. */
export async function workOnEvent(ctx: JobContext, id: string): Promise<void> {
  const kept = orNotFound(await ctx.sql.one<KeptEvent>(keptEvent(id)), 'event');
  if (kept.processedAt !== null) return;
  const { outcome, tenantId } = await work(ctx, kept);
  await ctx.transact(({ db, now }) =>
    db.gatewayEvent.update({ where: { id }, data: { outcome, tenantId, processedAt: now }, select: { id: true } }),
  );
}

async function work(ctx: JobContext, kept: KeptEvent): Promise<Worked> {
  if (kept.gateway !== paymentGateway().name) return NOT_OURS;
  const event = readEvent(kept);
  if (!event) return UNREADABLE;
  const [subject] = event.type.split('.');
  if ((subject === 'payment' || subject === 'order') && event.payment) return ofPayment(ctx, event.payment);
  if (subject === 'payment_link' && event.paymentLink) return ofLink(ctx, event);
  if (subject === 'refund' && event.refund) return ofRefund(ctx, event.refund);
  if (subject === 'token' && event.token) return ofToken(ctx, event.token);
  return IGNORED;
}

function readEvent({ eventId, payload }: KeptEvent): GatewayEvent | undefined {
  try {
    return paymentGateway().parseWebhook(Buffer.from(JSON.stringify(payload)), eventId);
  } catch (error) {
    if (error instanceof GatewayRefused) return undefined;
    throw error;
  }
}

/** A charge of ours, or the authorisation of a mandate. */
async function ofPayment(ctx: JobContext, told: GatewayPayment): Promise<Worked> {
  if (told.orderId === null) return NOT_OURS;
  const gateway = paymentGateway().name;
  const [[payment], [method]] = await ctx.sql.batch<[PaymentFacts[], MandateRow[]]>(
    paymentOfOrder(gateway, told.orderId),
    mandateOfOrder(gateway, told.orderId),
  );
  if (payment?.initiatedBy === 'PAYMENT_LINK') return { outcome: 'known', tenantId: payment.tenantId };
  if (payment) {
    const moved = await ctx.transact((tx) => recordOutcome(tx, payment, outcomeOf(told)));
    return { outcome: moved ? `payment_${moved.toLowerCase()}` : 'known', tenantId: payment.tenantId };
  }
  if (!method) return NOT_OURS;
  const became = await refreshMandate(ctx, method.id);
  return { outcome: `method_${became.toLowerCase()}`, tenantId: method.tenantId };
}

async function ofLink(ctx: JobContext, { paymentLink, payment }: GatewayEvent): Promise<Worked> {
  const gateway = paymentGateway().name;
  const link = await ctx.sql.one<LinkRow>(linkOfGateway(gateway, paymentLink?.id ?? ''));
  if (!link || !paymentLink) return NOT_OURS;
  const { tenantId } = link;
  if (paymentLink.status !== 'PAID') {
    await ctx.transact((tx) => recordLinkStatus(tx, link, paymentLink.status));
    return { outcome: `link_${paymentLink.status.toLowerCase()}`, tenantId };
  }
  if (payment?.status !== 'CAPTURED') {
    await lookAtLink(ctx, link.id);
    return { outcome: 'link_paid', tenantId };
  }
  const isNew = await ctx.transact((tx) => recordLinkPayment(tx, link, payment));
  return { outcome: isNew ? 'link_paid' : 'known', tenantId };
}

async function ofRefund(ctx: JobContext, told: NonNullable<GatewayEvent['refund']>): Promise<Worked> {
  const refund = await ctx.sql.one<RefundRow>(refundOfGateway(told));
  if (!refund) {
    // Somebody has given it back at the gateway, past us: our books do not know that yet.
    ctx.log.warn('The gateway tells of a refund that is not ours', { gatewayRefundId: told.id });
    return NOT_OURS;
  }
  const isNew = await ctx.transact((tx) => recordRefund(tx, refund, told));
  return { outcome: isNew ? `refund_${told.status.toLowerCase()}` : 'known', tenantId: refund.tenantId };
}

async function ofToken(ctx: JobContext, token: NonNullable<GatewayEvent['token']>): Promise<Worked> {
  const method = await ctx.sql.one<MandateRow>(mandateOfToken(paymentGateway().name, token.id));
  // Its payment tells of a new one, by the order: the token alone does not say which method it is of.
  if (!method) return NOT_OURS;
  return { outcome: await hearOfToken(ctx, method, token), tenantId: method.tenantId };
}
