import { createHash } from 'node:crypto';
import { idPattern } from './ids.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** The families of the source design, and how long what they hold is good for, in seconds. */
const SECONDS = {
  users: 5 * MINUTE,
  tenant: 10 * MINUTE,
  subscriptions: HOUR,
  credits: 5 * MINUTE,
  analytics: HOUR,
} as const;
const REPORT_SECONDS = 6 * HOUR;

export type CacheFamily = keyof typeof SECONDS;

/** In whose space a key lies that belongs to no tenant: portal admins, and figures over all tenants. */
export const PLATFORM_SPACE = 'platform';

declare const isBuilt: unique symbol;

/** Where something is kept in the cache. Only `cacheKey` makes one, so that none is without its tenant. */
export type CacheKey = {
  family: CacheFamily;
  /** The id of the tenant, or `PLATFORM_SPACE`. */
  space: string;
  /** The key as the source design writes it, such as `analytics:{tenantId}:{date}`, then the variant if there is one. */
  path: string;
  seconds: number;
  [isBuilt]: true;
};

/** Longer parts are kept as their hash: Redis keys are held in memory as well. */
const LONGEST_PART = 100;

/** Encoded, so that no part of a key can pass for two, and none for the hash of another. */
function encodedPart(part: string): string {
  const encoded = part.isWellFormed() ? encodeURIComponent(part) : undefined;
  if (encoded !== undefined && encoded.length <= LONGEST_PART) return encoded;
  return `@${createHash('sha256').update(part, 'utf16le').digest('base64url')}`;
}

function build(family: CacheFamily, space: string, parts: readonly (string | undefined)[], seconds?: number): CacheKey {
  if (space !== PLATFORM_SPACE && !idPattern.test(space))
    throw new Error(`No tenant for a key of the cache: ${family}`);
  const given = parts.filter((part) => part !== undefined);
  if (given.includes('')) throw new Error(`An empty part of a key of the cache: ${family}`);
  const path = [family, ...given.map(encodedPart)].join(':');
  return { family, space, path, seconds: seconds ?? SECONDS[family] } as CacheKey;
}

type Analytics = {
  /** The day that the figures are of, `YYYY-MM-DD`. */
  date: string;
  /** Which figures, and with which filter if there are several. */
  of: string;
};

/**
 * The keys of everything that is cached. Each takes the tenant, or `PLATFORM_SPACE`, and the tenant is part of the key
 * in Redis, so that two tenants never share one. `variant` tells apart several things of one key, such as a profile
 * and its permissions.
 * @throws Error for a tenant that is no id
 */
export const cacheKey = {
  /** Of one person; 5 minutes. */
  users: (space: string, userId: string, variant?: string) => build('users', space, [userId, variant]),
  /** Of the tenant itself; 10 minutes. */
  tenant: (space: string, variant?: string) => build('tenant', space, [space, variant]),
  /** 1 hour. */
  subscriptions: (space: string, variant?: string) => build('subscriptions', space, [space, variant]),
  /** 5 minutes. Never to decide whether something can be paid: that is asked of the wallet, under its lock. */
  credits: (space: string, variant?: string) => build('credits', space, [space, variant]),
  /** Figures of a day; 1 hour. */
  analytics: (space: string, { date, of }: Analytics) => build('analytics', space, [space, date, of]),
  /** Figures that are dear to compute and need not be of the hour; 6 hours. */
  report: (space: string, { date, of }: Analytics) =>
    build('analytics', space, [space, date, 'report', of], REPORT_SECONDS),
};

/**
 * The names in Redis. The braces keep all that belongs to a tenant on one node of a cluster, where scripts need it.
 */
export const namesInSpace = (space: string) => ({
  /** What every value of the tenant must agree with; another one, and all of them are gone. */
  generation: `cache:{${space}}:generation`,
  /** The keys of the tenant that hold something, by when it ends. */
  keys: `cache:{${space}}:keys`,
});

export const namesOf = ({ space, path }: CacheKey) => ({
  ...namesInSpace(space),
  value: `cache:{${space}}:value:${path}`,
  lease: `cache:{${space}}:lease:${path}`,
});
