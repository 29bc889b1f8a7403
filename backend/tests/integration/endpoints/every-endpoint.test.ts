import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Access, Endpoint } from '../../../src/routes/endpoint.ts';
import { modules } from '../../../src/routes/index.ts';
import { fileTypesOf } from '../../../src/utils/file-answer.ts';
import { newId } from '../../../src/utils/ids.ts';
import type { Answer } from '../../support/client.ts';
import { exampleBody, exampleRequest, neededHeaders, requestOf } from '../../support/example-request.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { scenarios } from './scenarios/index.ts';

// Loops over all declared endpoints: a new one is covered by being declared, and by a scenario that calls it right.

const all = modules.flatMap(({ prefix, endpoints }) => endpoints.map((endpoint) => ({ prefix, endpoint })));
const named = all.map(({ prefix, endpoint }) => ({
  name: `${endpoint.method.toUpperCase()} /api${prefix}${endpoint.path}`,
  prefix,
  endpoint,
}));

const needsToken = named.filter(({ endpoint }) => endpoint.access !== 'public');
const permissionOf = (access: Access) =>
  typeof access === 'object' && 'permission' in access ? access.permission : undefined;
const needsPermission = named.filter(({ endpoint }) => permissionOf(endpoint.access));
const isForTenants = ({ access }: Endpoint) =>
  typeof access === 'object' && 'tenant' in access && access.tenant === 'own';
const namesAnId = ({ endpoint }: { endpoint: Endpoint }) => /:(id|\w+Id)\b/.test(endpoint.path);
const takesId = named.filter((one) => namesAnId(one) && typeof one.endpoint.access === 'object');
const needsStepUp = named.filter(({ endpoint }) => endpoint.stepUp);
const writes = named.filter(({ endpoint }) => endpoint.method !== 'get');

const pathOf = (prefix: string, endpoint: Endpoint, id = newId()) =>
  `/api${prefix}${endpoint.path.replace(/:\w+/g, id)}`;
const bodyOf = (endpoint: Endpoint) => ({
  ...exampleRequest(endpoint),
  headers: neededHeaders(endpoint),
});
/**
 * Somebody who may do everything, and has just proved who they are where that is asked for. The same for all endpoints,
 * since signing in takes longer than asking; another where a limit of the endpoint's own would answer instead.
 */
const tokenFor = (endpoint: Endpoint): Promise<string> => {
  if (typeof endpoint.rateLimit === 'object') return endpoint.stepUp ? app.elevatedToken() : app.adminToken();
  return endpoint.stepUp ? elevated : admin;
};

let app: TestApp;
let admin: Promise<string>;
let elevated: Promise<string>;
let powerless: Promise<string>;
let owner: Promise<{ tenantId: string; token: string }>;
let elevatedOwner: Promise<string>;
let otherTenant: Promise<string>;

/** An admin who holds nothing. */
async function powerlessAdmin(): Promise<string> {
  const built = await app.buildAdmin({ role: 'finance' });
  await app.query(`delete from role_assignments where user_id = $1`, [built.id]);
  return (await app.signIn(built)).token;
}

beforeAll(async () => {
  app = await startTestApp();
  admin = app.adminToken();
  elevated = app.elevatedToken();
  powerless = powerlessAdmin();
  owner = app.ownerWithToken();
  elevatedOwner = app.buildOwner().then(async (built) => (await app.signInElevated(built)).token);
  otherTenant = app.buildTenant().then(({ id }) => id);
  await Promise.all([admin, elevated, powerless, owner, elevatedOwner, otherTenant]);
});
afterAll(() => app.close());

function expectError(answer: Answer, status: number, code?: string): void {
  expect(answer.body, answer.text).toMatchObject({
    success: false,
    error: { statusCode: status, requestId: expect.any(String), message: expect.any(String) },
  });
  expect(answer.status).toBe(status);
  if (code) expect(answer.body.error.code).toBe(code);
}

describe('every endpoint', () => {
  it('is declared once, by method and path and by operationId', () => {
    const routes = named.map(({ name }) => name);
    const operations = all.map(({ endpoint }) => endpoint.operationId);
    expect(new Set(routes).size).toBe(routes.length);
    expect(new Set(operations).size).toBe(operations.length);
  });

  it('that writes says what is audited, or why nothing is', () => {
    for (const { name, endpoint } of writes) {
      const declared = endpoint.audit;
      expect(declared, name).toBeDefined();
      expect(typeof declared === 'string' ? declared : declared?.none.length, name).toBeTruthy();
    }
  });

  it.each(named)('$name has a scenario that calls it right', ({ endpoint }) => {
    expect(scenarios[endpoint.operationId], `add ${endpoint.operationId} to scenarios.ts`).toBeTypeOf('function');
  });

  it.each(needsToken)('$name is a 401 without a token', async ({ prefix, endpoint }) => {
    expectError(
      await app.call(endpoint.method.toUpperCase(), pathOf(prefix, endpoint), bodyOf(endpoint)),
      401,
      'unauthenticated',
    );
  });

  it.each(needsToken)('$name is a 401 with a token that nobody signed', async ({ prefix, endpoint }) => {
    const token = 'eyJhbGciOiJub25lIn0.eyJ1c2VySWQiOiJ4In0.';
    expectError(
      await app.call(endpoint.method.toUpperCase(), pathOf(prefix, endpoint), { token, ...bodyOf(endpoint) }),
      401,
      'unauthenticated',
    );
  });

  it.each(needsPermission)('$name is a 403 for an admin without its permission', async ({ prefix, endpoint }) => {
    const token = await powerless;
    expectError(
      await app.call(endpoint.method.toUpperCase(), pathOf(prefix, endpoint), { token, ...bodyOf(endpoint) }),
      403,
      'forbidden',
    );
  });

  it.each(needsPermission.filter(({ endpoint }) => !isForTenants(endpoint)))(
    '$name is a 403 for a library owner',
    async ({ prefix, endpoint }) => {
      const { token, tenantId } = await owner;
      expectError(
        await app.call(endpoint.method.toUpperCase(), pathOf(prefix, endpoint, tenantId), {
          token,
          ...bodyOf(endpoint),
        }),
        403,
        'forbidden',
      );
    },
  );

  it.each(needsStepUp)('$name is a 403 for who has not just proved who they are', async ({ prefix, endpoint }) => {
    const token = await admin;
    expectError(
      await app.call(endpoint.method.toUpperCase(), pathOf(prefix, endpoint), { token, ...bodyOf(endpoint) }),
      403,
      'step_up_required',
    );
  });

  it.each(takesId)('$name is a 404 for an id that is not there', async ({ prefix, endpoint }) => {
    const token = await tokenFor(endpoint);
    expectError(
      await app.call(endpoint.method.toUpperCase(), pathOf(prefix, endpoint), { token, ...bodyOf(endpoint) }),
      404,
      'not_found',
    );
  });

  it.each(takesId.filter(({ endpoint }) => isForTenants(endpoint)))(
    "$name is a 404 for another tenant's id",
    async ({ prefix, endpoint }) => {
      const token = endpoint.stepUp ? await elevatedOwner : (await owner).token;
      expectError(
        await app.call(endpoint.method.toUpperCase(), pathOf(prefix, endpoint, await otherTenant), {
          token,
          ...bodyOf(endpoint),
        }),
        404,
        'not_found',
      );
    },
  );

  it.each(named.filter(({ endpoint }) => endpoint.path.includes(':')))(
    '$name is a 400 for an id of the wrong shape',
    async ({ prefix, endpoint }) => {
      const token = await tokenFor(endpoint);
      const answer = await app.call(endpoint.method.toUpperCase(), pathOf(prefix, endpoint, 'not..an~id'), {
        token,
        ...bodyOf(endpoint),
      });
      expectError(answer, 400, 'validation_failed');
      expect(answer.body.error.details.issues).toContainEqual(
        expect.objectContaining({ in: 'path', field: expect.stringMatching(/\w/) }),
      );
    },
  );

  it.each(named)('$name is a 400 for what it does not know', async ({ prefix, endpoint }) => {
    const token = endpoint.access === 'public' ? undefined : await tokenFor(endpoint);
    const method = endpoint.method.toUpperCase();
    const inQuery = await app.call(method, `${pathOf(prefix, endpoint)}?nonsense=1`, { token, ...bodyOf(endpoint) });
    expectError(inQuery, 400, 'validation_failed');
    expect(inQuery.body.error.details.issues).toContainEqual({
      in: 'query',
      field: 'nonsense',
      message: 'is not known here',
    });
    // What is in a body that nobody signed is not looked at.
    if (method === 'GET' || endpoint.signed) return;
    const inBody = await app.call(method, pathOf(prefix, endpoint), {
      token,
      headers: neededHeaders(endpoint),
      ...requestOf(endpoint, { ...exampleBody(endpoint), nonsense: 1 }),
    });
    expectError(inBody, 400, 'validation_failed');
    expect(inBody.body.error.details.issues).toContainEqual({
      in: 'body',
      field: 'nonsense',
      message: 'is not known here',
    });
  });

  it.each(named.filter(({ endpoint }) => endpoint.upload))(
    '$name takes a file: JSON is a 415, a form without the file names its field',
    async ({ prefix, endpoint }) => {
      const token = endpoint.access === 'public' ? undefined : await tokenFor(endpoint);
      const path = pathOf(prefix, endpoint);
      const json = await app.call('POST', path, { token, body: exampleBody(endpoint) });
      expectError(json, 415, 'unsupported_media_type');
      const { form = {} } = exampleRequest(endpoint);
      const field = endpoint.upload?.field ?? '';
      const bare = await app.call('POST', path, { token, form: { ...form, [field]: 'no file' } });
      expectError(bare, 400, 'validation_failed');
      expect(bare.body.error.details.issues).toContainEqual({ in: 'body', field, message: 'must be a file' });
    },
  );

  it.each(named)('$name answers what it declares, and a write leaves its audit row', async ({ endpoint }) => {
    const since = new Date();
    const { answer } = await scenarios[endpoint.operationId]!(app);
    expect(answer.status, answer.text).toBe(endpoint.status ?? 200);
    const fileTypes = fileTypesOf(endpoint.response);
    if (fileTypes) {
      expect(fileTypes).toContain(answer.headers.get('content-type'));
      expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="[\w.-]+"$/);
      return;
    }
    expect(answer.body.success).toBe(true);
    const data = answer.body.meta ? { items: answer.body.data, meta: answer.body.meta } : answer.body.data;
    expect(data, answer.text).toEqual(endpoint.response.parse(data));
    expect(answer.text).not.toMatch(/argon2|passwordHash|refreshSeed|tokenHash/);
    if (endpoint.method === 'get' || typeof endpoint.audit !== 'string') return;
    const rows = await app.query(
      `select action, actor_type, actor_id, hash, request_id from audit_logs where action = $1 and created_at >= $2 and request_id = $3`,
      [endpoint.audit, since, answer.headers.get('x-request-id')],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]!.hash).toMatch(/^[0-9a-f]{64}$/);
  });
});
