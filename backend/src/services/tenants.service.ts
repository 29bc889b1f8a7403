import type { z } from 'zod';
import type { TenantStatus } from '../generated/prisma/enums.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { mapDatabaseError } from '../utils/database-errors.ts';
import { AppError, assertVersion, invalidField, orNotFound } from '../utils/errors.ts';
import { page } from '../utils/page.ts';
import { slugOf } from '../utils/slug.ts';
import {
  gstinFitsState,
  gstinOfAnotherState,
  type createTenantBody,
  type tenant,
  type tenantTransition,
  type tenantUser,
  type updateTenantBody,
} from '../validators/tenants.validator.ts';
import { endSessions } from './sessions.service.ts';
import { settingOf } from './settings.service.ts';
import { createSubscription } from './subscription-create.service.ts';
import { statusAfterActivation } from './tenant-status.policy.ts';
import { assertNotLeaving, moveTenant, recordTransition, type LockedTenant } from './tenant-status.service.ts';
import * as queries from './tenants.queries.ts';

type CreateTenant = z.output<typeof createTenantBody>;
type UpdateTenant = z.output<typeof updateTenantBody>;
type TenantView = z.input<typeof tenant>;

const DAY_MS = 86_400_000;

export const listTenants = (ctx: ReadContext, filter: queries.TenantFilter) =>
  page<TenantView>(ctx, filter, queries.tenantRows(filter));

/** @throws AppError not_found, also for a tenant outside the scope */
export const getTenant = async (ctx: Pick<ReadContext, 'sql'>, id: string): Promise<TenantView> =>
  orNotFound(await ctx.sql.one<TenantView>(queries.tenantById(id)), 'tenant');

const parentTenant = (id: string) => ({ of: queries.tenantExists(id), what: 'tenant' });

export const listTenantUsers = (ctx: ReadContext, id: string, filter: queries.TenantUserFilter) =>
  page<z.input<typeof tenantUser>>(ctx, filter, { ...queries.tenantUserRows(id, filter), parent: parentTenant(id) });

export const listTransitions = (
  ctx: ReadContext,
  id: string,
  query: { page: number; limit: number; order: 'asc' | 'desc' },
) =>
  page<z.input<typeof tenantTransition>>(ctx, query, {
    ...queries.transitionRows(id, query.order),
    parent: parentTenant(id),
  });

/**
 * Creates a tenant on trial, with its owner, who gets a mail with a link to set a password, and with a plan where one is
 * named. Without days of trial the plan is billed at once.
 * @throws AppError conflict when the slug or the owner's email is taken, or the plan or coupon cannot be had; not_found for
 *   a plan or coupon that there is not; forbidden for a plan without subscriptions.create; tenant_mismatch within another
 *   tenant's space
 */
export async function createTenant(ctx: WriteContext<Actor>, input: CreateTenant): Promise<TenantView> {
  if (ctx.tenantId) {
    throw new AppError('tenant_mismatch', 'x-tenant-id names a tenant. Leave it out: a new one lies outside of it.');
  }
  const { owner, trialDays, slug, planId, billingCycle, couponCode, ...profile } = input;
  if (planId) assertMaySubscribe(ctx.actor);
  const days = trialDays ?? (await settingOf(ctx, 'tenants.trial_days'));
  const created = await ctx.db.tenant.create({
    data: {
      ...profile,
      slug: slug ?? slugOf(profile.name),
      status: 'TRIAL',
      trialEndsAt: new Date(ctx.now.getTime() + days * DAY_MS),
      createdAt: ctx.now,
    },
  });
  await recordTransition(ctx, created.id, { from: null, to: 'TRIAL', createdAt: ctx.now });
  const ownerId = await createOwner(ctx, created.id, owner);
  ctx.enqueue('email.welcome', { userId: ownerId }, { tenantId: created.id });
  ctx.audit({
    resource: 'tenant',
    resourceId: created.id,
    tenantId: created.id,
    after: { ...input, slug: created.slug, ownerId },
  });
  if (planId) {
    const plan = { planId, billingCycle: billingCycle ?? 'MONTHLY', couponCode };
    await createSubscription(ctx, { tenantId: created.id, ...plan, trialDays: days });
  }
  return getTenant(ctx, created.id);
}

/** Whoever takes tenants on need not be one who sells them plans. */
function assertMaySubscribe({ permissions }: Actor): void {
  if (permissions.has('subscriptions.create')) return;
  throw new AppError('forbidden', 'You need the permission subscriptions.create to subscribe the tenant to a plan.');
}

async function createOwner(ctx: WriteContext<Actor>, tenantId: string, owner: CreateTenant['owner']): Promise<string> {
  const role = await ctx.db.role.findUniqueOrThrow({ where: { code: 'owner' }, select: { id: true } });
  try {
    const user = await ctx.db.user.create({
      data: {
        ...owner,
        tenantId,
        type: 'PLATFORM_USER',
        kind: 'OWNER',
        status: 'PENDING',
        createdAt: ctx.now,
        assignments: { create: { roleId: role.id, tenantId, assignedById: ctx.actor.id } },
      },
    });
    return user.id;
  } catch (error) {
    const mapped = mapDatabaseError(error);
    if (!(mapped instanceof AppError) || mapped.details?.field !== 'email') throw error;
    const issues = [{ in: 'body' as const, field: 'owner.email', message: 'belongs to another account' }];
    throw new AppError('conflict', "The owner's email belongs to another account.", { field: 'owner.email', issues });
  }
}

/**
 * Changes the fields that are given.
 * @param seenVersion from If-Match: refused when somebody has changed the tenant since
 * @throws AppError version_mismatch
 */
export async function updateTenant(
  ctx: WriteContext<Actor>,
  id: string,
  changes: UpdateTenant,
  seenVersion?: number,
): Promise<TenantView> {
  const { version } = orNotFound(await ctx.sql.one<LockedTenant>(queries.lockTenant(id)), 'tenant');
  assertVersion(seenVersion, version, 'tenant');
  const before = await getTenant(ctx, id);
  if (!gstinFitsState({ ...before, ...changes })) {
    throw invalidField('gstin', gstinOfAnotherState, `gstin ${gstinOfAnotherState}.`);
  }
  await ctx.db.tenant.update({ where: { id }, data: { ...changes, version: { increment: 1 } } });
  ctx.audit({ resource: 'tenant', resourceId: id, tenantId: id, before, after: changes });
  return getTenant(ctx, id);
}

/**
 * Shuts a tenant out: every session of its people ends. They may sign in, and then see only that they are suspended.
 * @throws AppError invalid_transition
 */
export async function suspendTenant(ctx: WriteContext<Actor>, id: string, reason: string): Promise<TenantView> {
  const next = async (tenant: LockedTenant) => {
    await assertNotLeaving(ctx, tenant);
    return 'SUSPENDED' as const;
  };
  await moveTenant(ctx, id, next, reason);
  await endSessions(ctx, { tenantId: id }, 'TENANT_SUSPENDED');
  return getTenant(ctx, id);
}

/** Opens a tenant again; what is left of an interrupted trial goes on. @throws AppError invalid_transition */
export async function activateTenant(ctx: WriteContext<Actor>, id: string, reason?: string): Promise<TenantView> {
  const next = async (tenant: LockedTenant) => {
    await assertNotLeaving(ctx, tenant);
    return statusAfterActivation(tenant, await statusBeforeSuspension(ctx, id), ctx.now);
  };
  await moveTenant(ctx, id, next, reason);
  return getTenant(ctx, id);
}

async function statusBeforeSuspension(ctx: WriteContext, tenantId: string): Promise<TenantStatus | null | undefined> {
  const suspension = await ctx.db.tenantTransition.findFirst({
    where: { tenantId, to: 'SUSPENDED' },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    select: { from: true },
  });
  return suspension?.from;
}
