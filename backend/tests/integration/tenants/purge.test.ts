import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openJobBackend, type JobBackend } from '../../../src/queues/backend.ts';
import { canonicalJson, sha256 } from '../../../src/utils/canonical-json.ts';
import { newId } from '../../../src/utils/ids.ts';
import { PASSWORD, someAddress } from '../../support/factories.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { moveGrace, runJob, runOutbox } from './support.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'studyspot-purge-'));

let app: TestApp;
let token: string;
let backend: JobBackend;
beforeAll(async () => {
  app = await startTestApp({ DATA_DIR: directory });
  token = await app.elevatedToken({ name: 'Asha Menon' });
  backend = openJobBackend();
});
afterAll(async () => {
  await backend.close();
  await app.close();
  rmSync(directory, { recursive: true, force: true });
});

const look = async (id: string) => (await app.call('GET', `/api/tenants/${id}/offboarding`, { token })).body.data;
const folderOf = (id: string) => path.join(directory, 'files', 'tenants', id);
const filesOf = (id: string): string[] => {
  try {
    return readdirSync(folderOf(id), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  } catch {
    return [];
  }
};

/** Tables in which only the tenant's own rows are looked at, as the certificate says that they stay. */
const KEPT = ['audit_chains', 'audit_logs', 'legal_holds', 'offboardings', 'tenant_transitions'];

/** In which tables there are rows of a tenant, whatever their names: not as the program sees it. */
async function tablesWithRows(id: string): Promise<string[]> {
  const tables = await app.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attname = 'tenant_id'`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    if ((await app.query(`select 1 from ${name} where tenant_id = $1 limit 1`, [id])).length > 0) found.push(name);
  }
  return found.toSorted();
}

/** Where in the whole database a text still stands. */
async function whereIs(text: string): Promise<string[]> {
  const tables = await app.query<{ name: string }>(
    `select oid::regclass::text as name from pg_class
      where relnamespace in ('public'::regnamespace, 'bullmq'::regnamespace) and relkind in ('r', 'p')`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    if ((await app.query(`select 1 from ${name} t where position($1 in t::text) > 0 limit 1`, [text])).length > 0) {
      found.push(name);
    }
  }
  return found;
}

/** A tenant with something of everything, on its way out. */
async function buildLeaving() {
  const tenant = await app.buildTenant({ email: `office-${newId()}@leaving.example` });
  const { id } = tenant;
  const owner = await app.buildOwner({ tenantId: id });
  const student = await app.buildUser({ role: 'student', tenantId: id, phone: '+919829012345' });
  const parent = await app.buildUser({ role: 'parent', tenantId: id });
  await app.signIn(owner);
  const headers = { 'x-tenant-id': id };
  await app.call('PUT', `/api/settings/tenants/${id}/email.reply_to`, {
    token,
    body: { value: tenant.email },
    headers: { 'if-match': '"0"' },
  });
  await app.call('POST', '/api/auth/forgot-password', {
    body: { email: student.email },
    headers: { 'x-forwarded-for': someAddress() },
  });
  await app.call('POST', `/api/tenants/${id}/privacy-requests`, {
    token,
    headers,
    body: { type: 'ACCESS', subjectId: student.id, details: 'What do you know?' },
  });
  await app.query(
    `insert into guardianships (id, tenant_id, student_id, guardian_id, relation) values ($1, $2, $3, $4, 'MOTHER')`,
    [newId(), id, student.id, parent.id],
  );
  await app.query(
    `insert into libraries (id, tenant_id, name, address_line, city, state, pincode, seat_count, updated_at)
     values ($1, $2, 'Hall', '1 Road', 'Kota', 'RJ', '324005', 10, now())`,
    [newId(), id],
  );
  await app.query(
    `insert into dead_letters (id, tenant_id, queue, job, job_id, payload, error, attempts)
     values ($1, $2, 'email', 'email.welcome', $1, '{}', 'x', 1)`,
    [newId(), id],
  );
  await app.query(
    `insert into login_attempts (id, tenant_id, user_id, account, outcome, method, created_at)
     select 'c' || substr(md5($1 || i), 1, 24), $1, $2, 'st…', 'WRONG_PASSWORD', 'PASSWORD', now() from generate_series(1, 4500) i`,
    [id, student.id],
  );
  mkdirSync(path.join(folderOf(id), 'branding'), { recursive: true });
  writeFileSync(path.join(folderOf(id), 'branding', 'logo.png'), 'a logo');
  writeFileSync(path.join(folderOf(id), 'nobody-names-it.csv'), 'left behind');
  const body = { reason: 'They leave us' };
  expect((await app.call('POST', `/api/tenants/${id}/offboard`, { token, body })).status).toBe(200);
  return { id, tenant, owner, student, parent };
}
const makeDue = (id: string) => moveGrace(app, id, 1, 49);

describe('The purge', () => {
  it('leaves nothing of a tenant but what the certificate lists, and touches nobody else', async () => {
    const other = await app.buildOwner();
    const { id, tenant, owner, student } = await buildLeaving();
    const queue = await backend.openQueue('email');
    const job = (tenantId: string | null, payload: object) =>
      queue.add('email.welcome', { payload, tenantId, requestId: null }, { jobId: newId(), delay: 3_600_000 });
    const theirs = [
      await job(id, {}),
      await job(null, { email: student.email }),
      await job(null, { userId: owner.id }),
    ];
    const others = [await job(other.tenantId, {}), await job(null, { userId: other.id })];
    await makeDue(id);
    await runJob('cleanup.offboarding');

    expect(await tablesWithRows(id)).toEqual(KEPT.filter((table) => table !== 'legal_holds'));
    expect(filesOf(id)).toEqual([]);
    for (const { id: jobId } of theirs) expect(await queue.getJob(jobId ?? '')).toBeUndefined();
    for (const { id: jobId } of others) expect(await queue.getJob(jobId ?? '')).toBeDefined();
    expect(await app.query(`select 1 from users where id = $1`, [other.id])).toHaveLength(1);
    for (const personal of [student.email, owner.email, student.phone]) {
      const places = await whereIs(personal ?? '');
      expect(
        places.filter((table) => !table.startsWith('audit_logs')),
        personal ?? '',
      ).toEqual([]);
    }
    expect(await app.query(`select name, email, phone, city, slug, status from tenants where id = $1`, [id])).toEqual([
      {
        name: 'Purged tenant',
        email: `purged-${id}@purged.invalid`,
        phone: null,
        city: null,
        slug: tenant.slug,
        status: 'PURGED',
      },
    ]);
    await queue.remove(others[0]?.id ?? '');
    await queue.remove(others[1]?.id ?? '');
  });

  it('ends with a certificate that says what was removed, and what is kept and why', async () => {
    const { id, tenant } = await buildLeaving();
    await makeDue(id);
    await runJob('cleanup.offboarding');
    const { offboarding, status } = await look(id);
    expect(status).toBe('PURGED');
    const { certificate, certificateHash } = offboarding;
    expect(sha256(canonicalJson(certificate))).toBe(certificateHash);
    expect(certificate).toMatchObject({
      version: 1,
      tenantId: id,
      slug: tenant.slug,
      requestedBy: { name: 'Asha Menon' },
      removed: { objects: 2 },
    });
    const rows = new Map<string, number>(
      certificate.removed.rows.map((row: { table: string; rows: number }) => [row.table, row.rows]),
    );
    expect(Object.fromEntries(rows)).toMatchObject({
      users: 3,
      guardianships: 1,
      libraries: 1,
      login_attempts: 4501,
      privacy_requests: 1,
      settings: 1,
      setting_revisions: 1,
      dead_letters: 1,
    });
    expect(certificate.kept.map(({ table }: { table: string }) => table).toSorted()).toEqual([
      'audit_chains',
      'audit_logs',
      'offboardings',
      'tenant_transitions',
      'tenants',
    ]);
    for (const { why } of certificate.kept) expect(why.length).toBeGreaterThan(20);
    expect(JSON.stringify(certificate)).not.toContain(tenant.email);
    const [row] = await app.query(
      `select actor_type, changes from audit_logs where chain = $1 and action = 'tenants.purge'`,
      [id],
    );
    expect(row).toMatchObject({ actor_type: 'SYSTEM', changes: { sha256OfCertificate: certificateHash } });
    const integrity = await app.call('GET', `/api/audit/integrity?chain=${id}`, { token });
    expect(integrity.body.data.intact).toBe(true);
  });

  it('sends the certificate to the address that the tenant had, and forgets it', async () => {
    const { id, tenant } = await buildLeaving();
    await makeDue(id);
    await runJob('cleanup.offboarding');
    expect(await runOutbox(app, 'email.offboarding-certificate')).toBeGreaterThan(0);
    const files = readdirSync(path.join(directory, 'outbox'), { recursive: true, encoding: 'utf8' });
    expect(files.length).toBeGreaterThan(0);
    const sent = await app.query(
      `select status from email_deliveries where recipient = $1 and template = 'offboarding-certificate'`,
      [`purged-${id}@purged.invalid`],
    );
    expect(sent).toEqual([{ status: 'SENT' }]);
    const places = await whereIs(tenant.email);
    expect(places.filter((table) => !table.startsWith('audit_logs'))).toEqual([]);
  });

  it('shuts everybody out: people cannot sign in, the tenant is a 404 and its slug is taken for good', async () => {
    const { id, tenant, owner } = await buildLeaving();
    await makeDue(id);
    await runJob('cleanup.offboarding');
    const headers = { 'x-forwarded-for': someAddress() };
    const signIn = await app.call('POST', '/api/auth/login', {
      body: { email: owner.email, password: PASSWORD },
      headers,
    });
    expectError(signIn, 401, 'invalid_credentials');
    expectError(await app.call('GET', `/api/tenants/${id}`, { token }), 404, 'not_found');
    expectError(await app.call('GET', '/api/tenants', { token, headers: { 'x-tenant-id': id } }), 404, 'not_found');
    for (const what of ['offboard', 'offboard/cancel', 'activate', 'exports']) {
      const body = what === 'exports' ? undefined : { reason: 'Once more' };
      expectError(await app.call('POST', `/api/tenants/${id}/${what}`, { token, body }), 404, 'not_found');
    }
    const auditor = await app.adminToken({ role: 'auditor' });
    expectError(await app.call('GET', `/api/tenants/${id}/offboarding`, { token: auditor }), 403, 'forbidden');
    const again = await app.call('POST', '/api/tenants', {
      token,
      body: {
        name: 'Hall',
        slug: tenant.slug,
        email: 'a@b.example',
        owner: { name: 'Meera', email: `${newId()}@b.example` },
      },
    });
    expectError(again, 409, 'conflict');
  });
});

describe('The purge does not come', () => {
  it.each([
    ['before the grace is over', -1, 49],
    ['before the notice is 48 hours old', 100, 47],
  ])('%s', async (_when, hours, noticeHours) => {
    const owner = await app.buildOwner();
    const id = owner.tenantId as string;
    await app.call('POST', `/api/tenants/${id}/offboard`, { token, body: { reason: 'They leave us' } });
    await moveGrace(app, id, hours, noticeHours);
    await runJob('cleanup.offboarding');
    expect(await look(id)).toMatchObject({ status: 'OFFBOARDING', offboarding: { purgeStartedAt: null } });
    expect(await app.query(`select 1 from users where id = $1`, [owner.id])).toHaveLength(1);
  });

  it('after it was called off', async () => {
    const owner = await app.buildOwner();
    const id = owner.tenantId as string;
    await app.call('POST', `/api/tenants/${id}/offboard`, { token, body: { reason: 'They leave us' } });
    await makeDue(id);
    await app.call('POST', `/api/tenants/${id}/offboard/cancel`, { token, body: {} });
    await runJob('cleanup.offboarding');
    expect(await look(id)).toMatchObject({ status: 'ACTIVE' });
  });
});

describe('A purge that is interrupted', () => {
  it('at any table goes on where it was, and counts every row once', async () => {
    const { id } = await buildLeaving();
    await makeDue(id);
    for (const table of ['login_attempts', 'guardianships', 'users']) {
      await app.query(
        `create function pg_temp_stop() returns trigger language plpgsql as $$ begin
           if old.tenant_id = '${id}' then raise exception 'stopped here'; end if; return old; end $$;
         create trigger stop before delete on ${table} for each row execute function pg_temp_stop()`,
      );
      await expect(runJob('cleanup.offboarding')).rejects.toThrow('1 purges failed');
      await app.query(`drop trigger stop on ${table}; drop function pg_temp_stop()`);
      expect(await look(id)).toMatchObject({ status: 'OFFBOARDING', offboarding: { state: 'PURGING' } });
    }
    await runJob('cleanup.offboarding');
    const { offboarding } = await look(id);
    const { rows } = offboarding.certificate.removed as { rows: { table: string; rows: number }[] };
    expect(rows.find(({ table }) => table === 'login_attempts')).toEqual({ table: 'login_attempts', rows: 4501 });
    expect(rows.find(({ table }) => table === 'users')).toEqual({ table: 'users', rows: 3 });
  });

  it('by the stop of its process leaves it to the next', async () => {
    const { id } = await buildLeaving();
    await makeDue(id);
    await expect(runJob('cleanup.offboarding', { signal: AbortSignal.abort() })).rejects.toThrow();
    expect(await look(id)).toMatchObject({ status: 'OFFBOARDING' });
    await runJob('cleanup.offboarding');
    expect(await look(id)).toMatchObject({ status: 'PURGED' });
  });

  it('by a storage that fails goes on too, and one that fails holds up no other', async () => {
    const { fileStorage } = await import('../../../src/services/file-storage.service.ts');
    const failing = await buildLeaving();
    const fine = await app.buildOwner();
    await app.call('POST', `/api/tenants/${fine.tenantId}/offboard`, { token, body: { reason: 'They leave us' } });
    await makeDue(failing.id);
    await makeDue(fine.tenantId as string);
    const spy = vi.spyOn(fileStorage(), 'delete').mockRejectedValue(new Error('the disk is away'));
    await expect(runJob('cleanup.offboarding')).rejects.toThrow('1 purges failed');
    spy.mockRestore();
    expect(await look(fine.tenantId as string)).toMatchObject({ status: 'PURGED' });
    expect(await look(failing.id)).toMatchObject({ status: 'OFFBOARDING' });
    await runJob('cleanup.offboarding');
    expect(await look(failing.id)).toMatchObject({ status: 'PURGED' });
    expect(filesOf(failing.id)).toEqual([]);
  });

  it('and one in two workers at once is one purge', async () => {
    const { id } = await buildLeaving();
    await makeDue(id);
    await Promise.all([runJob('cleanup.offboarding'), runJob('cleanup.offboarding'), runJob('cleanup.offboarding')]);
    const { offboarding } = await look(id);
    const { rows } = offboarding.certificate.removed as { rows: { table: string; rows: number }[] };
    expect(rows.find(({ table }) => table === 'login_attempts')?.rows).toBe(4501);
    const purges = await app.query(`select 1 from audit_logs where chain = $1 and action = 'tenants.purge'`, [id]);
    expect(purges).toHaveLength(1);
    expect(
      await app.query(`select 1 from tenant_transitions where tenant_id = $1 and "to" = 'PURGED'`, [id]),
    ).toHaveLength(1);
  });
});
