import type { JobContext } from '../queues/job-context.ts';
import { inParallel } from '../utils/in-parallel.ts';
import type { Sql } from '../utils/sql.ts';
import { collectInvoice } from './payment-collection.service.ts';
import { invoicesToCollect } from './payment-collection.queries.ts';
import { paymentGateway } from './payment-gateway.service.ts';
import { linksToLookAt } from './payment-links.queries.ts';
import { lookAtLink } from './payment-links.service.ts';
import { refreshMandate } from './payment-mandates.service.ts';
import { pendingMandates } from './payment-methods.queries.ts';
import { pollPayment } from './payment-poll.service.ts';
import { paymentsToPoll, type Place } from './payments.queries.ts';
import { refundsToAskFor, sendRefund } from './refunds.service.ts';

const PAGE = 100;
const AT_ONCE = 4;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

type Work = (ctx: JobContext, id: string) => Promise<unknown>;

/** What was done, and how much of it has failed. */
export type CollectionRun = Record<'collected' | 'polled' | 'refunds' | 'methods' | 'links' | 'failed', number>;

/**
 * Charges what is to be charged by now, and asks the gateway about everything of which it has not said what became of it:
 * payments, refunds, mandates and links. One that fails does not stop the others; the next run finds it again. Any number
 * of workers may be at it: an invoice has one attempt at a time.
 */
export async function runCollection(ctx: JobContext): Promise<CollectionRun> {
  const now = ctx.now;
  const gateway = paymentGateway().name;
  const before = (milliseconds: number) => new Date(now.getTime() - milliseconds);
  const run: CollectionRun = { collected: 0, polled: 0, refunds: 0, methods: 0, links: 0, failed: 0 };
  const each = async (kind: keyof CollectionRun, ids: AsyncIterable<string[]>, work: Work): Promise<void> => {
    for await (const some of ids) {
      const failures = await together(ctx, kind, some, work);
      run[kind] += some.length - failures;
      run.failed += failures;
    }
  };
  await each(
    'polled',
    pages(ctx, (after) => paymentsToPoll(now, after, PAGE)),
    pollPayment,
  );
  await each(
    'collected',
    pages(ctx, (after) => invoicesToCollect(now, after, PAGE)),
    collect,
  );
  await each('refunds', once(ctx, refundsToAskFor(before(10 * MINUTE_MS), PAGE)), sendRefund);
  await each('methods', once(ctx, pendingMandates(before(24 * HOUR_MS), gateway, PAGE)), refreshMandate);
  await each('links', once(ctx, linksToLookAt(before(HOUR_MS), gateway, PAGE)), lookAtLink);
  return run;
}

const collect: Work = (ctx, id) => collectInvoice(ctx, id, { initiatedBy: 'RENEWAL' });

/** Page by page: what is done with one page does not move the next. */
async function* pages(ctx: JobContext, page: (after: Place | undefined) => Sql): AsyncGenerator<string[]> {
  for (let after: Place | undefined; !ctx.job.signal.aborted;) {
    const rows = await ctx.sql.many<Place>(page(after));
    if (rows.length > 0) yield rows.map(({ id }) => id);
    if (rows.length < PAGE) return;
    after = rows.at(-1);
  }
}

async function* once(ctx: JobContext, query: Sql): AsyncGenerator<string[]> {
  if (ctx.job.signal.aborted) return;
  const rows = await ctx.sql.many<{ id: string }>(query);
  yield rows.map(({ id }) => id);
}

/** Some at a time. @returns how many have failed */
async function together(ctx: JobContext, kind: string, ids: readonly string[], work: Work): Promise<number> {
  let failures = 0;
  await inParallel(ids, AT_ONCE, async (id) => {
    if (ctx.job.signal.aborted) return;
    await work(ctx, id).catch((error: unknown) => {
      failures += 1;
      ctx.log.error('The collection run has failed for one', { kind, id, error });
    });
  });
  return failures;
}
