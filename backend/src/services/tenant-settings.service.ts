import type { z } from 'zod';
import {
  isSettingKey,
  settingDefinition,
  settingKeysOf,
  type SettingKey,
  type SettingValue,
} from '../config/settings.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, invalidField, orNotFound } from '../utils/errors.ts';
import type { tenantSetting, tenantSettingsBody } from '../validators/tenant-profile.validator.ts';
import { assertMayChange, settingView, shownValue } from './settings-admin.service.ts';
import { settingRows, storedFor, type SettingRow, type StoredSetting } from './settings.queries.ts';
import { checkedValue, effectiveValue, resetSetting, setSetting } from './settings.service.ts';
import { tenantExists } from './tenants.queries.ts';

type TenantSetting = z.input<typeof tenantSetting>;
type Change = { key: SettingKey; value: SettingValue | null; version: number };

/** What a tenant sees and sets by itself: its own settings, without secrets. */
const ownKeys = settingKeysOf('tenant').filter((key) => !settingDefinition(key).secret);

/**
 * The settings that a tenant can have of its own, with what holds and where that comes from.
 * @throws AppError not_found
 */
export async function listOwnSettings(ctx: ReadContext, tenantId: string): Promise<TenantSetting[]> {
  const [rows, stored, [tenant]] = await ctx.sql.batch<[SettingRow[], StoredSetting[], unknown[]]>(
    settingRows(ownKeys, tenantId),
    storedFor(ownKeys, tenantId),
    tenantExists(tenantId),
  );
  orNotFound(tenant, 'tenant');
  return rows.map((row) => {
    const { group, description, consent = false } = settingDefinition(row.key);
    const { value, layer } = effectiveValue(ctx, row.key, stored);
    const { tenantId: _, ...own } = settingView(row, tenantId);
    return { ...own, group, description, consent, effective: { value: shownValue(row.key, value), layer } };
  });
}

/**
 * Changes several settings of a tenant: all of them, or none.
 * @throws AppError not_found, forbidden, validation_failed, version_mismatch
 */
export async function changeOwnSettings(
  ctx: WriteContext<Actor>,
  tenantId: string,
  { settings }: z.output<typeof tenantSettingsBody>,
): Promise<TenantSetting[]> {
  assertMaySetForOthers(ctx.actor);
  const changes: Change[] = [];
  for (const [index, { key, value, version }] of settings.entries()) {
    const own = ownKey(key, `settings.${index}.key`);
    await assertMayChange(ctx, own, tenantId);
    const checked = value === null ? null : checkedValue(own, value, `settings.${index}.value`);
    changes.push({ key: own, value: checked, version });
  }
  // In one order, so that two of them at once cannot wait for each other.
  for (const { key, value, version } of changes.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
    const owner = { tenantId, seenVersion: version };
    if (value === null) await resetSetting(ctx, key, owner);
    else await setSetting(ctx, key, value, owner);
  }
  return listOwnSettings(ctx, tenantId);
}

/** An admin needs here what they need to change settings anywhere: looking after tenants is not enough. */
function assertMaySetForOthers({ type, permissions }: Actor): void {
  if (type === 'PLATFORM_USER' || permissions.has('settings.update')) return;
  throw new AppError('forbidden', 'An admin needs the permission settings.update to change the settings of a tenant.');
}

/** @throws AppError validation_failed for what is no setting of a tenant's own, or is changed elsewhere */
function ownKey(key: string, field: string): SettingKey {
  const own = isSettingKey(key) && ownKeys.includes(key) ? key : undefined;
  if (!own) throw invalidField(field, 'is no setting that a tenant has of its own');
  if (settingDefinition(own).consent) {
    throw invalidField(field, 'is the consent to support: change it with PUT /api/tenants/{id}/support-access');
  }
  return own;
}
