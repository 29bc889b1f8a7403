import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BILLING_DATA } from '../../../src/services/billing-data.policy.ts';
import { newId } from '../../../src/utils/ids.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { fillBilling, PAYER } from './billed-tenant.ts';
import { runJob, runOutbox, unzipped } from './support.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'studyspot-tenant-exports-'));

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ DATA_DIR: directory });
});
afterAll(async () => {
  await app.close();
  rmSync(directory, { recursive: true, force: true });
});

const folderOf = (id: string, ...parts: string[]) => path.join(directory, 'files', 'tenants', id, ...parts);
const ask = (id: string, token: string) => app.call('POST', `/api/tenants/${id}/exports`, { token });
const look = async (id: string, exportId: string, token: string) =>
  (await app.call('GET', `/api/tenants/${id}/exports/${exportId}`, { token })).body.data;

async function download(id: string, exportId: string, token: string) {
  const answer = await fetch(`${app.url}/api/tenants/${id}/exports/${exportId}/download`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: answer.status, headers: answer.headers, content: Buffer.from(await answer.arrayBuffer()) };
}

async function ownerReady(overrides: Parameters<TestApp['buildOwner']>[0] = {}) {
  const owner = await app.buildOwner(overrides);
  const { token } = await app.signInElevated(owner);
  return { owner, token, id: owner.tenantId as string };
}

const linesOf = (content: Buffer | undefined) =>
  (content?.toString() ?? '')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('An export of a tenant', () => {
  it('holds its rows and files and nobody else’s, no secret, and a manifest that fits', async () => {
    const { owner, token, id } = await ownerReady();
    const student = await app.buildUser({ role: 'student', tenantId: id, name: 'मीरा शर्मा' });
    await app.buildUser({ role: 'student' });
    mkdirSync(folderOf(id, 'branding'), { recursive: true });
    writeFileSync(folderOf(id, 'branding', 'logo.png'), 'a logo');
    const { status, body } = await ask(id, token);
    expect(status).toBe(202);
    expect(body.data).toMatchObject({ tenantId: id, subject: 'TENANT', format: 'ZIP', status: 'PENDING', link: null });
    expect(await runOutbox(app, 'report.tenant-export', id)).toBe(1);
    const { content, headers } = await download(id, body.data.id, token);
    expect(headers.get('content-type')).toBe('application/zip');
    expect(headers.get('content-disposition')).toBe(`attachment; filename="library-${body.data.id}.zip"`);
    const ready = await look(id, body.data.id, token);
    expect(ready).toMatchObject({ status: 'READY', sizeBytes: content.length });
    expect(ready.sha256).toBe(createHash('sha256').update(content).digest('hex'));

    const files = unzipped(content);
    const manifest = JSON.parse(files.get('manifest.json')?.toString() ?? '');
    expect(manifest).toMatchObject({ format: 'studyspot-data', version: 1, subject: 'TENANT', tenantId: id });
    expect(new Set(files.keys())).toEqual(
      new Set(['manifest.json', ...manifest.files.map((file: { path: string }) => file.path)]),
    );
    for (const { path: name, sizeBytes, sha256, rows } of manifest.files) {
      const file = files.get(name) as Buffer;
      expect(sizeBytes, name).toBe(file.length);
      expect(sha256, name).toBe(createHash('sha256').update(file).digest('hex'));
      if (rows !== undefined) expect(linesOf(file), name).toHaveLength(rows);
    }
    const people = linesOf(files.get('users.jsonl'));
    expect(new Set(people.map((person) => person.id))).toEqual(new Set([owner.id, student.id]));
    expect(people.find((person) => person.id === student.id)).toMatchObject({ name: 'मीरा शर्मा', kind: 'STUDENT' });
    expect(linesOf(files.get('tenants.jsonl'))).toMatchObject([{ id }]);
    expect(files.get('files/branding/logo.png')?.toString()).toBe('a logo');
    const everything = Buffer.concat([...files.values()]).toString();
    expect(everything).not.toMatch(/argon2|password_hash|refresh_seed|token_hash|sealed/);
    expect(manifest.leftOut).toContainEqual({ what: 'one_time_tokens', why: expect.stringContaining('secret') });
    expect(ready.rows).toBe(manifest.files.reduce((all: number, file: { rows?: number }) => all + (file.rows ?? 0), 0));
  });

  it('holds what was billed and how it was paid, and nothing that one could be charged by', async () => {
    const { owner, token, id } = await ownerReady();
    const { invoice, payment } = await fillBilling(app, id, { id: owner.id, name: owner.name });
    await fillBilling(app, (await ownerReady()).id);
    const { id: exportId } = (await ask(id, token)).body.data;
    await runOutbox(app, 'report.tenant-export', id);
    const files = unzipped((await download(id, exportId, token)).content);
    expect(linesOf(files.get('invoices.jsonl'))).toMatchObject([{ id: invoice, total: 1179, status: 'PAID' }]);
    expect(linesOf(files.get('payments.jsonl'))).toMatchObject([{ id: payment, amount: 1179 }]);
    expect(linesOf(files.get('payment_methods.jsonl'))).toMatchObject([{ vpa: PAYER }]);
    const billed = BILLING_DATA.filter(({ export: exported }) => 'columns' in exported);
    for (const { table } of billed) expect(linesOf(files.get(`${table}.jsonl`)), table).toHaveLength(1);
    const everything = Buffer.concat([...files.values()]).toString();
    for (const secret of [`token_of_${id}`, `cust_${id}`, 'Waits for', 'Charged ']) {
      expect(everything).not.toContain(secret);
    }
  });

  it('under way already is the answer to whoever asks again, also at once', async () => {
    const { token, id } = await ownerReady();
    const answers = await Promise.all([ask(id, token), ask(id, token), ask(id, token)]);
    expect(new Set(answers.map(({ body }) => body.data.id)).size).toBe(1);
    await runOutbox(app, 'report.tenant-export', id);
    expect((await ask(id, token)).body.data.id).not.toBe(answers[0]?.body.data.id);
  });

  it('is fetched by a link without a token for ten minutes, while the person may still do so', async () => {
    const { owner, token, id } = await ownerReady();
    const { id: exportId } = (await ask(id, token)).body.data;
    await runOutbox(app, 'report.tenant-export', id);
    const { link, sha256 } = await look(id, exportId, token);
    expect(Date.parse(link.expiresAt) - Date.now()).toBeGreaterThan(9 * 60_000);
    expect(Date.parse(link.expiresAt) - Date.now()).toBeLessThanOrEqual(10 * 60_000 + 1_000);
    const fetchIt = () => fetch(`${app.url}${new URL(link.url).pathname}`);
    const answer = await fetchIt();
    expect(answer.status).toBe(200);
    const content = Buffer.from(await answer.arrayBuffer());
    expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
    const used = `select 1 from audit_logs where resource_id = $1 and action = 'tenants.export_download'`;
    expect(await app.query(used, [exportId])).toHaveLength(1);
    await app.query(`update tenants set status = 'SUSPENDED' where id = $1`, [id]);
    expect((await fetchIt()).status).toBe(200);
    await app.query(`delete from role_assignments where user_id = $1`, [owner.id]);
    expect((await fetchIt()).status).toBe(404);
  });

  it('leaves an audit row when it is asked for and at each download', async () => {
    const { token, id } = await ownerReady();
    const { id: exportId } = (await ask(id, token)).body.data;
    await runOutbox(app, 'report.tenant-export', id);
    await download(id, exportId, token);
    await download(id, exportId, token);
    const rows = await app.query(`select action from audit_logs where resource_id = $1 order by sequence`, [exportId]);
    expect(rows.map(({ action }) => action)).toEqual([
      'tenants.export',
      ...Array<string>(2).fill('tenants.export_download'),
    ]);
  });

  it('is for those who may, just proved who they are, and for their own tenant', async () => {
    const { token, id } = await ownerReady();
    const { id: exportId } = (await ask(id, token)).body.data;
    await runOutbox(app, 'report.tenant-export', id);
    const plain = (await app.ownerWithToken()).token;
    expectError(await ask(id, plain), 403, 'step_up_required');
    const stranger = await ownerReady();
    expectError(await ask(id, stranger.token), 404, 'not_found');
    expect((await download(id, exportId, stranger.token)).status).toBe(404);
    expect((await download(stranger.id, exportId, stranger.token)).status).toBe(404);
    const admin = await app.elevatedToken();
    expect((await download(stranger.id, exportId, admin)).status).toBe(404);
    expect((await download(id, exportId, admin)).status).toBe(200);
    const staff = await app.buildUser({ role: 'library_staff', tenantId: id });
    const { token: staffToken } = await app.signInElevated(staff);
    expect((await download(id, exportId, staffToken)).status).toBe(403);
  });

  it('is there for a day, and its file is removed then', async () => {
    const { token, id } = await ownerReady();
    const { id: exportId } = (await ask(id, token)).body.data;
    expect((await download(id, exportId, token)).status).toBe(404);
    await runOutbox(app, 'report.tenant-export', id);
    const [row] = await app.query<{ storage_key: string }>(
      `update data_exports set expires_at = now() - interval '1 second' where id = $1 returning storage_key`,
      [exportId],
    );
    const file = path.join(directory, 'files', row?.storage_key ?? '');
    expect(existsSync(file)).toBe(true);
    expect((await download(id, exportId, token)).status).toBe(404);
    await runJob('cleanup.data-exports');
    expect(existsSync(file)).toBe(false);
    expect(await look(id, exportId, token)).toMatchObject({ status: 'EXPIRED' });
  });

  it('written twice at once, or again after a crash, is one file without those of exports before', async () => {
    const { token, id } = await ownerReady();
    const first = (await ask(id, token)).body.data.id;
    await runOutbox(app, 'report.tenant-export', id);
    const { id: exportId } = (await ask(id, token)).body.data;
    const run = () => runJob('report.tenant-export', { payload: { exportId }, tenantId: id });
    await expect(
      runJob('report.tenant-export', { payload: { exportId }, tenantId: id, signal: AbortSignal.abort() }),
    ).rejects.toThrow();
    await Promise.all([run(), run()]);
    await run();
    expect(readdirSync(folderOf(id, 'exports')).filter((name) => name.startsWith(exportId))).toHaveLength(1);
    const files = unzipped((await download(id, exportId, token)).content);
    expect([...files.keys()].filter((name) => name.includes(first))).toEqual([]);
  });

  it('of many rows reads them on by their key, and misses none', async () => {
    const { token, id } = await ownerReady();
    const rows = process.env.TEST_ALL ? 60_000 : 2_500;
    await app.query(
      `insert into login_attempts (id, tenant_id, account, outcome, method, created_at)
       select 'c' || substr(md5($1 || i), 1, 24), $1, 'st…', 'WRONG_PASSWORD', 'PASSWORD', now() - (i / 100) * interval '1 minute'
         from generate_series(1, $2::int) i`,
      [id, rows],
    );
    const { id: exportId } = (await ask(id, token)).body.data;
    await runOutbox(app, 'report.tenant-export', id);
    const attempts = linesOf(unzipped((await download(id, exportId, token)).content).get('login_attempts.jsonl'));
    expect(new Set(attempts.map((attempt) => attempt.id)).size).toBe(rows + 1);
    expect(attempts).toHaveLength(rows + 1);
  });

  it('is of what the person asks who is named, whatever is in their names', async () => {
    const tenant = await app.buildTenant({ name: '"../../x"\n=cmd' });
    const { token, id } = await ownerReady({ tenantId: tenant.id, name: `</script>\u2028${newId()}` });
    const { id: exportId } = (await ask(id, token)).body.data;
    await runOutbox(app, 'report.tenant-export', id);
    const files = unzipped((await download(id, exportId, token)).content);
    expect([...files.keys()].every((name) => /^[\w./-]+$/.test(name) && !name.includes('..'))).toBe(true);
    expect(linesOf(files.get('tenants.jsonl'))).toMatchObject([{ name: '"../../x"\n=cmd' }]);
  });
});
