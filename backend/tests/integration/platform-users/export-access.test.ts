import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startExportTests, type ExportTests } from './export-calls.ts';
import { runPeopleExport, runPeopleExports } from './support.ts';

let tests: ExportTests;
let app: ExportTests['app'];
let directory: ExportTests['directory'];
let owner: ExportTests['owner'];
let admin: ExportTests['admin'];
let elevatedOwner: ExportTests['elevatedOwner'];
let addPeople: ExportTests['addPeople'];
let ask: ExportTests['ask'];
let look: ExportTests['look'];
let fetchFile: ExportTests['fetchFile'];
let download: ExportTests['download'];
let asked: ExportTests['asked'];
let contentOf: ExportTests['contentOf'];
let tableOf: ExportTests['tableOf'];
let sheetOf: ExportTests['sheetOf'];
beforeAll(async () => {
  tests = await startExportTests();
  ({
    app,
    directory,
    owner,
    admin,
    elevatedOwner,
    addPeople,
    ask,
    look,
    fetchFile,
    download,
    asked,
    contentOf,
    tableOf,
    sheetOf,
  } = tests);
  await addPeople(
    owner.tenantId,
    Array.from({ length: 4 }, (_, index) => ({ created: `2026-01-0${index + 1}T00:00:00Z` })),
  );
});
afterAll(() => tests.close());

async function denyExport(userId: string): Promise<void> {
  await app.query(
    `insert into permission_overrides (id, tenant_id, user_id, permission_code, effect, reason)
     values ($1, $2, $3, 'users.export', 'DENY', 'Left the office')`,
    [newId(), owner.tenantId, userId],
  );
  await app.query(`update users set permission_version = permission_version + 1 where id = $1`, [userId]);
}

describe('An export belongs to the tenant:', () => {
  it('whoever may export people there sees and fetches it; nobody of another tenant', async () => {
    const id = await asked({ createdTo: '2026-03-01' });
    await contentOf(id);
    const other = await elevatedOwner();
    for (const answer of [await look(id, other.token), await download(id, other.token)]) {
      expectError(answer, 404, 'not_found');
    }
    const within = { 'x-tenant-id': other.tenantId };
    expectError(await look(id, admin, within), 404, 'not_found');
    expectError(await download(id, admin, within), 404, 'not_found');
    expectSuccess(await look(id, admin, { 'x-tenant-id': owner.tenantId }));
    const rows = await app.query(`select action, tenant_id from audit_logs where resource_id = $1 order by sequence`, [
      id,
    ]);
    expect(rows).toEqual([
      { action: 'users.export', tenant_id: owner.tenantId },
      { action: 'users.export_download', tenant_id: owner.tenantId },
    ]);
    const [row] = await app.query<{ key: string }>(`select storage_key as key from data_exports where id = $1`, [id]);
    expect(row?.key).toMatch(new RegExp(`^tenants/${owner.tenantId}/exports/`));
  });

  it('one that a portal admin makes of a tenant holds its people alone, and is the tenant’s', async () => {
    const { tenantId, token } = await elevatedOwner();
    await addPeople(tenantId, [{ name: 'One of Theirs' }]);
    const id = await asked({ tenantId, kind: 'STUDENT', columns: ['name'] }, owner, admin);
    expect(tableOf(await contentOf(id, token))).toEqual([['Name'], ['One of Theirs']]);
    expectError(await ask({ tenantId: newId() }, admin), 404, 'not_found');
    expectError(await ask({ tenantId }), 404, 'not_found');
    expectError(await ask({ tenantId }, admin, { 'x-tenant-id': owner.tenantId }), 404, 'not_found');
  });

  it('one of all tenants is for portal admins outside a tenant', async () => {
    const { tenantId, token } = await elevatedOwner();
    await addPeople(tenantId, [{ name: 'Somebody Rare' }]);
    await addPeople(owner.tenantId, [{ name: 'Somebody Rare' }]);
    const id = await asked({ q: 'somebody rare', columns: ['name'] }, owner, admin);
    expect(tableOf(await contentOf(id, admin))).toEqual([['Name'], ['Somebody Rare'], ['Somebody Rare']]);
    for (const [who, headers] of [
      [token, {}],
      [admin, { 'x-tenant-id': tenantId }],
    ] as const) {
      expectError(await look(id, who, headers), 404, 'not_found');
      expectError(await download(id, who, headers), 404, 'not_found');
    }
  });

  it('it takes having just proved who one is, and users.export', async () => {
    const plain = await app.ownerWithToken();
    expectError(await ask({}, plain.token), 403, 'step_up_required');
    const staff = await app.signInElevated(await app.buildUser({ role: 'library_staff', tenantId: owner.tenantId }));
    expectError(await ask({}, staff.token), 403, 'forbidden');
    const id = await asked({ createdTo: '2026-03-01' });
    await contentOf(id);
    expectError(await look(id, staff.token), 403, 'forbidden');
    expectError(await download(id, staff.token), 403, 'forbidden');
  });

  it('who loses the permission after it was made does not get it', async () => {
    const asker = await app.buildOwner({ tenantId: owner.tenantId });
    const { token } = await app.signInElevated(asker);
    const id = await asked({ createdTo: '2026-03-01' }, owner, token);
    await contentOf(id, token);
    await denyExport(asker.id);
    expectError(await download(id, token), 403, 'forbidden');
  });

  it('its link works without a token, for the one to whom it was shown and as long as they may export', async () => {
    const asker = await app.buildOwner({ tenantId: owner.tenantId });
    const { token } = await app.signInElevated(asker);
    const id = await asked({ createdTo: '2026-03-01' }, owner, token);
    expect((await look(id, token)).body.data.link).toBeNull();
    const content = await contentOf(id, token);
    const { link } = (await look(id, token)).body.data;
    const seconds = (Date.parse(link.expiresAt) - Date.now()) / 1000;
    expect(seconds).toBeGreaterThan(500);
    expect(seconds).toBeLessThanOrEqual(601);
    const address = new URL(link.url).pathname;
    const answer = await app.call('GET', address);
    expect(answer.text).toBe(content.toString().replace('\uFEFF', ''));
    const [row] = await app.query(
      `select action, actor_id, tenant_id from audit_logs where resource_id = $1 order by sequence desc limit 1`,
      [id],
    );
    expect(row).toEqual({ action: 'users.export_download', actor_id: asker.id, tenant_id: owner.tenantId });
    await denyExport(asker.id);
    expectError(await app.call('GET', address), 404, 'not_found');
  });

  it('a suspended tenant may still export', async () => {
    const { tenantId, owner: person } = await elevatedOwner();
    await app.query(`update tenants set status = 'SUSPENDED' where id = $1`, [tenantId]);
    const { token } = await app.signInElevated(person);
    expectError(await app.call('GET', '/api/platform-users', { token }), 403, 'tenant_suspended');
    const id = await asked({ columns: ['email'] }, owner, token);
    expect(tableOf(await contentOf(id, token))).toEqual([['Email'], [person.email]]);
    const { body } = await look(id, token);
    expect(body.data.link).not.toBeNull();
    const behindLink = await app.call('GET', new URL(body.data.link.url).pathname);
    expect(behindLink.status, behindLink.text).toBe(200);
  });
});

describe('The file', () => {
  const filesOf = (tenantId: string) => readdirSync(path.join(directory, 'files', 'tenants', tenantId, 'exports'));

  it('is there once it is ready, and for a day', async () => {
    const id = await asked({ createdTo: '2026-03-01' });
    expect((await look(id)).body.data).toMatchObject({ status: 'PENDING', rows: 0, subject: 'PEOPLE', sha256: null });
    expectError(await download(id), 404, 'not_found');
    const content = await contentOf(id);
    const { body } = await look(id);
    expect(body.data).toMatchObject({
      status: 'READY',
      rows: 4,
      sizeBytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    });
    expect(Date.parse(body.data.expiresAt) - Date.parse(body.data.finishedAt)).toBe(24 * 3_600_000);
    const [{ key } = { key: '' }] = await app.query<{ key: string }>(
      `update data_exports set expires_at = now() - interval '1 second' where id = $1 returning storage_key as key`,
      [id],
    );
    expectError(await download(id), 404, 'not_found');
    const { runJobNow } = await import('../rbac/run-job-now.ts');
    await runJobNow('cleanup.data-exports');
    expect(existsSync(path.join(directory, 'files', key))).toBe(false);
    expect((await look(id)).body.data).toMatchObject({ status: 'EXPIRED' });
  });

  it.each([
    ['CSV', 'text/csv', 'csv'],
    ['XLSX', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'xlsx'],
  ])('as %s is streamed, to be saved', async (format, type, ending) => {
    const id = await asked({ format, createdTo: '2026-03-01' });
    await runPeopleExports(app);
    const answer = await fetchFile(id);
    expect(answer.headers.get('content-type')).toContain(type);
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="people-${id}.${ending}"`);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    const content = Buffer.from(await answer.arrayBuffer());
    expect(content.length).toBe(Number(answer.headers.get('content-length')));
  });

  it('is one, however many tries were at it, at once or one after the other', async () => {
    const id = await asked({ format: 'XLSX', createdTo: '2026-03-01' });
    await Promise.all([1, 2, 3].map(() => runPeopleExport(id, owner.tenantId)));
    await runPeopleExport(id, owner.tenantId);
    expect(filesOf(owner.tenantId).filter((name) => name.startsWith(id))).toHaveLength(1);
    expect(await sheetOf(await contentOf(id))).toHaveLength(5);
  });

  it.each(['CSV', 'XLSX'])('as %s is begun again after a try that was stopped', async (format) => {
    const id = await asked({ format, createdTo: '2026-03-01' });
    await expect(runPeopleExport(id, owner.tenantId, { signal: AbortSignal.abort() })).rejects.toThrow();
    expect((await look(id)).body.data).toMatchObject({ status: 'RUNNING' });
    expect(filesOf(owner.tenantId).filter((name) => name.startsWith(id))).toEqual([]);
    await runPeopleExport(id, owner.tenantId, { attempt: 2 });
    expect((await look(id)).body.data).toMatchObject({ status: 'READY', rows: 4 });
  });
});
