import type { JobContext } from '../queues/job-context.ts';
import type { ManualContext } from '../types/context.ts';
import { addDays } from '../utils/india-day.ts';
import { inParallel } from '../utils/in-parallel.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { dueSubscriptions, trialsToTell, type DuePlace } from './billing-run.queries.ts';
import type { IssuedInvoice } from './invoice-issue.service.ts';
import { goesOn, MOST_STEPS, takeStep } from './subscription-renewal.service.ts';

// What the calendar does to all subscriptions. Each step is a transaction that looks again at what is due: a run may die,
// be late, or be done by several at once, and every period still has one invoice (rule 19).

const PAGE = 200;
/** Numbers are given one after the other whatever runs beside them: more would only wait. */
const AT_ONCE = 4;

export type BillingRun = { subscriptions: number; steps: number };

/**
 * Does what is due by today, and tells of trials that are about to end. One subscription that fails does not keep the others
 * waiting.
 * @throws Error at the end, saying how many have failed; they are tried again with the next run
 */
export async function runBilling(ctx: JobContext): Promise<BillingRun> {
  const today = dayInIndia(ctx.now);
  const done = { subscriptions: 0, steps: 0 };
  let failed = 0;
  for (let after: DuePlace | undefined; ;) {
    const due = await ctx.sql.many<DuePlace>(dueSubscriptions(today, after, PAGE));
    await inParallel(due, AT_ONCE, async ({ id }) => {
      ctx.job.signal.throwIfAborted();
      try {
        done.steps += (await catchUp(ctx, id, today)).steps;
        done.subscriptions += 1;
      } catch (error) {
        ctx.job.signal.throwIfAborted();
        failed += 1;
        ctx.log.error('A subscription could not be renewed; it is tried again', { subscriptionId: id, error });
      }
    });
    after = due.at(-1);
    if (due.length < PAGE) break;
  }
  await tellOfTrials(ctx, today);
  if (done.steps > 0) ctx.log.info('Subscriptions went on', done);
  if (failed > 0) throw new Error(`Subscriptions that could not be renewed: ${failed}; they are tried again`);
  return done;
}

/**
 * Does everything that is due for one subscription, each step in a transaction of its own: one that is three months late
 * gets three invoices.
 * @throws AppError not_found
 */
export async function catchUp(
  ctx: ManualContext,
  id: string,
  today: string,
): Promise<{ steps: number; invoices: IssuedInvoice[] }> {
  const invoices: IssuedInvoice[] = [];
  for (let steps = 0; steps < MOST_STEPS;) {
    const step = await ctx.transact((tx) => takeStep(tx, id, today));
    if (step) steps += 1;
    if (step?.invoice) invoices.push(step.invoice);
    if (!goesOn(step, today)) return { steps, invoices };
  }
  return { steps: MOST_STEPS, invoices };
}

const DAYS_BEFORE = 3;

/** One mail for each end of a trial, three days before it. */
async function tellOfTrials(ctx: JobContext, today: string): Promise<void> {
  type Ending = { id: string; tenantId: string; dedupeKey: string };
  for (;;) {
    ctx.job.signal.throwIfAborted();
    const ending = await ctx.sql.many<Ending>(trialsToTell(today, addDays(today, DAYS_BEFORE), PAGE));
    if (ending.length === 0) return;
    await ctx.transact((tx) => {
      for (const { id, tenantId, dedupeKey } of ending) {
        tx.enqueue('email.trial-ending', { subscriptionId: id }, { tenantId, dedupeKey });
      }
      return Promise.resolve();
    });
  }
}
