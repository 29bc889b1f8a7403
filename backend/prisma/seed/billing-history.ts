import { periodFrom } from '../../src/services/billing-period.policy.ts';
import { couponsOn, periodLines, percentOff, priceOf } from '../../src/services/subscription-invoice.policy.ts';
import { changeNow } from '../../src/services/subscription-quote.policy.ts';
import type { SubscriptionRow } from '../../src/services/subscription-row.queries.ts';
import { addDays, addMonths, dayOfMonth, daysBetween } from '../../src/utils/india-day.ts';
import { rupees } from '../../src/utils/money.ts';
import { devPatil, meeraIyengar } from './accounts.ts';
import { dayAgo, heldCoupon, issue, momentOf, note, onPlan, openBook, type Bill, type Book } from './billing-book.ts';
import { collect, collectLarger } from './billing-payments.ts';
import type { BillingStory } from './billing-stories.ts';
import type { CouponCode } from './plans.ts';
import { changedAt, joinedAt, type StatusChange, type TenantProfile } from './tenants.ts';

/** The run of billing comes by at night. */
const NIGHT_MINUTE = 30;
const OFFICE_MINUTE = 14 * 60;

/**
 * Tells the story of what a tenant has bought, by the rules that the application bills by: trial, periods, changes and what
 * was paid, up to the day before the seed.
 */
export function billingHistory(profile: TenantProfile, story: BillingStory, day: Date): Book {
  const book = openBook(profile, story, day);
  const { trialEndsOn } = book.row;
  const joined = joinedAt(profile, day);
  note(book, {}, { type: 'CREATED', on: book.row.startedOn, at: joined, by: devPatil, details: { trialEndsOn } });
  const bought = profile.changes.find(({ to }) => to === 'ACTIVE');
  if (!bought) return book;
  begin(book, bought);
  for (const { on, happens } of happenings(book)) {
    renewThrough(book, on);
    happens();
  }
  renewThrough(book, addDays(book.today, -1));
  return book;
}

/** What happened to a subscription beside the calendar, in order. */
function happenings(book: Book): { on: string; happens: () => void }[] {
  const { larger, pause, abandoned, coupon, couponDaysAgo } = book.story;
  const ended = book.profile.changes.find(({ to, daysAgo }) => to === 'INACTIVE' || daysAgo === abandoned?.ended);
  const all: { on: string; happens: () => void }[] = [];
  if (larger) {
    const on = dayAgo(book, larger.daysAgo);
    all.push({ on, happens: () => goLarger(book, larger, on) });
  }
  if (coupon && couponDaysAgo) {
    const on = dayAgo(book, couponDaysAgo);
    all.push({ on, happens: () => giveCoupon(book, coupon, on) });
  }
  if (pause) {
    const [from, to] = [dayAgo(book, pause.daysAgo), dayAgo(book, pause.daysAgo - pause.days)];
    all.push({ on: from, happens: () => stop(book, from, to) }, { on: to, happens: () => goOn(book, from, to) });
  }
  if (ended) all.push({ on: dayAgo(book, ended.daysAgo), happens: () => endFor(book, ended) });
  return all.toSorted((one, other) => one.on.localeCompare(other.on));
}

/** The first period that is paid begins on the day that the tenant has bought. */
function begin(book: Book, bought: StatusChange): void {
  const on = dayAgo(book, bought.daysAgo);
  const at = changedAt(bought, book.profile, book.day);
  const anchorDay = dayOfMonth(on);
  book.row = { ...book.row, anchorDay, paymentMethodId: book.methodId };
  const bill = billPeriod(book, { on, at, reason: 'SUBSCRIPTION_CREATE' });
  note(
    book,
    { status: 'ACTIVE', trialEndsOn: on, ...periodOf(bill) },
    { type: 'TRIAL_ENDED', on, at, invoiceId: bill.id, details: charged(book.row, 'PERIOD', on) },
  );
  useCoupons(book, bill, on);
  collect(book, bill);
}

/** Renews up to a day, and that day too. */
function renewThrough(book: Book, last: string): void {
  while (book.row.status !== 'PAUSED' && book.row.nextEventOn !== null && book.row.currentPeriodEnd <= last)
    renew(book);
}

function renew(book: Book): void {
  const on = book.row.currentPeriodEnd;
  const at = momentOf(book, on, NIGHT_MINUTE);
  const over = book.row.coupons.filter(({ endsOn }) => endsOn === on);
  if (over.length > 0) {
    const details = { ended: over.map(({ couponId }) => ({ couponId })) };
    note(book, {}, { type: 'COUPON_ENDED', on, at, details });
  }
  const bill = billPeriod(book, { on, at, reason: 'SUBSCRIPTION_CYCLE' });
  const details = charged(book.row, 'PERIOD', on);
  note(book, periodOf(bill), { type: 'RENEWED', on, at, invoiceId: bill.id, details });
  useCoupons(book, bill, on);
  collect(book, bill);
}

type Period = { on: string; at: string; reason: 'SUBSCRIPTION_CREATE' | 'SUBSCRIPTION_CYCLE' };

function billPeriod(book: Book, { on, at, reason }: Period): Bill {
  const period = periodFrom(on, book.row.billingCycle, book.row.anchorDay);
  return issue(book, { reason, period, at, lines: periodLines(book.row, period) });
}

const periodOf = ({ period }: Bill) => ({
  currentPeriodStart: period.start,
  currentPeriodEnd: period.end,
  nextEventOn: period.end,
});

/** What is remembered of a bill, so that what is given up later is credited at what it was charged at. */
const charged = (row: SubscriptionRow, what: 'PERIOD' | 'PLAN', on: string) => ({
  charged: what,
  price: rupees(priceOf(row, row.billingCycle)),
  percentOff: percentOff(couponsOn(row, on)),
});

/** One for the next bill is used up by it; one for some months begins to run. */
function useCoupons(book: Book, bill: Bill, on: string): void {
  const held = couponsOn(book.row, on);
  const coupons = book.row.coupons.map((coupon) => {
    if (!held.includes(coupon)) return coupon;
    if (coupon.duration === 'ONCE') return { ...coupon, usedOnInvoice: bill.id };
    if (coupon.duration !== 'REPEATING' || coupon.endsOn !== null) return coupon;
    return { ...coupon, endsOn: addMonths(on, coupon.durationMonths ?? 1, book.row.anchorDay) };
  });
  book.row = { ...book.row, coupons };
}

function giveCoupon(book: Book, code: CouponCode, on: string): void {
  const coupon = heldCoupon(book.profile, code, on);
  const given = { on, at: momentOf(book, on, OFFICE_MINUTE), details: { couponId: coupon.couponId }, by: meeraIyengar };
  note(book, { coupons: [coupon] }, { type: 'COUPON_ADDED', ...given });
}

function goLarger(book: Book, { to, unpaid }: NonNullable<BillingStory['larger']>, on: string): void {
  const from = book.row;
  const larger = { ...from, ...onPlan(to) };
  const { lines, period } = changeNow(from, larger, { bills: [], on });
  const at = momentOf(book, on, OFFICE_MINUTE);
  const bill = issue(book, { reason: 'SUBSCRIPTION_CHANGE', period, lines, at });
  const details = charged(larger, 'PLAN', on);
  note(book, onPlan(to), { type: 'PLAN_CHANGED', on, at, invoiceId: bill.id, details });
  collectLarger(book, bill, unpaid === true);
}

function stop(book: Book, from: string, to: string): void {
  note(
    book,
    { status: 'PAUSED', pausedOn: from, resumeOn: to, nextEventOn: to },
    {
      type: 'PAUSED',
      on: from,
      at: momentOf(book, from, OFFICE_MINUTE),
      reason: 'The building is being painted',
      details: { resumeOn: to },
      by: meeraIyengar,
    },
  );
}

/** The period gets back the days of the pause. */
function goOn(book: Book, from: string, to: string): void {
  const pausedDays = daysBetween(from, to);
  const end = addDays(book.row.currentPeriodEnd, pausedDays);
  note(
    book,
    {
      status: 'ACTIVE',
      pausedOn: null,
      resumeOn: null,
      anchorDay: dayOfMonth(end),
      currentPeriodEnd: end,
      nextEventOn: end,
    },
    { type: 'RESUMED', on: to, at: momentOf(book, to, NIGHT_MINUTE), details: { pausedDays } },
  );
}

function endFor(book: Book, { daysAgo, reason, by, ...change }: StatusChange): void {
  const on = dayAgo(book, daysAgo);
  const at = changedAt({ daysAgo, reason, by, ...change }, book.profile, book.day);
  Object.assign(book.subscription, { cancelledAt: at, cancelReason: reason });
  const ended = { status: 'CANCELLED', endedOn: on, nextEventOn: null } as const;
  note(book, ended, { type: 'CANCELLED', on, at, reason, ...(by && { by }) });
}
