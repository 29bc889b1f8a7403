import { Readable } from 'node:stream';
import type { z } from 'zod';
import type { JobContext } from '../queues/job-context.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type { Upload } from '../types/upload.ts';
import { assertVersion, orNotFound } from '../utils/errors.ts';
import { newId } from '../utils/ids.ts';
import type { branding, brandingBody } from '../validators/tenant-branding.validator.ts';
import { linkTo } from './file-links.service.ts';
import { deleteFilesBelow, fileKey, fileStorage } from './file-storage.service.ts';
import { encodedImage } from './images.service.ts';
import { brandingOf, logoKeyOf, type BrandingRow } from './tenant-branding.queries.ts';
import { lockedTenant } from './tenant-status.service.ts';
import { tenantExists } from './tenants.queries.ts';

type Branding = z.input<typeof branding>;
type Changes = z.output<typeof brandingBody>;

const LOGO_LINK_SECONDS = 3600;
const MINUTE_MS = 60_000;
/** By then an upload is done, or its process has died. */
const LEFT_BEHIND_MINUTES = 30;

const logoFolder = (tenantId: string): string => `tenants/${tenantId}/branding`;

/** @throws AppError not_found, also for a tenant outside the scope */
export const getBranding = async (ctx: Pick<ReadContext, 'sql'>, tenantId: string): Promise<Branding> =>
  viewOf(await rowOf(ctx, tenantId));

const rowOf = async (ctx: Pick<ReadContext, 'sql'>, tenantId: string): Promise<BrandingRow> =>
  orNotFound(await ctx.sql.one<BrandingRow>(brandingOf(tenantId)), 'tenant');

async function viewOf({ displayName, tagline, version, updatedAt, ...row }: BrandingRow): Promise<Branding> {
  const { logoKey, logoWidth, logoHeight } = row;
  const wanted = { seconds: LOGO_LINK_SECONDS, name: 'logo.png', type: 'image/png', inline: true };
  const logo = logoKey &&
    logoWidth &&
    logoHeight && { url: (await linkTo(logoKey, wanted)).url, width: logoWidth, height: logoHeight };
  const colors = { primary: row.primaryColor, accent: row.accentColor };
  return { displayName, tagline, colors, logo: logo || null, version, updatedAt };
}

/**
 * Changes the fields that are given.
 * @param seenVersion from If-Match; 0 where nothing was ever set
 * @throws AppError not_found, version_mismatch
 */
export async function updateBranding(
  ctx: WriteContext<Actor>,
  tenantId: string,
  { colors, ...texts }: Changes,
  seenVersion?: number,
): Promise<Branding> {
  await lockedTenant(ctx, tenantId);
  const before = await rowOf(ctx, tenantId);
  assertVersion(seenVersion, before.version, 'branding');
  const changes = {
    ...texts,
    ...(colors?.primary !== undefined && { primaryColor: colors.primary }),
    ...(colors?.accent !== undefined && { accentColor: colors.accent }),
  };
  await writeRow(ctx, tenantId, changes);
  ctx.audit({ resource: 'tenant_branding', resourceId: tenantId, tenantId, before, after: changes });
  return getBranding(ctx, tenantId);
}

type RowChanges = Partial<
  Record<'displayName' | 'tagline' | 'primaryColor' | 'accentColor' | 'logoKey', string | null> &
    Record<'logoWidth' | 'logoHeight', number | null>
>;

const writeRow = (ctx: WriteContext<Actor>, tenantId: string, changes: RowChanges) =>
  ctx.db.tenantBranding.upsert({
    where: { tenantId },
    create: { tenantId, ...changes },
    update: { ...changes, version: { increment: 1 } },
  });

/**
 * Encodes the image anew and makes it the logo. The file is written first, then the row names it; what it replaces goes
 * once that is committed. Whatever a failure or a crash leaves over is removed by the job that was handed over before
 * anything was written.
 * @throws AppError not_found; validation_failed for what is not an image
 */
export async function setLogo(ctx: ManualContext<Actor>, tenantId: string, upload: Upload): Promise<Branding> {
  orNotFound(await ctx.sql.one(tenantExists(tenantId)), 'tenant');
  const { content, width, height } = await encodedImage(upload.path, 'file');
  await ctx.transact(async (tx) => removeLeftLogosLater(tx, tenantId));
  const logoKey = fileKey(tenantId, 'branding', `${newId()}.png`);
  await fileStorage().put(logoKey, Readable.from([content]));
  const after = { logoKey, logoWidth: width, logoHeight: height };
  const details = { file: upload.name, sha256: upload.sha256 };
  try {
    return await ctx.transact((tx) => nameLogo(tx, tenantId, after, details));
  } catch (error) {
    // A commit whose answer was lost may have been one.
    const row = await ctx.sql.one<{ logoKey: string | null }>(logoKeyOf(tenantId)).catch(() => ({ logoKey }));
    if (row?.logoKey !== logoKey) await fileStorage().delete(logoKey);
    throw error;
  }
}

async function nameLogo(
  ctx: WriteContext<Actor>,
  tenantId: string,
  after: { logoKey: string; logoWidth: number; logoHeight: number },
  details: object,
): Promise<Branding> {
  await lockedTenant(ctx, tenantId);
  const before = await rowOf(ctx, tenantId);
  await writeRow(ctx, tenantId, after);
  removeAfterCommit(ctx, before.logoKey);
  ctx.audit({ resource: 'tenant_branding', resourceId: tenantId, tenantId, before, after, details });
  return getBranding(ctx, tenantId);
}

/** @throws AppError not_found, also where there is no logo */
export async function removeLogo(ctx: WriteContext<Actor>, tenantId: string): Promise<Branding> {
  await lockedTenant(ctx, tenantId);
  const before = await rowOf(ctx, tenantId);
  orNotFound(before.logoKey, 'logo');
  const after = { logoKey: null, logoWidth: null, logoHeight: null };
  await writeRow(ctx, tenantId, after);
  removeLeftLogosLater(ctx, tenantId);
  removeAfterCommit(ctx, before.logoKey);
  ctx.audit({ resource: 'tenant_branding', resourceId: tenantId, tenantId, before, after });
  return getBranding(ctx, tenantId);
}

/** What fails here is done by the job. */
function removeAfterCommit(ctx: WriteContext<Actor>, key: string | null): void {
  if (key) ctx.afterCommit(() => fileStorage().delete(key));
}

function removeLeftLogosLater(ctx: WriteContext<Actor>, tenantId: string): void {
  const availableAt = new Date(ctx.now.getTime() + 2 * LEFT_BEHIND_MINUTES * MINUTE_MS);
  ctx.enqueue('cleanup.logos', { tenantId }, { tenantId, availableAt });
}

/**
 * Removes the logos of a tenant that no row names.
 * @returns how many
 */
export async function removeLeftLogos(ctx: JobContext, tenantId: string): Promise<number> {
  const row = await ctx.sql.one<{ logoKey: string | null }>(logoKeyOf(tenantId));
  return deleteFilesBelow(logoFolder(tenantId), {
    signal: ctx.job.signal,
    // One that is younger may be about to be named.
    olderThan: new Date(ctx.now.getTime() - LEFT_BEHIND_MINUTES * MINUTE_MS),
    keep: (key) => key === row?.logoKey,
  });
}
