import type { z } from 'zod';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { mapDatabaseError } from '../utils/database-errors.ts';
import { AppError, assertVersion, orNotFound } from '../utils/errors.ts';
import { page } from '../utils/page.ts';
import type { createLibraryBody, libraryView, updateLibraryBody } from '../validators/tenant-libraries.validator.ts';
import { assertWithinLimit } from './entitlements.service.ts';
import * as queries from './tenant-libraries.queries.ts';
import { tenantExists } from './tenants.queries.ts';

type Library = z.input<typeof libraryView>;

/** The reading rooms of a tenant, each with how many people are assigned to it. @throws AppError not_found */
export const listLibraries = (ctx: ReadContext, tenantId: string, filter: queries.LibraryFilter) =>
  page<Library>(ctx, filter, {
    ...queries.libraryRows(tenantId, filter),
    parent: { of: tenantExists(tenantId), what: 'tenant' },
  });

const getLibrary = async (ctx: Pick<ReadContext, 'sql'>, tenantId: string, id: string): Promise<Library> =>
  orNotFound(await ctx.sql.one<Library>(queries.libraryById(tenantId, id)), 'library');

/**
 * @throws AppError not_found; conflict when a library of the tenant has that name; limit_reached where its subscription
 *   allows no more libraries or seats
 */
export async function createLibrary(
  ctx: WriteContext<Actor>,
  tenantId: string,
  body: z.output<typeof createLibraryBody>,
): Promise<Library> {
  orNotFound(await ctx.sql.one(tenantExists(tenantId)), 'tenant');
  await assertWithinLimit(ctx, tenantId, 'libraries', 1);
  await assertWithinLimit(ctx, tenantId, 'seats', body.seatCount);
  const { id } = await withFreeName(() =>
    ctx.db.library.create({ data: { ...body, tenantId, createdAt: ctx.now }, select: { id: true } }),
  );
  ctx.audit({ resource: 'library', resourceId: id, tenantId, after: body });
  return getLibrary(ctx, tenantId, id);
}

/**
 * Changes the fields that are given.
 * @param seenVersion from If-Match: refused when somebody has changed the library since
 * @throws AppError not_found, version_mismatch; conflict when another library of the tenant has that name; limit_reached
 *   for more seats than its subscription allows
 */
export async function updateLibrary(
  ctx: WriteContext<Actor>,
  { tenantId, id }: { tenantId: string; id: string },
  changes: z.output<typeof updateLibraryBody>,
  seenVersion?: number,
): Promise<Library> {
  const before = await lockedLibrary(ctx, tenantId, id);
  assertVersion(seenVersion, before.version, 'library');
  await assertWithinLimit(ctx, tenantId, 'seats', (changes.seatCount ?? before.seatCount) - before.seatCount);
  await withFreeName(() =>
    ctx.db.library.update({ where: { id }, data: { ...changes, version: { increment: 1 } }, select: { id: true } }),
  );
  ctx.audit({ resource: 'library', resourceId: id, tenantId, before, after: changes });
  return getLibrary(ctx, tenantId, id);
}

/**
 * Removes a library that nobody is assigned to.
 * @returns the library as it was
 * @throws AppError not_found, version_mismatch; conflict while people are assigned, with how many
 */
export async function deleteLibrary(
  ctx: WriteContext<Actor>,
  { tenantId, id }: { tenantId: string; id: string },
  seenVersion?: number,
): Promise<Library> {
  const before = await lockedLibrary(ctx, tenantId, id);
  assertVersion(seenVersion, before.version, 'library');
  // The lock keeps out whoever would be assigned from now on; those who came before are counted.
  const assigned = (await ctx.sql.one<{ people: number }>(queries.assignedTo(tenantId, id)))?.people ?? 0;
  if (assigned > 0) {
    const people = assigned === 1 ? '1 person is' : `${assigned} people are`;
    const message = `${people} assigned to this library. Assign them to another one, then remove it.`;
    throw new AppError('conflict', message, { assigned });
  }
  // Who has left keeps no library: their rows stay for the history and would hold it.
  await ctx.db.$executeRaw`update users set library_id = null where tenant_id = ${tenantId} and library_id = ${id}`;
  await ctx.db.library.delete({ where: { id }, select: { id: true } });
  ctx.audit({ resource: 'library', resourceId: id, tenantId, before, after: {}, details: { name: before.name } });
  return before;
}

async function lockedLibrary(ctx: WriteContext, tenantId: string, id: string): Promise<Library> {
  orNotFound(await ctx.sql.one(queries.lockLibrary(tenantId, id)), 'library');
  return getLibrary(ctx, tenantId, id);
}

/** Two who take a name at once: the database lets one of them have it. */
async function withFreeName<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    const mapped = mapDatabaseError(error);
    if (!(mapped instanceof AppError) || mapped.code !== 'conflict' || !mapped.details?.issues) throw error;
    const issues = [{ in: 'body' as const, field: 'name', message: 'is the name of another library of the tenant' }];
    throw new AppError('conflict', 'Another library of the tenant has this name.', { field: 'name', issues });
  }
}
