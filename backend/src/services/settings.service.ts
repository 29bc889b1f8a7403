import { z } from 'zod';
import type { ReadContext } from '../types/context.ts';
import { sql } from '../utils/sql.ts';

type Setting<Value> = { type: z.ZodType<Value>; default: Value };

/** Every setting: what it may be, and what it is when nobody has set it. */
export const SETTINGS = {
  /** Days of trial that a new tenant gets. */
  'tenants.trial_days': { type: z.number().int().min(0).max(90), default: 14 } as Setting<number>,
  /** Whether portal admins may act in the name of a tenant's people. */
  'support.access_allowed': { type: z.boolean(), default: true } as Setting<boolean>,
};

type SettingKey = keyof typeof SETTINGS;

/**
 * The value that holds for the tenant of the context: its own, else the platform's, else the default. A stored value
 * that no longer fits its type counts as not set, and is logged.
 */
export async function settingOf<Key extends SettingKey>(
  ctx: Pick<ReadContext, 'sql' | 'tenantId' | 'log'>,
  key: Key,
): Promise<(typeof SETTINGS)[Key]['default']> {
  const setting = SETTINGS[key];
  const stored = await ctx.sql.many<{ value: unknown; tenantId: string | null }>(sql`
    select value, tenant_id as "tenantId" from settings
     where key = ${key} and (tenant_id = ${ctx.tenantId} or tenant_id is null) order by tenant_id nulls last`);
  for (const { value, tenantId } of stored) {
    const read = setting.type.safeParse(value);
    if (read.success) return read.data;
    ctx.log.warn('A stored setting does not fit its type and counts as not set', { key, tenantId });
  }
  return setting.default;
}
