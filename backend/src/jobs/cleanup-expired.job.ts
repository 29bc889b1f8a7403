import type { JobContext, JobHandler } from '../queues/job-context.ts';
import { sql, type Sql } from '../utils/sql.ts';

/** Rows that go in one statement: small enough to hold no lock for long. */
const BATCH = 2_000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Each removes a batch of what has served its time. */
const statementsAt = (now: Date, daysAgo: (days: number) => Date): Record<string, Sql> => ({
  sessions: sql`
      delete from sessions where id in (
        select id from sessions where expires_at < ${daysAgo(30)} or revoked_at < ${daysAgo(30)} limit ${BATCH})`,
  oneTimeTokens: sql`
      delete from one_time_tokens where id in (
        select id from one_time_tokens where expires_at < ${daysAgo(1)} limit ${BATCH})`,
  authChallenges: sql`
      delete from auth_challenges where id in (
        select id from auth_challenges where expires_at < ${daysAgo(1)} limit ${BATCH})`,
  knownDevices: sql`
      delete from known_devices where id in (
        select id from known_devices where last_seen_at < ${daysAgo(180)} limit ${BATCH})`,
  loginAttempts: sql`
      delete from login_attempts where id in (
        select id from login_attempts where created_at < ${daysAgo(90)} limit ${BATCH})`,
  lockouts: sql`
      delete from lockouts where id in (
        select id from lockouts where locked_until < ${daysAgo(90)} limit ${BATCH})`,
  idempotencyKeys: sql`
      delete from idempotency_keys where id in (
        select id from idempotency_keys where expires_at < ${now} limit ${BATCH})`,
  outboxMessages: sql`
      delete from outbox_messages where id in (
        select id from outbox_messages where published_at < ${daysAgo(7)} limit ${BATCH})`,
  // As many as the policy can ask for are kept of each person.
  passwordHistory: sql`
      delete from password_history where id in (
        select id from (select id, row_number() over (partition by user_id order by created_at desc, id desc) as place
                          from password_history) earlier where place > 24 limit ${BATCH})`,
});

/** Removes what has served its time. */
export const cleanUpExpired: JobHandler<'cleanup.expired'> = async (ctx) => {
  const statements = statementsAt(ctx.now, (days) => new Date(ctx.now.getTime() - days * DAY_MS));
  const removed: Record<string, number> = {};
  for (const [what, statement] of Object.entries(statements)) removed[what] = await removeInBatches(ctx, statement);
  ctx.log.info('Expired rows removed', removed);
};

/** @returns how many rows it removed */
async function removeInBatches(ctx: JobContext, statement: Sql): Promise<number> {
  for (let removed = 0; ;) {
    ctx.job.signal.throwIfAborted();
    const count = await ctx.transact(({ db }) => db.$executeRaw(statement));
    removed += count;
    if (count < BATCH) return removed;
  }
}
