import type { BillingCycle } from '../generated/prisma/enums.ts';
import type { ReadContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { rupees, ZERO, type Decimal } from '../utils/money.ts';
import { readQuote, signQuote, type QuoteClaims } from '../utils/quote-token.ts';
import { quoteInvoice } from './invoice-issue.service.ts';
import { chargedSince, type Charged } from './subscription-charged.queries.ts';
import { currentMrr } from './subscription-history.service.ts';
import { addOnsOn } from './subscription-invoice.policy.ts';
import type { Offer } from './subscription-offer.service.ts';
import { beginsAnew, changeNow, type ChangeKind, type ChangeNow } from './subscription-quote.policy.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';
import { asOnOffer } from './subscription-schedule.service.ts';

export type ChangeWhen = 'NOW' | 'PERIOD_END';
export type ChangeTarget = { offer: Offer; billingCycle: BillingCycle; when: ChangeWhen | undefined };

export type ChangeQuote = {
  kind: ChangeKind;
  when: ChangeWhen;
  /** The day in India from which it holds. */
  on: string;
  offer: Offer;
  billingCycle: BillingCycle;
  /** The subscription as it would be. */
  to: SubscriptionRow;
  /** Empty where nothing is charged: at the end of the period, and in a trial. */
  now: ChangeNow | null;
  /** Rupees: what would be invoiced at once. */
  amounts: { taxable: Decimal; cgst: Decimal; sgst: Decimal; igst: Decimal; total: Decimal };
  mrrBefore: string;
  mrrAfter: string;
};

const NOTHING = { taxable: ZERO, cgst: ZERO, sgst: ZERO, igst: ZERO, total: ZERO };

/**
 * What a change of plan or cycle would mean today (rule 19): upgrades at once, downgrades with the end of the period.
 * @throws AppError conflict, saying why, where it cannot be made, or not then
 */
export async function quoteChange(
  ctx: Pick<ReadContext, 'sql' | 'log' | 'now'>,
  row: SubscriptionRow,
  { offer, billingCycle, when: wanted }: ChangeTarget,
): Promise<ChangeQuote> {
  assertChangeable(row, offer, billingCycle);
  const today = dayInIndia(ctx.now);
  const to = await asOnOffer(ctx, row, offer, billingCycle);
  const bills = await ctx.sql.many<Charged>(chargedSince(row.id, row.currentPeriodStart));
  const change = changeNow(row, to, { bills, on: today });
  const isTrial = row.status === 'TRIAL';
  const when = wanted ?? (change.kind === 'DOWNGRADE' && !isTrial ? 'PERIOD_END' : 'NOW');
  if (when === 'NOW' && !isTrial) assertNow(row, to, change);
  const on = when === 'NOW' ? today : row.currentPeriodEnd;
  const now = when === 'NOW' && !isTrial ? change : null;
  const charges = now !== null && !now.net.isZero();
  return {
    kind: change.kind,
    when,
    on,
    offer,
    billingCycle,
    to,
    now,
    amounts: charges
      ? (await quoteInvoice(ctx, { ...row, reason: 'SUBSCRIPTION_CHANGE', lines: now.lines })).amounts
      : NOTHING,
    mrrBefore: row.mrr,
    mrrAfter: rupees(mrrAfter(row, to, on, now)),
  };
}

function mrrAfter(row: SubscriptionRow, to: SubscriptionRow, on: string, now: ChangeNow | null): Decimal {
  const anew = now !== null && beginsAnew(row, to.billingCycle);
  const addOns = anew ? to.addOns.filter(({ endsOn }) => endsOn === null) : addOnsOn(to, on);
  return currentMrr({ ...to, addOns }, on);
}

function assertChangeable(row: SubscriptionRow, offer: Offer, billingCycle: BillingCycle): void {
  const refuse = (told: string): never => {
    throw new AppError('conflict', told);
  };
  if (row.status === 'CANCELLED' || row.status === 'EXPIRED') {
    refuse('The subscription has ended. Reactivate it on the plan: POST /api/subscriptions/:id/reactivate.');
  }
  if (row.status === 'PAUSED') refuse('The subscription is paused. Resume it before you change its plan.');
  if (row.cancelAtPeriodEnd) {
    refuse(
      `The subscription ends on ${row.currentPeriodEnd}. Call that off first: POST /api/subscriptions/:id/uncancel.`,
    );
  }
  if (offer.planVersionId === row.planVersionId && billingCycle === row.billingCycle) {
    refuse(`The subscription is on ${row.planName} with this cycle already.`);
  }
}

/** @throws AppError conflict */
function assertNow(row: SubscriptionRow, to: SubscriptionRow, { kind }: ChangeNow): void {
  if (row.status === 'PAST_DUE') {
    throw new AppError(
      'conflict',
      'An invoice of the subscription is overdue. It is paid before anything is charged anew.',
    );
  }
  if (kind !== 'DOWNGRADE') return;
  const why = beginsAnew(row, to.billingCycle)
    ? 'What was paid for is used up first'
    : 'It costs less, and what was paid is not given back';
  throw new AppError('conflict', `${why}: make this change at the end of the period, with when PERIOD_END.`, {
    effectiveOn: row.currentPeriodEnd,
  });
}

const QUOTE_MS = 30 * 60_000;

const promised = (row: SubscriptionRow, quote: ChangeQuote) => ({
  subscriptionId: row.id,
  version: row.version,
  planVersionId: quote.offer.planVersionId,
  billingCycle: quote.billingCycle,
  when: quote.when,
  on: quote.on,
  credit: quote.now && rupees(quote.now.credit),
  charge: quote.now && rupees(quote.now.charge),
  total: rupees(quote.amounts.total),
});

/** Freezes a quote for half an hour: whoever brings the token gets this and nothing else. */
export function freezeQuote(
  ctx: Pick<ReadContext, 'now'>,
  row: SubscriptionRow,
  quote: ChangeQuote,
): { token: string; expiresAt: Date } {
  const until = Math.floor((ctx.now.getTime() + QUOTE_MS) / 1000);
  return { token: signQuote({ ...promised(row, quote), until }), expiresAt: new Date(until * 1000) };
}

const AGAIN = 'Preview the change again: POST /api/subscriptions/:id/change/preview.';
const STALE = `The subscription or its price has changed since the preview. ${AGAIN}`;

/** What a token promises. @throws AppError conflict for one that is over, of another subscription, or of an older state of it */
export function promiseOf(ctx: Pick<ReadContext, 'now'>, row: SubscriptionRow, token: string): QuoteClaims {
  const claims = readQuote(token);
  if (!claims || claims.subscriptionId !== row.id) {
    throw new AppError('conflict', `The token is not of a preview of this subscription. ${AGAIN}`);
  }
  if (claims.until * 1000 <= ctx.now.getTime()) throw new AppError('conflict', `The preview is too old. ${AGAIN}`);
  if (claims.version !== row.version) throw new AppError('conflict', STALE);
  return claims;
}

/** @throws AppError conflict where a quote is not what was promised: the day, a price or a tax has changed */
export function assertPromised(row: SubscriptionRow, quote: ChangeQuote, claims: QuoteClaims): void {
  const { until: _, ...before } = claims;
  const now = promised(row, quote);
  const differs = (Object.keys(now) as (keyof typeof now)[]).some((field) => now[field] !== before[field]);
  if (differs) throw new AppError('conflict', STALE);
}
