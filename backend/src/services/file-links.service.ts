import { AUDIT_ACTIONS, type AuditAction } from '../config/audit-actions.ts';
import { clockNow } from '../config/clock.ts';
import { environment } from '../config/environment.ts';
import { knownPermissions, type Permission } from '../config/permissions.ts';
import { assertFileKey, type LinkedFile } from '../providers/file-storage.provider.ts';
import type { Actor, ManualContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { INLINE_TYPES, type FileAnswer } from '../utils/file-answer.ts';
import { readLink, signLink, type LinkClaims } from '../utils/link-token.ts';
import { decideAccess } from './access.policy.ts';
import { linkHolder, type LinkHolder } from './file-links.queries.ts';
import { fileStorage } from './file-storage.service.ts';
import { grantsOf } from './principal.service.ts';
import { actingPerson } from './privilege.policy.ts';

/** Something to fetch a file with, for a while. */
export type FileLink = { url: string; expiresAt: Date };

type Wanted = LinkedFile & {
  /** How long it works. */
  seconds: number;
};

const MOST_SECONDS = 3600;

/**
 * A link that works for whoever has it, so that it can stand in a page: for what is not secret, such as a logo. Where
 * the storage answers links itself it leads there, else to `GET /api/files/:token`.
 * @param key of a file whose row was read under row security just now
 */
export async function linkTo(key: string, wanted: Wanted): Promise<FileLink> {
  const { seconds, ...file } = checked(key, wanted);
  const expiresAt = endOf(seconds);
  const url = await fileStorage().link?.(key, seconds, file);
  return { url: url ?? ownUrl({ key, ...file, until: expiresAt.getTime() / 1000 }), expiresAt };
}

/**
 * A link for one person: whenever it is used it is asked again whether they are active and may still do what it takes
 * (rule 16). It always leads to us, and each use is audited.
 * @param wanted `permission` that they must hold then; `audit` what the row in the trail says, in the chain of the
 *   tenant in whose space the file lies
 */
export function personalLinkTo(
  actor: Actor,
  key: string,
  wanted: Wanted & { permission: Permission; audit: { action: AuditAction; resource: string; resourceId: string } },
): FileLink {
  const { seconds, permission, audit, ...file } = checked(key, wanted);
  const expiresAt = endOf(seconds);
  const holder = { userId: actingPerson(actor), permission, ...audit };
  return { url: ownUrl({ key, ...file, until: expiresAt.getTime() / 1000, for: holder }), expiresAt };
}

function checked<Given extends Wanted>(key: string, wanted: Given): Given {
  assertFileKey(key);
  const { seconds, inline, type } = wanted;
  if (!(seconds >= 1 && seconds <= MOST_SECONDS)) throw new Error(`A link lives 1 to ${MOST_SECONDS} seconds`);
  if (inline && !INLINE_TYPES.includes(type)) throw new Error(`Files of the type ${type} are not shown, only saved`);
  return wanted;
}

const endOf = (seconds: number): Date =>
  new Date((Math.floor(clockNow().getTime() / 1000) + Math.ceil(seconds)) * 1000);

const ownUrl = (claims: LinkClaims): string =>
  `${environment().PUBLIC_URL.replace(/\/$/, '')}/api/files/${signLink(claims)}`;

/**
 * The file that a link leads to.
 * @throws AppError not_found, the same whatever is wrong with the link or with who uses it
 */
export async function fileBehindLink(ctx: ManualContext<null>, token: string): Promise<FileAnswer> {
  const link = orNotFound(readLink(token, ctx.now), 'file: the link is not valid, or its time is over');
  const holder = link.for && (await holderOf(ctx, link.key, link.for));
  const file = isFileKey(link.key) ? await fileStorage().get(link.key) : undefined;
  const { content, sizeBytes } = orNotFound(file, 'file: the link is not valid, or its time is over');
  try {
    if (link.for && holder) await auditUse(ctx, link, holder);
  } catch (error) {
    content.destroy();
    throw error;
  }
  return { content, sizeBytes, name: link.name, type: link.type, inline: link.inline };
}

/** Signed by us as it is, a key that leads elsewhere is no file all the same. */
function isFileKey(key: string): boolean {
  try {
    assertFileKey(key);
    return true;
  } catch {
    return false;
  }
}

const tenantOfKey = (key: string): string | null => /^tenants\/([^/]+)\//.exec(key)?.[1] ?? null;

type For = NonNullable<LinkClaims['for']>;

/** @throws AppError not_found for somebody who has left, or may not do this any more */
async function holderOf(ctx: ManualContext<null>, key: string, { userId, permission }: For): Promise<LinkHolder> {
  const refused = new AppError('not_found', 'There is no such file: the link is not valid, or its time is over.');
  const [needed] = knownPermissions([permission]);
  const holder = await ctx.sql.one<LinkHolder>(linkHolder(userId, ctx.client.ip || null));
  if (!needed || !holder?.addressAllowed) throw refused;
  if (holder.type === 'PLATFORM_USER' && holder.tenantId !== tenantOfKey(key)) throw refused;
  const { role, permissions } = await grantsOf(ctx.sql, userId);
  const { allowed } = decideAccess(
    { ...holder, kind: 'user', role, permissions, restriction: null },
    // Exports stay open to a tenant that is shut out (rule 11).
    { permission: needed, openToTenants: true },
  );
  if (!allowed) throw refused;
  return holder;
}

const auditUse = (ctx: ManualContext<null>, { key, for: held }: LinkClaims, { id, name }: LinkHolder): Promise<void> =>
  ctx.transact(async ({ audit }) => {
    const { action, resource, resourceId } = held as For;
    if (!(action in AUDIT_ACTIONS)) throw new Error(`There is no action ${action}`);
    audit({
      action: action as AuditAction,
      resource,
      resourceId,
      tenantId: tenantOfKey(key),
      actor: { id, name },
      details: { by: 'link' },
    });
  });
