import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import type { Answer } from '../../support/client.ts';
import { queryString } from '../../support/calls.ts';
import { someAddress } from '../../support/factories.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

type Entry = {
  id: string;
  tenantId: string | null;
  actor: { type: string; id: string | null; name: string | null };
  action: string;
  resource: string;
  resourceId: string | null;
  outcome: string;
  createdAt: string;
};

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken({ role: 'auditor' });
});
afterAll(() => app.close());

const list = (query: Record<string, string | number | undefined> = {}, who = token) =>
  app.call('GET', `/api/audit${queryString(query)}`, { token: who });
const from = () => ({ headers: { 'x-forwarded-for': someAddress() } });

describe('GET /api/audit', () => {
  let rows: Entry[];
  let tenants: string[];
  let actors: { id: string; token: string }[];

  beforeAll(async () => {
    actors = await Promise.all(
      (['operations', 'super_admin'] as const).map(async (role) => {
        const admin = await app.buildAdmin({ role });
        return { id: admin.id, token: (await app.signIn(admin)).token };
      }),
    );
    tenants = (await Promise.all([app.buildTenant(), app.buildTenant(), app.buildTenant()])).map(({ id }) => id);
    for (const [index, { token: who }] of [...actors, ...actors].entries()) {
      for (const id of tenants.slice(0, 1 + (index % 3))) {
        await app.call('PUT', `/api/tenants/${id}`, { token: who, body: { city: `City ${index}` } });
        const what = index % 2 === 0 ? 'suspend' : 'activate';
        await app.call('POST', `/api/tenants/${id}/${what}`, { token: who, body: { reason: 'As was agreed' } });
      }
    }
    for (let index = 0; index < 9; index += 1) {
      const body = { email: `nobody-${index}@people.example`, password: 'wrong-password-1' };
      await app.call('POST', '/api/auth/login', { body, ...from() });
    }
    const { token: owner } = await app.ownerWithToken();
    await app.call('GET', `/api/tenants/${tenants[0]}`, { token: owner, headers: { 'x-tenant-id': tenants[0]! } });
    // Moments to look for, several of them the same: then the ids decide.
    await app.query(
      `update audit_logs set created_at = case sequence % 4
         when 0 then timestamptz '2026-03-31T18:29:59.999999Z' when 1 then '2026-03-31T18:30:00Z'
         when 2 then '2026-05-01T00:00:00.123456Z' else created_at end
        where tenant_id = any ($1)`,
      [tenants],
    );
    rows = await app.query<Entry>(
      `select id, tenant_id as "tenantId", action, resource, resource_id as "resourceId", outcome,
              jsonb_build_object('type', actor_type, 'id', actor_id, 'name', actor_name) as actor,
              to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt"
         from audit_logs order by created_at desc, id desc`,
    );
  });

  type Filter = Partial<
    Record<'actorId' | 'action' | 'resource' | 'resourceId' | 'tenantId' | 'outcome' | 'from' | 'to', string>
  >;
  const micros = (day: string) =>
    new Date(day.length === 10 ? `${day}T00:00:00+05:30` : day).toISOString().replace('Z', '000Z');
  const expected = (filter: Filter) =>
    rows.filter(
      (row) =>
        (!filter.actorId || row.actor.id === filter.actorId) &&
        (!filter.action || row.action === filter.action) &&
        (!filter.resource || row.resource === filter.resource) &&
        (!filter.resourceId || row.resourceId === filter.resourceId) &&
        (!filter.tenantId || row.tenantId === filter.tenantId) &&
        (!filter.outcome || row.outcome === filter.outcome) &&
        (!filter.from || row.createdAt >= micros(filter.from)) &&
        (!filter.to || row.createdAt < micros(filter.to)),
    );
  const idsOf = (entries: Entry[]) => entries.map(({ id }) => id);

  it('lists the newest first, with who, what, when and where, and without the changes', async () => {
    const { status, body } = await list();
    expect(status).toBe(200);
    expect(idsOf(body.data)).toEqual(idsOf(rows.slice(0, 20)));
    expect(body.meta).toEqual({
      page: 1,
      limit: 20,
      total: rows.length,
      totalPages: Math.ceil(rows.length / 20),
      nextCursor: expect.any(String),
    });
    expect(rows.length).toBeGreaterThan(25);
    expect(body.data[0]).toEqual({
      ...rows[0],
      onBehalfOf: null,
      ipAddress: expect.any(String),
      requestId: expect.any(String),
    });
  });

  it.each<[keyof Filter, () => string]>([
    ['actorId', () => actors[0]!.id],
    ['action', () => 'tenants.suspend'],
    ['resource', () => 'session'],
    ['resourceId', () => tenants[1]!],
    ['tenantId', () => tenants[2]!],
    ['outcome', () => 'FAILURE'],
    ['outcome', () => 'DENIED'],
    ['from', () => '2026-04-01'],
    ['to', () => '2026-04-01'],
    ['from', () => '2026-05-01T00:00:00.123Z'],
    ['to', () => '2026-05-01T00:00:00.123Z'],
  ])('filters by %s', async (field, value) => {
    const filter = { [field]: value() };
    const { body } = await list({ ...filter, limit: 100 });
    expect(idsOf(body.data)).toEqual(idsOf(expected(filter)));
    expect(body.meta.total).toBe(expected(filter).length);
    expect(body.data.length).toBeGreaterThan(0);
    expect(body.data.length).toBeLessThan(rows.length);
  });

  it('gives by cursor what it gives by page, whatever is filtered', async () => {
    const filters = fc.record(
      {
        actorId: fc.constantFrom(...actors.map(({ id }) => id)),
        action: fc.constantFrom('tenants.update', 'tenants.suspend', 'auth.login', 'nothing.done'),
        resource: fc.constantFrom('tenant', 'session'),
        resourceId: fc.constantFrom(...tenants),
        tenantId: fc.constantFrom(...tenants),
        outcome: fc.constantFrom('SUCCESS', 'FAILURE'),
        from: fc.constantFrom('2026-03-31', '2026-04-01'),
        to: fc.constantFrom('2026-04-01', '2026-05-02', '2999-01-01'),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(filters, fc.integer({ min: 1, max: 12 }), async (filter, limit) => {
        const all = expected(filter);
        const collected: Entry[] = [];
        let page = 1;
        for (let cursor: string | null = ''; cursor !== null; page += 1) {
          const byCursor: Answer = await list({
            ...filter,
            limit,
            ...(cursor && { cursor }),
          });
          const byPage = await list({ ...filter, limit, page });
          expect(byCursor.body.data).toEqual(byPage.body.data);
          expect(byPage.body.meta.nextCursor).toBe(byCursor.body.meta.nextCursor);
          expect(byPage.body.meta.total).toBe(all.length);
          collected.push(...byCursor.body.data);
          cursor = byCursor.body.meta.nextCursor;
        }
        expect(idsOf(collected)).toEqual(idsOf(all));
        expect(page - 1).toBe(Math.max(1, Math.ceil(all.length / limit)));
      }),
      // One by one, the cursor stands between rows of the same moment.
      { numRuns: 15, examples: [[{}, 1]] },
    );
  });

  it('goes on from a cursor although new rows came meanwhile', async () => {
    const first = (await list({ limit: 5 })).body;
    const { id } = await app.buildTenant();
    await app.call('PUT', `/api/tenants/${id}`, { token: actors[0]!.token, body: { city: 'Sikar' } });
    const second = (await list({ limit: 5, cursor: first.meta.nextCursor })).body;
    expect(idsOf(second.data)).toEqual(idsOf(rows.slice(5, 10)));
    expect(second.meta).toEqual({ limit: 5, nextCursor: expect.any(String) });
    expect((await list({ limit: 1 })).body.data[0]).toMatchObject({ action: 'tenants.update', resourceId: id });
  });

  it.each([
    { cursor: 'nonsense' },
    { cursor: '' },
    { cursor: Buffer.from(`2026-02-30T00:00:00.000000Z~${newId()}`).toString('base64url') },
    { cursor: Buffer.from(`0000-01-01T00:00:00.000000Z~${newId()}`).toString('base64url') },
    { actorId: 'me' },
    { tenantId: 'platform' },
    { outcome: 'MAYBE' },
    { from: '2026-02-30' },
    { to: 'yesterday' },
    { action: '' },
    { resourceId: 'x'.repeat(101) },
    { limit: '0' },
    { limit: '101' },
    { page: '0' },
    { sort: 'action' },
    { order: 'asc' },
  ])('refuses %j', async (query) => {
    const { status, body } = await list(query);
    expect(status).toBe(400);
    expect(body.error.details.issues).toMatchObject([{ in: 'query', field: Object.keys(query)[0] }]);
  });

  it.each(['operations', 'finance', 'support', 'sales'] as const)('is not for %s', async (role) => {
    expect((await list({}, await app.adminToken({ role }))).status).toBe(403);
  });

  it('is not for library owners, not even for what happened in their own library', async () => {
    const { token: owner, tenantId } = await app.ownerWithToken();
    expect((await list({}, owner)).status).toBe(403);
    expect((await list({ tenantId }, owner)).status).toBe(403);
  });

  it('shows an admin within one tenant what happened there, and no entry from elsewhere', async () => {
    const within = { token: actors[1]!.token, headers: { 'x-tenant-id': tenants[0]! } };
    const { body } = await app.call('GET', '/api/audit?limit=100', within);
    expect(new Set(body.data.map((entry: Entry) => entry.tenantId))).toEqual(new Set([tenants[0]]));
    const elsewhere = rows.find(({ tenantId }) => tenantId !== tenants[0]);
    expect((await app.call('GET', `/api/audit/${elsewhere?.id}`, within)).status).toBe(404);
    expect((await app.call('GET', `/api/audit/${body.data[0].id}`, within)).status).toBe(200);
  });
});

describe('GET /api/audit/:id', () => {
  it('gives the whole entry', async () => {
    const admin = await app.buildAdmin({ role: 'operations', name: 'Asha Menon' });
    const { token: who } = await app.signIn(admin);
    const { id } = await app.buildTenant({ city: 'Kota' });
    const done = await app.call('PUT', `/api/tenants/${id}`, {
      token: who,
      body: { city: 'Sikar' },
      headers: { 'x-forwarded-for': '203.0.113.7', 'user-agent': 'check/1.0', 'x-request-id': 'request-of-the-test' },
    });
    expect(done.status).toBe(200);
    const [{ id: entryId }] = (await list({ resourceId: id })).body.data;
    const { status, body } = await app.call('GET', `/api/audit/${entryId}`, { token });
    expect(status).toBe(200);
    expect(body.data).toEqual({
      id: entryId,
      tenantId: id,
      actor: { type: 'USER', id: admin.id, name: 'Asha Menon' },
      onBehalfOf: null,
      action: 'tenants.update',
      resource: 'tenant',
      resourceId: id,
      outcome: 'SUCCESS',
      ipAddress: '203.0.113.7',
      requestId: 'request-of-the-test',
      userAgent: 'check/1.0',
      createdAt: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      changes: { city: { from: 'Kota', to: 'Sikar' } },
      diff: [{ field: 'city', from: 'Kota', to: 'Sikar' }],
      chain: id,
      sequence: 1,
      previousHash: '0'.repeat(64),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('keeps the name that somebody had then', async () => {
    const { token: owner, tenantId, owner: person } = await app.ownerWithToken({ name: 'Old Name' });
    await app.call('PUT', `/api/tenants/${tenantId}`, { token: owner, body: { city: 'Sikar' } });
    await app.query(`update users set name = 'New Name' where id = $1`, [person.id]);
    const { data } = (await list({ actorId: person.id, action: 'tenants.update' })).body;
    expect(data).toMatchObject([{ actor: { name: 'Old Name' } }]);
  });

  it('is a 404 for one that is not there', async () => {
    const { status, body } = await app.call('GET', `/api/audit/${newId()}`, { token });
    expect([status, body.error.message]).toEqual([404, 'There is no such audit entry.']);
  });
});
