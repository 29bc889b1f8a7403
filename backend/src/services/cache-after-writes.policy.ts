import type { CacheKey } from '../utils/cache-key.ts';
import { analyticsKey } from './tenant-analytics.service.ts';

type Written = { resource: string; tenantId: string | null };

/** A transaction is over by then: what is asked for after it may be of the next day. */
const LONGEST_TRANSACTION_MS = 60_000;

/** What the figures of a tenant count. */
const counted = new Set(['person', 'user', 'library', 'people_import']);

/**
 * Which kept values a transaction makes stale, by what it has audited: every write leaves a row that says what it
 * changed and of which tenant, so that none is forgotten to be named here by its own service.
 */
export function staleAfter(written: readonly Written[]): CacheKey[] {
  // Not when the job began, which may be long ago.
  const now = new Date();
  const tenants = written.flatMap(({ resource, tenantId }) => (tenantId && counted.has(resource) ? [tenantId] : []));
  const days = [now, new Date(now.getTime() + LONGEST_TRANSACTION_MS)];
  const keys = [...new Set(tenants)].flatMap((tenantId) => days.map((day) => analyticsKey(tenantId, day)));
  return keys.filter(({ path }, index) => keys.findIndex((key) => key.path === path) === index);
}
