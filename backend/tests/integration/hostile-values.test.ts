import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { Endpoint } from '../../src/routes/endpoint.ts';
import { modules } from '../../src/routes/index.ts';
import type { Answer } from '../support/client.ts';
import { exampleBody, neededHeaders, requestOf } from '../support/example-request.ts';
import { someAddress } from '../support/factories.ts';
import { expectError, expectSuccess } from '../support/expectations.ts';
import { startTestApp, type TestApp } from '../support/server.ts';

// Loops over every parameter and every field of every endpoint that is declared: a new one is covered by being declared.

let app: TestApp;
let admin: string;
let tenantId: string;
let auditId: string;
beforeAll(async () => {
  app = await startTestApp();
  admin = await app.adminToken();
  const tenant = await app.buildTenant({ name: 'Saraswati 100% Hall_1', status: 'ACTIVE' });
  tenantId = tenant.id;
  await app.buildUser({ role: 'student', tenantId, name: 'Ravi Kumar' });
  const { body } = await app.call('GET', '/api/audit?limit=1', { token: admin });
  auditId = body.data[0].id;
});
afterAll(() => app.close());

const all = modules.flatMap(({ prefix, endpoints }) =>
  endpoints.map((endpoint) => ({ endpoint, name: endpoint.operationId, path: `/api${prefix}${endpoint.path}` })),
);

/** A token that the limits of the endpoint do not stop. */
function callerFor(endpoint: Endpoint): () => Promise<{ token?: string; headers: Record<string, string> }> {
  let calls = 0;
  let token: string | undefined;
  const most = typeof endpoint.rateLimit === 'object' ? endpoint.rateLimit.points - 5 : Number.POSITIVE_INFINITY;
  return async () => {
    const headers = { 'x-forwarded-for': someAddress(), ...neededHeaders(endpoint) };
    if (endpoint.access === 'public') return { headers };
    if (token === undefined || calls >= most) {
      [token, calls] = [await (endpoint.stepUp ? app.elevatedToken() : app.adminToken()), 0];
    }
    calls += 1;
    return { token, headers };
  };
}

const pathOf = (path: string) =>
  path
    .replace('/policies/:type', '/policies/lockout')
    .replace(':id', path.startsWith('/api/audit') ? auditId : tenantId)
    .replace(/:\w+/g, tenantId);
const keysOf = (schema: z.ZodType | undefined) => Object.keys((schema as z.ZodObject | undefined)?.shape ?? {});

const hostileTexts = [
  "' or 1=1 --",
  "'; drop table users; --",
  '"\\',
  '$1',
  '%%%',
  '${jndi:ldap://x}',
  '<script>alert(1)</script>',
  '\0',
  'abc\0def',
  '\u001b[31m',
  '\u202egnp.exe',
  '\u{1f600}\u{1f600}',
  'a'.repeat(5000),
  '',
];
/** Numbers, moments and cursors that do not exist, or that the database does not take. */
const hostileValuesOfQueries = [
  '1e309',
  '-1',
  '0',
  '2147483648',
  '99999999999999999999',
  'NaN',
  'null',
  '2026-02-30',
  '0000-01-01',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59-23:59',
  ...['2026-02-30T00:00:00.000000Z', '0000-01-01T00:00:00.000000Z', '2026-01-01T24:00:00.000000Z'].map((time) =>
    Buffer.from(`${time}~cm3k8v1x40000qp2h9d7f5a6b`).toString('base64url'),
  ),
];
const encodedBytes = ['%FF%FE', '%ED%A0%80', '%C0%AF', '%', '%zz', '%E0%A4%A'];

function expectAnswered(answer: Answer, what: string): void {
  if (answer.status < 300) return expectSuccess(answer, answer.status);
  expect([400, 401, 403, 404, 409, 412, 428], `${what}: ${answer.text}`).toContain(answer.status);
  expectError(answer, answer.status, answer.body.error.code);
}

describe('A search', () => {
  const found = async (path: string) => {
    const answer = await app.call('GET', path, { token: admin });
    expectSuccess(answer);
    return answer.body.meta.total as number;
  };

  const attacks = [
    "' or 1=1 --",
    "' or ''='",
    "x' or true) --",
    '%%',
    '__',
    '\\%',
    "\\' or 1=1 --",
    '"%"',
    '$1 or 1=1',
    '%25',
    '*',
    '.*',
  ];
  it.each(attacks)('for %j finds nothing, in any filter of any list', async (attack) => {
    const value = encodeURIComponent(attack);
    for (const path of [
      `/api/tenants?q=${value}`,
      `/api/tenants?city=${value}`,
      `/api/tenants/${tenantId}/users?q=${value}`,
      `/api/audit?action=${value}`,
      `/api/audit?resource=${value}`,
      `/api/audit?resourceId=${value}`,
    ]) {
      if (attack.length < 2 && path.includes('?q=')) continue;
      expect(await found(path), path).toBe(0);
    }
  });

  it('for signs that mean something to LIKE finds them as they are', async () => {
    expect(await found(`/api/tenants?q=${encodeURIComponent('100% hall_1')}`)).toBe(1);
    expect(await found(`/api/tenants?q=${encodeURIComponent('100_ hall')}`)).toBe(0);
    expect(await found(`/api/tenants?q=${encodeURIComponent('S%i')}`)).toBe(0);
    expect(await found('/api/tenants?q=sArAsWaTi')).toBe(1);
  });

  it('for numbers beyond those of the database is refused or finds nothing', async () => {
    for (const range of [
      'from=2147483648',
      'from=9007199254740991',
      'to=9007199254740991',
      'from=2147483647&to=2147483647',
    ]) {
      const answer = await app.call('GET', `/api/audit/integrity?chain=platform&${range}`, { token: admin });
      expectAnswered(answer, range);
    }
  });
});

describe('Whatever stands in', () => {
  const queries = all.flatMap((one) => keysOf(one.endpoint.query).map((field) => ({ ...one, field })));

  it.each(queries)(
    'the parameter $field of $name, it is used as it is, or refused by name',
    async ({ endpoint, path, field }) => {
      const caller = callerFor(endpoint);
      for (const value of [...[...hostileTexts, ...hostileValuesOfQueries].map(encodeURIComponent), ...encodedBytes]) {
        const answer = await app.call(
          endpoint.method.toUpperCase(),
          `${pathOf(path)}?${field}=${value}`,
          await caller(),
        );
        expectAnswered(answer, `${field}=${value}`);
        if (answer.status === 400) {
          const isNamed = (issue: { field: string }) => issue.field === field || issue.field === 'chain';
          expect(answer.body.error.details.issues.some(isNamed), answer.text).toBe(true);
        }
      }
    },
  );

  const bodies = all
    .filter(({ endpoint }) => endpoint.body)
    .flatMap((one) => keysOf(one.endpoint.body).map((field) => ({ ...one, field })));
  const hostileValues: unknown[] = [
    ...hostileTexts,
    'x\ud800y',
    null,
    true,
    0,
    1.5,
    Number.MAX_SAFE_INTEGER,
    [],
    ['a'],
    {},
    { $gt: '' },
    { toString: 'x' },
  ];

  it.each(bodies)(
    'the field $field of $name, it is kept as it is, or refused by name',
    async ({ endpoint, path, field }) => {
      const caller = callerFor(endpoint);
      const example = exampleBody(endpoint);
      for (const value of hostileValues) {
        // What has to be new is new each time; an account that is not there costs no time to verify.
        const fresh = `x${randomUUID().slice(0, 12)}`;
        const body = {
          ...example,
          ...(endpoint.operationId === 'createTenant' && {
            slug: fresh,
            owner: { name: 'Meera', email: `${fresh}@new.example` },
          }),
          [field]: value,
        };
        const request = requestOf(endpoint, body);
        const answer = await app.call(endpoint.method.toUpperCase(), pathOf(path), { ...(await caller()), ...request });
        expectAnswered(answer, `${field}: ${JSON.stringify(value)}`);
        if (answer.body.error?.code === 'validation_failed') {
          const fields: string[] = answer.body.error.details.issues.map((issue: { field: string }) => issue.field);
          const isNamed = fields.some((name) => name === field || name.startsWith(`${field}.`));
          // One of two that exclude each other, a number that does not fit the state, or a new password for which the
          // current one is missing, is named by its partner. The person of the example is not there.
          const isPartner = /^(phone|state|newPassword)$/.test(field) || fields.includes('subjectId');
          expect(isNamed || isPartner, answer.text).toBe(true);
        }
      }
    },
  );
});
