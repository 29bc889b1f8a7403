import { createHash } from 'node:crypto';
import { dunningSchedule, nextDayOf, type DunningPlan } from '../../src/services/dunning-schedule.policy.ts';
import { addDays } from '../../src/utils/india-day.ts';
import { dayInIndia } from '../../src/utils/india-time.ts';
import { roundPaisa, rupees } from '../../src/utils/money.ts';
import type { PaymentRow } from './billing-rows.ts';
import { dayAgo, isPast, momentOf, note, type Bill, type Book } from './billing-book.ts';
import { patientCampaignId, patientPlan, standardCampaignId } from './plans.ts';

// How bills of the demo were paid, and what was done where they were not.

/** A mandate is charged a day after its payer was told. */
const NOTICE_MINUTES = 24 * 60;
const DUNNING_MINUTE = 9 * 60 + 5;
const MINUTE_MS = 60_000;
/** The campaign that comes with the product, as far as it was needed. */
const standardPlan: DunningPlan & { minimumAmount: string } = {
  attemptGaps: [1, 8, 4, 7],
  steps: [
    { day: 1, consequence: 'REMINDER', channels: ['EMAIL'] },
    { day: 10, consequence: 'WARNING', channels: ['EMAIL'] },
    { day: 14, consequence: 'BLOCK', channels: ['EMAIL'] },
    { day: 21, consequence: 'CANCEL', channels: ['EMAIL'] },
  ],
  minimumAmount: '0.00',
};

const after = (moment: string, minutes: number): string =>
  new Date(Date.parse(moment) + minutes * MINUTE_MS).toISOString();

/** What became of the bill of a period. */
export function collect(book: Book, bill: Bill): void {
  const { abandoned } = book.story;
  if (abandoned && bill.at >= momentOf(book, dayAgo(book, abandoned.since), 0)) return;
  if (book.story.pays === 'TRANSFER') return receive(book, bill);
  const asked = bill.reason === 'SUBSCRIPTION_CREATE' ? 10 : NOTICE_MINUTES;
  const at = after(bill.at, asked);
  if (!isPast(book, at)) {
    bill.collectAfter = at;
    return;
  }
  if (book.story.declined === book.bills.length) return declineOnce(book, bill, at);
  succeed(book, bill, { at, initiatedBy: bill.reason === 'SUBSCRIPTION_CREATE' ? 'PERSON' : 'RENEWAL' });
}

/** Of a change the bill is charged at once. */
export function collectLarger(book: Book, bill: Bill, isUnpaid: boolean): void {
  if (isUnpaid) return neverPaid(book, bill);
  if (book.story.pays === 'TRANSFER') return receive(book, bill);
  succeed(book, bill, { at: after(bill.at, 1), initiatedBy: 'PERSON' });
}

/** Comes some days later by bank, or when it came at last. */
function receive(book: Book, bill: Bill): void {
  const { late } = book.story;
  const issued = dayInIndia(new Date(bill.at));
  const isLate = late && issued >= dayAgo(book, late.since) && issued <= dayAgo(book, late.until);
  const on = isLate ? dayAgo(book, late.paid) : addDays(issued, book.random.integer(2, 6));
  const at = momentOf(book, on, 11 * 60 + book.random.integer(0, 300));
  // A UTR: the bank, N for NEFT, the day, and a number.
  const reference = `HDFCN${on.replaceAll('-', '').slice(2)}${book.random.integer(10_000, 99_999)}`;
  if (!isPast(book, at)) return;
  const payment = paymentRow(book, bill, { at, initiatedBy: 'OFFLINE' });
  arrived(book, bill, { ...payment, method: 'BANK_TRANSFER', reference });
}

type Try = { at: string; initiatedBy: PaymentRow['initiated_by']; attempt?: number };

function succeed(book: Book, bill: Bill, tried: Try): PaymentRow {
  const { total } = bill.amounts;
  const payment = arrived(book, bill, {
    ...paymentRow(book, bill, tried),
    ...throughGateway(book, bill, tried),
    // What the gateway keeps, its tax included: 2 % and 18 % on that.
    gateway_fee: rupees(roundPaisa(total.times('0.0236'))),
    gateway_tax: rupees(roundPaisa(total.times('0.0036'))),
  });
  return payment;
}

function arrived(book: Book, bill: Bill, payment: PaymentRow): PaymentRow {
  book.payments.push(payment);
  book.allocations.push({
    id: book.nextId('payment-allocations'),
    tenant_id: bill.tenantId,
    payment_id: payment.id,
    invoice_id: bill.id,
    amount: payment.amount,
    created_at: payment.created_at,
  });
  bill.paidAt = payment.succeeded_at;
  return payment;
}

function paymentRow(book: Book, bill: Bill, { at, initiatedBy, attempt }: Try): PaymentRow {
  const id = book.nextId('payments');
  return {
    id,
    tenant_id: bill.tenantId,
    invoice_id: bill.id,
    transaction_id: id,
    amount: rupees(bill.amounts.total),
    gateway_fee: '0.00',
    gateway_tax: '0.00',
    method: 'OTHER',
    status: 'SUCCEEDED',
    initiated_by: initiatedBy,
    gateway: null,
    gateway_order_id: null,
    gateway_payment_id: null,
    payment_method_id: null,
    attempt_number: attempt ?? null,
    failure_code: null,
    failure_message: null,
    decline: null,
    reference: null,
    received_on: dayInIndia(new Date(at)),
    succeeded_at: at,
    failed_at: null,
    created_at: at,
    updated_at: at,
  };
}

/** Ids in the shape of the gateway's. */
const gatewayId = (prefix: string, of: string): string =>
  `${prefix}_${createHash('sha256').update(`${prefix}:${of}`).digest('hex').slice(0, 14)}`;

function throughGateway(book: Book, bill: Bill, { at }: Try) {
  const paymentId = gatewayId('pay', `${bill.id}:${at}`);
  return {
    method: book.story.pays === 'UPI' ? ('UPI' as const) : ('CARD' as const),
    gateway: 'sandbox',
    transaction_id: paymentId,
    gateway_payment_id: paymentId,
    gateway_order_id: gatewayId('order', `${bill.id}:${at}`),
    payment_method_id: book.methodId,
  };
}

function fail(book: Book, bill: Bill, tried: Try): PaymentRow {
  const payment: PaymentRow = {
    ...paymentRow(book, bill, tried),
    ...throughGateway(book, bill, tried),
    status: 'FAILED',
    failure_code: 'insufficient_funds',
    failure_message: 'Transaction failed due to insufficient funds.',
    decline: 'SOFT',
    received_on: null,
    succeeded_at: null,
    failed_at: tried.at,
  };
  book.payments.push(payment);
  return payment;
}

type Campaign = { id: string; plan: DunningPlan };

/** Dunning begins, and with it the subscription is past due. */
function beginRun(book: Book, bill: Bill, { failedAt, campaign }: { failedAt: string; campaign: Campaign }) {
  const id = book.nextId('dunning-runs');
  const on = dayInIndia(new Date(failedAt));
  note(book, { status: 'PAST_DUE' }, { type: 'PAST_DUE', on, at: failedAt });
  const run = {
    id,
    tenant_id: bill.tenantId,
    invoice_id: bill.id,
    subscription_id: bill.subscriptionId,
    campaign_id: campaign.id,
    plan: campaign.plan,
    status: 'ACTIVE' as const,
    started_on: on,
    next_on: null as string | null,
    attempts_made: 0,
    notice_for: 1,
    notice_at: failedAt,
    closed_at: null as string | null,
    close_reason: null as 'PAID' | null,
    created_at: failedAt,
    updated_at: failedAt,
  };
  book.runs.push(run);
  return run;
}

type Step = Pick<
  Book['steps'][number],
  'kind' | 'number' | 'due_on' | 'outcome' | 'consequence' | 'payment_id' | 'note'
>;

function addStep(book: Book, runId: string, at: string, step: Step): void {
  const id = book.nextId('dunning-steps');
  book.steps.push({ id, tenant_id: book.row.tenantId, run_id: runId, ...step, created_at: at, updated_at: at });
}

/** Declined, and charged the next day. */
function declineOnce(book: Book, bill: Bill, at: string): void {
  fail(book, bill, { at, initiatedBy: 'RENEWAL' });
  const run = beginRun(book, bill, { failedAt: at, campaign: { id: standardCampaignId, plan: standardPlan } });
  const due = addDays(run.started_on, 1);
  const again = momentOf(book, due, DUNNING_MINUTE);
  const payment = succeed(book, bill, { at: again, initiatedBy: 'DUNNING', attempt: 1 });
  addStep(book, run.id, again, {
    kind: 'ATTEMPT',
    number: 1,
    due_on: due,
    outcome: 'DONE',
    consequence: null,
    payment_id: payment.id,
    note: null,
  });
  Object.assign(run, { status: 'CLOSED', close_reason: 'PAID', closed_at: again, attempts_made: 1, updated_at: again });
  note(book, { status: 'ACTIVE' }, { type: 'RECOVERED', on: due, at: again });
}

/** Charged in vain from the first day on; dunning is at it, and has suspended the tenant. */
function neverPaid(book: Book, bill: Bill): void {
  const failedAt = after(bill.at, 1);
  fail(book, bill, { at: failedAt, initiatedBy: 'PERSON' });
  const run = beginRun(book, bill, { failedAt, campaign: { id: patientCampaignId, plan: patientPlan } });
  const taken = { attemptsMade: 0, stepsTaken: 0 };
  for (const { kind, number, dueOn, step } of dunningSchedule(run.started_on, patientPlan)) {
    const at = momentOf(book, dueOn, DUNNING_MINUTE);
    if (!isPast(book, at)) break;
    const isAttempt = kind === 'ATTEMPT';
    const payment = isAttempt ? fail(book, bill, { at, initiatedBy: 'DUNNING', attempt: number }) : null;
    if (isAttempt) taken.attemptsMade = number;
    else taken.stepsTaken = number;
    addStep(book, run.id, at, {
      kind,
      number,
      due_on: dueOn,
      outcome: isAttempt ? 'FAILED' : 'DONE',
      consequence: step?.consequence ?? null,
      payment_id: payment?.id ?? null,
      note: isAttempt ? 'FAILED' : null,
    });
    run.updated_at = at;
  }
  const noticeFor = taken.attemptsMade;
  run.attempts_made = taken.attemptsMade;
  run.notice_for = noticeFor;
  const progress = { startedOn: run.started_on, plan: patientPlan, hardDeclined: false, ...taken, noticeFor };
  run.next_on = nextDayOf(progress);
}
