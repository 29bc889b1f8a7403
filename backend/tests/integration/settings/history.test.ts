import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { auditOfSetting, settingsAs, type Settings } from './support.ts';

const TRIAL = 'tenants.trial_days';

let app: TestApp;
let admin: Settings;
let adminId: string;
beforeAll(async () => {
  app = await startTestApp();
  const person = await app.buildAdmin({ name: 'Asha Menon' });
  adminId = person.id;
  admin = settingsAs(app, { token: (await app.signIn(person)).token });
});
afterAll(() => app.close());
beforeEach(async () => {
  await app.query('truncate settings, setting_revisions');
  await admin.set(TRIAL, 20, 0);
  await admin.set(TRIAL, 30, 1);
  await admin.reset(TRIAL, 2);
});

const history = async (query = '') => (await admin.call('GET', `/${TRIAL}/history${query}`)).body;

describe('The history of a setting', () => {
  it('tells who changed it, when, from what to what', async () => {
    const { data, meta } = await history();
    const changedBy = { id: adminId, name: 'Asha Menon' };
    expect(data).toEqual([
      { version: 3, removed: true, before: 30, after: null, changedBy, createdAt: expect.any(String) },
      { version: 2, removed: false, before: 20, after: 30, changedBy, createdAt: expect.any(String) },
      { version: 1, removed: false, before: null, after: 20, changedBy, createdAt: expect.any(String) },
    ]);
    expect(meta).toMatchObject({ total: 3 });
  });

  it('comes by page and in both orders', async () => {
    expect((await history('?limit=1&page=2')).data).toEqual([expect.objectContaining({ version: 2, before: 20 })]);
    const { data } = await history('?order=asc');
    expect(data.map(({ version }: { version: number }) => version)).toEqual([1, 2, 3]);
  });

  it('of a tenant is its own', async () => {
    const { id } = await app.buildTenant();
    await admin.setFor(id, 'email.from_name', 'Saraswati Hall', 0);
    const path = '/email.from_name/history';
    expect((await admin.call('GET', `${path}?tenantId=${id}`)).body.data).toHaveLength(1);
    expect((await admin.call('GET', path)).body.data).toEqual([]);
  });

  it('cannot be changed or cleared by the API', async () => {
    const { withScope } = await import('../../../src/config/scope.ts');
    const change = () =>
      withScope({ role: 'portal' }, (db) => db.settingRevision.updateMany({ data: { changedBy: 'Nobody' } }));
    await expect(change()).rejects.toThrow();
    // Only what is of a tenant that is being purged can be removed.
    expect(await withScope({ role: 'portal' }, (db) => db.settingRevision.deleteMany())).toEqual({ count: 0 });
    expect((await history()).meta.total).toBe(3);
  });
});

describe('A rollback', () => {
  it('sets the earlier value anew, as a new version', async () => {
    const answer = await admin.rollback(TRIAL, 1, 3);
    expect(answer.body.data).toMatchObject({ value: 20, version: 4, stored: true });
    expect(answer.headers.get('etag')).toBe('"4"');
    expect((await history()).data[0]).toMatchObject({ version: 4, before: null, after: 20 });
    expect((await auditOfSetting(app, TRIAL)).at(-1)).toMatchObject({
      action: 'settings.rollback',
      changes: { value: { from: null, to: 20 } },
    });
  });

  it('to a version at which it was put back puts it back', async () => {
    await admin.set(TRIAL, 45, 3);
    expect((await admin.rollback(TRIAL, 3, 4)).body.data).toMatchObject({ stored: false, version: 5 });
  });

  it('needs the version that one has seen, and one that there was', async () => {
    expectError(await admin.call('POST', `/${TRIAL}/rollback`, { version: 1 }), 428, 'version_required');
    expectError(await admin.rollback(TRIAL, 1, 2), 412, 'version_mismatch');
    expectError(await admin.rollback(TRIAL, 99, 3), 404, 'not_found');
  });

  it('that two make at once is made by one', async () => {
    const answers = await Promise.all([admin.rollback(TRIAL, 1, 3), admin.rollback(TRIAL, 2, 3)]);
    expect(statusesOf(answers)).toEqual([200, 412]);
  });

  it('to a value that no longer fits is a conflict', async () => {
    await app.query(`update setting_revisions set value = '400' where version = 1`);
    expectError(await admin.rollback(TRIAL, 1, 3), 409, 'conflict');
    expect((await history()).meta.total).toBe(3);
  });

  it('of a tenant brings back its own value', async () => {
    const { id } = await app.buildTenant();
    await admin.setFor(id, 'email.from_name', 'First', 0);
    await admin.setFor(id, 'email.from_name', 'Second', 1);
    const body = { version: 1, tenantId: id };
    const answer = await admin.call('POST', '/email.from_name/rollback', body, 2);
    expectSuccess(answer);
    expect(answer.body.data).toMatchObject({ tenantId: id, value: 'First', version: 3 });
    // The platform has no such version.
    expectError(await admin.rollback('email.from_name', 1, 0), 404, 'not_found');
  });
});
