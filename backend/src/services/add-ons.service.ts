import type { z } from 'zod';
import { entitlementNames } from '../config/entitlements.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, assertVersion, orNotFound } from '../utils/errors.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { page } from '../utils/page.ts';
import { slugOf } from '../utils/slug.ts';
import type { addOn, createAddOnBody, updateAddOnBody } from '../validators/add-ons.validator.ts';
import * as queries from './add-ons.queries.ts';
import { assertOutsideTenants } from './platform-space.policy.ts';
import { settingOf } from './settings.service.ts';
import { taxRatesOn } from './tax-rates.service.ts';

type AddOnView = z.input<typeof addOn>;
type Limits = z.output<typeof updateAddOnBody>['limits'];

const seenBy = ({ tenantId, now }: Pick<ReadContext, 'tenantId' | 'now'>) => ({ tenantId, today: dayInIndia(now) });

/** Within the space of a tenant what it can take and what it has, without how many others have it. */
export const listAddOns = (ctx: ReadContext, filter: queries.AddOnFilter) =>
  page<AddOnView>(ctx, filter, queries.addOnRows(filter, seenBy(ctx)));

const getAddOn = async (ctx: Pick<ReadContext, 'sql' | 'tenantId' | 'now'>, id: string): Promise<AddOnView> =>
  orNotFound(await ctx.sql.one<AddOnView>(queries.addOnById(id, seenBy(ctx))), 'add-on');

/** @throws AppError conflict when its code is taken, or for a service accounting code without a tax rate today */
export async function createAddOn(
  ctx: WriteContext<Actor>,
  body: z.output<typeof createAddOnBody>,
): Promise<AddOnView> {
  assertOutsideTenants(ctx);
  const sacCode = body.sacCode ?? (await settingOf(ctx, 'billing.default_sac')) ?? '';
  await taxRatesOn(ctx, dayInIndia(ctx.now), [sacCode]);
  const data = { ...body, code: body.code ?? slugOf(body.name), sacCode };
  const { id } = await ctx.db.addOn.create({ data: { ...data, createdAt: ctx.now }, select: { id: true } });
  ctx.audit({ resource: 'add_on', resourceId: id, after: data });
  return getAddOn(ctx, id);
}

/**
 * Changes what is given. Subscriptions keep the price at which they took it; what it adds cannot change while somebody
 * has it, since nobody pinned that.
 * @param seenVersion from If-Match: refused when somebody has changed it since
 * @throws AppError not_found, version_mismatch; conflict for other limits while somebody has it, or for a service
 *   accounting code without a tax rate today
 */
export async function updateAddOn(
  ctx: WriteContext<Actor>,
  id: string,
  changes: z.output<typeof updateAddOnBody>,
  seenVersion?: number,
): Promise<AddOnView> {
  if (ctx.tenantId !== null) {
    await getAddOn(ctx, id);
    assertOutsideTenants(ctx);
  }
  const { version } = orNotFound(await ctx.sql.one<{ version: number }>(queries.lockAddOn(id)), 'add-on');
  assertVersion(seenVersion, version, 'add-on');
  const before = await getAddOn(ctx, id);
  assertLimitsMayChange(before, changes.limits);
  if (changes.sacCode && changes.sacCode !== before.sacCode) {
    await taxRatesOn(ctx, dayInIndia(ctx.now), [changes.sacCode]);
  }
  await ctx.db.addOn.update({ where: { id }, data: { ...changes, version: { increment: 1 } }, select: { id: true } });
  ctx.audit({ resource: 'add_on', resourceId: id, before, after: changes });
  return getAddOn(ctx, id);
}

function assertLimitsMayChange({ limits, subscribers }: AddOnView, wanted: Limits): void {
  if (!wanted || !subscribers || entitlementNames.every((name) => limits[name] === (wanted[name] ?? 0))) return;
  const have = subscribers === 1 ? '1 subscription has' : `${subscribers} subscriptions have`;
  const told = `limits cannot change: ${have} this add-on, and what it adds stays as it was taken. Archive it and create another one.`;
  const issues = [{ in: 'body' as const, field: 'limits', message: 'cannot change while somebody has the add-on' }];
  throw new AppError('conflict', told, { field: 'limits', issues, subscribers });
}
