import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import type { z } from 'zod';
import { AppError, orNotFound } from '../utils/errors.ts';
import { page } from '../utils/page.ts';
import type { adminSession, mfaToggled } from '../validators/admin-users.validator.ts';
import { adminToChange } from './admin-target.policy.ts';
import { adminExists, adminSessionRows } from './admin-users.queries.ts';

import { factorsOf, type FactorsRow } from './mfa.queries.ts';
import { requireMfa, resetMfa } from './mfa.service.ts';
import { actingPerson } from './privilege.policy.ts';
import { endSessions } from './sessions.service.ts';

const APPROVAL_HOURS = 24;

type Toggled = z.input<typeof mfaToggled>;
const done: Toggled = { status: 'DONE', approvalId: null, expiresAt: null };

/** Mails an active admin a link for a new password. */
export async function sendPasswordReset(ctx: WriteContext<Actor>, id: string): Promise<void> {
  const { status, email } = await adminToChange(ctx, id);
  if (status !== 'ACTIVE' || email === null) {
    const instead = status === 'PENDING' ? 'Send the invitation again instead.' : 'Activate the admin first.';
    throw new AppError('conflict', `This admin cannot sign in. ${instead}`);
  }
  ctx.enqueue('email.password-reset', { email });
  ctx.audit({ resource: 'admin', resourceId: id, details: { email } });
}

/**
 * Demands a second factor of an admin, or removes theirs so that they set up a new one. Removing those of a super admin
 * takes two people: the first call asks, one of somebody else within a day does it.
 * @throws AppError conflict when there is nothing to remove
 */
export async function toggleMfa(
  ctx: WriteContext<Actor>,
  id: string,
  { enabled, reason }: { enabled: boolean; reason: string },
): Promise<Toggled> {
  await adminToChange(ctx, id, 'the second factor');
  if (enabled) {
    await requireMfa(ctx, id, true);
    ctx.audit({ resource: 'admin', resourceId: id, details: { demanded: true, reason } });
    return done;
  }
  const factors = await ctx.sql.one<FactorsRow>(factorsOf(id));
  if (!factors?.totp && !factors?.passkey) {
    throw new AppError('conflict', 'This admin has no second factor that could be removed.');
  }
  const approval = (await isSuperAdmin(ctx, id)) ? await approvalFor(ctx, id, reason) : undefined;
  if (approval?.status === 'PENDING_APPROVAL') {
    const { approvalId } = approval;
    ctx.audit({ resource: 'admin', resourceId: id, details: { approvalAsked: true, approvalId, reason } });
    return approval;
  }
  await resetMfa(ctx, id);
  ctx.audit({ resource: 'admin', resourceId: id, details: { removed: true, reason, ...approval?.approved } });
  return done;
}

const isSuperAdmin = async (ctx: WriteContext, userId: string): Promise<boolean> =>
  (await ctx.db.roleAssignment.count({
    where: { userId, role: { code: 'super_admin' }, OR: [{ expiresAt: null }, { expiresAt: { gt: ctx.now } }] },
  })) > 0;

/**
 * Approves what somebody else has asked for, else asks. The admin it is about is locked: of two who approve at once,
 * one finds nothing left to approve.
 */
async function approvalFor(
  ctx: WriteContext<Actor>,
  subjectId: string,
  reason: string,
): Promise<(Toggled & { status: 'PENDING_APPROVAL' }) | { status: 'DONE'; approved: object }> {
  const caller = actingPerson(ctx.actor);
  const open = await ctx.db.approval.findFirst({
    where: { kind: 'MFA_RESET', subjectId, approvedAt: null, expiresAt: { gt: ctx.now } },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
  });
  if (open && open.requestedById !== caller) {
    await ctx.db.approval.update({ where: { id: open.id }, data: { approvedById: caller, approvedAt: ctx.now } });
    return { status: 'DONE', approved: { approvalId: open.id, requestedById: open.requestedById } };
  }
  const expiresAt = new Date(ctx.now.getTime() + APPROVAL_HOURS * 3_600_000);
  const asked =
    open ??
    (await ctx.db.approval.create({
      data: { kind: 'MFA_RESET', subjectId, reason, requestedById: caller, createdAt: ctx.now, expiresAt },
    }));
  return { status: 'PENDING_APPROVAL', approvalId: asked.id, expiresAt: asked.expiresAt };
}

export const listAdminSessions = (ctx: ReadContext, id: string, query: { page: number; limit: number }) =>
  page<z.input<typeof adminSession>>(ctx, query, {
    ...adminSessionRows(id),
    parent: { of: adminExists(id), what: 'admin' },
  });

/** Ends one session of an admin. @throws AppError not_found for one that has ended, or is somebody else's */
export async function revokeAdminSession(ctx: WriteContext<Actor>, id: string, sessionId: string): Promise<number> {
  await adminToChange(ctx, id);
  const ended = await endSessions(ctx, { id: sessionId, userId: id }, 'REVOKED');
  orNotFound(ended || null, 'session');
  ctx.audit({ resource: 'session', resourceId: sessionId, details: { adminId: id } });
  return ended;
}
