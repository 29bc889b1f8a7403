import { clockNow } from '../config/clock.ts';
import type { JobEnvelope } from '../queues/backend.ts';
import type { JobContext } from '../queues/job-context.ts';
import { removeJobsOf } from '../queues/tenant-jobs.ts';
import type { WriteContext } from '../types/context.ts';
import { canonicalJson, sha256 } from '../utils/canonical-json.ts';
import type { Sql } from '../utils/sql.ts';
import { dropCacheOf } from './cache.service.ts';
import { fileStorage } from './file-storage.service.ts';
import { NOTICE_MS } from './offboarding.service.ts';
import { endSessions } from './sessions.service.ts';
import { TENANT_DATA } from './tenant-data.policy.ts';
import type { TenantTable } from './tenant-table.policy.ts';
import * as queries from './tenant-purge.queries.ts';
import { lockedTenant, moveTenant } from './tenant-status.service.ts';

// The removal of a tenant (rule 12, ADR 12), in small steps, each of which may be the last one before a crash: rows are
// removed and counted in one transaction, and whoever comes next goes on. The tenant is PURGED with the last step.

const ROWS_AT_ONCE = 2_000;
/** Each finds less: what people and jobs wrote that were under way when the one before went by. */
const MOST_ROUNDS = 10;

type Leaving = { id: string; tenantId: string };

/** Thrown within a step when the purge is not to go on: a legal hold was placed, or another worker has finished. */
class PurgeStopped extends Error {}

/**
 * Removes everything of a tenant whose time has come. Any number of workers may be at it, and it may be called again
 * after any failure.
 * @returns whether the tenant is purged now; false where it is held, called off or was purged by another
 */
export async function purgeTenant(ctx: JobContext, leaving: Leaving): Promise<boolean> {
  try {
    await step(ctx, leaving, (tx, purge) => begin(tx, leaving, purge));
    for (let round = 1; round <= MOST_ROUNDS; round += 1) {
      await removeEverything(ctx, leaving);
      if (await step(ctx, leaving, (tx, purge) => finish(tx, leaving, purge))) return true;
    }
  } catch (error) {
    if (!(error instanceof PurgeStopped)) throw error;
    ctx.log.info('A purge does not go on', { tenantId: leaving.tenantId, why: error.message });
    return false;
  }
  throw new Error(`Something goes on writing rows of the tenant ${leaving.tenantId} while it is purged`);
}

/** A transaction that holds the off-boarding, and does nothing where the purge is not to go on. */
const step = <Result>(
  ctx: JobContext,
  { id }: Leaving,
  work: (tx: WriteContext<null>, purge: queries.PurgeRow) => Promise<Result>,
): Promise<Result> =>
  ctx.transact(async (tx) => {
    ctx.job.signal.throwIfAborted();
    const purge = await tx.sql.one<queries.PurgeRow>(queries.lockedPurge(id));
    if (!purge) throw new PurgeStopped('it was called off, or is done');
    if (purge.held) throw new PurgeStopped('a legal hold is in force');
    if (purge.unsettled) throw new PurgeStopped('an invoice is unpaid, or money is under way');
    return work(tx, purge);
  });

/** From here on it cannot be called off. */
async function begin(tx: WriteContext<null>, { id, tenantId }: Leaving, purge: queries.PurgeRow): Promise<void> {
  const { purgeStartedAt, noticeSentAt } = purge;
  // A hold that was lifted since this was found due has made the notice void.
  const isTold = noticeSentAt !== null && noticeSentAt.getTime() + NOTICE_MS <= tx.now.getTime();
  if (!purgeStartedAt && !isTold) throw new PurgeStopped('owners are to be told first');
  const { email } = await tx.db.tenant.findUniqueOrThrow({ where: { id: tenantId }, select: { email: true } });
  await tx.db.offboarding.updateMany({
    where: { id, purgeStartedAt: null },
    data: { purgeStartedAt: tx.now, contactEmail: email },
  });
  await endSessions(tx, { tenantId }, 'TENANT_SUSPENDED');
}

async function removeEverything(ctx: JobContext, leaving: Leaving): Promise<void> {
  // While there are people whose addresses tell which jobs are theirs.
  await removeJobs(ctx, leaving);
  for (const entry of TENANT_DATA) await emptyTable(ctx, leaving, entry);
  // Nothing in the outbox makes new ones now.
  await removeJobs(ctx, leaving);
  await removeObjects(ctx, leaving);
  await dropCacheOf(leaving.tenantId);
}

async function emptyTable(ctx: JobContext, leaving: Leaving, entry: TenantTable): Promise<void> {
  const { table, purge } = entry;
  if (purge.does === 'keep') {
    const { blank } = purge;
    if (!blank) return;
    const statement = queries.blankRows(table, blank, leaving.tenantId, ROWS_AT_ONCE);
    while ((await step(ctx, leaving, ({ db }) => db.$executeRaw(statement))) > 0);
    return;
  }
  for (const which of queries.theirRows(entry, leaving.tenantId)) {
    const statement = queries.removeRows(table, which, purge.atOnce ?? ROWS_AT_ONCE);
    const removeSome = (tx: WriteContext<null>) => removeAndCount(tx, leaving, table, statement);
    while ((await step(ctx, leaving, removeSome)) > 0);
  }
}

async function removeAndCount(
  { db }: WriteContext<null>,
  { id }: Leaving,
  table: string,
  statement: Sql,
): Promise<number> {
  const removed = await db.$executeRaw(statement);
  if (removed > 0) await db.$executeRaw(queries.addPurged(id, table, removed));
  return removed;
}

/** Objects lie apart by tenant: whatever is in its space is removed, whether or not a row names it. */
async function removeObjects(ctx: JobContext, leaving: Leaving): Promise<void> {
  let removed = 0;
  for await (const { key } of fileStorage().list(`tenants/${leaving.tenantId}`)) {
    ctx.job.signal.throwIfAborted();
    await fileStorage().delete(key);
    removed += 1;
  }
  await count(ctx, leaving, 'objects', removed);
}

async function removeJobs(ctx: JobContext, leaving: Leaving): Promise<void> {
  const { tenantId } = leaving;
  const removed = await removeJobsOf(tenantId, (envelopes) => areTheirs(ctx, tenantId, envelopes), ctx.job.signal);
  await count(ctx, leaving, 'jobs', removed);
}

/** Jobs of the portal name the tenant, or somebody of it by id, address or phone. */
async function areTheirs(ctx: JobContext, tenantId: string, envelopes: readonly JobEnvelope[]): Promise<boolean[]> {
  const names = envelopes.map(({ payload }) => {
    const { userId, email, phone } = (payload ?? {}) as Record<string, unknown>;
    return [userId, email, phone].filter((name): name is string => typeof name === 'string');
  });
  const people = await ctx.sql.many<{ id: string; email: string | null; phone: string | null }>(
    queries.theirPeople(tenantId, names.flat()),
  );
  const theirs = new Set(people.flatMap(({ id, email, phone }) => [id, email, phone]));
  return envelopes.map(({ payload }, index) => {
    const { tenantId: named } = (payload ?? {}) as Record<string, unknown>;
    return named === tenantId || (names[index] ?? []).some((name) => theirs.has(name));
  });
}

async function count(ctx: JobContext, leaving: Leaving, what: string, removed: number): Promise<void> {
  if (removed === 0) return;
  await step(ctx, leaving, ({ db }) => db.$executeRaw(queries.addPurged(leaving.id, what, removed)));
}

/** @returns false when somebody has written since: another round */
async function finish(tx: WriteContext<null>, { id, tenantId }: Leaving, purge: queries.PurgeRow): Promise<boolean> {
  await lockedTenant(tx, tenantId);
  const left = await tx.sql.one<{ isLeft: boolean }>(queries.anythingLeft(tenantId));
  if (left?.isLeft) return false;
  // Now, and not when the job began, which may be long ago.
  const purgedAt = clockNow();
  const certificate = await certificateOf(tx, tenantId, purge, purgedAt);
  const certificateHash = sha256(canonicalJson(certificate));
  const details = { offboardingId: id, sha256OfCertificate: certificateHash };
  await moveTenant(tx, tenantId, () => 'PURGED', 'Off-boarding ended', { action: 'tenants.purge', details });
  await tx.db.tenant.update({
    where: { id: tenantId },
    data: {
      name: 'Purged tenant',
      email: `purged-${tenantId}@purged.invalid`,
      phone: null,
      gstin: null,
      addressLine: null,
      city: null,
      state: null,
      pincode: null,
      trialEndsAt: null,
    },
  });
  await tx.db.offboarding.update({ where: { id }, data: { purgedAt, certificate, certificateHash } });
  tx.enqueue('email.offboarding-certificate', { offboardingId: id }, { tenantId: null, dedupeKey: `purged-${id}` });
  return true;
}

/** What is true of the purge, without anybody's personal data but the name of who asked for it. */
async function certificateOf(tx: WriteContext<null>, tenantId: string, purge: queries.PurgeRow, purgedAt: Date) {
  const kept: { table: string; rows: number; why: string; blanked?: string[] }[] = [];
  for (const { table, purge: rule } of TENANT_DATA) {
    if (rule.does !== 'keep') continue;
    const found = await tx.sql.one<{ rows: number }>(queries.countRows(table, tenantId));
    if (!found || found.rows === 0) continue;
    const blanked = rule.blank && { blanked: Object.keys(rule.blank) };
    kept.push({ table, rows: found.rows, why: rule.why, ...blanked });
  }
  const { objects = 0, jobs = 0, ...tables } = purge.purged;
  return {
    version: 1,
    tenantId,
    slug: purge.slug,
    requestedBy: { id: purge.requestedById, name: purge.requestedByName },
    requestedAt: purge.requestedAt.toISOString(),
    graceEndedAt: purge.graceEndsAt.toISOString(),
    noticeSentAt: purge.noticeSentAt?.toISOString() ?? null,
    purgeStartedAt: purge.purgeStartedAt?.toISOString() ?? null,
    purgedAt: purgedAt.toISOString(),
    removed: {
      objects,
      jobs,
      rows: TENANT_DATA.filter(({ purge: { does } }) => does === 'delete').map(({ table }) => ({
        table,
        rows: tables[table] ?? 0,
      })),
    },
    kept,
  };
}
