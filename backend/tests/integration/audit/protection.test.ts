import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { PASSWORD, someAddress } from '../../support/factories.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { writeAudit } from './support.ts';

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken({ role: 'auditor' });
});
afterAll(() => app.close());

const from = () => ({ headers: { 'x-forwarded-for': someAddress() } });

describe('Who did it', () => {
  const newest = async (action: string) =>
    (await app.call('GET', `/api/audit?limit=1&action=${action}`, { token })).body.data[0] as object;

  it('is the person who is signed in, or who is just signing in', async () => {
    const admin = await app.buildAdmin({ role: 'sales', name: 'Dev Patil' });
    await app.signIn(admin);
    expect(await newest('auth.login')).toMatchObject({
      tenantId: null,
      outcome: 'SUCCESS',
      actor: { type: 'USER', id: admin.id, name: 'Dev Patil' },
    });
  });

  it('is nobody known when a login fails; it is written where the account belongs', async () => {
    const { owner, tenantId } = await app.ownerWithToken();
    const fail = (email: string | null) =>
      app.call('POST', '/api/auth/login', { body: { email, password: 'wrong-password-1' }, ...from() });
    await fail('nobody-at-all@people.example');
    const anonymous = { type: 'ANONYMOUS', id: null, name: null };
    expect(await newest('auth.login')).toMatchObject({ tenantId: null, outcome: 'FAILURE', actor: anonymous });
    await fail(owner.email);
    expect(await newest('auth.login')).toMatchObject({ tenantId, outcome: 'FAILURE', actor: anonymous });
  });

  it('is the system for a job', async () => {
    const { id } = await app.buildTenant();
    await writeAudit([{ resource: 'dead_letters', tenantId: id }], { system: true });
    expect(await newest('tenants.update')).toMatchObject({
      tenantId: id,
      actor: { type: 'SYSTEM', id: null, name: null },
      outcome: 'SUCCESS',
    });
  });

  it('is told even of what was refused: another tenant named in the header', async () => {
    const { token: owner, tenantId, owner: person } = await app.ownerWithToken();
    const other = await app.buildTenant();
    const call = { token: owner, headers: { 'x-tenant-id': other.id } };
    expect((await app.call('GET', `/api/tenants/${other.id}`, call)).status).toBe(403);
    expect(await newest('security.cross_tenant')).toMatchObject({
      tenantId,
      outcome: 'DENIED',
      actor: { type: 'USER', id: person.id },
    });
  });
});

describe('Secrets', () => {
  it('are in no audit row, whatever was sent', async () => {
    const wrong = 'a-wrong-password-of-somebody';
    const chosen = 'a-new-password-of-theirs';
    const user = await app.buildOwner();
    const { token: access, refreshToken } = await app.signIn(user);
    await app.call('POST', '/api/auth/login', { body: { email: user.email, password: wrong }, ...from() });
    await app.call('POST', '/api/auth/refresh', { body: { refreshToken }, ...from() });
    const oneTime = await app.buildOneTimeToken(user);
    const reset = { token: oneTime, password: chosen };
    expect((await app.call('POST', '/api/auth/reset-password', { body: reset, ...from() })).status).toBe(200);
    await app.call('POST', '/api/auth/forgot-password', { body: { email: user.email }, ...from() });
    await app.call('GET', '/api/auth/me', { token: access, headers: { 'x-tenant-id': `Bearer ${access}` } });

    const hashes = await app.query<{ password_hash: string }>(
      `select password_hash from users where password_hash is not null`,
    );
    const everything = (await app.query<{ row: string }>(`select a::text as row from audit_logs a`))
      .map(({ row }) => row)
      .join('\n');
    const secrets = [PASSWORD, wrong, chosen, access, refreshToken, oneTime, ...hashes.map((row) => row.password_hash)];
    for (const secret of secrets) expect(everything).not.toContain(secret);
    expect(everything).not.toMatch(/\$argon2|eyJ[\w-]+\.eyJ/);
  });

  it('are taken out before the row is hashed, so that the chain holds without them', async () => {
    const { id } = await app.buildTenant();
    await writeAudit([
      {
        resource: 'provider',
        tenantId: id,
        before: { apiKey: 'old-key', url: 'https://a.example' },
        after: { apiKey: 'new-key', url: 'https://user:s3cret@b.example' },
        details: { nested: { accessToken: 'x', password: 'y' }, header: 'Bearer abc.def' },
      },
    ]);
    const [row] = await app.query(`select changes from audit_logs where chain = $1`, [id]);
    expect(row?.changes).toEqual({
      apiKey: '[redacted]',
      url: { from: 'https://a.example', to: 'https://user:[redacted]@b.example' },
      nested: { accessToken: '[redacted]', password: '[redacted]' },
      header: 'Bearer [redacted]',
    });
    const { body } = await app.call('GET', `/api/audit/integrity?chain=${id}`, { token });
    expect(body.data).toMatchObject({ intact: true, rows: 1 });
  });

  it('are not seen where there are none: what somebody wrote stays as it is', async () => {
    const operations = await app.adminToken({ role: 'operations' });
    const { id } = await app.buildTenant();
    const reason = 'The basic plan is unpaid; the bearer said so: 50% "later" \\ ॐ 🙏';
    await app.call('POST', `/api/tenants/${id}/suspend`, { token: operations, body: { reason } });
    const [row] = await app.query(`select changes from audit_logs where chain = $1`, [id]);
    expect(row?.changes.reason).toBe(reason);
    const { body } = await app.call('GET', `/api/audit/integrity?chain=${id}`, { token });
    expect(body.data).toMatchObject({ intact: true, rows: 1 });
  });
});

describe('The database', () => {
  const attempt = async (scope: string | null, sql: string, tenantId = '') => {
    const client = new pg.Client(app.database.appUrl);
    await client.connect();
    try {
      await client.query('begin');
      if (scope) {
        await client.query(`select set_config('role', $1, true), set_config('app.tenant_id', $2, true)`, [
          scope,
          tenantId,
        ]);
      }
      await client.query(sql);
      return 'done';
    } catch (error) {
      return (error as { code?: string }).code;
    } finally {
      await client.end();
    }
  };
  const statements = [
    `update audit_logs set action = 'forged'`,
    `update audit_logs set id = id where false`,
    `delete from audit_logs`,
    `delete from audit_logs where false`,
    `truncate audit_logs`,
    `truncate audit_chains`,
    `alter table audit_logs disable row level security`,
    `drop table audit_logs`,
  ];
  const scopes = [null, 'studyspot_tenant', 'studyspot_portal', 'studyspot_auth'];

  it.each(scopes.flatMap((scope) => statements.map((sql) => ({ scope, sql }))))(
    'refuses the application in scope $scope: $sql',
    async ({ scope, sql }) => {
      const { id } = await app.buildTenant();
      await writeAudit([{ resource: 'test', tenantId: id }]);
      const before = await app.query(`select count(*) from audit_logs`);
      expect(await attempt(scope, sql, id)).toBe('42501');
      expect(await app.query(`select count(*) from audit_logs`)).toEqual(before);
    },
  );

  it('shows no row outside of a scope, and lets a tenant write to its own chain alone', async () => {
    const [own, other] = await Promise.all([app.buildTenant(), app.buildTenant()]);
    const insert = (tenantId: string | null) => {
      const tenant = tenantId === null ? 'null' : `'${tenantId}'`;
      return `insert into audit_logs (id, chain, sequence, tenant_id, actor_type, action, resource, outcome, created_at, previous_hash, hash)
              values ('${newId()}', coalesce(${tenant}, 'platform'), 1000, ${tenant}, 'USER', 'x', 'x', 'SUCCESS', now(), 'x', 'x')`;
    };
    expect(await attempt(null, 'select 1 from audit_logs')).toBe('42501');
    expect(await attempt('studyspot_tenant', insert(own.id), own.id)).toBe('done');
    expect(await attempt('studyspot_tenant', insert(other.id), own.id)).toBe('42501');
    expect(await attempt('studyspot_tenant', insert(null), own.id)).toBe('42501');
    expect(await attempt('studyspot_tenant', insert(own.id), '')).toBe('42501');
  });
});
