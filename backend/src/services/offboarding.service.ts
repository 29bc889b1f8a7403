import type { z } from 'zod';
import { clockNow } from '../config/clock.ts';
import type { TenantStatus } from '../generated/prisma/enums.ts';
import type { JobContext } from '../queues/job-context.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import type { offboardingState } from '../validators/tenant-lifecycle.validator.ts';
import {
  dueNotices,
  holdInForce,
  leavingTenant,
  newestHold,
  newestOffboarding,
  openOffboarding,
  ownersToTell,
  unsettledOf,
} from './offboarding.queries.ts';
import { endSessions } from './sessions.service.ts';
import { settingOf } from './settings.service.ts';
import { cancelSubscription } from './subscription-cancel.service.ts';
import { lockedSubscription } from './subscription-history.service.ts';
import { upToDateSubscription } from './subscription-renewal.service.ts';
import { liveSubscriptionOf, type SubscriptionRow } from './subscription-row.queries.ts';
import { isLive } from './subscription-status.policy.ts';
import { lockedTenant, moveTenant } from './tenant-status.service.ts';

// A tenant's way out (rule 12, ADR 12): grace in which it can be called off, notice, purge, certificate.

const DAY_MS = 86_400_000;
/** Between the notice and the purge. */
export const NOTICE_MS = 2 * DAY_MS;
const MOST_OWNERS = 100;

type View = z.input<typeof offboardingState>;
type HoldRow = {
  id: string;
  reason: string;
  placedById: string;
  placedByName: string;
  placedAt: Date;
  liftedAt: Date | null;
  liftedByName: string | null;
  liftReason: string | null;
};
export type OffboardingRow = {
  id: string;
  tenantId: string;
  reason: string;
  statusBefore: TenantStatus;
  requestedById: string;
  requestedByName: string;
  requestedAt: Date;
  graceEndsAt: Date;
  noticeSentAt: Date | null;
  cancelledAt: Date | null;
  cancelledByName: string | null;
  purgeStartedAt: Date | null;
  purgedAt: Date | null;
  certificate: Record<string, unknown> | null;
  certificateHash: string | null;
};

/** Where the off-boarding of a tenant stands; also of one that is purged. @throws AppError not_found */
export async function offboardingOf(ctx: Pick<ReadContext, 'sql'>, tenantId: string): Promise<View> {
  const [[tenant], [offboarding], [hold], [unsettled]] = await ctx.sql.batch<
    [{ id: string; status: TenantStatus }[], OffboardingRow[], HoldRow[], NonNullable<View['unsettled']>[]]
  >(leavingTenant(tenantId), newestOffboarding(tenantId), newestHold(tenantId), unsettledOf(tenantId));
  const { id, status } = orNotFound(tenant, 'tenant');
  return {
    tenantId: id,
    status,
    offboarding: offboarding ? shown(offboarding) : null,
    legalHold: hold ? { ...hold, inForce: hold.liftedAt === null } : null,
    unsettled: unsettled && isAnything(unsettled) ? unsettled : null,
  };
}

const isAnything = ({ openInvoices, paymentsUnderWay, refundsUnderWay }: NonNullable<View['unsettled']>): boolean =>
  openInvoices + paymentsUnderWay + refundsUnderWay > 0;

const shown = (row: OffboardingRow): NonNullable<View['offboarding']> => ({
  ...row,
  state: row.cancelledAt ? 'CANCELLED' : row.purgedAt ? 'PURGED' : row.purgeStartedAt ? 'PURGING' : 'GRACE',
  requestedBy: { id: row.requestedById, name: row.requestedByName },
});

/**
 * Begins the way out: the tenant is shut out of everything but payment and export, its subscription ends at once, and after
 * the grace its data is removed.
 * @throws AppError invalid_transition for one that is on its way out already
 */
export async function beginOffboarding(ctx: WriteContext<Actor>, tenantId: string, reason: string): Promise<View> {
  // Before the tenant: whoever ends a subscription locks in that order.
  const subscription = await lockedLiveSubscription(ctx, tenantId);
  let statusBefore: TenantStatus = 'ACTIVE';
  const days = await settingOf(ctx, 'tenants.offboarding_grace_days');
  const graceEndsAt = new Date(ctx.now.getTime() + days * DAY_MS);
  const next = ({ status }: { status: TenantStatus }) => {
    statusBefore = status;
    return 'OFFBOARDING' as const;
  };
  await moveTenant(ctx, tenantId, next, reason, { details: { graceEndsAt: graceEndsAt.toISOString() } });
  const { id } = await ctx.db.offboarding.create({
    data: {
      tenantId,
      reason,
      statusBefore,
      requestedById: ctx.actor.id,
      requestedByName: ctx.actor.name,
      requestedAt: ctx.now,
      graceEndsAt,
    },
  });
  if (subscription) await endSubscriptionOf(ctx, subscription.id, reason);
  await endSessions(ctx, { tenantId }, 'TENANT_SUSPENDED');
  await tellOwners(ctx, { id, tenantId }, 'BEGUN');
  return offboardingOf(ctx, tenantId);
}

/** Nothing is billed any more; what was due to end or to be renewed by now has ended, since the tenant is leaving. */
async function endSubscriptionOf(ctx: WriteContext, id: string, reason: string): Promise<void> {
  const { status } = await upToDateSubscription(ctx, id);
  if (isLive(status)) await cancelSubscription(ctx, id, { at: 'NOW', reason });
}

async function lockedLiveSubscription(ctx: WriteContext, tenantId: string): Promise<SubscriptionRow | undefined> {
  const live = await ctx.sql.one<SubscriptionRow>(liveSubscriptionOf(tenantId));
  const locked = live && (await lockedSubscription(ctx, live.id));
  return locked && isLive(locked.status) ? locked : undefined;
}

/**
 * Calls it off: the tenant is again what it was before. Its subscription has ended all the same.
 * @throws AppError conflict when none is under way, or the purge has begun
 */
export async function cancelOffboarding(ctx: WriteContext<Actor>, tenantId: string, reason?: string): Promise<View> {
  await lockedTenant(ctx, tenantId);
  const open = await ctx.sql.one<OffboardingRow>(openOffboarding(tenantId));
  if (!open) throw new AppError('conflict', 'No off-boarding of this tenant is under way.');
  if (open.purgeStartedAt) {
    throw new AppError('conflict', 'The purge has begun and cannot be called off: data is removed already.');
  }
  await moveTenant(ctx, tenantId, () => open.statusBefore, reason);
  await ctx.db.offboarding.update({
    where: { id: open.id },
    data: { cancelledAt: ctx.now, cancelledById: ctx.actor.id, cancelledByName: ctx.actor.name },
  });
  await tellOwners(ctx, open, 'CANCELLED');
  return offboardingOf(ctx, tenantId);
}

/** One mail to each owner who can be written to, else one to the address of the tenant. */
export async function tellOwners(
  ctx: WriteContext,
  { id, tenantId }: { id: string; tenantId: string },
  what: 'BEGUN' | 'NOTICE' | 'CANCELLED',
): Promise<void> {
  const owners = await ctx.sql.many<{ id: string }>(ownersToTell(tenantId, MOST_OWNERS));
  const to = owners.length > 0 ? owners.map((owner) => ({ userId: owner.id })) : [{}];
  for (const one of to) ctx.enqueue('email.offboarding', { offboardingId: id, what, ...one }, { tenantId });
}

const NOTICES_AT_ONCE = 100;

/** Tells the owners of those whose grace ends within 48 hours, once. @returns of how many tenants */
export async function sendDueNotices(ctx: JobContext): Promise<number> {
  const soon = new Date(ctx.now.getTime() + NOTICE_MS);
  for (let sent = 0; ;) {
    ctx.job.signal.throwIfAborted();
    const due = await ctx.sql.many<{ id: string; tenantId: string }>(dueNotices(soon, NOTICES_AT_ONCE));
    for (const one of due) {
      await ctx.transact(async (tx) => {
        const { count } = await tx.db.offboarding.updateMany({
          where: { id: one.id, noticeSentAt: null, cancelledAt: null, purgedAt: null },
          data: { noticeSentAt: clockNow() },
        });
        if (count > 0) await tellOwners(tx, one, 'NOTICE');
      });
    }
    sent += due.length;
    if (due.length < NOTICES_AT_ONCE) return sent;
  }
}

/**
 * Places or lifts a legal hold: while one is in force nothing of the tenant is purged or erased. After a lift owners are
 * told again before the purge.
 * @throws AppError conflict when it is so already
 */
export async function setLegalHold(
  ctx: WriteContext<Actor>,
  tenantId: string,
  { inForce, reason }: { inForce: boolean; reason: string },
): Promise<View> {
  await lockedTenant(ctx, tenantId);
  const hold = await ctx.sql.one<HoldRow>(holdInForce(tenantId));
  if (inForce && hold)
    throw new AppError('conflict', 'A legal hold is in force already. Lift it to place another one.');
  if (!inForce && !hold) throw new AppError('conflict', 'No legal hold is in force.');
  const { id: actorId, name: actorName } = ctx.actor;
  if (hold) {
    await ctx.db.legalHold.update({
      where: { id: hold.id },
      data: { liftedAt: ctx.now, liftedById: actorId, liftedByName: actorName, liftReason: reason },
    });
    await ctx.db.offboarding.updateMany({
      where: { tenantId, cancelledAt: null, purgedAt: null, purgeStartedAt: null },
      data: { noticeSentAt: null },
    });
  } else {
    const by = { placedById: actorId, placedByName: actorName, placedAt: ctx.now };
    await ctx.db.legalHold.create({ data: { tenantId, reason, ...by } });
  }
  ctx.audit({
    resource: 'tenant',
    resourceId: tenantId,
    tenantId,
    before: { legalHold: !inForce },
    after: { legalHold: inForce },
    details: { reason },
  });
  return offboardingOf(ctx, tenantId);
}
