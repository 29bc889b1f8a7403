import type { z } from 'zod';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, invalidField, orNotFound } from '../utils/errors.ts';
import { addDays, dateColumn, daysBetween } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { newId } from '../utils/ids.ts';
import { page } from '../utils/page.ts';
import type { dryRun, pauseBody, run, runDetails, stepBody, tenantDunning } from '../validators/dunning.validator.ts';
import { lockBillingAccount } from './billing-account.service.ts';
import { attemptNow, lockedRun, takeRungNow } from './dunning-run.service.ts';
import { dunningSchedule, nextOfRun, type DunningPlan } from './dunning-schedule.policy.ts';
import * as queries from './dunning.queries.ts';

// What people see and do of dunning.

type RunView = z.input<typeof run>;
type RunRow = RunView & { plan: DunningPlan; stepsTaken: number };
type Details = z.input<typeof runDetails>;
type StepBody = z.output<typeof stepBody>;
type TenantView = z.input<typeof tenantDunning>;

const LONGEST_PROMISE_DAYS = 30;

export const listRuns = (ctx: ReadContext, filter: queries.RunFilter) =>
  page<RunView>(ctx, filter, queries.runRows(filter, dayInIndia(ctx.now)));

/** One run, with what was done and what is to come. @throws AppError not_found */
export async function getRun(ctx: Pick<ReadContext, 'sql' | 'now'>, id: string): Promise<Details> {
  const today = dayInIndia(ctx.now);
  const [[found], steps] = await ctx.sql.batch<[RunRow[], Details['steps']]>(
    queries.runForPeople(id, today),
    queries.stepsOf(id),
  );
  const { plan, stepsTaken, ...row } = orNotFound(found, 'dunning run');
  const isOver = (kind: string, number: number) => number <= (kind === 'ATTEMPT' ? row.attemptsMade : stepsTaken);
  const planned = dunningSchedule(row.startedOn, plan)
    .filter(
      ({ kind, number }) =>
        row.status === 'ACTIVE' && !isOver(kind, number) && !(kind === 'ATTEMPT' && row.hardDeclined),
    )
    .map(({ kind, number, dueOn, step }) => ({
      kind,
      number,
      dueOn,
      day: daysBetween(row.startedOn, dueOn),
      consequence: step?.consequence ?? null,
    }));
  return { ...row, steps, planned };
}

/**
 * What a person does about a run: charge it now, take the next rung now, or note down a promise.
 * @throws AppError not_found; conflict for a run that is closed, or where there is nothing to do
 */
export async function stepRun(ctx: ManualContext<Actor>, id: string, body: StepBody): Promise<Details> {
  await ctx.transact(async (tx) => {
    const { run: row } = await lockedRun(tx, id);
    if (row.status !== 'ACTIVE') throw new AppError('conflict', 'This run is closed: there is nothing to be done.');
    if (body.action === 'PROMISE') await notePromise(tx, row, body);
    if (body.action === 'CONSEQUENCE') await takeRungNow(tx, id);
  });
  if (body.action === 'ATTEMPT') await attemptNow(ctx, id);
  return getRun(ctx, id);
}

/** Nothing is done before the day is over; what was due by then is done after it. */
async function notePromise(
  tx: WriteContext,
  { id, tenantId }: { id: string; tenantId: string },
  { promisedOn = '', note }: StepBody,
): Promise<void> {
  const today = dayInIndia(tx.now);
  if (promisedOn < today || promisedOn > addDays(today, LONGEST_PROMISE_DAYS)) {
    throw invalidField('promisedOn', `must lie from today to ${LONGEST_PROMISE_DAYS} days ahead`);
  }
  const numbered = await tx.sql.one<{ number: number }>(queries.nextPromise(id));
  await tx.db.dunningStep.create({
    data: {
      id: newId(),
      tenantId,
      runId: id,
      kind: 'PROMISE',
      number: numbered?.number ?? 1,
      dueOn: dateColumn(promisedOn),
      outcome: 'DONE',
      note: note ?? null,
      actorId: tx.actor?.id ?? null,
      actorName: tx.actor?.name ?? null,
      createdAt: tx.now,
    },
    select: { id: true },
  });
  await tx.db.dunningRun.update({ where: { id }, data: { promisedOn: dateColumn(promisedOn) }, select: { id: true } });
  tx.audit({ resource: 'dunning_run', resourceId: id, tenantId, details: { promisedOn, ...(note && { note }) } });
}

/** What would be done by a day, and to whom; nothing is done. */
export async function previewDunning(
  ctx: ReadContext,
  { on, limit }: { on?: string | undefined; limit: number },
): Promise<z.input<typeof dryRun>> {
  const today = dayInIndia(ctx.now);
  const day = on ?? today;
  const due = queries.dueBy(day, today, limit);
  const [rows, [counted]] = await ctx.sql.batch<[RunRow[], { total: number }[]]>(due.rows, due.count);
  const items = rows.flatMap((row) => {
    const next = nextOfRun(row);
    if (!next || next.dueOn > day) return [];
    const isPromised = row.promisedOn !== null && row.promisedOn >= day;
    return {
      runId: row.id,
      tenant: row.tenant,
      invoice: row.invoice,
      dueOn: next.dueOn,
      kind: next.kind,
      number: next.number,
      consequence: next.step?.consequence ?? null,
      held: row.paused ? ('PAUSED' as const) : isPromised ? ('PROMISED' as const) : null,
    };
  });
  return { on: day, total: counted?.total ?? 0, due: items };
}

/** Leaves a tenant alone, until a day or until it is resumed. What is due meanwhile is done after that. */
export async function pauseDunning(
  ctx: WriteContext<Actor>,
  tenantId: string,
  { until, reason }: z.output<typeof pauseBody>,
): Promise<TenantView> {
  const before = await tenantView(ctx, tenantId);
  if (until !== undefined && until <= dayInIndia(ctx.now)) throw invalidField('until', 'must lie ahead');
  return setTenantDunning(ctx, before, {
    dunningPaused: true,
    dunningPausedTill: until ? dateColumn(until) : null,
    dunningPauseNote: reason,
  });
}

export async function resumeDunning(ctx: WriteContext<Actor>, tenantId: string): Promise<TenantView> {
  const before = await tenantView(ctx, tenantId);
  return setTenantDunning(ctx, before, { dunningPaused: false, dunningPausedTill: null, dunningPauseNote: null });
}

/** Gives a tenant a campaign of its own, for runs that begin from now on. @throws AppError not_found, conflict */
export async function setTenantCampaign(
  ctx: WriteContext<Actor>,
  tenantId: string,
  campaignId: string | null,
): Promise<TenantView> {
  const before = await tenantView(ctx, tenantId);
  if (campaignId !== null) {
    const campaign = orNotFound(await ctx.sql.one<{ status: string }>(queries.lockCampaign(campaignId)), 'campaign');
    if (campaign.status !== 'ACTIVE') throw new AppError('conflict', 'This campaign is archived. Choose another one.');
  }
  return setTenantDunning(ctx, before, { dunningCampaignId: campaignId });
}

const tenantView = async (ctx: Pick<ReadContext, 'sql'>, tenantId: string): Promise<TenantView> =>
  orNotFound(await ctx.sql.one<TenantView>(queries.tenantDunning(tenantId)), 'tenant');

type AccountChange = Partial<{
  dunningPaused: boolean;
  dunningPausedTill: Date | null;
  dunningPauseNote: string | null;
  dunningCampaignId: string | null;
}>;

async function setTenantDunning(ctx: WriteContext, before: TenantView, data: AccountChange): Promise<TenantView> {
  const { tenantId } = before;
  await lockBillingAccount(ctx, tenantId);
  await ctx.db.billingAccount.update({ where: { tenantId }, data: { ...data, updatedAt: ctx.now } });
  const after = await tenantView(ctx, tenantId);
  ctx.audit({ resource: 'billing_account', resourceId: tenantId, tenantId, before, after });
  return after;
}
