import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Space } from '../../../src/middleware/tenant.middleware.ts';
import { modules } from '../../../src/routes/index.ts';
import type { Actor } from '../../../src/types/context.ts';
import { newId } from '../../../src/utils/ids.ts';
import type { Answer } from '../../support/client.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { auditOf } from '../auth/support.ts';
import { buildPlace, peopleSeenBy } from './support.ts';

// Layer 2: whose space a request is in.

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

type Place = { tenantId: string; token: string; userId: string };
let mine: Place;
let theirs: Place;
let before: unknown;

const placeOf = async (overrides: Parameters<TestApp['buildOwner']>[0] = {}): Promise<Place> => {
  const { owner, token, tenantId } = await app.ownerWithToken(overrides);
  return { token, tenantId, userId: owner.id };
};

/** Everything that belongs to a tenant, as the owner of the database sees it. */
async function stateOf(tenantId: string): Promise<unknown> {
  const rowsOf = (table: string) =>
    `'${table}', (select jsonb_agg(to_jsonb(t) order by t) from ${table} t where ${table === 'tenants' ? 'id' : 'tenant_id'} = $1)`;
  // A function takes a hundred arguments at most.
  const objects = Array.from({ length: Math.ceil(tables.length / 40) }, (_, part) =>
    tables.slice(part * 40, (part + 1) * 40),
  ).map((some) => `jsonb_build_object(${some.map(rowsOf).join(', ')})`);
  const [state] = await app.query(`select ${objects.join(' || ')} as state`, [tenantId]);
  return state;
}
let tables: string[];

beforeAll(async () => {
  const found = await app.query<{ name: string }>(
    `select table_name as name from information_schema.columns where table_schema = 'public' and column_name = 'tenant_id'
     union select 'tenants' order by 1`,
  );
  tables = found.map(({ name }) => name);
  expect(tables).toEqual(expect.arrayContaining(['tenants', 'users', 'audit_logs', 'sessions']));
  [mine, theirs] = await Promise.all([placeOf(), placeOf()]);
});
beforeEach(async () => {
  before = await stateOf(theirs.tenantId);
});

const secretsOf = async (tenantId: string) => {
  const [row] = await app.query<{ name: string; email: string; slug: string }>(
    `select name, email, slug from tenants where id = $1`,
    [tenantId],
  );
  return [row?.name, row?.email, row?.slug] as string[];
};

async function expectNothingOf(answer: Answer, tenantId: string): Promise<void> {
  for (const secret of await secretsOf(tenantId)) expect(answer.text).not.toContain(secret);
  expect(await stateOf(tenantId)).toEqual(before);
}

describe("A library owner with another tenant's id", () => {
  it.each([
    ['GET', '', undefined],
    ['GET', '/users', undefined],
    ['PUT', '', { city: 'Sikar' }],
  ] as const)('in the path gets a 404: %s /api/tenants/:id%s', async (method, rest, body) => {
    const answer = await app.call(method, `/api/tenants/${theirs.tenantId}${rest}`, { token: mine.token, body });
    expectError(answer, 404, 'not_found');
    await expectNothingOf(answer, theirs.tenantId);
    const unknown = await app.call(method, `/api/tenants/${newId()}${rest}`, { token: mine.token, body });
    expect(unknown.body.error.message).toBe(answer.body.error.message);
  });

  it.each([
    ['POST', '/suspend', { reason: 'Because I can' }],
    ['POST', '/activate', {}],
    ['GET', '/transitions', undefined],
  ] as const)('in the path of what is for the staff of StudySpot gets a 403: %s %s', async (method, rest, body) => {
    for (const tenantId of [theirs.tenantId, mine.tenantId]) {
      const answer = await app.call(method, `/api/tenants/${tenantId}${rest}`, { token: mine.token, body });
      expectError(answer, 403, 'forbidden');
      await expectNothingOf(answer, theirs.tenantId);
    }
  });

  it.each([
    ['GET', (id: string) => `/api/tenants/${id}`, undefined],
    ['GET', (id: string) => `/api/tenants/${id}/users`, undefined],
    ['PUT', (id: string) => `/api/tenants/${id}`, { city: 'Sikar' }],
    ['GET', () => '/api/auth/me', undefined],
    ['GET', () => '/api/auth/sessions', undefined],
    ['DELETE', () => '/api/auth/sessions', undefined],
    ['POST', () => '/api/auth/logout', undefined],
    ['GET', () => '/api/tenants', undefined],
  ] as const)('in the header gets a 403, and it is written down: %s', async (method, path, body) => {
    for (const id of [mine.tenantId, theirs.tenantId]) {
      const answer = await app.call(method, path(id), {
        token: mine.token,
        body,
        headers: { 'x-tenant-id': theirs.tenantId },
      });
      expectError(answer, 403, 'tenant_mismatch');
      await expectNothingOf(answer, theirs.tenantId);
      expect(await auditOf(app, answer)).toEqual([
        expect.objectContaining({
          action: 'security.cross_tenant',
          chain: mine.tenantId,
          tenant_id: mine.tenantId,
          actor_id: mine.userId,
          resource: 'tenant',
          outcome: 'DENIED',
          changes: { named: theirs.tenantId, operationId: expect.any(String) },
        }),
      ]);
    }
    expectSuccess(await app.call('GET', '/api/auth/me', { token: mine.token }));
  });

  it.each(['', ' ', '*', 'platform', newId(), "' or '1'='1", '\xff'.repeat(300), 'a,b'])(
    'in the header %j gets a 403 as well',
    async (header) => {
      const answer = await app.call('GET', `/api/tenants/${mine.tenantId}`, {
        token: mine.token,
        headers: { 'x-tenant-id': header },
      });
      expectError(answer, 403, 'tenant_mismatch');
    },
  );

  it('in the header twice, one of them their own, gets a 403', async () => {
    const headers = { 'x-tenant-id': `${mine.tenantId}, ${theirs.tenantId}` };
    expectError(
      await app.call('GET', `/api/tenants/${mine.tenantId}`, { token: mine.token, headers }),
      403,
      'tenant_mismatch',
    );
  });

  it.each(['tenantId', 'tenant_id', 'id', 'tenant', 'status', 'version', '__proto__'])(
    'in the body as %s is a 400',
    async (field) => {
      const own = await stateOf(mine.tenantId);
      const answer = await app.call('PUT', `/api/tenants/${mine.tenantId}`, {
        token: mine.token,
        rawBody: `{"city":"Sikar","${field}":"${theirs.tenantId}"}`,
      });
      expectError(answer, 400, 'validation_failed', `body ${field}`);
      await expectNothingOf(answer, theirs.tenantId);
      expect(await stateOf(mine.tenantId)).toEqual(own);
    },
  );

  it('in the query is a 400', async () => {
    for (const field of ['tenantId', 'tenant_id', 'x-tenant-id']) {
      const answer = await app.call('GET', `/api/tenants/${mine.tenantId}/users?${field}=${theirs.tenantId}`, {
        token: mine.token,
      });
      expectError(answer, 400, 'validation_failed', `query ${field}`);
    }
  });

  it('of their own in the header works as without it', async () => {
    const headers = { 'x-tenant-id': mine.tenantId };
    const answer = await app.call('GET', `/api/tenants/${mine.tenantId}`, { token: mine.token, headers });
    expectSuccess(answer);
    expect(answer.body.data.id).toBe(mine.tenantId);
  });
});

describe('A platform user', () => {
  it('of any kind reaches nothing that is for the staff of StudySpot', async () => {
    const portalOnly = modules.flatMap(({ prefix, endpoints }) =>
      endpoints
        .filter(({ access }) => typeof access === 'object' && 'permission' in access && !access.tenant)
        .map(({ method, path }) => ({ method: method.toUpperCase(), path: `/api${prefix}${path}` })),
    );
    expect(portalOnly.length).toBeGreaterThan(5);
    for (const role of ['owner', 'library_staff', 'student', 'parent'] as const) {
      const { token } = await app.signIn(await app.buildUser({ role, tenantId: mine.tenantId }));
      for (const { method, path } of portalOnly) {
        const body = method === 'GET' ? undefined : {};
        const answer = await app.call(method, path.replace(':id', mine.tenantId), { token, body });
        expectError(answer, 403, 'forbidden');
      }
    }
  });

  it('sees the people of their own tenant, whoever else has the same name', async () => {
    await app.buildUser({ role: 'student', tenantId: theirs.tenantId, name: 'Ravi Kumar' });
    const own = await app.buildUser({ role: 'student', tenantId: mine.tenantId, name: 'Ravi Kumar' });
    const answer = await app.call('GET', `/api/tenants/${mine.tenantId}/users?q=Ravi`, { token: mine.token });
    expect(answer.body.data.map(({ id }: { id: string }) => id)).toEqual([own.id]);
    expect(answer.body.meta.total).toBe(1);
  });

  it('without the permission gets a 403 also for their own tenant', async () => {
    const { token } = await app.signIn(await app.buildUser({ role: 'student', tenantId: mine.tenantId }));
    expectError(await app.call('GET', `/api/tenants/${mine.tenantId}`, { token }), 403, 'forbidden');
    const staff = await app.signIn(await app.buildUser({ role: 'library_staff', tenantId: mine.tenantId }));
    expectSuccess(await app.call('GET', `/api/tenants/${mine.tenantId}`, { token: staff.token }));
    const answer = await app.call('PUT', `/api/tenants/${mine.tenantId}`, {
      token: staff.token,
      body: { city: 'Sikar' },
    });
    expectError(answer, 403, 'forbidden');
  });

  it('and a hundred others at once each get their own only', async () => {
    const idsOf = async ({ tenantId }: Place) =>
      (await app.query<{ id: string }>(`select id from users where tenant_id = $1`, [tenantId])).map(({ id }) => id);
    const expected = { [mine.tenantId]: await idsOf(mine), [theirs.tenantId]: await idsOf(theirs) };
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const { token, tenantId } = index % 2 ? mine : theirs;
        const answer = await app.call('GET', `/api/tenants/${tenantId}/users?limit=100`, { token });
        expectSuccess(answer);
        const ids = answer.body.data.map(({ id }: { id: string }) => id);
        expect(ids.toSorted()).toEqual(expected[tenantId]?.toSorted());
      }),
    );
  });
});

describe('A portal admin who names a tenant in the header', () => {
  const narrowed = (token: string, tenantId: string) => (method: string, path: string, body?: unknown) =>
    app.call(method, path, { token, body, headers: { 'x-tenant-id': tenantId } });

  it('sees and changes that tenant only', async () => {
    const call = narrowed(await app.adminToken({ role: 'operations' }), mine.tenantId);
    expectSuccess(await call('GET', `/api/tenants/${mine.tenantId}`));
    expectSuccess(await call('PUT', `/api/tenants/${mine.tenantId}`, { city: 'Sikar' }));
    for (const [method, rest, body] of [
      ['GET', '', undefined],
      ['GET', '/users', undefined],
      ['GET', '/transitions', undefined],
      ['PUT', '', { city: 'Sikar' }],
      ['POST', '/suspend', { reason: 'Unpaid since June' }],
      ['POST', '/activate', {}],
    ] as const) {
      const answer = await call(method, `/api/tenants/${theirs.tenantId}${rest}`, body);
      expectError(answer, 404, 'not_found');
      await expectNothingOf(answer, theirs.tenantId);
    }
    const list = await call('GET', '/api/tenants');
    expect(list.body.data.map(({ id }: { id: string }) => id)).toEqual([mine.tenantId]);
    expect(list.body.meta.total).toBe(1);
  });

  it("reads that tenant's trail only", async () => {
    const token = await app.adminToken();
    await app.call('PUT', `/api/tenants/${theirs.tenantId}`, { token, body: { city: 'Sikar' } });
    const [row] = await app.query<{ id: string }>(
      `select id from audit_logs where tenant_id = $1 and action = 'tenants.update'`,
      [theirs.tenantId],
    );
    const call = narrowed(token, mine.tenantId);
    const list = await call('GET', '/api/audit');
    expectSuccess(list);
    expect(list.body.data.length).toBeGreaterThan(0);
    expect(new Set(list.body.data.map(({ tenantId }: { tenantId: string }) => tenantId))).toEqual(
      new Set([mine.tenantId]),
    );
    expectError(await call('GET', `/api/audit/${row?.id}`), 404, 'not_found');
    expect((await call('GET', `/api/audit?tenantId=${theirs.tenantId}`)).body.data).toEqual([]);
    expect((await call('GET', '/api/audit/integrity')).body.data).toMatchObject({ intact: true, chains: 1 });
  });

  it('is audited in the chain of that tenant', async () => {
    const call = narrowed(await app.adminToken(), mine.tenantId);
    const answer = await call('PUT', `/api/tenants/${mine.tenantId}`, { city: 'Sikar' });
    expect(await auditOf(app, answer)).toEqual([
      expect.objectContaining({ action: 'tenants.update', chain: mine.tenantId }),
    ]);
  });

  it('without tenants.access gets a 403', async () => {
    for (const role of ['finance', 'sales', 'auditor'] as const) {
      const answer = await narrowed(await app.adminToken({ role }), mine.tenantId)(
        'GET',
        `/api/tenants/${mine.tenantId}`,
      );
      expectError(answer, 403, 'forbidden');
      expect(answer.body.error.message).toContain('tenants.access');
    }
  });

  it.each(['', 'not-an-id', newId(), newId().toUpperCase(), '*', "' or true --", '\xff\xfe', 'a'.repeat(2000)])(
    'that does not exist, %j, gets a 404',
    async (header) => {
      expectError(await narrowed(await app.adminToken(), header)('GET', '/api/tenants'), 404, 'not_found');
    },
  );

  it('that was purged gets a 404', async () => {
    const { id } = await app.buildTenant({ status: 'PURGED' });
    expectError(await narrowed(await app.adminToken(), id)('GET', '/api/tenants'), 404, 'not_found');
  });

  it('that is suspended still works in it', async () => {
    const { id } = await app.buildTenant({ status: 'SUSPENDED' });
    expectSuccess(await narrowed(await app.adminToken(), id)('GET', `/api/tenants/${id}`));
  });
});

describe('Where the header was believed first, as in the design that this one replaces', () => {
  it("a platform user who names another tenant would get that tenant's people", async () => {
    vi.resetModules();
    vi.doMock('../../../src/middleware/role.middleware.ts', async (original) => {
      const { authorize } = await original<typeof import('../../../src/middleware/role.middleware.ts')>();
      return {
        authorize: (...[endpoint, actor]: Parameters<typeof authorize>) => authorize(endpoint, actor, undefined),
      };
    });
    vi.doMock('../../../src/middleware/tenant.middleware.ts', () => ({
      TENANT_HEADER: 'x-tenant-id',
      resolveSpace: async (_access: unknown, actor: Actor | null, header: string | undefined): Promise<Space> => {
        const tenantId = header ?? actor?.tenantId;
        return tenantId
          ? { scope: { role: 'tenant', tenantId }, tenantId }
          : { scope: { role: actor ? 'portal' : 'auth' }, tenantId: null };
      },
    }));
    const naive = await startTestApp();
    try {
      const [ours, others] = [await buildPlace(naive, 'Ours'), await buildPlace(naive, 'Theirs')];
      expect(await peopleSeenBy(naive, others.tenantId, ours.token)).toEqual([]);
      const forged = await peopleSeenBy(naive, others.tenantId, ours.token, { 'x-tenant-id': others.tenantId });
      expect(forged).toContain('Student of Theirs');
    } finally {
      await naive.close();
      vi.doUnmock('../../../src/middleware/role.middleware.ts');
      vi.doUnmock('../../../src/middleware/tenant.middleware.ts');
    }
  });
});
