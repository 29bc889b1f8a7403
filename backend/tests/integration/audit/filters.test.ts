import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIT_ACTIONS } from '../../../src/config/audit-actions.ts';
import { jobs } from '../../../src/queues/index.ts';
import { newId } from '../../../src/utils/ids.ts';
import { queryString } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { buildChain, integrityOf, writeAudit } from './support.ts';

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken({ role: 'auditor' });
});
afterAll(() => app.close());

const list = (query: Record<string, string | number> = {}) =>
  app.call('GET', `/api/audit${queryString(query)}`, { token });

describe('GET /api/audit', () => {
  it('finds by the very address, however IPv6 writes an IPv4 address', async () => {
    const address = '203.0.113.77';
    await app.call('POST', '/api/auth/login', {
      body: { email: 'nobody@people.example', password: 'wrong-password-1' },
      headers: { 'x-forwarded-for': address },
    });
    for (const ipAddress of [address, `::ffff:${address}`]) {
      const found = (await list({ ipAddress })).body.data as { ipAddress: string }[];
      expect(found.length).toBeGreaterThan(0);
      expect(new Set(found.map((row) => row.ipAddress))).toEqual(new Set([address]));
    }
    expect((await list({ ipAddress: '203.0.113.7/32' })).status).toBe(400);
  });

  it('finds what was done in the name of somebody, and tells whose', async () => {
    const chain = await buildChain(app, 2);
    const person = newId();
    await app.query(
      `update audit_logs set on_behalf_of_id = $2, on_behalf_of_name = 'Ravi' where chain = $1 and sequence = 2`,
      [chain, person],
    );
    const found = (await list({ onBehalfOfId: person })).body.data;
    expect(found).toEqual([expect.objectContaining({ tenantId: chain, onBehalfOf: { id: person, name: 'Ravi' } })]);
    const entry = await app.call('GET', `/api/audit/${found[0].id}`, { token });
    expect(entry.body.data).toMatchObject({ onBehalfOf: { id: person, name: 'Ravi' }, diff: [] });
  });

  it.each(['USER', 'SYSTEM', 'ANONYMOUS', 'API_KEY'])('finds what %s did', async (actorType) => {
    await writeAudit([{ resource: 'test' }], { system: true });
    const { body, status } = await list({ actorType });
    expect(status).toBe(200);
    const types = (body.data as { actor: { type: string } }[]).map(({ actor }) => actor.type);
    expect(types.every((type) => type === actorType)).toBe(true);
    if (actorType !== 'API_KEY') expect(types.length).toBeGreaterThan(0);
  });
});

describe('GET /api/audit/:id', () => {
  it('tells what changed from what to what, and nothing else', async () => {
    const { id } = await app.buildTenant();
    const before = { city: 'Kota', state: 'RJ', note: null };
    await writeAudit([
      {
        resource: 'tenant',
        tenantId: id,
        before,
        after: { city: 'Sikar', state: 'RJ', note: 'x' },
        details: { by: 'post' },
      },
    ]);
    const [row] = (await list({ tenantId: id })).body.data;
    const entry = await app.call('GET', `/api/audit/${row.id}`, { token });
    expect(entry.body.data.diff).toEqual(
      expect.arrayContaining([
        { field: 'city', from: 'Kota', to: 'Sikar' },
        { field: 'note', from: null, to: 'x' },
      ]),
    );
    expect(entry.body.data.diff).toHaveLength(2);
  });
});

describe('GET /api/audit/actions', () => {
  it('names everything that a row can name', async () => {
    const { body } = await app.call('GET', '/api/audit/actions', { token });
    const codes = (body.data as { code: string }[]).map(({ code }) => code);
    expect(codes.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(codes);
    expect(new Set(codes)).toEqual(new Set([...Object.keys(AUDIT_ACTIONS), ...Object.keys(jobs)]));
    expect(body.data).toContainEqual({
      code: 'tenants.suspend',
      description: AUDIT_ACTIONS['tenants.suspend'],
      group: 'tenants',
      kind: 'action',
    });
  });
});

describe('GET /api/audit/resources/:type/:id', () => {
  const history = (type: string, id: string, query = {}) =>
    app.call('GET', `/api/audit/resources/${type}/${id}${queryString(query)}`, { token });

  it('is what happened to one record, newest first, on from a cursor', async () => {
    const chain = await buildChain(app, 5);
    await writeAudit([{ resource: 'library', resourceId: chain, tenantId: chain }]);
    const first = await history('tenant', chain, { limit: 3 });
    expect(first.body.meta).toMatchObject({ total: 5 });
    const second = await history('tenant', chain, { limit: 3, cursor: first.body.meta.nextCursor });
    const rows = [...first.body.data, ...second.body.data] as { resource: string; resourceId: string; id: string }[];
    expect(new Set(rows.map(({ id }) => id)).size).toBe(5);
    expect(rows.every((row) => row.resource === 'tenant' && row.resourceId === chain)).toBe(true);
    expect(second.body.meta.nextCursor).toBeNull();
  });

  it('takes the ids of what has no cuid, such as a setting', async () => {
    await writeAudit([{ resource: 'setting', resourceId: 'audit.retention_months' }]);
    expect((await history('setting', 'audit.retention_months')).body.data).toHaveLength(1);
  });

  it.each([
    ['tenant', newId(), 404],
    ['Tenant', newId(), 400],
    ['tenant', 'a..b', 400],
    ['tenant', '%00', 400],
  ])('of %s %s is a %d', async (type, id, status) => {
    const answer = await history(type, id);
    expectError(answer, status, status === 404 ? 'not_found' : 'validation_failed');
  });

  it('within one tenant is its own alone', async () => {
    const chain = await buildChain(app, 1);
    const other = await buildChain(app, 1);
    const admin = await app.adminToken();
    const within = (id: string) =>
      app.call('GET', `/api/audit/resources/tenant/${id}`, { token: admin, headers: { 'x-tenant-id': chain } });
    expect((await within(chain)).status).toBe(200);
    expectError(await within(other), 404, 'not_found');
  });
});

describe('GET /api/audit/integrity', () => {
  it.each([
    [{ cursor: 'nonsense' }, 'cursor'],
    [{ cursor: Buffer.from('platform~99999999999').toString('base64url') }, 'cursor'],
    [{ cursor: Buffer.from('platform~3').toString('base64url'), chain: newId() }, 'cursor'],
  ])('refuses %j', async (query, field) => {
    const answer = await integrityOf(app)(queryString(query));
    expectError(answer, 400, 'validation_failed');
    expect(answer.body.error.details.issues).toContainEqual(expect.objectContaining({ in: 'query', field }));
  });

  it('goes on from a cursor', async () => {
    const chain = await buildChain(app, 5);
    const cursor = Buffer.from(`${chain}~3`).toString('base64url');
    const answer = await integrityOf(app)(queryString({ chain, cursor }));
    expect(answer.body.data).toMatchObject({ intact: true, complete: true, rows: 2, chains: 1, nextCursor: null });
  });
});
