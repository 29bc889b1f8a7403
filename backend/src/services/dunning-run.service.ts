import type { JobContext } from '../queues/job-context.ts';
import type { Actor, ManualContext, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { dateColumn, timeInIndia } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { decimal } from '../utils/money.ts';
import { newId } from '../utils/ids.ts';
import { closeRun } from './dunning-close.service.ts';
import { carryOut } from './dunning-consequence.service.ts';
import * as queries from './dunning-run.queries.ts';
import { isDunningTime, nextDayOf, nextOfRun, noticeDay, type DunningDue } from './dunning-schedule.policy.ts';
import { startDunning } from './dunning-start.service.ts';
import { lockedInvoice, type LockedInvoice } from './invoice-settlement.service.ts';
import { collectInvoice } from './payment-collection.service.ts';

// The daily work of dunning (rule 25). Each attempt and each rung is a row with a key of its own, put down before it is
// done: any number of workers may be at it, late or again, and each happens once.

/** In a job and in a request alike. */
type Anybody = ManualContext;

const AT_ONCE = 100;
const DAY_MS = 86_400_000;
/** A worker that was away for long takes what it missed, but not more in one go. */
const MOST_STEPS = 20;

/** Takes everything that is due today. Outside of the hours in which people are dunned it does nothing. */
export async function runDunning(ctx: JobContext): Promise<void> {
  if (!isDunningTime(timeInIndia(ctx.now))) return;
  const today = dayInIndia(ctx.now);
  const failed = [
    ...(await each(
      ctx,
      (after) => queries.overdueInvoices(today, after, AT_ONCE),
      (id) => beginOverdue(ctx, id, today),
    )),
    ...(await each(
      ctx,
      (after) => queries.dueRuns(today, after, AT_ONCE),
      (id) => advanceRun(ctx, id),
    )),
  ];
  if (failed.length > 0) throw new Error(`Dunning has failed for ${failed.length}: ${failed.slice(0, 5).join(', ')}`);
}

/** Goes through rows page by page; one that fails does not stop the others. @returns the ids of those that failed */
async function each(
  ctx: JobContext,
  page: (after: queries.Place | undefined) => ReturnType<typeof queries.dueRuns>,
  work: (id: string) => Promise<void>,
): Promise<string[]> {
  const failed: string[] = [];
  for (let after: queries.Place | undefined; ;) {
    const rows = await ctx.sql.many<queries.Place>(page(after));
    for (const { id } of rows) {
      ctx.job.signal.throwIfAborted();
      await work(id).catch((error: unknown) => {
        ctx.log.error('Dunning has failed for one', { id, error });
        failed.push(id);
      });
    }
    after = rows.at(-1);
    if (rows.length < AT_ONCE) return failed;
  }
}

/** An invoice that is paid by link or transfer is dunned for from the first day that it is overdue. */
const beginOverdue = (ctx: Anybody, invoiceId: string, today: string): Promise<void> =>
  ctx.transact(async (tx) => {
    const invoice = await lockedInvoice(tx, invoiceId);
    if (invoice.status !== 'OPEN' || (invoice.dueDate ?? '') >= today) return;
    await startDunning(tx, invoice, { failedOn: today, hardDeclined: false, withoutAttempts: true });
  });

/** Takes what is due of one run, one after the other. */
export async function advanceRun(ctx: Anybody, runId: string): Promise<void> {
  for (let taken = 0; taken < MOST_STEPS; taken += 1) {
    const begun = await ctx.transact((tx) => beginNext(tx, runId));
    if (!begun) return;
    if (begun.attempt !== undefined) await attempt(ctx, begun.run, begun.attempt);
  }
}

type Begun = { run: queries.RunRow; attempt?: number };

/**
 * Puts the next thing down that is due, and does it unless it is an attempt, for which nothing may be open.
 * @returns undefined when nothing is due
 */
async function beginNext(tx: WriteContext, runId: string): Promise<Begun | undefined> {
  const { run, invoice } = await lockedRun(tx, runId);
  if (run.status !== 'ACTIVE') return undefined;
  if (run.openAttempt !== null) return { run, attempt: run.openAttempt };
  const today = dayInIndia(tx.now);
  const next = nextOfRun(run);
  if (!next) {
    await closeRun(tx, run, 'EXHAUSTED');
    return undefined;
  }
  const told = await tellOfAttempt(tx, run, today);
  if (next.dueOn > today || (next.kind === 'ATTEMPT' && !isNoticeOver(tx, told, next.number))) return undefined;
  return next.kind === 'ATTEMPT' ? beginAttempt(tx, told, next) : takeRung(tx, told, invoice, next);
}

/** The run and its invoice, which nobody else changes until the end of the transaction. */
export async function lockedRun(
  tx: WriteContext,
  runId: string,
): Promise<{ run: queries.RunRow; invoice: LockedInvoice }> {
  const { invoiceId } = orNotFound(await tx.sql.one<queries.RunRow>(queries.runById(runId)), 'dunning run');
  const invoice = await lockedInvoice(tx, invoiceId);
  return { invoice, run: orNotFound(await tx.sql.one<queries.RunRow>(queries.lockRun(runId)), 'dunning run') };
}

/** A mandate is charged 24 hours after its payer was told of it, at the earliest. */
const isNoticeOver = ({ now }: WriteContext, { noticeFor, noticeAt }: queries.RunRow, attemptNumber: number): boolean =>
  noticeFor >= attemptNumber && noticeAt !== null && now.getTime() - noticeAt.getTime() >= DAY_MS;

/** Tells of the next attempt a day ahead. @returns the run as it is then */
async function tellOfAttempt(tx: WriteContext, run: queries.RunRow, today: string): Promise<queries.RunRow> {
  const attemptNext = nextOfRun({ ...run, stepsTaken: run.plan.steps.length });
  if (!attemptNext || attemptNext.number <= run.noticeFor || noticeDay(attemptNext.dueOn) > today) return run;
  const { number } = attemptNext;
  const { invoiceId, tenantId } = run;
  tx.enqueue('email.debit-notice', { invoiceId }, { tenantId, dedupeKey: `debit-notice-${run.id}-${number}` });
  tx.audit({
    action: 'revenue.dunning_step',
    resource: 'dunning_run',
    resourceId: run.id,
    tenantId,
    details: { noticeOfAttempt: number },
  });
  return store(tx, { ...run, noticeFor: number, noticeAt: tx.now });
}

async function beginAttempt(tx: WriteContext, run: queries.RunRow, next: DunningDue): Promise<Begun> {
  await addStep(tx, run, next, { outcome: 'STARTED' });
  return { run: await store(tx, { ...run, attemptsMade: next.number }), attempt: next.number };
}

async function takeRung(
  tx: WriteContext,
  run: queries.RunRow,
  invoice: LockedInvoice,
  next: DunningDue,
): Promise<Begun | undefined> {
  const { step } = next;
  if (!step) return undefined;
  const isTooLittle = decimal(invoice.amountDue).lt(run.plan.minimumAmount ?? 0);
  const note = isTooLittle
    ? 'Less is due than the campaign bothers about'
    : await carryOut(tx, step.consequence, run, invoice);
  await addStep(tx, run, next, { outcome: note ? 'SKIPPED' : 'DONE', consequence: step.consequence, note });
  if (!note) {
    const payload = { runId: run.id, number: next.number };
    tx.enqueue('email.dunning', payload, { tenantId: run.tenantId, dedupeKey: `dunning-${run.id}-${next.number}` });
  }
  // Cancelling the subscription has closed it.
  const after = orNotFound(await tx.sql.one<queries.RunRow>(queries.runById(run.id)), 'dunning run');
  if (after.status === 'ACTIVE') await store(tx, after);
  return { run: after };
}

/** The next rung of the ladder, whatever day it is. @throws AppError conflict at the top */
export async function takeRungNow(tx: WriteContext, runId: string): Promise<void> {
  const { run, invoice } = await lockedRun(tx, runId);
  const next = nextOfRun({ ...run, hardDeclined: true });
  if (!next) throw new AppError('conflict', 'The last rung of the ladder was taken before.');
  await takeRung(tx, run, invoice, next);
}

/** Charges beside the schedule. What comes of it is told by the payment and the run. */
export async function attemptNow(ctx: ManualContext<Actor>, runId: string): Promise<void> {
  const { invoiceId, tenantId } = orNotFound(await ctx.sql.one<queries.RunRow>(queries.runById(runId)), 'dunning run');
  const result = await collectInvoice(ctx, invoiceId, { initiatedBy: 'PERSON' });
  if (result.status === 'NO_METHOD') {
    throw new AppError('conflict', 'The tenant has no payment method that can be charged. Send a payment link.');
  }
  await ctx.transact(async (tx) =>
    tx.audit({
      resource: 'dunning_run',
      resourceId: runId,
      tenantId,
      details: { attempt: 'now', result: result.status },
    }),
  );
}

type StepFacts = {
  outcome: 'STARTED' | 'DONE' | 'SKIPPED';
  consequence?: NonNullable<DunningDue['step']>['consequence'];
  note?: string | null;
};

async function addStep(tx: WriteContext, run: queries.RunRow, { kind, number, dueOn }: DunningDue, facts: StepFacts) {
  await tx.db.dunningStep.create({
    data: {
      id: newId(),
      tenantId: run.tenantId,
      runId: run.id,
      kind,
      number,
      dueOn: dateColumn(dueOn),
      ...facts,
      actorId: tx.actor?.id ?? null,
      actorName: tx.actor?.name ?? null,
      createdAt: tx.now,
    },
    select: { id: true },
  });
  tx.audit({
    action: 'revenue.dunning_step',
    resource: 'dunning_run',
    resourceId: run.id,
    tenantId: run.tenantId,
    details: { kind, number, ...facts },
  });
}

/** Keeps how far a run is, and the day on which it is looked at again. */
async function store(tx: WriteContext, run: queries.RunRow): Promise<queries.RunRow> {
  const day = nextDayOf(run);
  // With nothing left it is looked at once more, to be closed.
  const nextOn = dateColumn(day ?? dayInIndia(tx.now));
  const { attemptsMade, hardDeclined, noticeFor, noticeAt } = run;
  await tx.db.dunningRun.update({
    where: { id: run.id },
    data: { attemptsMade, hardDeclined, noticeFor, noticeAt, nextOn, updatedAt: tx.now },
    select: { id: true },
  });
  return run;
}

/** Charges, or where a crash came in between finds out what was charged, and writes down what came of it. */
async function attempt(ctx: Anybody, run: queries.RunRow, number: number): Promise<void> {
  const earlier = await ctx.sql.one<{ id: string; status: string; decline: string | null }>(
    queries.paymentOfAttempt(run.invoiceId, number),
  );
  const result = earlier
    ? { status: earlier.status, decline: earlier.decline, paymentId: earlier.id }
    : await collectInvoice(ctx, run.invoiceId, { initiatedBy: 'DUNNING', attemptNumber: number });
  await ctx.transact(async (tx) => {
    const { run: current } = await lockedRun(tx, run.id);
    const outcome = result.status === 'SUCCEEDED' ? 'DONE' : result.status === 'NOTHING_DUE' ? 'SKIPPED' : 'FAILED';
    await tx.db.dunningStep.updateMany({
      where: { runId: run.id, kind: 'ATTEMPT', number, outcome: 'STARTED' },
      data: {
        outcome,
        paymentId: result.paymentId,
        note: outcome === 'FAILED' ? result.status : null,
        updatedAt: tx.now,
      },
    });
    tx.audit({
      action: 'revenue.dunning_step',
      resource: 'dunning_run',
      resourceId: run.id,
      tenantId: run.tenantId,
      details: { attempt: number, result: result.status, decline: result.decline },
    });
    if (current.status !== 'ACTIVE') return;
    await store(tx, { ...current, hardDeclined: current.hardDeclined || result.decline === 'HARD' });
  });
}
