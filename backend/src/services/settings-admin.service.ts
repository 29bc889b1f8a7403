import { z } from 'zod';
import { permissionCodes } from '../config/permissions.ts';
import {
  isSettingKey,
  settingDefinition,
  settingKeys,
  settingKeysOf,
  type SettingKey,
  type SettingValue,
} from '../config/settings.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import type { bulkBody, definition, effectiveSetting, setting } from '../validators/settings.validator.ts';
import { assertCovers } from './privilege.policy.ts';
import { settingRows, storedFor, type SettingRow, type StoredSetting } from './settings.queries.ts';
import { checkedValue, effectiveValue, resetSetting, setSetting, type SettingOwner } from './settings.service.ts';
import { tenantExists } from './tenants.queries.ts';

// Settings as the people see and change them who look after the platform. Other modules read and write single ones
// through settings.service.ts.

type SettingView = z.input<typeof setting>;

/** @throws AppError not_found */
export const knownKey = (key: string): SettingKey => orNotFound(isSettingKey(key) ? key : undefined, 'setting');

/** What may be shown of a value. */
export const shownValue = (key: SettingKey, value: unknown, secret = false) =>
  secret || settingDefinition(key).secret
    ? { set: value !== null && value !== undefined }
    : ((value ?? null) as SettingValue | null);

const definitions = settingKeys.map((key): z.input<typeof definition> => {
  const {
    group,
    description,
    scope,
    secret,
    consent,
    probe,
    type,
    example,
    default: fallback,
  } = settingDefinition(key);
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io: 'input' });
  return {
    key,
    group,
    description,
    scope,
    secret: secret ?? false,
    consent: consent ?? false,
    probe: probe ?? null,
    default: fallback,
    example,
    schema,
  };
});

export const listDefinitions = () => Promise.resolve(definitions);

export const settingView = (row: SettingRow, tenantId: string | null): SettingView => ({
  key: row.key,
  tenantId,
  stored: row.id !== null,
  value: shownValue(row.key, row.value, row.secret ?? false),
  default: settingDefinition(row.key).default,
  version: row.version,
  updatedAt: row.updatedAt,
});

/** The settings of the platform, with what is stored. */
export async function listSettings(ctx: ReadContext<Actor>): Promise<SettingView[]> {
  assertOutsideTenants(ctx);
  const rows = await ctx.sql.many<SettingRow>(settingRows(settingKeysOf('platform'), null));
  return rows.map((row) => settingView(row, null));
}

/** The settings that a tenant can have of its own. @throws AppError not_found */
export async function listTenantSettings(ctx: ReadContext<Actor>, tenantId: string): Promise<SettingView[]> {
  const rows = await ofTenant<SettingRow>(ctx, tenantId, settingRows(settingKeysOf('tenant'), tenantId));
  return rows.map((row) => settingView(row, tenantId));
}

/**
 * What holds, for the platform or for a tenant, and where it comes from.
 * @throws AppError not_found for a tenant that is not there, or not the one of the context
 */
export async function listEffective(
  ctx: ReadContext<Actor>,
  { tenantId = ctx.tenantId ?? undefined }: { tenantId?: string },
): Promise<z.input<typeof effectiveSetting>[]> {
  const keys = settingKeysOf(tenantId === undefined ? 'platform' : 'tenant');
  const query = storedFor(keys, tenantId ?? null);
  const stored = await (tenantId === undefined
    ? ctx.sql.many<StoredSetting>(query)
    : ofTenant<StoredSetting>(ctx, tenantId, query));
  return keys.map((key) => {
    const { value, layer } = effectiveValue(ctx, key, stored);
    return { key, value: shownValue(key, value), layer };
  });
}

/** @param owner the version is the one that the caller has seen */
export async function changeSetting(
  ctx: WriteContext<Actor>,
  key: string,
  value: SettingValue,
  owner: SettingOwner,
): Promise<SettingView> {
  const known = await assertMayChange(ctx, key, owner.tenantId);
  return settingView(await setSetting(ctx, known, value, owner), owner.tenantId);
}

/** Back to the default. */
export async function removeSetting(ctx: WriteContext<Actor>, key: string, owner: SettingOwner): Promise<SettingView> {
  const known = await assertMayChange(ctx, key, owner.tenantId);
  return settingView(await resetSetting(ctx, known, owner), owner.tenantId);
}

/** Several settings of the platform: all, or none of them. */
export async function changeSettings(
  ctx: WriteContext<Actor>,
  { settings }: z.output<typeof bulkBody>,
): Promise<SettingView[]> {
  const changes: { key: SettingKey; value: SettingValue; version: number }[] = [];
  for (const [index, { key, value, version }] of settings.entries()) {
    const known = await assertMayChange(ctx, key, null);
    changes.push({ key: known, value: checkedValue(known, value, `settings.${index}.value`), version });
  }
  const views = new Map<string, SettingView>();
  // In one order, so that two of them at once cannot wait for each other.
  for (const { key, value, version } of changes.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
    const row = await setSetting(ctx, key, value, { tenantId: null, seenVersion: version });
    views.set(key, settingView(row, null));
  }
  return settings.map(({ key }) => views.get(key) as SettingView);
}

/**
 * Whether the caller may change this setting of this owner.
 * @throws AppError not_found, tenant_mismatch, forbidden, step_up_required, exceeds_own_permissions
 */
export async function assertMayChange(
  ctx: WriteContext<Actor>,
  key: string,
  tenantId: string | null,
): Promise<SettingKey> {
  const known = knownKey(key);
  if (tenantId === null) assertOutsideTenants(ctx);
  else orNotFound(await ctx.sql.one(tenantExists(tenantId)), 'tenant');
  const { consent, secret, carriesEverybodysMail } = settingDefinition(known);
  if (consent) throw new AppError('forbidden', `${key} is the consent of the tenant: only its own people change it.`);
  if (secret) assertProven(ctx);
  // A mail lets somebody choose a new password: who chooses where mails go could become anybody (rule 5).
  if (carriesEverybodysMail) assertCovers(ctx.actor, permissionCodes, 'Somebody whose mails go this way');
  return known;
}

/** Credentials are changed by a person who has just proved who they are (rule 4). */
function assertProven({ actor, now }: WriteContext<Actor>): void {
  if (actor.kind === 'apiKey') {
    throw new AppError(
      'forbidden',
      'A secret is changed by a person who proves who they are: an API key cannot do it.',
    );
  }
  if (!actor.elevatedUntil || actor.elevatedUntil <= now) {
    throw new AppError(
      'step_up_required',
      'Prove again that it is you (POST /api/auth/step-up), then change the secret within ten minutes.',
    );
  }
}

/** @throws AppError tenant_mismatch */
export function assertOutsideTenants({ tenantId }: ReadContext): void {
  if (tenantId === null) return;
  throw new AppError('tenant_mismatch', 'x-tenant-id names a tenant. Leave it out: this is about the platform.');
}

async function ofTenant<Row>(
  ctx: ReadContext,
  tenantId: string,
  query: ReturnType<typeof settingRows>,
): Promise<Row[]> {
  const [rows, [tenant]] = await ctx.sql.batch<[Row[], unknown[]]>(query, tenantExists(tenantId));
  orNotFound(tenant, 'tenant');
  return rows;
}
