import { AppError, orNotFound } from '../utils/errors.ts';
import { commandLine } from './command-line.service.ts';
import { runInTransaction } from './context.service.ts';
import { lockIpRules } from './ip-rules.queries.ts';
import { resetMfa } from './mfa.service.ts';
import { liftThrottle } from './sign-in-throttle.service.ts';
import { voidOneTimeTokens } from './one-time-token.service.ts';

// The way back in when nobody can get in any more: by the command line of the server, and in the audit trail (rule 7).

const action = { action: 'security.break_glass' } as const;

/** Removes every address rule, or one. @returns how many @throws AppError not_found */
export const removeIpRules = (reason: string, id?: string): Promise<number> =>
  runInTransaction(commandLine(), action, async (ctx) => {
    await ctx.sql.one(lockIpRules());
    const { count } = await ctx.db.ipRule.deleteMany({ where: id ? { id } : {} });
    if (id) orNotFound(count || null, 'address rule');
    ctx.audit({
      resource: 'ip_rule',
      resourceId: id ?? null,
      details: { what: 'Removed address rules', reason, removed: count },
    });
    return count;
  });

/** Lets accounts try again, all or one. The counters go first, so that it can be repeated. @returns how many */
export async function liftLockouts(reason: string, email?: string): Promise<number> {
  const userId = email === undefined ? undefined : (await personOf(email)).id;
  return runInTransaction(commandLine(), action, async (ctx) => {
    const held = await ctx.db.lockout.findMany({
      where: { liftedAt: null, lockedUntil: { gt: ctx.now }, ...(userId && { userId }) },
      select: { id: true, throttleKey: true },
      take: 10_000,
    });
    for (const { throttleKey } of held) await liftThrottle(throttleKey);
    await ctx.db.lockout.updateMany({ where: { id: { in: held.map(({ id }) => id) } }, data: { liftedAt: ctx.now } });
    ctx.audit({
      resource: userId ? 'user' : 'lockout',
      resourceId: userId ?? null,
      details: { what: 'Lifted lock-outs', reason, lifted: held.length },
    });
    return held.length;
  });
}

/**
 * Takes all second factors and sessions of an admin, and sends them a link for a new password.
 * @throws AppError not_found; conflict for somebody who is no active portal admin
 */
export async function resetAdminAccess(reason: string, email: string): Promise<void> {
  await runInTransaction(commandLine(), action, async (ctx) => {
    const admin = await ctx.db.user.findUnique({
      where: { email },
      select: { id: true, type: true, status: true },
    });
    const { id, type, status } = orNotFound(admin, 'account');
    if (type !== 'ADMIN_USER' || status !== 'ACTIVE') {
      throw new AppError('conflict', `${email} is no active portal admin.`);
    }
    const ended = await resetMfa(ctx, id);
    await voidOneTimeTokens(ctx, id);
    ctx.enqueue('email.password-reset', { email });
    ctx.audit({
      resource: 'admin',
      resourceId: id,
      details: { what: 'Reset second factors and sent a link for a new password', reason, sessionsEnded: ended },
    });
  });
}

const personOf = (email: string): Promise<{ id: string }> =>
  runInTransaction(commandLine(), {}, async (ctx) =>
    orNotFound(await ctx.db.user.findUnique({ where: { email }, select: { id: true } }), 'account'),
  );
