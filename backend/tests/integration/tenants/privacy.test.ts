import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { statusesOf } from '../../support/calls.ts';
import { PASSWORD, someAddress } from '../../support/factories.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { fillBilling } from './billed-tenant.ts';
import { runOutbox, unzipped } from './support.ts';

const DAY_MS = 86_400_000;
const directory = mkdtempSync(path.join(tmpdir(), 'studyspot-privacy-'));

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ DATA_DIR: directory });
});
afterAll(async () => {
  await app.close();
  rmSync(directory, { recursive: true, force: true });
});

async function library() {
  const owner = await app.buildOwner({ name: 'Meera Sharma' });
  const id = owner.tenantId as string;
  const student = await app.buildUser({ role: 'student', tenantId: id, name: 'Ravi Kumar', phone: '+919829054321' });
  const { token } = await app.signInElevated(owner);
  return { owner, id, student, token };
}
type Type = 'ACCESS' | 'CORRECTION' | 'ERASURE';
const ask = (id: string, token: string, type: Type, subjectId: string) =>
  app.call('POST', `/api/tenants/${id}/privacy-requests`, {
    token,
    body: { type, subjectId, details: 'As the law allows me' },
  });
const work = (id: string, token: string, requestId: string, body: object, version?: number) =>
  app.call('PUT', `/api/tenants/${id}/privacy-requests/${requestId}`, {
    token,
    body,
    ...(version !== undefined && { headers: { 'if-match': `"${version}"` } }),
  });
const list = async (id: string, token: string, query = '') =>
  (await app.call('GET', `/api/tenants/${id}/privacy-requests${query}`, { token })).body;
async function erase(id: string, token: string, subjectId: string) {
  const { id: requestId } = (await ask(id, token, 'ERASURE', subjectId)).body.data;
  return work(id, token, requestId, { status: 'COMPLETED' });
}

describe('A privacy request', () => {
  it('is noted down with the day by which it is to be answered', async () => {
    const { id, student, token, owner } = await library();
    const { status, body } = await ask(id, token, 'CORRECTION', student.id);
    expect(status).toBe(201);
    expect(body.data).toMatchObject({
      type: 'CORRECTION',
      status: 'OPEN',
      subject: { id: student.id, name: 'Ravi Kumar' },
      overdue: false,
      requestedBy: { id: owner.id, name: 'Meera Sharma' },
      version: 1,
    });
    expect(Date.parse(body.data.dueAt) - Date.parse(body.data.createdAt)).toBe(30 * DAY_MS);
    const [row] = await app.query(`select chain, changes from audit_logs where resource_id = $1`, [body.data.id]);
    expect(row).toEqual({ chain: id, changes: { type: 'CORRECTION', subjectId: student.id } });
  });

  it('is there once while it is open, also asked twice at once', async () => {
    const { id, student, token } = await library();
    const answers = await Promise.all([
      ask(id, token, 'ACCESS', student.id),
      ask(id, token, 'ACCESS', student.id),
      ask(id, token, 'CORRECTION', student.id),
    ]);
    expect(statusesOf(answers)).toEqual([201, 201, 409]);
  });

  it('is about somebody of the library', async () => {
    const { id, token } = await library();
    const stranger = await app.buildOwner();
    for (const subjectId of [stranger.id, newId(), (await app.buildAdmin()).id]) {
      const answer = await ask(id, token, 'ERASURE', subjectId);
      expectError(answer, 400, 'validation_failed');
      expect(answer.body.error.details.issues).toMatchObject([{ in: 'body', field: 'subjectId' }]);
    }
    expectError(await ask(stranger.tenantId as string, token, 'ERASURE', stranger.id), 404, 'not_found');
  });

  it('is found by type, state and whether it is overdue', async () => {
    const { id, student, token, owner } = await library();
    const late = (await ask(id, token, 'ACCESS', student.id)).body.data.id;
    const rejected = (await ask(id, token, 'ERASURE', student.id)).body.data.id;
    await ask(id, token, 'CORRECTION', owner.id);
    await app.query(`update privacy_requests set due_at = now() - interval '1 day' where id = any ($1)`, [
      [late, rejected],
    ]);
    await work(id, token, rejected, { status: 'REJECTED', resolution: 'They still owe fees' });
    const ids = async (query: string) => (await list(id, token, query)).data.map((one: { id: string }) => one.id);
    expect(await ids('?overdue=true')).toEqual([late]);
    expect(await ids('?overdue=false')).toHaveLength(2);
    expect(await ids('?type=ERASURE')).toEqual([rejected]);
    expect(await ids('?status=REJECTED')).toEqual([rejected]);
    expect(new Set((await ids('?sort=dueAt&order=asc')).slice(0, 2))).toEqual(new Set([late, rejected]));
    expect((await list(id, token, '?limit=2')).meta).toMatchObject({ total: 3, totalPages: 2 });
  });

  it('moves by its table, with an answer where one is owed, and an answer is final', async () => {
    const { id, student, token } = await library();
    const { id: requestId } = (await ask(id, token, 'CORRECTION', student.id)).body.data;
    expectError(await work(id, token, requestId, { status: 'COMPLETED' }), 400, 'validation_failed');
    expectError(await work(id, token, requestId, { status: 'REJECTED' }), 400, 'validation_failed');
    expect((await work(id, token, requestId, { status: 'IN_PROGRESS' }, 1)).body.data).toMatchObject({ version: 2 });
    expectError(await work(id, token, requestId, { status: 'IN_PROGRESS' }), 409, 'invalid_transition');
    const done = { status: 'COMPLETED', resolution: 'The phone number was corrected' };
    expectError(await work(id, token, requestId, done, 1), 412, 'version_mismatch');
    expect((await work(id, token, requestId, done, 2)).body.data).toMatchObject({
      ...done,
      handledByName: 'Meera Sharma',
      resolvedAt: expect.any(String),
    });
    expectError(await work(id, token, requestId, done), 409, 'invalid_transition');
    const stranger = await library();
    expectError(await work(stranger.id, stranger.token, requestId, done), 404, 'not_found');
    const admin = await app.elevatedToken();
    expectError(await work(stranger.id, admin, requestId, done), 404, 'not_found');
  });
});

describe('An access request', () => {
  it('completed makes a file of what is known of that person alone', async () => {
    const { id, student, token, owner } = await library();
    await app.signIn(student);
    const { id: requestId } = (await ask(id, token, 'ACCESS', student.id)).body.data;
    const base = `/api/tenants/${id}/privacy-requests/${requestId}/export`;
    expectError(await app.call('GET', base, { token }), 404, 'not_found');
    const { exportId } = (await work(id, token, requestId, { status: 'COMPLETED' })).body.data;
    expect(exportId).toEqual(expect.any(String));
    expect(await runOutbox(app, 'report.person-export', id)).toBe(1);
    expect((await app.call('GET', base, { token })).body.data).toMatchObject({ id: exportId, status: 'READY' });
    const answer = await fetch(`${app.url}${base}/download`, { headers: { authorization: `Bearer ${token}` } });
    const files = unzipped(Buffer.from(await answer.arrayBuffer()));
    const lines = (name: string) => (files.get(name)?.toString() ?? '').split('\n').filter(Boolean);
    expect(lines('users.jsonl').map((line) => JSON.parse(line))).toMatchObject([
      { id: student.id, name: 'Ravi Kumar' },
    ]);
    expect(lines('sessions.jsonl')).toHaveLength(1);
    expect(lines('login_attempts.jsonl')).toHaveLength(1);
    expect(lines('audit_logs.jsonl').length).toBeGreaterThan(0);
    expect([...files.keys()]).not.toContain('tenants.jsonl');
    const everything = Buffer.concat([...files.values()]).toString();
    expect(everything).not.toContain(owner.email);
    expect(everything).not.toMatch(/argon2|refresh_seed/);
    expectError(await app.call('GET', `/api/tenants/${id}/exports/${exportId}`, { token }), 404, 'not_found');
  });
});

describe('Who has changed a subscription', () => {
  it('is told so, without the books of the business, and is forgotten as who asked for a change', async () => {
    const { id, token } = await library();
    const partner = await app.buildOwner({ tenantId: id, name: 'Ravi Sharma' });
    await fillBilling(app, id, { id: partner.id, name: partner.name });
    const { id: requestId } = (await ask(id, token, 'ACCESS', partner.id)).body.data;
    await work(id, token, requestId, { status: 'COMPLETED' });
    await runOutbox(app, 'report.person-export', id);
    const link = `${app.url}/api/tenants/${id}/privacy-requests/${requestId}/export/download`;
    const answer = await fetch(link, { headers: { authorization: `Bearer ${token}` } });
    const files = unzipped(Buffer.from(await answer.arrayBuffer()));
    for (const table of ['subscription_changes', 'subscription_scheduled_changes']) {
      expect(JSON.parse(files.get(`${table}.jsonl`)?.toString() ?? ''), table).toMatchObject({
        subscription_id: expect.any(String),
      });
    }
    expect([...files.keys()]).not.toContain('invoices.jsonl');

    expect((await erase(id, token, partner.id)).body.data).toMatchObject({ status: 'COMPLETED' });
    const names = await app.query(`select requested_by from subscription_scheduled_changes where tenant_id = $1`, [id]);
    expect(names).toEqual([{ requested_by: 'Erased person' }]);
  });
});

describe('An erasure', () => {
  it('removes the person from every table but the trail, in which they are not named anew', async () => {
    const { id, student, token } = await library();
    const importId = newId();
    await app.query(
      `insert into people_imports (id, tenant_id, file_name, format, size_bytes, sha256, columns, mapping, requested_by_id, requested_by_name)
       values ($1, $2, 'people.csv', 'CSV', 1, 'x', '[]', '{}', 'x', 'x')`,
      [importId, id],
    );
    await app.query(
      `insert into people_import_rows (import_id, number, tenant_id, status, cells, user_id)
       values ($1, 2, $2, 'CREATED', $3, $4)`,
      [importId, id, JSON.stringify(['Ravi Kumar', student.email]), student.id],
    );
    const key = `tenants/${id}/imports/${importId}.csv`;
    const file = path.join(directory, 'files', key);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, 'Ravi Kumar');
    await app.query(`update people_imports set storage_key = $2, status = 'COMPLETED' where id = $1`, [importId, key]);
    await app.query(`update users set import_id = $2, import_row = 2 where id = $1`, [student.id, importId]);
    await app.query(`update users set date_of_birth = '2001-02-03', member_number = 'M-17' where id = $1`, [
      student.id,
    ]);
    const { token: theirs } = await app.signIn(student);
    const email = student.email ?? '';
    await app.query(
      `insert into email_deliveries (id, tenant_id, job_id, template, recipient, subject, status, message_id)
       values ($1, $2, $1, 'welcome', $3, 'Ravi Kumar, welcome', 'SENT', 'x')`,
      [newId(), id, email],
    );
    const answer = await erase(id, token, student.id);
    expect(answer.body.data, answer.text).toMatchObject({
      status: 'COMPLETED',
      subject: { name: 'Erased person' },
      resolution: expect.stringContaining('audit trail'),
    });
    expect(await runOutbox(app, 'cleanup.import-file', id)).toBe(1);
    expect(existsSync(file)).toBe(false);
    expectError(await app.call('GET', '/api/auth/me', { token: theirs }), 401, 'unauthenticated');
    const signIn = { body: { email, password: PASSWORD }, headers: { 'x-forwarded-for': someAddress() } };
    expectError(await app.call('POST', '/api/auth/login', signIn), 401, 'invalid_credentials');
    const tables = await app.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`,
    );
    for (const { name } of tables) {
      if (name === 'audit_logs') continue;
      for (const personal of [email, 'Ravi Kumar', '2001-02-03', 'M-17']) {
        const found = await app.query(
          `select 1 from ${name} t where position($1 in t::text) > 0 and position($2 in t::text) > 0`,
          [personal, id],
        );
        expect(found, `${personal} in ${name}`).toEqual([]);
      }
    }
    const [row] = await app.query(`select deleted_at, erased_at, status, phone from users where id = $1`, [student.id]);
    expect(row).toMatchObject({
      status: 'INACTIVE',
      phone: null,
      erased_at: expect.any(Date),
      deleted_at: expect.any(Date),
    });
    const trail = await app.query(`select changes from audit_logs where resource_id = $1 and resource = 'user'`, [
      student.id,
    ]);
    expect(trail).toEqual([{ changes: { erased: true, requestId: answer.body.data.id } }]);
  });

  it('is refused under a legal hold, and possible after it', async () => {
    const { id, student, token } = await library();
    const admin = await app.elevatedToken();
    const hold = (inForce: boolean) =>
      app.call('PUT', `/api/tenants/${id}/legal-hold`, { token: admin, body: { inForce, reason: 'A court says so' } });
    await hold(true);
    const refused = await erase(id, token, student.id);
    expectError(refused, 409, 'conflict');
    expect(refused.body.error.message).toContain('legal hold');
    expect(await app.query(`select name from users where id = $1`, [student.id])).toEqual([{ name: 'Ravi Kumar' }]);
    await hold(false);
    const [{ id: requestId }] = (await list(id, token)).data;
    expect((await work(id, token, requestId, { status: 'COMPLETED' })).status).toBe(200);
  });

  it('is refused for the last owner, and for oneself', async () => {
    const { id, owner, token } = await library();
    const admin = await app.elevatedToken();
    const refused = await erase(id, admin, owner.id);
    expectError(refused, 409, 'conflict');
    expect(refused.body.error.message).toContain('last owner');
    const second = await app.buildOwner({ tenantId: id });
    expect(statusesOf([await erase(id, token, second.id)])).toEqual([200]);
    await app.buildOwner({ tenantId: id });
    const [{ id: requestId }] = (await list(id, admin, '?status=OPEN')).data;
    expectError(await work(id, token, requestId, { status: 'COMPLETED' }), 403, 'forbidden');
    expect((await work(id, admin, requestId, { status: 'COMPLETED' })).status).toBe(200);
  });

  it('of two owners who erase each other at once leaves one', async () => {
    const { id, owner, token } = await library();
    const second = await app.buildOwner({ tenantId: id });
    const { token: other } = await app.signInElevated(second);
    const answers = await Promise.all([erase(id, token, second.id), erase(id, other, owner.id)]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(
      await app.query(`select 1 from users where tenant_id = $1 and kind = 'OWNER' and erased_at is null`, [id]),
    ).toHaveLength(1);
  });

  it('is refused for the only guardian of somebody under 18, whom it names', async () => {
    const { id, student, token } = await library();
    await app.query(`update users set date_of_birth = now()::date - 4000 where id = $1`, [student.id]);
    const mother = await app.buildUser({ role: 'parent', tenantId: id });
    const link = (guardianId: string) =>
      app.query(
        `insert into guardianships (id, tenant_id, student_id, guardian_id, relation) values ($1, $2, $3, $4, 'MOTHER')`,
        [newId(), id, student.id, guardianId],
      );
    await link(mother.id);
    const refused = await erase(id, token, mother.id);
    expectError(refused, 409, 'conflict');
    expect(refused.body.error.details).toEqual({ students: [{ id: student.id, name: 'Ravi Kumar' }] });
    await link((await app.buildUser({ role: 'parent', tenantId: id })).id);
    const [{ id: requestId }] = (await list(id, token)).data;
    expect((await work(id, token, requestId, { status: 'COMPLETED' })).status).toBe(200);
  });

  it('is for those whose permissions cover theirs, and who just proved who they are', async () => {
    const { id, student, token } = await library();
    const second = await app.buildOwner({ tenantId: id });
    const support = await app.elevatedToken({ role: 'support' });
    expectError(await erase(id, support, second.id), 403, 'exceeds_own_permissions');
    const { id: requestId } = (await ask(id, token, 'ERASURE', student.id)).body.data;
    const plain = (await app.signIn(second)).token;
    expectError(await work(id, plain, requestId, { status: 'COMPLETED' }), 403, 'step_up_required');
  });

  it('done once is done: a second request finds nobody', async () => {
    const { id, student, token } = await library();
    const { id: access } = (await ask(id, token, 'ACCESS', student.id)).body.data;
    await erase(id, token, student.id);
    expectError(await ask(id, token, 'ERASURE', student.id), 400, 'validation_failed');
    expectError(await work(id, token, access, { status: 'COMPLETED' }), 409, 'conflict');
  });
});
