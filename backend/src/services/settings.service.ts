import { environment } from '../config/environment.ts';
import {
  settingDefinition,
  type SettingDefinition,
  type SettingKey,
  type SettingValue,
  type ValueOf,
} from '../config/settings.ts';
import type { ReadContext, WriteContext } from '../types/context.ts';
import { AppError, invalidField } from '../utils/errors.ts';
import { seal, unseal } from '../utils/secret-box.ts';
import { lockSetting, settingRows, storedFor, type SettingRow, type StoredSetting } from './settings.queries.ts';

/** Where a value comes from: the first of these that there is. */
export type SettingLayer = 'tenant' | 'platform' | 'environment' | 'default';

/** Whose setting it is. */
export type SettingOwner = {
  /** Null: the platform. */
  tenantId: string | null;
  /** The version that the caller has seen; 0 before the first change. Without it the change is made whatever there is. */
  seenVersion?: number;
};

/**
 * The value that holds for the tenant of the context: its own, else the platform's, else that of the environment, else
 * the default. A stored value that no longer fits its type counts as not set, and is logged. Secrets of the platform
 * cannot be read within a tenant.
 */
export async function settingOf<Key extends SettingKey>(
  ctx: Pick<ReadContext, 'sql' | 'tenantId' | 'log'>,
  key: Key,
): Promise<ValueOf<Key>> {
  const stored = await ctx.sql.many<StoredSetting>(storedFor([key], ctx.tenantId));
  return effectiveValue(ctx, key, stored).value as ValueOf<Key>;
}

/** The values of several settings, as `settingOf` gives each, in one round trip. */
export async function settingsOf<Key extends SettingKey>(
  ctx: Pick<ReadContext, 'sql' | 'tenantId' | 'log'>,
  keys: readonly Key[],
): Promise<{ [Each in Key]: ValueOf<Each> }> {
  const stored = await ctx.sql.many<StoredSetting>(storedFor(keys, ctx.tenantId));
  const values = keys.map((key) => [key, effectiveValue(ctx, key, stored).value]);
  return Object.fromEntries(values) as { [Each in Key]: ValueOf<Each> };
}

/** The value that holds, and why, given what is stored: a tenant's own before the platform's. */
export function effectiveValue(
  ctx: Pick<ReadContext, 'log'>,
  key: SettingKey,
  stored: readonly StoredSetting[],
): { value: SettingValue | null; layer: SettingLayer } {
  const definition = settingDefinition(key);
  for (const row of stored) {
    if (row.key !== key || !mayBelongTo(definition, row.tenantId)) continue;
    const value = readStored(key, row.tenantId, row);
    if (value !== undefined) return { value, layer: row.tenantId === null ? 'platform' : 'tenant' };
    ctx.log.warn('A stored setting does not fit its type and counts as not set', { key, tenantId: row.tenantId });
  }
  const configured = definition.environment?.(environment());
  if (configured !== undefined) return { value: configured, layer: 'environment' };
  return { value: definition.default, layer: 'default' };
}

const mayBelongTo = ({ scope }: SettingDefinition, tenantId: string | null): boolean =>
  scope === 'both' || scope === (tenantId === null ? 'platform' : 'tenant');

/** The stored value as it is meant; undefined when it does not fit its type, or can no longer be opened. */
export function readStored(
  key: SettingKey,
  tenantId: string | null,
  { value, secret }: { value: unknown; secret: boolean | null },
): SettingValue | undefined {
  const { type } = settingDefinition(key);
  if (!secret) return type.safeParse(value).data;
  try {
    return type.safeParse(JSON.parse(unseal(String(value), purposeOf(key, tenantId)))).data;
  } catch {
    return undefined;
  }
}

const purposeOf = (key: SettingKey, tenantId: string | null): string => `setting:${tenantId ?? 'platform'}:${key}`;

/** The value as its type takes it. @throws AppError validation_failed, naming `field` of the body */
export function checkedValue(key: SettingKey, value: unknown, field = 'value'): SettingValue {
  const read = settingDefinition(key).type.safeParse(value);
  if (read.success) return read.data;
  throw invalidField(field, read.error.issues[0]?.message ?? 'does not fit the setting');
}

/**
 * Sets a value, in the transaction of the context, with its revision and its audit row: the only way to write one.
 * @throws AppError validation_failed when it does not fit; version_mismatch when somebody else was faster;
 *   tenant_mismatch within another space; conflict for a setting that the owner cannot have
 */
export async function setSetting<Key extends SettingKey>(
  ctx: WriteContext,
  key: Key,
  value: SettingValue,
  owner: SettingOwner,
): Promise<SettingRow> {
  return writeSetting(ctx, key, checkedValue(key, value), owner);
}

/** Puts a setting back to its default: like `setSetting`, and nothing where it is not set. */
export async function resetSetting(ctx: WriteContext, key: SettingKey, owner: SettingOwner): Promise<SettingRow> {
  return writeSetting(ctx, key, undefined, owner);
}

/** @param value undefined: back to the default */
async function writeSetting(
  ctx: WriteContext,
  key: SettingKey,
  value: SettingValue | undefined,
  { tenantId, seenVersion }: SettingOwner,
): Promise<SettingRow> {
  assertWithinSpace(ctx, key, tenantId);
  const before = await lockedSetting(ctx, key, tenantId);
  assertSeen(before, seenVersion);
  if (value === undefined && before.id === null) {
    ctx.audit({ resource: 'setting', resourceId: key, tenantId, details: { note: 'It was not set' } });
    return before;
  }
  const version = before.version + 1;
  const secret = settingDefinition(key).secret ?? false;
  const stored = value !== undefined && secret ? seal(JSON.stringify(value), purposeOf(key, tenantId)) : value;
  await storeSetting(ctx, before, { tenantId, key, version, secret, value: stored });
  const shown = secret || before.secret ? { secret: 'changed' } : undefined;
  ctx.audit({
    resource: 'setting',
    resourceId: key,
    tenantId,
    ...(shown ? { details: shown } : { before: { value: before.value }, after: { value: stored ?? null } }),
  });
  const [after] = await ctx.sql.many<SettingRow>(settingRows([key], tenantId));
  return after as SettingRow;
}

type Change = { tenantId: string | null; key: SettingKey; version: number; secret: boolean; value?: SettingValue };

async function storeSetting(ctx: WriteContext, before: SettingRow, change: Change): Promise<void> {
  const { value, ...rest } = change;
  if (value === undefined) await ctx.db.setting.delete({ where: { id: before.id ?? '' } });
  else if (before.id === null) await ctx.db.setting.create({ data: { ...rest, value } });
  else await ctx.db.setting.update({ where: { id: before.id }, data: { ...rest, value } });
  const { actor } = ctx;
  const who = actor?.impersonation
    ? { changedById: actor.impersonation.adminId, changedBy: actor.impersonation.adminName }
    : { changedById: actor?.id ?? null, changedBy: actor?.name ?? null };
  // Now, and not when the request began: the history is in the order in which changes got the lock.
  await ctx.db.settingRevision.create({
    data: { ...rest, ...(value === undefined ? { removed: true } : { value }), ...who, createdAt: new Date() },
  });
}

/** The setting as it is, which nobody else changes until the end of the transaction. */
export async function lockedSetting(ctx: WriteContext, key: SettingKey, tenantId: string | null): Promise<SettingRow> {
  await ctx.sql.one(lockSetting(key, tenantId));
  const [row] = await ctx.sql.many<SettingRow>(settingRows([key], tenantId));
  return row as SettingRow;
}

function assertSeen({ key, version }: SettingRow, seenVersion: number | undefined): void {
  if (seenVersion === undefined || seenVersion === version) return;
  throw new AppError(
    'version_mismatch',
    `Somebody has changed ${key} since you read it. Read it again and repeat your change.`,
    { key, version },
  );
}

function assertWithinSpace(ctx: WriteContext, key: SettingKey, tenantId: string | null): void {
  if (!mayBelongTo(settingDefinition(key), tenantId)) {
    const whose = tenantId === null ? 'each tenant has its own, the platform none' : 'only the platform has it';
    throw new AppError('conflict', `${key} cannot be set here: ${whose}.`);
  }
  if (ctx.tenantId !== null && ctx.tenantId !== tenantId) {
    throw new AppError(
      'tenant_mismatch',
      'x-tenant-id names a tenant. Leave it out to change what lies outside of it.',
    );
  }
}
