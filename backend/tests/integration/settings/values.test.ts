import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Scope } from '../../../src/types/context.ts';
import { newId } from '../../../src/utils/ids.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
let settings: typeof import('../../../src/services/settings.service.ts');
let registry: typeof import('../../../src/config/settings.ts');
let scoped: typeof import('../../../src/config/scope.ts');
let tenant: string;
let other: string;
beforeAll(async () => {
  app = await startTestApp();
  settings = await import('../../../src/services/settings.service.ts');
  registry = await import('../../../src/config/settings.ts');
  scoped = await import('../../../src/config/scope.ts');
  [tenant, other] = [(await app.buildTenant()).id, (await app.buildTenant()).id];
});
afterAll(() => app.close());
beforeEach(() => app.query('delete from settings'));

const KEY = 'tenants.trial_days';
const NAME = 'email.from_name';
const store = (value: unknown, tenantId: string | null = null, key = KEY) =>
  app.query(`insert into settings (id, tenant_id, key, value, updated_at) values ($1, $2, $3, $4::jsonb, now())`, [
    newId(),
    tenantId,
    key,
    JSON.stringify(value),
  ]);

/** The value as a service gets it, and what was logged meanwhile. */
async function read(
  tenantId: string | null,
  scope: Scope = { role: 'portal' },
  key: 'tenants.trial_days' | 'email.from_name' = KEY,
) {
  const warn = vi.fn<(message: string, fields?: object) => void>();
  const log = { debug: vi.fn<() => void>(), info: vi.fn<() => void>(), warn, error: vi.fn<() => void>() };
  const value = await settings.settingOf({ sql: scoped.scopedReader(scope), tenantId, log }, key);
  return { value, warnings: warn.mock.calls };
}

const nameFor = async (tenantId: string | null, scope?: Scope) => (await read(tenantId, scope, NAME)).value;

describe('A setting', () => {
  it('is its default until somebody sets it', async () => {
    expect(await read(null)).toEqual({ value: 14, warnings: [] });
    expect(await read(tenant)).toEqual({ value: 14, warnings: [] });
  });

  it('is that of the platform for all tenants', async () => {
    await store(30);
    expect((await read(null)).value).toBe(30);
    expect((await read(tenant)).value).toBe(30);
  });

  it('is that of the tenant before that of the platform, and for nobody else', async () => {
    await store('StudySpot Mail', null, NAME);
    await store('Saraswati Hall', tenant, NAME);
    expect(await nameFor(tenant)).toBe('Saraswati Hall');
    expect(await nameFor(other)).toBe('StudySpot Mail');
    expect(await nameFor(null)).toBe('StudySpot Mail');
  });

  it('of a tenant does not hold for the platform, nor for another tenant', async () => {
    await store('Saraswati Hall', tenant, NAME);
    expect(await nameFor(null)).toBe('StudySpot');
    expect(await nameFor(other)).toBe('StudySpot');
  });

  it('of a tenant is seen within its own scope, and not within that of another', async () => {
    await store('Saraswati Hall', tenant, NAME);
    expect(await nameFor(tenant, { role: 'tenant', tenantId: tenant })).toBe('Saraswati Hall');
    expect(await nameFor(tenant, { role: 'tenant', tenantId: other })).toBe('StudySpot');
  });

  it('of the platform is seen within a tenant, unless it is a secret', async () => {
    await store('StudySpot Mail', null, NAME);
    expect(await nameFor(tenant, { role: 'tenant', tenantId: tenant })).toBe('StudySpot Mail');
    await app.query('update settings set secret = true');
    expect(await nameFor(tenant, { role: 'tenant', tenantId: tenant })).toBe('StudySpot');
  });

  it('that only the platform has is not taken from a tenant', async () => {
    await store(7, tenant);
    expect((await read(tenant)).value).toBe(14);
  });

  it('is not mixed up with another of a similar name', async () => {
    await store(30, null, 'tenants.trial_days_of_old');
    expect((await read(null)).value).toBe(14);
  });

  it.each([0, 1, 90])('may be %i', async (value) => {
    await store(value);
    expect(await read(null)).toEqual({ value, warnings: [] });
  });

  it.each([-1, 91, 1.5, '14', null, true, [14], { days: 14 }])(
    'that is %j by now counts as not set, and is logged without its value',
    async (value) => {
      await store(value);
      const warning = 'A stored setting does not fit its type and counts as not set';
      expect(await read(null)).toEqual({ value: 14, warnings: [[warning, { key: KEY, tenantId: null }]] });
    },
  );

  it('of a tenant that does not fit gives way to that of the platform', async () => {
    await store('StudySpot Mail', null, NAME);
    await store(['Saraswati'], tenant, NAME);
    const { value, warnings } = await read(tenant, { role: 'portal' }, NAME);
    expect(value).toBe('StudySpot Mail');
    expect(warnings).toEqual([[expect.any(String), { key: NAME, tenantId: tenant }]]);
  });

  it('is seen as the transaction has written it', async () => {
    const log = {
      debug: vi.fn<() => void>(),
      info: vi.fn<() => void>(),
      warn: vi.fn<() => void>(),
      error: vi.fn<() => void>(),
    };
    const value = await scoped.withScope({ role: 'portal' }, async (db) => {
      await db.setting.create({ data: { key: KEY, value: 45 } });
      return settings.settingOf({ sql: scoped.transactionReader(db), tenantId: null, log }, KEY);
    });
    expect(value).toBe(45);
    expect((await read(null)).value).toBe(45);
  });

  it('is there once for each tenant, and once for the platform', async () => {
    await store(30);
    await store(7, tenant);
    await expect(store(31)).rejects.toMatchObject({ code: '23505' });
    await expect(store(8, tenant)).rejects.toMatchObject({ code: '23505' });
  });
});

describe('Every setting', () => {
  it('has a name with its module in front, an example and a default of its own type', () => {
    for (const key of registry.settingKeys) {
      const { type, default: value, example } = registry.settingDefinition(key);
      expect(key).toMatch(/^[a-z_]+\.[a-z_]+$/);
      expect(type.parse(example), key).toEqual(example);
      if (value !== null) expect(type.parse(value), key).toEqual(value);
    }
  });

  it('is read by something', async () => {
    const { readdirSync, readFileSync } = await import('node:fs');
    const { backendFile } = await import('../../../src/utils/backend-file.ts');
    const source = readdirSync(backendFile('src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !/^generated|config.settings\.ts$/.test(file))
      .map((file) => readFileSync(backendFile('src', file), 'utf8'))
      .join('\n');
    for (const key of registry.settingKeys) expect(source.includes(`'${key}'`), key).toBe(true);
  });
});
