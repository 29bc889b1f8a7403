import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { queryString, statusesOf } from '../../support/calls.ts';
import { scopesOf } from '../../support/plans.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
let token: string;
let tenantId: string;
beforeAll(async () => {
  app = await startTestApp();
  ({ token, tenantId } = await app.ownerWithToken());
});
afterAll(() => app.close());

const hall = (changes: object = {}) => ({
  name: `Hall ${newId()}`,
  addressLine: '12 Talwandi Road',
  city: 'Kota',
  state: 'RJ',
  pincode: '324005',
  seatCount: 120,
  ...changes,
});
const path = (id = tenantId, library = '') => `/api/tenants/${id}/libraries${library && `/${library}`}`;
const create = (changes: object = {}, who = token, id = tenantId) =>
  app.call('POST', path(id), { token: who, body: hall(changes) });
const made = async (changes: object = {}, who = token, id = tenantId): Promise<string> =>
  (await create(changes, who, id)).body.data.id;
const assign = async (library: string, role: 'student' | 'library_staff' | 'parent', of = tenantId) => {
  const { id } = await app.buildUser({ role, tenantId: of, password: false });
  await app.query(`update users set library_id = $1 where id = $2`, [library, id]);
  return id;
};
const list = async (query: Record<string, string | number>, who: string, id: string) => {
  const answer = await app.call('GET', `${path(id)}${queryString(query)}`, { token: who });
  expect(answer.status, answer.text).toBe(200);
  return answer.body as { data: { name: string; people: object }[]; meta: object };
};

describe('GET /api/tenants/:id/libraries', () => {
  it('pages, sorts, searches and filters, with how many are assigned', async () => {
    const owner = await app.ownerWithToken();
    const here = (changes: object) => made(changes, owner.token, owner.tenantId);
    const first = await here({ name: 'Saraswati Talwandi', city: 'Kota' });
    await here({ name: 'सरस्वती पुस्तकालय', city: 'Sikar', addressLine: 'Piprali Road' });
    await here({ name: 'Gyan Kendra', city: 'KOTA', phone: '98290 12345' });
    await assign(first, 'student', owner.tenantId);
    await assign(first, 'student', owner.tenantId);
    await assign(first, 'library_staff', owner.tenantId);
    const left = await assign(first, 'student', owner.tenantId);
    await app.query(`update users set deleted_at = now() where id = $1`, [left]);
    await made();

    for (const who of [owner.token, await app.adminToken()]) {
      const namesBy = async (query: Record<string, string>) =>
        (await list({ sort: 'name', order: 'asc', ...query }, who, owner.tenantId)).data.map(({ name }) => name);
      expect(await namesBy({})).toEqual(['Gyan Kendra', 'Saraswati Talwandi', 'सरस्वती पुस्तकालय']);
      expect(await namesBy({ city: 'kota' })).toEqual(['Gyan Kendra', 'Saraswati Talwandi']);
      expect(await namesBy({ q: 'sarasvati' })).toEqual(['Saraswati Talwandi', 'सरस्वती पुस्तकालय']);
      expect(await namesBy({ q: 'piprali' })).toEqual(['सरस्वती पुस्तकालय']);
      expect(await namesBy({ q: '98290-12345' })).toEqual(['Gyan Kendra']);
      const page = await list({ sort: 'name', order: 'asc', page: 2, limit: 1 }, who, owner.tenantId);
      expect(page.meta).toEqual({ page: 2, limit: 1, total: 3, totalPages: 3 });
      expect(page.data).toMatchObject([{ name: 'Saraswati Talwandi', people: { students: 2, staff: 1 } }]);
    }
  });

  it('reads all of it in one message, without a query for each library', async () => {
    const [, ...asked] = await scopesOf(app, path(), token);
    expect(asked.flat().filter(({ text }) => text.includes('libraries'))).toHaveLength(2);
  });

  it("is a 404 for another tenant's", async () => {
    const { id } = await app.buildTenant();
    expect((await app.call('GET', path(id), { token })).status).toBe(404);
    expect((await create({}, token, id)).status).toBe(404);
    expect(await app.query(`select id from libraries where tenant_id = $1`, [id])).toEqual([]);
  });
});

describe('POST /api/tenants/:id/libraries', () => {
  it('adds a library, with its audit row', async () => {
    const answer = await create({ name: '  Talwandi Hall ', phone: '98290 12345' });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(answer.body.data).toEqual({
      ...hall({ name: 'Talwandi Hall', phone: '+919829012345' }),
      id: expect.stringMatching(/^c[a-z0-9]{24}$/),
      people: { students: 0, staff: 0 },
      version: 1,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    const [audit] = await app.query(`select action, tenant_id from audit_logs where resource_id = $1`, [
      answer.body.data.id,
    ]);
    expect(audit).toEqual({ action: 'tenants.library_create', tenant_id: tenantId });
  });

  it.each([
    [{ seatCount: 0 }, 'seatCount'],
    [{ seatCount: 10_001 }, 'seatCount'],
    [{ seatCount: 1.5 }, 'seatCount'],
    [{ pincode: '024005' }, 'pincode'],
    [{ state: 'XX' }, 'state'],
    [{ name: 'X' }, 'name'],
    [{ tenantId: 'c'.padEnd(25, '0') }, 'tenantId'],
  ])('refuses %j', async (changes, field) => {
    const answer = await create(changes);
    expect(answer.status).toBe(400);
    expect(answer.body.error.details.issues).toMatchObject([{ in: 'body', field }]);
  });

  it('gives a name to one library of the tenant, whatever its case, also of several at once', async () => {
    const answers = await Promise.all(
      ['Central Hall', 'central hall', 'CENTRAL HALL', 'Central Hall'].map((name) => create({ name })),
    );
    expect(statusesOf(answers)).toEqual([201, 409, 409, 409]);
    for (const lost of answers.filter(({ status }) => status === 409)) {
      expect(lost.body.error.details.issues).toEqual([
        { in: 'body', field: 'name', message: 'is the name of another library of the tenant' },
      ]);
    }
    const other = await app.ownerWithToken();
    expect((await create({ name: 'Central Hall' }, other.token, other.tenantId)).status).toBe(201);
  });
});

describe('PUT /api/tenants/:id/libraries/:libraryId', () => {
  const update = (library: string, body: object, version?: number, id = tenantId, who = token) =>
    app.call('PUT', path(id, library), {
      token: who,
      body,
      ...(version && { headers: { 'if-match': `"${version}"` } }),
    });

  it('changes what is sent, and the rest stays', async () => {
    const id = await made({ name: 'Before', phone: '98290 12345' });
    const answer = await update(id, { seatCount: 80, phone: null }, 1);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.data).toMatchObject({ name: 'Before', seatCount: 80, phone: null, version: 2 });
    expect((await update(id, { seatCount: 90 }, 1)).status).toBe(412);
    expect((await update(id, {})).status).toBe(400);
  });

  it('lets one of two who saw the same win', async () => {
    const id = await made();
    const answers = await Promise.all([1, 2, 3].map((seatCount) => update(id, { seatCount }, 1)));
    expect(statusesOf(answers)).toEqual([200, 412, 412]);
  });

  it('refuses the name of another one, and takes its own in another case', async () => {
    await made({ name: 'North Hall' });
    const id = await made({ name: 'South Hall' });
    expect((await update(id, { name: 'NORTH hall' })).status).toBe(409);
    expect((await update(id, { name: 'SOUTH HALL' })).status).toBe(200);
  });

  it("is a 404 for another tenant's library, also by way of one's own tenant", async () => {
    const other = await app.ownerWithToken();
    const theirs = await made({}, other.token, other.tenantId);
    const admin = await app.adminToken();
    for (const answer of [
      await update(theirs, { seatCount: 1 }),
      await update(theirs, { seatCount: 1 }, undefined, other.tenantId),
      await update(theirs, { seatCount: 1 }, undefined, tenantId, admin),
      await app.call('DELETE', path(tenantId, theirs), { token }),
      await app.call('DELETE', path(tenantId, theirs), { token: admin }),
    ]) {
      expect(answer.status).toBe(404);
    }
    const [row] = await app.query(`select seat_count from libraries where id = $1`, [theirs]);
    expect(row).toEqual({ seat_count: 120 });
  });
});

describe('DELETE /api/tenants/:id/libraries/:libraryId', () => {
  const remove = (library: string) => app.call('DELETE', path(tenantId, library), { token });

  it('removes one that nobody is assigned to, once', async () => {
    const id = await made({ name: 'Short-lived' });
    expect((await remove(id)).body.data).toMatchObject({ id, name: 'Short-lived' });
    expect((await remove(id)).status).toBe(404);
  });

  it('says how many people are assigned, and keeps it', async () => {
    const id = await made();
    await assign(id, 'student');
    const parent = await assign(id, 'parent');
    const refused = await remove(id);
    expect(refused.status).toBe(409);
    expect(refused.body.error).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('2 people are assigned'),
      details: { assigned: 2 },
    });
    await app.query(`update users set deleted_at = now() where library_id = $1`, [id]);
    expect((await remove(id)).status).toBe(200);
    const [row] = await app.query(`select library_id from users where id = $1`, [parent]);
    expect(row).toEqual({ library_id: null });
  });

  it('never leaves somebody at a library that is gone', async () => {
    const id = await made();
    const { id: student } = await app.buildUser({ role: 'student', tenantId, password: false });
    const [removed, assigned] = await Promise.allSettled([
      remove(id),
      app.query(`update users set library_id = $1 where id = $2`, [id, student]),
    ]);
    const left = await app.query(`select id from libraries where id = $1`, [id]);
    const [row] = await app.query(`select library_id from users where id = $1`, [student]);
    expect(removed.status).toBe('fulfilled');
    expect(row).toEqual({ library_id: assigned.status === 'fulfilled' && left.length > 0 ? id : null });
  });
});
