import { LRUCache } from 'lru-cache';
import { knownPermissions } from '../config/permissions.ts';
import type { Actor, WriteContext } from '../types/context.ts';
import { isKeySecret, parseApiKey } from '../utils/api-key.ts';
import {
  creatorOfKey,
  lockKey,
  noteLastUse,
  principalOfKey,
  refusalIsKnown,
  useIsKnown,
  type KeyRow,
} from './api-key-principal.queries.ts';
import { readContext, runInTransaction, type ContextBase } from './context.service.ts';
import type { HeldOverride, HeldRole } from './effective-permissions.policy.ts';
import { overridesOf, rolesOf } from './principal.queries.ts';
import { addressRefused, grantsFrom, type Grants } from './principal.service.ts';
import { raiseSecurityEvent } from './security-events.service.ts';

/** Why a key whose secret is right is refused all the same. */
type Refusal = 'revoked' | 'expired' | 'rotated' | 'creator_left' | 'network' | 'address_rule';

/** What this process knows to be in the trail, for ten minutes: it need not ask the database again. */
const known = new LRUCache<string, true>({ max: 20_000, ttl: 600_000 });

/**
 * The key behind a request, and who made it: it may do what it is scoped for, as far as its creator may do that now
 * (rule 8).
 * @param base in the scope of sign-in
 * @returns undefined for every key that does not work; the reason is told to the trail and not to the caller
 * @throws AppError address_refused for a good key that comes from elsewhere
 */
export async function actorOfApiKey(base: ContextBase<null>, token: string): Promise<Actor | undefined> {
  const parts = parseApiKey(token);
  if (!parts) return undefined;
  const creator = creatorOfKey(parts.prefix);
  const [[row], roles, overrides] = await readContext(base).sql.batch<[KeyRow[], HeldRole[], HeldOverride[]]>(
    principalOfKey(parts.prefix, base.client.ip || null),
    rolesOf(creator),
    overridesOf(creator),
  );
  const isCurrent = isKeySecret(parts.secret, row?.secretHash);
  const isPrevious = isKeySecret(parts.secret, row?.previousSecretHash);
  // The prefix is no secret: who knows nothing more leaves no trace of having used the key.
  if (!row || (!isCurrent && !isPrevious)) return undefined;
  const actor = actorFrom(row, grantsFrom(roles, overrides));
  const refusal = refusalOf(row, isCurrent);
  if (refusal) {
    await noteRefusal({ ...base, actor, tenantId: row.tenantId }, refusal);
    if (refusal === 'network' || refusal === 'address_rule') throw addressRefused();
    return undefined;
  }
  await noteUse({ ...base, actor, tenantId: row.tenantId }, row.stale);
  return actor;
}

function refusalOf(row: KeyRow, isCurrent: boolean): Refusal | undefined {
  if (row.revoked) return 'revoked';
  if (row.expired) return 'expired';
  if (!isCurrent && !row.previousWorks) return 'rotated';
  if (!row.creatorIsThere) return 'creator_left';
  if (!row.networkAllowed) return 'network';
  return row.addressAllowed ? undefined : 'address_rule';
}

function actorFrom(row: KeyRow, grants: Grants): Actor {
  const scopes = knownPermissions(row.scopes);
  return {
    id: row.id,
    kind: 'apiKey',
    type: row.creatorType,
    name: row.name,
    email: row.creatorEmail,
    role: grants.role,
    permissions: new Set([...scopes].filter((scope) => grants.permissions.has(scope))),
    tenantId: row.tenantId,
    tenantStatus: row.tenantStatus,
    sessionId: '',
    elevatedUntil: null,
    restriction: null,
    impersonation: null,
    creator: { id: row.creatorId, name: row.creatorName },
  };
}

type KeyBase = ContextBase<Actor>;

/**
 * Notes the last use, a minute apart at most, and in the trail the first of a day from an address. That it cannot be
 * noted is no reason to refuse the request.
 */
async function noteUse(base: KeyBase, stale: boolean): Promise<void> {
  const { actor, client, now, log } = base;
  const use = `${actor.id}|${client.ip}|${now.toISOString().slice(0, 15)}`;
  if (!stale && known.has(use)) return;
  const ip = client.ip || null;
  try {
    await runInTransaction<Actor, void>(base, { action: 'security.api_key_use' }, async (ctx) => {
      await ctx.sql.one(lockKey(actor.id));
      await ctx.db.$executeRaw(noteLastUse(actor.id, ip));
      if (known.has(use) || (await ctx.sql.one(useIsKnown(actor.id, ip)))) return;
      ctx.audit({ resource: 'api_key', resourceId: actor.id });
    });
    known.set(use, true);
  } catch (error) {
    log.warn('The use of an API key could not be noted', { key: actor.id, error });
  }
}

/** Somebody still uses what should be used no more, or uses it where it should not be: once in ten minutes. */
async function noteRefusal(base: KeyBase, reason: Refusal): Promise<void> {
  const { actor, log } = base;
  const refused = `${actor.id}|${reason}`;
  if (known.has(refused)) return;
  try {
    await runInTransaction<Actor, void>(base, { action: 'security.api_key_refused' }, (ctx) =>
      recordRefusedKey(ctx, reason),
    );
    known.set(refused, true);
  } catch (error) {
    log.warn('The refusal of an API key could not be noted', { key: actor.id, error });
  }
}

async function recordRefusedKey(ctx: WriteContext<Actor>, reason: Refusal): Promise<void> {
  const { id, creator } = ctx.actor;
  await ctx.sql.one(lockKey(id));
  if (await ctx.sql.one(refusalIsKnown(id, reason))) return;
  await raiseSecurityEvent(ctx, {
    type: 'KEY_MISUSE',
    userId: creator?.id ?? null,
    apiKeyId: id,
    details: { reason },
  });
  ctx.audit({ resource: 'api_key', resourceId: id, outcome: 'DENIED', details: { reason } });
}
