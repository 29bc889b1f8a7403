import type { z } from 'zod';
import type { CollectionMethod } from '../generated/prisma/enums.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import { cursorSlice } from '../utils/cursor-page.ts';
import { assertVersion, orNotFound } from '../utils/errors.ts';
import { addDays } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { rupees } from '../utils/money.ts';
import { page, type Cursor } from '../utils/page.ts';
import type { invoiceListItem } from '../validators/invoices.validator.ts';
import type {
  subscriptionChange,
  subscriptionTimelineEvent,
  timelineQuery,
} from '../validators/subscription-changes.validator.ts';
import type {
  billedSubscription,
  expiringSubscription,
  subscription,
  subscriptionAnalytics,
} from '../validators/subscriptions.validator.ts';
import { catchUp } from './billing-run.service.ts';
import { entitlementsOf } from './entitlements.service.ts';
import type { IssuedInvoice } from './invoice-issue.service.ts';
import { invoiceRows, type InvoiceFilter } from './invoices.queries.ts';
import { assertUsable } from './subscription-create.service.ts';
import { changeSubscription, lockedSubscription, readSubscription } from './subscription-history.service.ts';
import { convertTrial, upToDateSubscription } from './subscription-renewal.service.ts';
import * as views from './subscription-views.queries.ts';
import * as queries from './subscriptions.queries.ts';

type View = z.input<typeof subscription>;
type BilledView = z.input<typeof billedSubscription>;
type Analytics = z.input<typeof subscriptionAnalytics>;

export const listSubscriptions = (ctx: ReadContext, filter: queries.SubscriptionFilter) =>
  page<View>(ctx, filter, queries.subscriptionRows(filter));

/** @throws AppError not_found, also for one outside the scope */
export const getSubscription = async (ctx: Pick<ReadContext, 'sql'>, id: string): Promise<View> =>
  orNotFound(await ctx.sql.one<View>(queries.subscriptionById(id)), 'subscription');

/** The subscription after what has made invoices, with these. */
export async function billedView(
  ctx: Pick<ReadContext, 'sql'>,
  id: string,
  made: readonly (IssuedInvoice | null)[],
): Promise<BilledView> {
  const invoices = made
    .filter((invoice) => invoice !== null)
    .map(({ total, amountDue, ...invoice }) => ({ ...invoice, total: rupees(total), amountDue: rupees(amountDue) }));
  return { ...(await getSubscription(ctx, id)), invoices };
}

/** Trials and cancellations that end within so many days. */
export const listExpiring = (ctx: ReadContext, filter: queries.ExpiringFilter) =>
  page<z.input<typeof expiringSubscription>>(
    ctx,
    filter,
    queries.expiringRows(addDays(dayInIndia(ctx.now), filter.days)),
  );

/** How many there are of what, and what becomes of trials; one round trip. */
export async function subscriptionFigures(ctx: ReadContext): Promise<Analytics> {
  const [byStatus, byPlan, byCycle, [trials]] = await ctx.sql.batch<
    [Analytics['byStatus'], Analytics['byPlan'], Analytics['byCycle'], queries.TrialCounts[]]
  >(queries.countsByStatus(), queries.countsByPlan(), queries.countsByCycle(), queries.trialCounts());
  const counted = trials ?? { running: 0, converted: 0, expired: 0, cancelled: 0 };
  const over = counted.converted + counted.expired + counted.cancelled;
  const conversion = over === 0 ? null : Math.round((counted.converted / over) * 10_000) / 10_000;
  return { byStatus, byPlan, byCycle, trials: { ...counted, conversion } };
}

const parent = (id: string) => ({ of: queries.subscriptionExists(id), what: 'subscription' });

export const listChanges = (
  ctx: ReadContext,
  id: string,
  query: { page: number; limit: number; order: 'asc' | 'desc' },
) => page<z.input<typeof subscriptionChange>>(ctx, query, { ...views.changeRows(id, query.order), parent: parent(id) });

/** Its invoices. People of a tenant see those that were issued. */
export const listInvoicesOf = (
  ctx: ReadContext<Actor>,
  id: string,
  filter: Omit<InvoiceFilter, 'tenantId' | 'subscriptionId'>,
) =>
  page<z.input<typeof invoiceListItem>>(ctx, filter, {
    ...invoiceRows(
      { ...filter, subscriptionId: id },
      { drafts: ctx.actor.type === 'ADMIN_USER', today: dayInIndia(ctx.now) },
    ),
    parent: parent(id),
  });

type TimelineRow = z.input<typeof subscriptionTimelineEvent> & Cursor;

/** Changes, invoices and payments, newest first, on from a cursor. @throws AppError not_found */
export async function listTimeline(ctx: ReadContext, id: string, query: z.output<typeof timelineQuery>) {
  // One more than is shown: it tells whether anything follows.
  const [rows, [found]] = await ctx.sql.batch<[TimelineRow[], unknown[]]>(
    views.timelineRows(id, query, query.limit + 1),
    queries.subscriptionExists(id),
  );
  orNotFound(found, 'subscription');
  return cursorSlice(rows, query.limit);
}

/** What the tenant of a subscription may have, and has. @throws AppError not_found */
export async function entitlementsOfSubscription(ctx: ReadContext, id: string) {
  const row = await readSubscription(ctx, id);
  return { subscriptionId: id, entitlements: await entitlementsOf(ctx, row.tenantId) };
}

/**
 * Changes how a subscription is collected, from its next invoice on.
 * @param seenVersion from If-Match: refused when somebody has changed it since
 * @throws AppError not_found, version_mismatch
 */
export async function updateSubscription(
  ctx: WriteContext,
  id: string,
  { collectionMethod }: { collectionMethod: CollectionMethod },
  seenVersion?: number,
): Promise<View> {
  const { version } = await lockedSubscription(ctx, id);
  assertVersion(seenVersion, version, 'subscription');
  const row = await upToDateSubscription(ctx, id);
  const details = { collectionMethod: { from: row.collectionMethod, to: collectionMethod } };
  const event = { type: 'SETTINGS_CHANGED', effectiveOn: dayInIndia(ctx.now), details } as const;
  await changeSubscription(ctx, row, { collectionMethod }, event);
  return getSubscription(ctx, id);
}

/**
 * Sets what a subscription is charged to.
 * @throws AppError not_found, also for a payment method of another tenant; conflict for one that cannot be charged
 */
export async function setPaymentMethod(ctx: WriteContext, id: string, paymentMethodId: string): Promise<View> {
  const row = await lockedSubscription(ctx, id);
  await assertUsable(ctx, row.tenantId, paymentMethodId);
  const event = { type: 'PAYMENT_METHOD_SET', effectiveOn: dayInIndia(ctx.now), details: { paymentMethodId } } as const;
  await changeSubscription(ctx, row, { paymentMethodId }, event);
  return getSubscription(ctx, id);
}

/**
 * Does now what is due for one subscription, as the billing run would; ends a trial before its time.
 * @throws AppError not_found; conflict where nothing is due, saying when something is
 */
export async function renewSubscription(ctx: ManualContext<Actor>, id: string): Promise<BilledView> {
  const today = dayInIndia(ctx.now);
  const { steps, invoices } = await catchUp(ctx, id, today);
  if (steps > 0) return billedView(ctx, id, invoices);
  const { invoice } = await ctx.transact((tx) => convertTrial(tx, id));
  return billedView(ctx, id, [invoice]);
}
