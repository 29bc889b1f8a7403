import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modules } from '../../../src/routes/index.ts';
import { exampleOf } from '../../../src/routes/openapi-examples.ts';
import { newId } from '../../../src/utils/ids.ts';
import type { Answer } from '../../support/client.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { someAddress } from '../../support/factories.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
let creator: { id: string; name: string; email: string | null };
let token: string;
let allScopes: string[];
beforeAll(async () => {
  app = await startTestApp();
  creator = await app.buildAdmin();
  token = (await app.signInElevated(creator)).token;
  allScopes = (await import('../../../src/config/permissions.ts')).permissionCodes;
});
afterAll(() => app.close());

const from = (address = someAddress()) => ({ 'x-forwarded-for': address });
const create = (body: object, who = token) =>
  app.call('POST', '/api/security/api-keys', {
    token: who,
    body: { name: 'Of a test', scopes: ['tenants.read'], ...body },
  });
async function buildKey(body: object = {}, who = token) {
  const answer = await create(body, who);
  expectSuccess(answer, 201);
  return answer.body.data as { id: string; key: string; prefix: string; expiresAt: string; scopes: string[] };
}
const use = (key: string, headers = from(), path = '/api/tenants?limit=1') =>
  app.call('GET', path, { token: key, headers });
const auditOf = (id: string, action: string) =>
  app.query(
    `select actor_type, actor_id, actor_name, on_behalf_of_id, outcome, changes, ip_address from audit_logs
      where resource_id = $1 and action = $2 order by sequence`,
    [id, action],
  );
const eventsOf = (id: string) =>
  app.query(`select type, severity, user_id, details from security_events where api_key_id = $1`, [id]);

describe('A key', () => {
  it('is shown once, kept as a hash, and never listed with its secret', async () => {
    const key = await buildKey({ scopes: ['tenants.read', 'audit.read'] });
    expect(key.key).toMatch(/^ssk_[0-9a-f]{12}_[\w-]{43}$/);
    const secret = key.key.split('_').slice(2).join('_');
    const [row] = await app.query(`select * from api_keys where id = $1`, [key.id]);
    expect(JSON.stringify(row)).not.toContain(secret);
    const list = await app.call('GET', '/api/security/api-keys?limit=100', { token });
    expect(list.text).toContain(key.prefix);
    expect(list.text).not.toContain(secret);
    expect(list.text).not.toMatch(/hash/i);
    const trail = await app.query(`select changes::text from audit_logs where resource_id = $1`, [key.id]);
    expect(JSON.stringify(trail)).not.toContain(secret);
    const days = (Date.parse(key.expiresAt) - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(90);
  });

  it('keeps no answer under an Idempotency-Key', async () => {
    const headers = { 'idempotency-key': `key-${newId()}` };
    const body = { name: 'Of a test', scopes: ['tenants.read'] };
    const answer = await app.call('POST', '/api/security/api-keys', { token, headers, body });
    expectSuccess(answer, 201);
    expect(await app.query('select id from idempotency_keys where key = $1', [headers['idempotency-key']])).toEqual([]);
  });

  it.each([
    [{ scopes: [] }, 'scopes'],
    [{ scopes: ['no.such'] }, 'scopes.0'],
    [{ scopes: ['tenants.read', 'tenants.read'] }, 'scopes'],
    [{ scopes: Array.from({ length: 5000 }, () => 'tenants.read') }, 'scopes'],
    [{ scopes: 'tenants.read' }, 'scopes'],
    [{ expiresAt: '2020-01-01' }, 'expiresAt'],
    [{ expiresAt: '2199-01-01' }, 'expiresAt'],
    [{ allowedNetworks: ['203.0.113.7/24'] }, 'allowedNetworks.0'],
    [{ tenantId: 'cm3k8v1x40000qp2h9d7f5a6b' }, 'tenantId'],
    [{ createdById: 'cm3k8v1x40000qp2h9d7f5a6b' }, 'createdById'],
    [{ secretHash: 'x' }, 'secretHash'],
  ])('is not made of %j', async (body, field) => {
    expectError(await create(body), 400, 'validation_failed', `body ${field}`);
  });

  it('of nobody exceeds what its creator holds', async () => {
    const support = await app.buildAdmin({ role: 'support' });
    await app.query(
      `insert into permission_overrides (id, user_id, permission_code, effect, reason) values ($1, $2, 'security.keys', 'GRANT', 'Of a test')`,
      [newId(), support.id],
    );
    const { token: theirs } = await app.signInElevated(support);
    expectError(await create({ scopes: ['rbac.manage'] }, theirs), 403, 'exceeds_own_permissions');
    await buildKey({ scopes: ['tenants.read'] }, theirs);
    const mine = await buildKey();
    const rotate = await app.call('POST', `/api/security/api-keys/${mine.id}/rotate`, { token: theirs, body: {} });
    expectError(rotate, 403, 'forbidden');
  });
});

describe('Every endpoint', () => {
  const all = modules.flatMap(({ prefix, endpoints }) => endpoints.map((endpoint) => ({ prefix, endpoint })));

  it('takes a key where its scopes allow it, and no other', async () => {
    const { key } = await buildKey({ scopes: allScopes });
    for (const { prefix, endpoint } of all) {
      const { access, method, stepUp, operationId } = endpoint;
      if (access === 'public') continue;
      const path = `/api${prefix}${endpoint.path.replace(/:\w+/g, newId())}`;
      const answer = await app.call(method.toUpperCase(), path, {
        token: key,
        headers: { ...from(), ...(endpoint.ifMatch && { 'if-match': '"1"' }) },
        ...(endpoint.body && { body: method === 'get' ? undefined : exampleOf(endpoint.body, 'input') }),
      });
      expect(answer.status, `${operationId}: ${answer.text}`).not.toBe(401);
      if (access === 'authenticated' || stepUp) expectError(answer, 403, 'forbidden');
      // The rules of the handler may refuse; the check of the permission does not.
      else expect(answer.body?.error?.message ?? '', operationId).not.toMatch(/needs the permission/);
    }
  });

  it('refuses a key without its scope', async () => {
    const { key } = await buildKey({ scopes: ['audit.verify'] });
    expectError(await use(key), 403, 'forbidden');
    expectSuccess(await use(key, from(), '/api/audit/integrity?chain=platform&to=1'));
  });
});

describe('A key does not work', () => {
  const broken: [string, (key: string) => string][] = [
    ['with another secret', (key) => key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A')],
    ['with another prefix', (key) => key.replace(/^ssk_.{12}/, 'ssk_000000000000')],
    ['cut short', (key) => key.slice(0, -1)],
    ['with something behind it', (key) => `${key}x`],
    ['with signs of SQL', () => `ssk_' or 1=1 --_${'x'.repeat(43)}`],
    ['of nothing', () => 'ssk_'],
    ['of a hundred thousand letters', () => `ssk_${'a'.repeat(10_000)}`],
  ];
  it.each(broken)('%s', async (_, change) => {
    const { key, id } = await buildKey();
    expectError(await use(change(key)), 401, 'unauthenticated');
    expect(await eventsOf(id)).toEqual([]);
  });

  it('once it is revoked, and that it is still used is noted once', async () => {
    const { id, key } = await buildKey();
    expectSuccess(await use(key));
    expectSuccess(await app.call('DELETE', `/api/security/api-keys/${id}`, { token }));
    expectError(await app.call('DELETE', `/api/security/api-keys/${id}`, { token }), 409, 'conflict');
    for (const answer of await Promise.all([use(key), use(key), use(key)])) expectError(answer, 401, 'unauthenticated');
    expect(await auditOf(id, 'security.api_key_refused')).toMatchObject([
      {
        actor_type: 'API_KEY',
        actor_id: id,
        on_behalf_of_id: creator.id,
        outcome: 'DENIED',
        changes: { reason: 'revoked' },
      },
    ]);
    expect(await eventsOf(id)).toMatchObject([{ type: 'KEY_MISUSE', severity: 'HIGH', user_id: creator.id }]);
  });

  it('once it has expired', async () => {
    const { id, key } = await buildKey();
    await app.query(`update api_keys set expires_at = now() - interval '1 second' where id = $1`, [id]);
    expectError(await use(key), 401, 'unauthenticated');
    expect(await auditOf(id, 'security.api_key_refused')).toMatchObject([{ changes: { reason: 'expired' } }]);
    expectError(await app.call('POST', `/api/security/api-keys/${id}/rotate`, { token, body: {} }), 409, 'conflict');
  });

  it.each([`status = 'INACTIVE'`, `status = 'SUSPENDED'`, `deleted_at = now()`])(
    'once its creator has left: %s',
    async (change) => {
      const person = await app.buildAdmin();
      const { key } = await buildKey({}, (await app.signInElevated(person)).token);
      expectSuccess(await use(key));
      await app.query(`update users set ${change} where id = $1`, [person.id]);
      expectError(await use(key), 401, 'unauthenticated');
    },
  );

  it('from elsewhere than its networks, which is noted', async () => {
    const { id, key } = await buildKey({ allowedNetworks: ['203.0.113.0/24', '2001:db8::/32'] });
    expectSuccess(await use(key, from('203.0.113.7')));
    expectSuccess(await use(key, from('::ffff:203.0.113.7')));
    expectSuccess(await use(key, from('2001:db8::9')));
    expectError(await use(key, from('198.51.100.7')), 403, 'address_refused');
    expectError(await use(key, from('not-an-address')), 403, 'address_refused');
    expect(await auditOf(id, 'security.api_key_refused')).toMatchObject([{ changes: { reason: 'network' } }]);
  });

  it('from an address that a rule shuts out', async () => {
    const { key } = await buildKey();
    await app.query(
      `insert into ip_rules (id, effect, audience, network, note) values ($1, 'DENY', 'ADMINS', '198.51.100.0/24', 'Of a test')`,
      [newId()],
    );
    expectError(await use(key, from('198.51.100.7')), 403, 'address_refused');
    await app.query('delete from ip_rules');
    expectSuccess(await use(key, from('198.51.100.7')));
  });
});

describe('A rotation', () => {
  const rotate = (id: string, body: object = {}) =>
    app.call('POST', `/api/security/api-keys/${id}/rotate`, { token, body });

  it('gives a new secret, and the old one works for the overlap', async () => {
    const old = await buildKey();
    const answer = await rotate(old.id, { overlapHours: 1 });
    expectSuccess(answer);
    expect(answer.body.data.key).not.toBe(old.key);
    expect(answer.body.data.prefix).toBe(old.prefix);
    for (const key of [old.key, answer.body.data.key]) expectSuccess(await use(key));
    await app.query(`update api_keys set previous_expires_at = now() - interval '1 second' where id = $1`, [old.id]);
    expectError(await use(old.key), 401, 'unauthenticated');
    expect(await auditOf(old.id, 'security.api_key_refused')).toMatchObject([{ changes: { reason: 'rotated' } }]);
    expectSuccess(await use(answer.body.data.key));
  });

  it('without an overlap ends the old one at once', async () => {
    const old = await buildKey();
    expectSuccess(await rotate(old.id, { overlapHours: 0 }));
    expectError(await use(old.key), 401, 'unauthenticated');
  });

  it('of two at once happens once; the promise of the overlap is kept', async () => {
    const old = await buildKey();
    const answers = await Promise.all([rotate(old.id), rotate(old.id)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expectSuccess(await use(old.key));
    expectSuccess(await rotate(old.id, { overlapHours: 0 }));
    expectError(await use(old.key), 401, 'unauthenticated');
  });

  it('needs an overlap within a week', async () => {
    const { id } = await buildKey();
    expectError(await rotate(id, { overlapHours: 169 }), 400, 'validation_failed', 'body overlapHours');
    expectError(await rotate(id, { overlapHours: -1 }), 400, 'validation_failed', 'body overlapHours');
  });
});

describe('What a key does', () => {
  it('is written down with both names', async () => {
    const { id, key } = await buildKey({ scopes: ['tenants.read', 'tenants.update'] });
    const tenant = await app.buildTenant();
    const answer = await app.call('PUT', `/api/tenants/${tenant.id}`, {
      token: key,
      body: { city: 'Sikar' },
      headers: from(),
    });
    expectSuccess(answer);
    const rows = await app.query(
      `select actor_type, actor_id, actor_name, on_behalf_of_id, on_behalf_of_name from audit_logs where request_id = $1 and action = 'tenants.update'`,
      [answer.headers.get('x-request-id')],
    );
    expect(rows).toEqual([
      {
        actor_type: 'API_KEY',
        actor_id: id,
        actor_name: 'Of a test',
        on_behalf_of_id: creator.id,
        on_behalf_of_name: creator.name,
      },
    ]);
    const integrity = await app.call('GET', `/api/audit/integrity?chain=${tenant.id}`, { token });
    expect(integrity.body.data).toMatchObject({ intact: true });
  });

  it('leaves a row for the first use of a day from an address, however many at once', async () => {
    const { id, key } = await buildKey();
    const [one, two] = [from(), from()];
    await Promise.all([use(key, one), use(key, one), use(key, one), use(key, two), use(key, one)]);
    await use(key, two);
    const rows = await auditOf(id, 'security.api_key_use');
    expect(rows.map(({ ip_address }) => String(ip_address)).toSorted()).toEqual(
      [one, two].map((header) => header['x-forwarded-for']).toSorted(),
    );
    expect(rows[0]).toMatchObject({ actor_type: 'API_KEY', actor_id: id, on_behalf_of_id: creator.id });
    const [row] = await app.query(`select last_used_at, last_used_ip from api_keys where id = $1`, [id]);
    expect(row?.last_used_at).toBeInstanceOf(Date);
    await app.query(`update api_keys set last_used_at = '2026-01-01' where id = $1`, [id]);
    await use(key, two);
    const [later] = await app.query(
      `select last_used_at > '2026-02-01' as noted, last_used_ip from api_keys where id = $1`,
      [id],
    );
    expect(later).toEqual({ noted: true, last_used_ip: two['x-forwarded-for'] });
    expect(await auditOf(id, 'security.api_key_use')).toHaveLength(2);
  });

  it('is what its creator may do now', async () => {
    const person = await app.buildAdmin();
    const { key } = await buildKey(
      { scopes: ['tenants.read', 'audit.read'] },
      (await app.signInElevated(person)).token,
    );
    expectSuccess(await use(key, from(), '/api/audit?limit=1'));
    await app.query(
      `insert into permission_overrides (id, user_id, permission_code, effect, reason) values ($1, $2, 'audit.read', 'DENY', 'Of a test')`,
      [newId(), person.id],
    );
    expectError(await use(key, from(), '/api/audit?limit=1'), 403, 'forbidden');
    expectSuccess(await use(key));
    await app.query('delete from role_assignments where user_id = $1', [person.id]);
    expectError(await use(key), 403, 'forbidden');
  });

  it('does not lift it above itself', async () => {
    const scopes = allScopes.filter((code) => code !== 'settings.update' && code !== 'audit.export');
    const { key } = await buildKey({ scopes });
    const target = await app.buildAdmin({ role: 'finance' });
    const attempts: Answer[] = await Promise.all([
      app.call('POST', '/api/security/api-keys', {
        token: key,
        headers: from(),
        body: { name: 'More', scopes: ['settings.update'] },
      }),
      app.call('POST', '/api/rbac/assignments', {
        token: key,
        headers: from(),
        body: { userId: target.id, role: 'super_admin' },
      }),
      app.call('POST', '/api/security/impersonations', {
        token: key,
        headers: from(),
        body: { userId: target.id, reason: 'Because I can do it', ticket: 'T-1' },
      }),
      app.call('POST', '/api/security/sessions/revoke', {
        token: key,
        headers: from(),
        body: { everyone: true, reason: 'Because' },
      }),
    ]);
    expect(attempts.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    expect(await app.query('select id from role_assignments where user_id = $1', [target.id])).toHaveLength(1);
  });

  it('is limited by the key, and guessing by the address', async () => {
    const { vi } = await import('vitest');
    vi.resetModules();
    const limited = await startTestApp({ RATE_LIMIT_USER_PER_MINUTE: '6', RATE_LIMIT_IP_PER_MINUTE: '4' });
    try {
      const body = { name: 'Of a test', scopes: ['tenants.read'] };
      const made = await limited.call('POST', '/api/security/api-keys', { token: await limited.elevatedToken(), body });
      const key = made.body.data.key as string;
      const call = (bearer: string, address: string) =>
        limited.call('GET', '/api/tenants?limit=1', { token: bearer, headers: from(address) });
      const statuses: number[] = [];
      for (let index = 0; index < 8; index += 1) statuses.push((await call(key, someAddress())).status);
      expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 429, 429]);
      const guesses: number[] = [];
      const address = someAddress();
      for (let index = 0; index < 6; index += 1) {
        guesses.push((await call(`ssk_00000000000${index}_${'x'.repeat(43)}`, address)).status);
      }
      expect(guesses).toEqual([401, 401, 401, 401, 429, 429]);
    } finally {
      await limited.close();
    }
  });
});
