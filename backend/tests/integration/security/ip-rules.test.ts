import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

const HERE = '203.0.113.7';
const THERE = '198.51.100.9';

let app: TestApp;
let token: string;
let owner: string;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken();
  owner = (await app.ownerWithToken()).token;
});
afterAll(() => app.close());
afterEach(() => app.query('delete from ip_rules'));

const from = (address: string) => ({ 'x-forwarded-for': address });
const add = (rule: object, address = HERE, who = token) =>
  app.call('POST', '/api/security/ip-rules', {
    token: who,
    headers: from(address),
    body: { effect: 'ALLOW', audience: 'ADMINS', note: 'Of a test', ...rule },
  });
const remove = (id: string, address = HERE) =>
  app.call('DELETE', `/api/security/ip-rules/${id}`, { token, headers: from(address) });
const me = async (who: string, address: string) =>
  (await app.call('GET', '/api/auth/me', { token: who, headers: from(address) })).status;
const insert = (effect: string, audience: string, network: string, expires = 'null') =>
  app.query(
    `insert into ip_rules (id, effect, audience, network, note, expires_at)
     values ($1, $2::ip_rule_effect, $3::ip_rule_audience, $4::inet, 'Of a test', ${expires})`,
    [newId(), effect, audience, network],
  );

describe('A rule', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.0/120', '203.0.113.0/24'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['2001:db8::7', '2001:db8::7'],
  ])('for %s is kept as %s', async (network, kept) => {
    const answer = await add({ effect: 'DENY', audience: 'EVERYONE', network }, '192.0.2.1');
    expectSuccess(answer, 201);
    expect(answer.body.data).toMatchObject({ network: kept, effect: 'DENY', expiresAt: null });
  });

  it.each([
    '203.0.113.7/24',
    '2001:db8::7/32',
    '203.0.113.0/33',
    '203.0.113.0/-1',
    '203.0.113.0/24/8',
    '203.0.113',
    'localhost',
    '::1%eth0',
    '0.0.0.0/0',
    '::/0',
    '::ffff:0:0/96',
    '1.2.3.4; drop table users',
    '',
  ])('that denies %j is refused', async (network) => {
    expectError(await add({ effect: 'DENY', network }), 400, 'validation_failed', 'body network');
  });

  it('that ended before it began is refused, and so is the same twice', async () => {
    expectError(await add({ network: HERE, expiresAt: '2020-01-01' }), 400, 'validation_failed', 'body expiresAt');
    expectSuccess(await add({ network: HERE }), 201);
    expectError(await add({ network: HERE }), 409, 'conflict');
    expect(await app.query('select id from ip_rules')).toHaveLength(1);
  });

  it('that is over makes room for the same again', async () => {
    await insert('ALLOW', 'ADMINS', HERE, `now() - interval '1 minute'`);
    expectSuccess(await add({ network: HERE }), 201);
    expect(await app.query('select id from ip_rules')).toHaveLength(1);
  });

  it.each(['id', 'createdById', 'tenantId', '__proto__', 'constructor'])('takes no %s from its body', async (field) => {
    const rawBody = `{"effect":"DENY","audience":"ADMINS","network":"192.0.2.0/24","note":"Of a test","${field}":"x"}`;
    const answer = await app.call('POST', '/api/security/ip-rules', { token, rawBody });
    expect([201, 400]).toContain(answer.status);
    const rows = await app.query<{ created_by_id: string }>('select id, created_by_id from ip_rules');
    expect(rows.every((row) => row.created_by_id !== 'x')).toBe(true);
  });

  it('cannot be made within a tenant', async () => {
    const { id } = await app.buildTenant();
    const answer = await app.call('POST', '/api/security/ip-rules', {
      token,
      headers: { ...from(HERE), 'x-tenant-id': id },
      body: { effect: 'DENY', audience: 'ADMINS', network: THERE, note: 'Of a test' },
    });
    expectError(answer, 403, 'tenant_mismatch');
  });
});

describe('From the next request on', () => {
  it('a denial shuts out that address and no other, mapped or not', async () => {
    expectSuccess(await add({ effect: 'DENY', audience: 'EVERYONE', network: '198.51.100.0/24' }), 201);
    expect(await me(owner, THERE)).toBe(403);
    expect(await me(token, `::ffff:${THERE}`)).toBe(403);
    expect(await me(owner, '198.51.101.9')).toBe(200);
    expect(await me(owner, '2001:db8::9')).toBe(200);
  });

  it('a denial of IPv6 shuts out its network', async () => {
    await insert('DENY', 'EVERYONE', '2001:db8::/32');
    expect(await me(owner, '2001:db8:0:1::9')).toBe(403);
    expect(await me(owner, '2001:db9::9')).toBe(200);
  });

  it('an allow list of admins shuts out other admins, and no library', async () => {
    expectSuccess(await add({ network: '203.0.113.0/24' }), 201);
    expect(await me(token, HERE)).toBe(200);
    expect(await me(token, THERE)).toBe(403);
    expect(await me(owner, THERE)).toBe(200);
  });

  it('an allow list of everyone counts for libraries too', async () => {
    expectSuccess(await add({ audience: 'EVERYONE', network: HERE }), 201);
    expect(await me(owner, HERE)).toBe(200);
    expect(await me(owner, THERE)).toBe(403);
  });

  it('a denial beats an allowance', async () => {
    await insert('ALLOW', 'ADMINS', '203.0.113.0/24');
    await insert('DENY', 'EVERYONE', '203.0.113.128/25');
    expect(await me(token, '203.0.113.200')).toBe(403);
    expect(await me(token, HERE)).toBe(200);
  });

  it('what has expired no longer holds', async () => {
    await insert('DENY', 'EVERYONE', THERE, `now() - interval '1 second'`);
    await insert('ALLOW', 'ADMINS', '192.0.2.1', `now() - interval '1 second'`);
    expect(await me(owner, THERE)).toBe(200);
    expect(await me(token, THERE)).toBe(200);
  });

  it('an address that is shut out cannot sign in', async () => {
    const admin = await app.buildAdmin();
    await insert('DENY', 'EVERYONE', THERE);
    const body = { email: admin.email, password: 'correct-horse-battery' };
    const answer = await app.call('POST', '/api/auth/login', { body, headers: from(THERE) });
    expect(answer.status).not.toBe(200);
  });
});

describe('Who changes the rules', () => {
  it('cannot shut themselves out by an allow list or a denial', async () => {
    expectError(await add({ network: THERE }), 409, 'conflict');
    expectError(await add({ effect: 'DENY', network: '203.0.113.0/24' }), 409, 'conflict');
    expect(await app.query('select id from ip_rules')).toEqual([]);
    expect(await me(token, HERE)).toBe(200);
  });

  it('cannot remove what lets them in while others remain, and can when none does', async () => {
    const own = (await add({ network: HERE })).body.data.id;
    const other = (await add({ network: THERE })).body.data.id;
    expectError(await remove(own), 409, 'conflict');
    expectSuccess(await remove(other));
    expectSuccess(await remove(own));
    expect(await me(token, '192.0.2.1')).toBe(200);
  });

  it('of two at once who shut each other out, one stays in', async () => {
    // Each allows their own address alone: together they let both in. Then each removes the other's.
    const [one, two] = [(await add({ network: HERE })).body.data.id, (await add({ network: THERE })).body.data.id];
    const answers = await Promise.all([remove(two, HERE), remove(one, THERE)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 403]);
  });

  it('of two at once who deny each other, one stays in', async () => {
    const deny = (network: string, address: string) => add({ effect: 'DENY', network }, address);
    const answers = await Promise.all([deny(THERE, HERE), deny(HERE, THERE)]);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect([await me(token, HERE), await me(token, THERE)].toSorted((a, b) => a - b)).toEqual([200, 403]);
  });
});

describe('Trying an address', () => {
  const tryIt = async (address: string) =>
    (await app.call('POST', '/api/security/ip-rules/test', { token, headers: from(HERE), body: { address } })).body
      .data;

  it('says who would be let in, and by which rule', async () => {
    expect(await tryIt(THERE)).toMatchObject({ admins: { allowed: true, because: 'no_rule', rule: null } });
    await insert('ALLOW', 'ADMINS', '203.0.113.0/24');
    await insert('DENY', 'EVERYONE', '192.0.2.0/24');
    expect(await tryIt(THERE)).toMatchObject({
      admins: { allowed: false, because: 'not_on_allow_list', rule: null },
      everyone: { allowed: true, because: 'no_rule' },
    });
    expect(await tryIt('::ffff:203.0.113.9')).toMatchObject({
      address: '203.0.113.9',
      admins: { allowed: true, because: 'allowed', rule: { network: '203.0.113.0/24' } },
    });
    expect(await tryIt('192.0.2.5')).toMatchObject({
      admins: { allowed: false, because: 'denied', rule: { network: '192.0.2.0/24' } },
      everyone: { allowed: false, because: 'denied' },
    });
  });
});

describe('Without a trusted proxy', () => {
  it('a forged X-Forwarded-For gets nobody past a rule', async () => {
    const { vi } = await import('vitest');
    vi.resetModules();
    const closed = await startTestApp({ TRUST_PROXY: '' });
    try {
      const theirs = await closed.adminToken();
      await closed.query(
        `insert into ip_rules (id, effect, audience, network, note) values ($1, 'DENY', 'ADMINS', '127.0.0.0/8', 'Of a test')`,
        [newId()],
      );
      for (const forged of [HERE, '::ffff:203.0.113.7', '203.0.113.7, 127.0.0.1', 'unknown']) {
        const answer = await closed.call('GET', '/api/auth/me', { token: theirs, headers: from(forged) });
        expectError(answer, 403, 'address_refused');
      }
    } finally {
      await closed.close();
    }
  });
});
