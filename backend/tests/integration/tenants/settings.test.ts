import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusesOf } from '../../support/calls.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

type Setting = { key: string; value: unknown; effective: { value: unknown; layer: string }; version: number };
type Change = { key: string; value: unknown; version: number };

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const path = (id: string) => `/api/tenants/${id}/settings`;
const read = async (id: string, token: string) => {
  const answer = await app.call('GET', path(id), { token });
  expect(answer.status, answer.text).toBe(200);
  return Object.fromEntries((answer.body.data as Setting[]).map((setting) => [setting.key, setting]));
};
const change = (id: string, token: string, ...settings: Change[]) =>
  app.call('PUT', path(id), { token, body: { settings } });
const issuesOf = (answer: Awaited<ReturnType<typeof change>>) => answer.body.error?.details?.issues;

describe('GET /api/tenants/:id/settings', () => {
  it("shows a tenant's own settings, what holds and from where, and nothing of the platform's", async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const before = await read(tenantId, token);
    expect(Object.keys(before).toSorted()).toEqual(['email.from_name', 'email.reply_to', 'support.access_allowed']);
    expect(before['email.reply_to']).toMatchObject({
      stored: false,
      value: null,
      effective: { value: null, layer: 'default' },
      version: 0,
      updatedAt: null,
      consent: false,
    });
    const admin = await app.elevatedToken();
    const platform = { token: admin, body: { value: 'help@studyspot.example' }, headers: { 'if-match': '"0"' } };
    expect((await app.call('PUT', '/api/settings/email.reply_to', platform)).status).toBe(200);
    expect((await read(tenantId, token))['email.reply_to']).toMatchObject({
      value: null,
      effective: { value: 'help@studyspot.example', layer: 'platform' },
    });
    await change(tenantId, token, { key: 'email.reply_to', value: 'own@hall.example', version: 0 });
    expect((await read(tenantId, token))['email.reply_to']).toMatchObject({
      value: 'own@hall.example',
      effective: { value: 'own@hall.example', layer: 'tenant' },
      version: 1,
    });
  });

  it("is a 404 for another tenant's", async () => {
    const { token } = await app.ownerWithToken();
    const { id } = await app.buildTenant();
    expect((await app.call('GET', path(id), { token })).status).toBe(404);
    const answer = await change(id, token, { key: 'email.from_name', value: 'Mine', version: 0 });
    expect(answer.status).toBe(404);
    expect(await app.query(`select * from settings where tenant_id = $1`, [id])).toEqual([]);
  });
});

describe('PUT /api/tenants/:id/settings', () => {
  it('changes several at once, each with a revision and an audit row', async () => {
    const { owner, token, tenantId } = await app.ownerWithToken();
    const answer = await change(
      tenantId,
      token,
      { key: 'email.reply_to', value: 'Help@Hall.example', version: 0 },
      { key: 'email.from_name', value: 'Saraswati', version: 0 },
    );
    expect(answer.status, answer.text).toBe(200);
    expect((answer.body.data as Setting[]).filter(({ version }) => version === 1)).toHaveLength(2);
    const rows = await app.query(`select key, changed_by_id from setting_revisions where tenant_id = $1 order by key`, [
      tenantId,
    ]);
    expect(rows).toEqual([
      { key: 'email.from_name', changed_by_id: owner.id },
      { key: 'email.reply_to', changed_by_id: owner.id },
    ]);
    const audit = await app.query(
      `select resource_id from audit_logs where chain = $1 and action = 'tenants.settings' order by resource_id`,
      [tenantId],
    );
    expect(audit).toEqual([{ resource_id: 'email.from_name' }, { resource_id: 'email.reply_to' }]);
  });

  it('puts one back with null', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    await change(tenantId, token, { key: 'email.from_name', value: 'Saraswati', version: 0 });
    const answer = await change(tenantId, token, { key: 'email.from_name', value: null, version: 1 });
    expect(answer.status, answer.text).toBe(200);
    expect((await read(tenantId, token))['email.from_name']).toMatchObject({ stored: false, value: null, version: 2 });
  });

  it.each([
    ['a version that is not the last', { key: 'email.reply_to', value: 'a@b.example', version: 3 }, 412],
    ['a value that does not fit', { key: 'email.reply_to', value: 'nobody', version: 0 }, 400],
    ['a line break in a name', { key: 'email.reply_to', value: 'a@b.example\nbcc: c@d.example', version: 0 }, 400],
    ["a setting of the platform's", { key: 'tenants.trial_days', value: 90, version: 0 }, 400],
    ['the mail server', { key: 'email.smtp_url', value: 'smtps://a:b@evil.example:465', version: 0 }, 400],
    ['the consent', { key: 'support.access_allowed', value: true, version: 0 }, 400],
    ['a setting that is not there', { key: 'email.nothing', value: 1, version: 0 }, 400],
  ])('changes nothing of all with %s', async (_what, wrong, status) => {
    const { token, tenantId } = await app.ownerWithToken();
    const answer = await change(tenantId, token, { key: 'email.from_name', value: 'Saraswati', version: 0 }, wrong);
    expect(answer.status, answer.text).toBe(status);
    if (status === 400) expect(issuesOf(answer)).toMatchObject([{ field: expect.stringMatching(/^settings\.1\./) }]);
    expect(await app.query(`select * from settings where tenant_id = $1`, [tenantId])).toEqual([]);
  });

  it('sends whoever would change the consent to where impersonation ends with it', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const answer = await change(tenantId, token, { key: 'support.access_allowed', value: false, version: 0 });
    expect(issuesOf(answer)[0].message).toContain('support-access');
  });

  it('takes more of an admin than looking after tenants', async () => {
    const { id } = await app.buildTenant();
    const operations = await app.adminToken({ role: 'operations' });
    const answer = await change(id, operations, { key: 'email.from_name', value: 'Ops', version: 0 });
    expect(answer.status).toBe(403);
    expect(answer.body.error.message).toContain('settings.update');
    const admin = await app.adminToken();
    expect((await change(id, admin, { key: 'email.from_name', value: 'Ops', version: 0 })).status).toBe(200);
  });

  it('lets one of two who saw the same win, in whatever order they name the settings', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const settings = [
      { key: 'email.from_name', value: 'Saraswati', version: 0 },
      { key: 'email.reply_to', value: 'a@b.example', version: 0 },
    ];
    const answers = await Promise.all(
      [settings, settings.toReversed(), settings, settings.toReversed()].map((all) => change(tenantId, token, ...all)),
    );
    expect(statusesOf(answers)).toEqual([200, 412, 412, 412]);
  });

  it('is not for those of a tenant who may only look', async () => {
    const { tenantId } = await app.ownerWithToken();
    const staff = await app.buildUser({ role: 'library_staff', tenantId });
    const { token } = await app.signIn(staff);
    expect((await app.call('GET', path(tenantId), { token })).status).toBe(200);
    expect((await change(tenantId, token, { key: 'email.from_name', value: 'Me', version: 0 })).status).toBe(403);
  });
});
