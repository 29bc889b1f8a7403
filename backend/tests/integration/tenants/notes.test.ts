import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
let token: string;
let admin: { id: string; name: string };
beforeAll(async () => {
  app = await startTestApp();
  admin = await app.buildAdmin({ name: 'Asha Menon' });
  token = (await app.signIn({ email: (admin as { email?: string }).email ?? null })).token;
});
afterAll(() => app.close());

const path = (id: string) => `/api/tenants/${id}/notes`;
const add = (id: string, text: string, who = token) => app.call('POST', path(id), { token: who, body: { text } });
const textsOf = (body: { data: { text: string }[] }) => body.data.map(({ text }) => text);

describe('Notes about a tenant', () => {
  it('are kept with who wrote them, newest first, and read on from a cursor', async () => {
    const { id } = await app.buildTenant();
    for (const text of ['one', 'two', 'three', 'four', 'five']) expect((await add(id, text)).status).toBe(201);
    const first = await app.call('GET', `${path(id)}?limit=2`, { token });
    expect(first.status, first.text).toBe(200);
    expect(first.body.data[0]).toEqual({
      id: expect.any(String),
      text: 'five',
      author: { id: admin.id, name: 'Asha Menon' },
      createdAt: expect.stringMatching(/^20\d\d-.*Z$/),
    });
    expect(first.body.meta).toMatchObject({ total: 5, limit: 2, nextCursor: expect.any(String) });
    const seen = textsOf(first.body);
    for (let cursor = first.body.meta.nextCursor; cursor;) {
      await add(id, 'comes in between');
      const { body } = await app.call('GET', `${path(id)}?limit=2&cursor=${cursor}`, { token });
      seen.push(...textsOf(body));
      cursor = body.meta.nextCursor;
    }
    expect(seen).toEqual(['five', 'four', 'three', 'two', 'one']);
  });

  it('leave a trace in the trail without what they say', async () => {
    const { id } = await app.buildTenant();
    const { body } = await add(id, 'Pays late, but always pays');
    const rows = await app.query(`select * from audit_logs where chain = $1`, [id]);
    expect(rows).toMatchObject([{ action: 'tenants.note', resource: 'tenant_note', resource_id: body.data.id }]);
    expect(JSON.stringify(rows)).not.toContain('Pays late');
  });

  it.each([
    ['', 400],
    ['   ', 400],
    ['x'.repeat(5_001), 400],
    ['x'.repeat(5_000), 201],
    ['a\u0000b', 400],
    ['नोट\nline', 201],
  ])('take text of 1 to 5,000 characters: %#', async (text, status) => {
    const { id } = await app.buildTenant();
    expect((await add(id, text)).status).toBe(status);
  });

  it("are the portal's alone: the tenant neither sees nor writes them", async () => {
    const { token: owner, tenantId } = await app.ownerWithToken();
    await add(tenantId, 'Not for them');
    for (const answer of [
      await app.call('GET', path(tenantId), { token: owner }),
      await add(tenantId, 'Mine', owner),
    ]) {
      expect(answer.status).toBe(403);
      expect(answer.text).not.toContain('Not for them');
    }
    expect((await app.call('GET', `/api/tenants/${tenantId}/timeline`, { token: owner })).status).toBe(403);
  });

  it('are written by those who look after tenants, and read by whoever sees these', async () => {
    const { id } = await app.buildTenant();
    const auditor = await app.adminToken({ role: 'auditor' });
    expect((await add(id, 'Changes something', auditor)).status).toBe(403);
    expect((await app.call('GET', path(id), { token: auditor })).status).toBe(200);
    expect((await add(id, 'Looks after it', await app.adminToken({ role: 'operations' }))).status).toBe(201);
  });

  it('of a tenant that is not there are a 404, and those of others stay out', async () => {
    const purged = await app.buildTenant({ status: 'PURGED' });
    for (const id of [newId(), purged.id]) {
      expect((await app.call('GET', path(id), { token })).status).toBe(404);
      expect((await add(id, 'Nowhere')).status).toBe(404);
    }
    const [one, two] = [await app.buildTenant(), await app.buildTenant()];
    await add(one.id, 'about one');
    expect(textsOf((await app.call('GET', path(two.id), { token })).body)).toEqual([]);
    const narrowed = { token, headers: { 'x-tenant-id': two.id } };
    expect((await app.call('GET', path(one.id), narrowed)).status).toBe(404);
  });
});
