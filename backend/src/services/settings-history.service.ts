import type { z } from 'zod';
import type { SettingKey, SettingValue } from '../config/settings.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { page } from '../utils/page.ts';
import type { historyQuery, revision, rollbackBody, setting } from '../validators/settings.validator.ts';
import { assertMayChange, assertOutsideTenants, knownKey, settingView, shownValue } from './settings-admin.service.ts';
import { revisionOf, revisionRows, type RevisionRow } from './settings.queries.ts';
import { lockedSetting, readStored, resetSetting, setSetting } from './settings.service.ts';
import { tenantExists } from './tenants.queries.ts';

type HistoryRow = {
  version: number;
  removed: boolean;
  secret: boolean;
  before: unknown;
  beforeSecret: boolean | null;
  after: unknown;
  createdAt: Date;
  changedById: string | null;
  changedBy: string | null;
};

/** Every change of a setting, of the platform or of a tenant. @throws AppError not_found */
export async function listHistory(ctx: ReadContext<Actor>, key: string, query: z.output<typeof historyQuery>) {
  const known = knownKey(key);
  const tenantId = query.tenantId ?? null;
  if (tenantId === null) assertOutsideTenants(ctx);
  const { items, meta } = await page<HistoryRow>(ctx, query, {
    ...revisionRows(known, tenantId, query.order),
    ...(tenantId !== null && { parent: { of: tenantExists(tenantId), what: 'tenant' } }),
  });
  return { items: items.map((row) => revisionView(known, row)), meta };
}

const revisionView = (key: SettingKey, row: HistoryRow): z.input<typeof revision> => ({
  version: row.version,
  removed: row.removed,
  before: shownValue(key, row.before, row.beforeSecret ?? row.secret),
  after: shownValue(key, row.after, row.secret),
  changedBy: row.changedBy === null && row.changedById === null ? null : { id: row.changedById, name: row.changedBy },
  createdAt: row.createdAt,
});

/**
 * Sets the value of an earlier version anew, as a new version; a secret too, without showing it.
 * @throws AppError not_found, version_mismatch; conflict when the value no longer fits or can no longer be opened
 */
export async function rollbackSetting(
  ctx: WriteContext<Actor>,
  key: string,
  { version, tenantId = null }: Omit<z.output<typeof rollbackBody>, 'tenantId'> & { tenantId?: string | null },
  seenVersion?: number,
): Promise<z.input<typeof setting>> {
  const known = await assertMayChange(ctx, key, tenantId);
  const owner = { tenantId, seenVersion };
  await lockedSetting(ctx, known, tenantId);
  const found = orNotFound(await ctx.sql.one<RevisionRow>(revisionOf(known, tenantId, version)), 'version');
  const row = found.removed
    ? await resetSetting(ctx, known, owner)
    : await setSetting(ctx, known, valueOf(known, tenantId, found), owner);
  return settingView(row, tenantId);
}

function valueOf(key: SettingKey, tenantId: string | null, found: RevisionRow): SettingValue {
  const value = readStored(key, tenantId, found);
  if (value !== undefined) return value;
  throw new AppError(
    'conflict',
    found.secret
      ? `Version ${found.version} can no longer be opened, or no longer fits the setting. Set the value anew.`
      : `The value of version ${found.version} no longer fits the setting. Set another.`,
  );
}
