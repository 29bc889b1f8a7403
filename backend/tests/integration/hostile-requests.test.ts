import { connect } from 'node:net';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../support/client.ts';
import { expectError, expectSuccess } from '../support/expectations.ts';
import { rawRequestTo, type RawRequest } from '../support/raw-request.ts';
import { startTestApp, type TestApp } from '../support/server.ts';
import { from } from './auth/support.ts';

let app: TestApp;
let admin: string;
let owner: string;
let tenantId: string;
beforeAll(async () => {
  app = await startTestApp();
  admin = await app.adminToken();
  ({ token: owner, tenantId } = await app.ownerWithToken());
});
afterAll(() => app.close());

const send = (raw: RawRequest): Promise<Answer> => rawRequestTo(app.url)(raw);

describe('A query', () => {
  const list = (query: string) => app.call('GET', `/api/tenants?${query}`, { token: admin });

  it.each([
    ['limit=0', 'limit', 'must be 1 or more'],
    ['limit=-1', 'limit', 'must be 1 or more'],
    ['limit=101', 'limit', 'must be 100 or less'],
    ['limit=10000', 'limit', 'must be 100 or less'],
    ['limit=abc', 'limit', 'must be a number'],
    ['limit=', 'limit', 'must be 1 or more'],
    ['limit=5.5', 'limit', 'must be a whole number'],
    ['limit=1e999', 'limit', 'must be a number'],
    ['limit=NaN', 'limit', 'must be a number'],
    ['limit=5%00', 'limit', 'must be a number'],
    ['limit=5&limit=6', 'limit', 'must be a number'],
    ['page=0', 'page', 'must be 1 or more'],
    ['page=10001', 'page', 'must be 10000 or less'],
    ['page=99999999999999999999', 'page', 'must be'],
    ['sort=password', 'sort', 'must be one of createdAt, name, status, city, trialEndsAt'],
    ['sort=name;drop', 'sort', 'must be one of'],
    ['sort=constructor', 'sort', 'must be one of'],
    ['order=up', 'order', 'must be one of asc, desc'],
    ['status=active', 'status', 'must be one of TRIAL, ACTIVE'],
    ['status=ACTIVE&status=TRIAL', 'status', 'must be one of'],
    ['createdFrom=2026-02-30', 'createdFrom', 'must be a date such as 2026-08-11'],
    ['createdFrom=2026-13-01', 'createdFrom', 'must be a date'],
    ['createdTo=0000-01-01', 'createdTo', 'must lie between the years 1900 and 2999'],
    ['createdTo=9999-12-31T23:59:59-23:59', 'createdTo', 'must lie between'],
    ['q=a', 'q', 'must have at least 2 characters'],
    ['q=%00%00%00', 'q', 'must not contain control characters'],
    ['q=Hall&q=Room', 'q', 'must be text'],
    [`q=${'x'.repeat(101)}`, 'q', 'must have at most 100 characters'],
    ['city=', 'city', 'must have at least 1 character'],
    ['tenantId=x', 'tenantId', 'is not known here'],
    ['limit[]=5', 'limit[]', 'is not known here'],
    ['filter[status]=ACTIVE', 'filter[status]', 'is not known here'],
    ['__proto__=1', '__proto__', 'is not known here'],
    ['constructor.prototype.x=1', 'constructor.prototype.x', 'is not known here'],
    ['%00=1', '\u0000', 'is not known here'],
    ['=1', '', 'is not known here'],
  ])('%s is a 400 that says what was expected', async (query, field, message) => {
    const answer = await list(query);
    expectError(answer, 400, 'validation_failed', `query ${field}`.trim());
    expect(answer.body.error.details.issues[0].message).toContain(message);
  });

  it.each(['q=%FF%FE', 'q=%ED%A0%80%ED%A0%80', 'q=%', 'q=%zz', 'q=%%%%', '&&&', '', 'q=%E0%A4%A'])(
    '%j is answered, however it is encoded',
    async (query) => {
      const answer = await list(query);
      if (answer.status !== 200) expectError(answer, 400, 'validation_failed');
    },
  );

  it('of a thousand parameters is a 400', async () => {
    expectError(
      await list(Array.from({ length: 900 }, (_, index) => `p${index}=1`).join('&')),
      400,
      'validation_failed',
    );
  });
});

describe('A path', () => {
  it.each([
    '/api/tenants/%zz',
    '/api/tenants/%',
    '/api/tenants/%E0%A4%A',
    '/api/tenants/%C0%AF/users',
    '/api/auth/sessions/%ff',
  ])('%s that is no percent-encoding is a 400', async (path) => {
    const method = path.includes('sessions') ? 'DELETE' : 'GET';
    const answer = await send({ method, path, headers: { authorization: `Bearer ${admin}` } });
    expectError(answer, 400, 'malformed_request');
  });

  it.each([
    'not-an-id',
    '1',
    '%00',
    'cm3k8v1x40000qp2h9d7f5a6b%00',
    'CM3K8V1X40000QP2H9D7F5A6B',
    'cm3k8v1x40000qp2h9d7f5a6b%20',
    'cm3k8v1x40000qp2h9d7f5a6b%0A',
    '..%2f..%2fetc%2fpasswd',
    "'%20or%201=1%20--",
    '[object%20Object]',
    '__proto__',
    'x'.repeat(5000),
    '%F0%9F%98%80',
  ])('with the id %s is a 400', async (id) => {
    for (const path of [`/api/tenants/${id}`, `/api/tenants/${id}/users`, `/api/audit/${id}`]) {
      const answer = await send({ path, headers: { authorization: `Bearer ${admin}` } });
      expectError(answer, 400, 'validation_failed', 'path id');
      expect(answer.body.error.details.issues[0].message).toContain('must be an id: c and 24');
    }
  });

  it.each([
    ['GET', '/'],
    ['GET', '/api'],
    ['GET', '/api/nothing'],
    ['GET', '/api/tenants/x/y/z'],
    ['GET', '/api/auth/login'],
    ['PATCH', '/api/tenants'],
    ['DELETE', '/api/tenants'],
    ['PUT', '/api/auth/mine'],
    ['TRACE', '/api/auth/me'],
    ['PROPFIND', '/api/tenants'],
    ['GET', '/.env'],
    ['GET', '/api/../../etc/passwd'],
    ['GET', '//api/tenants'],
    ['GET', `/${'x'.repeat(6000)}`],
    ['GET', '/%00'],
    ['GET', '/<script>alert(1)</script>'],
  ])('%s %s that leads nowhere is a 404', async (method, path) => {
    const answer = await send({ method, path, headers: { authorization: `Bearer ${admin}` } });
    expectError(answer, 404, 'not_found');
    expect(answer.text.length).toBeLessThan(600);
  });
});

describe('What is no HTTP at all', () => {
  it.each(['GARBAGE\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', 'GET /api/auth/me HTTP/1.1\r\nHost: x\r\nBroken\0: y\r\n\r\n'])(
    'is answered as an error like any other: %j',
    async (sent) => {
      const { hostname, port } = new URL(app.url);
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(Number(port), hostname, () => socket.write(sent));
        let received = '';
        socket.on('data', (chunk) => (received += chunk.toString()));
        socket.on('close', () => resolve(received));
        socket.on('error', reject);
      });
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({
        success: false,
        error: { code: 'malformed_request', statusCode: 400 },
      });
      expectSuccess(await app.call('GET', '/api/auth/me', { token: owner }));
    },
  );
});

describe('Headers', () => {
  it('of 12 kB are borne', async () => {
    expectSuccess(await app.call('GET', '/api/auth/me', { token: owner, headers: { 'x-filler': 'x'.repeat(12_000) } }));
  });

  it('of 20 kB are a 431, and the server goes on', async () => {
    const answer = await send({
      path: '/api/auth/me',
      headers: { authorization: `Bearer ${owner}`, 'x-filler': 'x'.repeat(20_000) },
    });
    expectError(answer, 431, 'headers_too_large');
    expectSuccess(await app.call('GET', '/api/auth/me', { token: owner }));
  });

  it.each([
    '',
    'short',
    'x'.repeat(65),
    'with space 123',
    'a\tb1234567',
    "';drop--123",
    '../../../etc',
    '<b>12345678</b>',
    '\xff'.repeat(10),
  ])('with the request id %j get another one', async (id) => {
    const answer = await app.call('GET', '/api/auth/me', { token: owner, headers: { 'x-request-id': id } });
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('with a sane request id keep it, in errors too', async () => {
    const id = `portal-${randomUUID()}`;
    const answer = await app.call('GET', '/api/auth/me', { headers: { 'x-request-id': id } });
    expect(answer.body.error.requestId).toBe(id);
    expectError(answer, 401, 'unauthenticated');
  });

  it.each(['3', 'W/"3"', '"x"', '*', '"-1"', '"99999999999"', '"1", "2"', ''])(
    'with If-Match %s are a 400',
    async (version) => {
      const answer = await app.call('PUT', `/api/tenants/${tenantId}`, {
        token: owner,
        body: { city: 'Sikar' },
        headers: { 'if-match': version },
      });
      expectError(answer, 400, 'validation_failed', 'header If-Match');
    },
  );

  it('cannot be sent along by a field of the body', async () => {
    const user = { email: 'a@b.co\r\nX-Admin: 1', password: 'x' };
    expectError(
      await app.call('POST', '/api/auth/login', { body: user, headers: from() }),
      400,
      'validation_failed',
      'body email',
    );
  });

  it('of a user agent of 10 kB and of any bytes are cut, and signing in goes on', async () => {
    const user = await app.buildAdmin();
    const headers = { ...from(), 'user-agent': `${'x'.repeat(399)}\xe9${'y'.repeat(9_000)}` };
    const answer = await app.call('POST', '/api/auth/login', {
      body: { email: user.email, password: 'correct-horse-battery' },
      headers,
    });
    expectSuccess(answer);
    const [row] = await app.query<{ user_agent: string }>(`select user_agent from sessions where user_id = $1`, [
      user.id,
    ]);
    expect(row?.user_agent).toBe(`${'x'.repeat(399)}\xe9`);
  });
});
