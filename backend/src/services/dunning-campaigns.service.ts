import type { z } from 'zod';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { mapDatabaseError } from '../utils/database-errors.ts';
import { AppError, assertVersion, orNotFound } from '../utils/errors.ts';
import { daysBetween } from '../utils/india-day.ts';
import { page } from '../utils/page.ts';
import type { campaign, createCampaignBody, updateCampaignBody } from '../validators/dunning.validator.ts';
import { dunningSchedule, type DunningPlan } from './dunning-schedule.policy.ts';
import * as queries from './dunning.queries.ts';

// What dunning goes by (rule 25). A run keeps the plan that it began with: a change here is for those that begin later.

type View = z.input<typeof campaign>;
type Row = Omit<View, 'schedule'> & DunningPlan;

/** Any day does: only the distances count. */
const ANY_DAY = '2026-01-01';

const shown = (row: Row): View => ({
  ...row,
  attemptGaps: [...row.attemptGaps],
  steps: row.steps.map((step) => ({ ...step, channels: [...step.channels] })),
  schedule: dunningSchedule(ANY_DAY, row).map(({ kind, number, dueOn, step }) => ({
    day: daysBetween(ANY_DAY, dueOn),
    kind,
    number,
    consequence: step?.consequence ?? null,
  })),
});

export async function listCampaigns(ctx: ReadContext, filter: queries.CampaignFilter) {
  const { items, meta } = await page<Row>(ctx, filter, queries.campaignRows(filter));
  return { items: items.map(shown), meta };
}

/** @throws AppError not_found */
export const getCampaign = async (ctx: Pick<ReadContext, 'sql'>, id: string): Promise<View> =>
  shown(orNotFound(await ctx.sql.one<Row>(queries.campaignById(id)), 'campaign'));

/** @throws AppError conflict when another one has the name */
export async function createCampaign(
  ctx: WriteContext<Actor>,
  body: z.output<typeof createCampaignBody>,
): Promise<View> {
  if (body.isDefault) await giveUpDefault(ctx);
  const { id } = await withFreeName(() =>
    ctx.db.dunningCampaign.create({ data: { ...body, createdAt: ctx.now }, select: { id: true } }),
  );
  ctx.audit({ resource: 'dunning_campaign', resourceId: id, tenantId: null, after: body });
  return getCampaign(ctx, id);
}

/**
 * Changes the fields that are given. The default one stays until another takes its place.
 * @throws AppError not_found, version_mismatch; conflict for a name that is taken, or where the default would be archived
 */
export async function updateCampaign(
  ctx: WriteContext<Actor>,
  id: string,
  body: z.output<typeof updateCampaignBody>,
  seenVersion?: number,
): Promise<View> {
  const row = await ctx.sql.one<{ isDefault: boolean; status: string; version: number }>(queries.lockCampaign(id));
  const { isDefault, status, version } = orNotFound(row, 'campaign');
  assertVersion(seenVersion, version, 'campaign');
  const willBeDefault = isDefault || body.isDefault === true;
  if (willBeDefault && (body.status ?? status) === 'ARCHIVED') {
    throw new AppError('conflict', 'The default campaign cannot be archived. Make another one the default first.');
  }
  const before = await getCampaign(ctx, id);
  if (body.isDefault && !isDefault) await giveUpDefault(ctx);
  await withFreeName(() =>
    ctx.db.dunningCampaign.update({
      where: { id },
      data: { ...body, version: { increment: 1 }, updatedAt: ctx.now },
      select: { id: true },
    }),
  );
  ctx.audit({ resource: 'dunning_campaign', resourceId: id, tenantId: null, before, after: body });
  return getCampaign(ctx, id);
}

const giveUpDefault = (ctx: WriteContext) =>
  ctx.db.dunningCampaign.updateMany({ where: { isDefault: true }, data: { isDefault: false } });

async function withFreeName<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    const mapped = mapDatabaseError(error);
    if (!(mapped instanceof AppError) || mapped.details?.field !== 'name') throw error;
    const issues = [{ in: 'body' as const, field: 'name', message: 'belongs to another campaign' }];
    throw new AppError('conflict', 'Another campaign has this name.', { field: 'name', issues });
  }
}
