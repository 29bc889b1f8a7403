import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { auditOfSetting, settingsAs, type Settings } from './support.ts';

const TRIAL = 'tenants.trial_days';
const NAME = 'email.from_name';

let app: TestApp;
let token: string;
let admin: Settings;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken({ name: 'Asha Menon' });
  admin = settingsAs(app, { token });
});
afterAll(() => app.close());
beforeEach(() => app.query('truncate settings, setting_revisions'));

describe('A setting of the platform', () => {
  it('is not stored at first, with version 0', async () => {
    expect(await admin.find(TRIAL)).toEqual({
      key: TRIAL,
      tenantId: null,
      stored: false,
      value: null,
      default: 14,
      version: 0,
      updatedAt: null,
    });
  });

  it('is set, answers its version as ETag, and holds for what reads it', async () => {
    const answer = await admin.set(TRIAL, 30, 0);
    expectSuccess(answer);
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(answer.body.data).toMatchObject({ stored: true, value: 30, version: 1, updatedAt: expect.any(String) });
    expect(await admin.find(TRIAL, '/effective')).toEqual({ key: TRIAL, value: 30, layer: 'platform' });
    expect(await auditOfSetting(app, TRIAL)).toEqual([
      expect.objectContaining({
        action: 'settings.update',
        chain: 'platform',
        changes: { value: { from: null, to: 30 } },
      }),
    ]);
  });

  it('goes back to its default, and counts on from there', async () => {
    await admin.set(TRIAL, 30, 0);
    const answer = await admin.reset(TRIAL, 1);
    expect(answer.body.data).toMatchObject({ stored: false, value: null, version: 2 });
    expect(await admin.find(TRIAL, '/effective')).toEqual({ key: TRIAL, value: 14, layer: 'default' });
    // Who saw "not set" before all this has not seen it.
    expectError(await admin.set(TRIAL, 20, 0), 412, 'version_mismatch');
    expect((await admin.set(TRIAL, 20, 2)).body.data).toMatchObject({ value: 20, version: 3 });
  });

  it('that is not set stays as it is when it is put back', async () => {
    expect((await admin.reset(TRIAL, 0)).body.data).toMatchObject({ stored: false, version: 0 });
    expect(await app.query('select 1 from setting_revisions')).toEqual([]);
  });

  it('is not changed without If-Match, nor with a version that is over', async () => {
    const blind = await app.call('PUT', `/api/settings/${TRIAL}`, { token, body: { value: 30 } });
    expectError(blind, 428, 'version_required');
    expectError(await app.call('DELETE', `/api/settings/${TRIAL}`, { token }), 428, 'version_required');
    await admin.set(TRIAL, 30, 0);
    for (const stale of [0, 2, 999]) {
      const answer = await admin.set(TRIAL, 31, stale);
      expectError(answer, 412, 'version_mismatch');
      expect(answer.body.error.details).toEqual({ key: TRIAL, version: 1 });
    }
    expect(await admin.find(TRIAL)).toMatchObject({ value: 30, version: 1 });
  });

  it('that two set first at once is set by one', async () => {
    for (let round = 0; round < 3; round += 1) {
      const version = round;
      const answers = await Promise.all([20, 21, 22, 23].map((days) => admin.set(TRIAL, days, version)));
      expect(statusesOf(answers)).toEqual([200, 412, 412, 412]);
    }
    const rows = await app.query('select version from setting_revisions order by version');
    expect(rows).toEqual([{ version: 1 }, { version: 2 }, { version: 3 }]);
  });

  it.each([
    [TRIAL, 91],
    [TRIAL, -1],
    [TRIAL, 1.5],
    [TRIAL, '30'],
    [TRIAL, true],
    [NAME, 7],
    [NAME, 'Two\nlines'],
    [NAME, 'Bcc: <x@evil.example>'],
    [NAME, ''],
    ['email.reply_to', 'not an address'],
    ['email.reply_to', 'a@b.example, c@d.example'],
  ])('%s is not %j', async (key, value) => {
    expectError(await admin.set(key, value, 0), 400, 'validation_failed', 'body value');
  });

  it.each([[null], [[1]], [{ days: 3 }], [{ __proto__: 1 }]])('is never %j', async (value) => {
    expectError(await admin.set(TRIAL, value, 0), 400, 'validation_failed', 'body value');
  });

  it('that nobody knows is a 404, everywhere', async () => {
    for (const key of ['tenants.nonsense', 'constructor', '__proto__', 'tenants.trial_days2']) {
      expectError(await admin.set(key, 1, 0), 404, 'not_found');
      expectError(await admin.reset(key, 0), 404, 'not_found');
      expectError(await admin.call('GET', `/${key}/history`), 404, 'not_found');
      expectError(await admin.rollback(key, 1, 0), 404, 'not_found');
      expectError(await admin.call('POST', `/${key}/test`, {}), 404, 'not_found');
    }
  });

  it('is not reached from within a tenant', async () => {
    const { id } = await app.buildTenant();
    const within = settingsAs(app, { token, headers: { 'x-tenant-id': id } });
    for (const answer of [
      await within.set(TRIAL, 30, 0),
      await within.reset(TRIAL, 0),
      await within.rollback(TRIAL, 1, 0),
      await within.call('GET', ''),
      await within.call('GET', `/${TRIAL}/history`),
      await within.call('POST', '/bulk', { settings: [{ key: TRIAL, value: 30, version: 0 }] }),
      await within.call('POST', '/email.smtp_url/test', { value: 'smtp://127.0.0.1:1099' }),
    ])
      expectError(answer, 403, 'tenant_mismatch');
    expect(await app.query('select 1 from settings')).toEqual([]);
  });

  it('is changed by nobody who may only read', async () => {
    const reader = settingsAs(app, { token: await app.adminToken({ role: 'operations' }) });
    expectSuccess(await reader.call('GET', '/effective'));
    expectError(await reader.set(TRIAL, 30, 0), 403, 'forbidden');
  });
});

describe('A setting of a tenant', () => {
  it('goes before that of the platform, for this tenant alone', async () => {
    const [mine, other] = [await app.buildTenant(), await app.buildTenant()];
    await admin.set(NAME, 'StudySpot Mail', 0);
    const answer = await admin.setFor(mine.id, NAME, 'Saraswati Hall', 0);
    expect(answer.body.data).toMatchObject({ tenantId: mine.id, value: 'Saraswati Hall', version: 1 });
    const of = (id: string) => admin.find(NAME, `/effective?tenantId=${id}`);
    expect(await of(mine.id)).toEqual({ key: NAME, value: 'Saraswati Hall', layer: 'tenant' });
    expect(await of(other.id)).toEqual({ key: NAME, value: 'StudySpot Mail', layer: 'platform' });
    expect(await admin.find(NAME, '/effective')).toMatchObject({ value: 'StudySpot Mail' });
    expect(await admin.find(NAME, `/tenants/${other.id}`)).toMatchObject({ stored: false, version: 0 });
    const [, ofMine] = await auditOfSetting(app, NAME).then((rows) => rows.slice(-2));
    expect(ofMine).toMatchObject({ action: 'settings.update', chain: mine.id });
  });

  it('goes back to that of the platform', async () => {
    const { id } = await app.buildTenant();
    await admin.setFor(id, NAME, 'Saraswati Hall', 0);
    const answer = await admin.call('DELETE', `/tenants/${id}/${NAME}`, undefined, 1);
    expect(answer.body.data).toMatchObject({ stored: false, version: 2 });
    expect(await admin.find(NAME, `/effective?tenantId=${id}`)).toEqual({
      key: NAME,
      value: 'StudySpot',
      layer: 'environment',
    });
  });

  it('that only the platform has cannot be set, and the other way round', async () => {
    const { id } = await app.buildTenant();
    expectError(await admin.setFor(id, TRIAL, 30, 0), 409, 'conflict');
    const keys = (await admin.call('GET', `/tenants/${id}`)).body.data.map((one: { key: string }) => one.key);
    expect(keys).toContain('support.access_allowed');
    expect(keys).not.toContain(TRIAL);
    expect(await admin.find('support.access_allowed')).toBeUndefined();
  });

  it('that is its consent is not given or withdrawn by the staff of StudySpot', async () => {
    const { id } = await app.buildTenant();
    for (const value of [true, false]) {
      expectError(await admin.setFor(id, 'support.access_allowed', value, 0), 403, 'forbidden');
    }
    expectError(await admin.call('DELETE', `/tenants/${id}/support.access_allowed`, undefined, 0), 403, 'forbidden');
  });

  it('that is not there, purged or another than the one named is a 404', async () => {
    const purged = await app.buildTenant({ status: 'PURGED' });
    for (const id of [newId(), purged.id]) {
      expectError(await admin.setFor(id, NAME, 'X', 0), 404, 'not_found');
      expectError(await admin.call('GET', `/tenants/${id}`), 404, 'not_found');
      expectError(await admin.call('GET', `/effective?tenantId=${id}`), 404, 'not_found');
      expectError(await admin.call('GET', `/${NAME}/history?tenantId=${id}`), 404, 'not_found');
    }
    const [mine, other] = [await app.buildTenant(), await app.buildTenant()];
    const within = settingsAs(app, { token, headers: { 'x-tenant-id': mine.id } });
    expectError(await within.setFor(other.id, NAME, 'X', 0), 404, 'not_found');
    expectError(await within.call('GET', `/tenants/${other.id}`), 404, 'not_found');
    expectError(await within.call('GET', `/effective?tenantId=${other.id}`), 404, 'not_found');
    expectSuccess(await within.setFor(mine.id, NAME, 'X', 0));
    expect(await within.find(NAME, '/effective')).toMatchObject({ value: 'X', layer: 'tenant' });
  });
});

describe('Several settings at once', () => {
  const change = (key: string, value: unknown, version = 0) => ({ key, value, version });

  it('are all changed, and answered in the order they were asked for', async () => {
    const answer = await admin.call('POST', '/bulk', {
      settings: [change(TRIAL, 30), change(NAME, 'StudySpot Mail')],
    });
    expect(answer.body.data).toEqual([
      expect.objectContaining({ key: TRIAL, value: 30, version: 1 }),
      expect.objectContaining({ key: NAME, value: 'StudySpot Mail', version: 1 }),
    ]);
  });

  it.each([
    ['a value that does not fit', change(TRIAL, 91), 400, 'validation_failed'],
    ['a version that is over', change(TRIAL, 30, 7), 412, 'version_mismatch'],
    ['a key that nobody knows', change('tenants.nonsense', 1), 404, 'not_found'],
    ['a key of tenants alone', change('support.access_allowed', true), 403, 'forbidden'],
  ] as const)('are none of them changed for %s', async (_, wrong, status, code) => {
    const before = await auditOfSetting(app, NAME);
    const answer = await admin.call('POST', '/bulk', { settings: [change(NAME, 'StudySpot Mail'), wrong] });
    expectError(answer, status, code, status === 400 ? 'body settings.1.value' : undefined);
    expect(await app.query('select 1 from settings union select 1 from setting_revisions')).toEqual([]);
    expect(await auditOfSetting(app, NAME)).toEqual(before);
  });

  it('name each once, and at least one', async () => {
    const twice = { settings: [change(TRIAL, 30), change(TRIAL, 31)] };
    expectError(await admin.call('POST', '/bulk', twice), 400, 'validation_failed', 'body settings');
    expectError(await admin.call('POST', '/bulk', { settings: [] }), 400, 'validation_failed', 'body settings');
  });

  it('that others change at once in another order are changed by one', async () => {
    const both = [change(TRIAL, 30), change(NAME, 'A'), change('email.reply_to', 'a@b.example')];
    const answers = await Promise.all(
      [both, both.toReversed(), both, both.toReversed()].map((settings) => admin.call('POST', '/bulk', { settings })),
    );
    expect(statusesOf(answers)).toEqual([200, 412, 412, 412]);
  });
});
