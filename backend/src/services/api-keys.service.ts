import type { z } from 'zod';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { apiKeyOf, keySecretHash, newKeyPrefix, newKeySecret } from '../utils/api-key.ts';
import { AppError, invalidField, orNotFound } from '../utils/errors.ts';
import { page } from '../utils/page.ts';
import type { apiKey, createApiKeyBody } from '../validators/api-keys.validator.ts';
import {
  apiKeyById,
  apiKeyRows,
  lockApiKey,
  setAllowedNetworks,
  type ApiKeyFilter,
  type LockedKey,
} from './api-keys.queries.ts';
import { assertOutsideTenants } from './platform-space.policy.ts';
import { actingPerson, assertCovers } from './privilege.policy.ts';

type ApiKeyView = z.input<typeof apiKey>;

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const DEFAULT_DAYS = 90;
const MOST_DAYS = 366;

export const listApiKeys = (ctx: ReadContext, filter: ApiKeyFilter) =>
  page<ApiKeyView>(ctx, filter, apiKeyRows(filter));

const viewOf = async (ctx: WriteContext, id: string): Promise<ApiKeyView> =>
  orNotFound(await ctx.sql.one<ApiKeyView>(apiKeyById(id)), 'API key');

/**
 * Makes a key for the caller, who holds what it is scoped for.
 * @returns the key with its secret, which is kept nowhere
 * @throws AppError exceeds_own_permissions; validation_failed for an end in the past or more than a year away
 */
export async function createApiKey(ctx: WriteContext<Actor>, input: z.output<typeof createApiKeyBody>) {
  assertOutsideTenants(ctx);
  const { name, scopes, allowedNetworks } = input;
  assertCovers(ctx.actor, scopes, 'This key');
  const expiresAt = endOf(ctx.now, input.expiresAt);
  const [prefix, secret] = [newKeyPrefix(), newKeySecret()];
  const { id } = await ctx.db.apiKey.create({
    data: {
      tenantId: ctx.actor.tenantId,
      name,
      prefix,
      secretHash: keySecretHash(secret),
      scopes,
      allowedNetworks: [],
      createdById: actingPerson(ctx.actor),
      createdAt: ctx.now,
      expiresAt,
    },
    select: { id: true },
  });
  if (allowedNetworks.length > 0) await ctx.db.$executeRaw(setAllowedNetworks(id, allowedNetworks));
  ctx.audit({ resource: 'api_key', resourceId: id, after: { name, prefix, scopes, allowedNetworks, expiresAt } });
  return { ...(await viewOf(ctx, id)), key: apiKeyOf({ prefix, secret }) };
}

function endOf(now: Date, wished: Date | undefined): Date {
  if (!wished) return new Date(now.getTime() + DEFAULT_DAYS * DAY_MS);
  const days = (wished.getTime() - now.getTime()) / DAY_MS;
  if (days > 0 && days <= MOST_DAYS) return wished;
  throw invalidField('expiresAt', days > 0 ? 'must be within a year' : 'must lie in the future');
}

/**
 * Gives the key a new secret; the old one works on for a while. Only whoever made it can: it acts in their name.
 * @throws AppError conflict for a key that no longer works, or whose last overlap is not over
 */
export async function rotateApiKey(ctx: WriteContext<Actor>, id: string, overlapHours: number) {
  assertOutsideTenants(ctx);
  const locked = orNotFound(await ctx.sql.one<LockedKey>(lockApiKey(id)), 'API key');
  if (locked.createdById !== actingPerson(ctx.actor)) {
    throw new AppError('forbidden', 'A key acts in the name of whoever made it. Revoke it, and make one of your own.');
  }
  if (!locked.works) throw new AppError('conflict', 'This key works no more. Make a new one.');
  if (locked.previousWorks && overlapHours > 0) {
    const until = locked.previousExpiresAt?.toISOString();
    throw new AppError(
      'conflict',
      `It was rotated already, and the secret before works until ${until}. Wait, or rotate with overlapHours 0 to end both.`,
    );
  }
  const secret = newKeySecret();
  const overlapEnd = Math.min(ctx.now.getTime() + overlapHours * HOUR_MS, locked.expiresAt.getTime());
  await ctx.db.apiKey.update({
    where: { id },
    data: {
      secretHash: keySecretHash(secret),
      previousSecretHash: locked.secretHash,
      previousExpiresAt: new Date(overlapEnd),
      rotatedAt: ctx.now,
    },
  });
  ctx.audit({
    resource: 'api_key',
    resourceId: id,
    tenantId: locked.tenantId,
    details: { name: locked.name, prefix: locked.prefix, overlapHours },
  });
  return { ...(await viewOf(ctx, id)), key: apiKeyOf({ prefix: locked.prefix, secret }) };
}

/** Ends a key at once, both of its secrets. @throws AppError conflict when it was revoked already */
export async function revokeApiKey(ctx: WriteContext<Actor>, id: string): Promise<ApiKeyView> {
  const locked = orNotFound(await ctx.sql.one<LockedKey>(lockApiKey(id)), 'API key');
  if (locked.revoked) throw new AppError('conflict', 'This key was revoked already.');
  await ctx.db.apiKey.update({
    where: { id },
    data: { revokedAt: ctx.now, revokedById: actingPerson(ctx.actor), previousExpiresAt: null },
  });
  ctx.audit({
    resource: 'api_key',
    resourceId: id,
    tenantId: locked.tenantId,
    details: { name: locked.name, prefix: locked.prefix },
  });
  return viewOf(ctx, id);
}
