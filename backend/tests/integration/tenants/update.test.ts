import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gstinCheckCharacter } from '../../../src/utils/gstin.ts';
import { statusesOf } from '../../support/calls.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

const gstinOf = (first14: string) => first14 + gstinCheckCharacter(first14);
const RAJASTHAN = gstinOf('08AAPFU0939F1Z');
const MAHARASHTRA = '27AAPFU0939F1ZV';

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken({ role: 'operations' });
});
afterAll(() => app.close());

const update = (id: string, body: unknown, headers: Record<string, string> = {}, who = token) =>
  app.call('PUT', `/api/tenants/${id}`, { token: who, body, headers });
const read = async (id: string) => (await app.call('GET', `/api/tenants/${id}`, { token })).body.data;
const auditOf = (id: string) =>
  app.query(`select action, changes, actor_id from audit_logs where resource_id = $1 order by sequence`, [id]);

describe('PUT /api/tenants/:id', () => {
  it('changes the fields that are given, and no other', async () => {
    const { id } = await app.buildTenant();
    const before = await read(id);
    const answer = await update(id, { city: 'Sikar', phone: '98290 12345', timeZone: 'Asia/Kathmandu' });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.data).toEqual({
      ...before,
      city: 'Sikar',
      phone: '+919829012345',
      timeZone: 'Asia/Kathmandu',
      version: 2,
      updatedAt: expect.any(String),
    });
    expect(Date.parse(answer.body.data.updatedAt)).toBeGreaterThan(Date.parse(before.updatedAt));
    expect(await read(id)).toEqual(answer.body.data);
  });

  it('takes every field of the profile', async () => {
    const { id } = await app.buildTenant();
    const profile = {
      name: 'नालंदा पुस्तकालय',
      email: 'office@nalanda.example',
      phone: '+919829012345',
      gstin: MAHARASHTRA,
      addressLine: '12 Fergusson College Road',
      city: 'Pune',
      state: 'MH',
      pincode: '411004',
      timeZone: 'Asia/Kolkata',
    };
    expect((await update(id, profile)).body.data).toMatchObject(profile);
  });

  it('clears what is null, where it may be empty', async () => {
    const { id } = await app.buildTenant({ gstin: RAJASTHAN });
    await update(id, { phone: '9829012345', addressLine: '12 Talwandi Road', pincode: '324005' });
    const cleared = { phone: null, gstin: null, addressLine: null, city: null, state: null, pincode: null };
    expect((await update(id, cleared)).body.data).toMatchObject(cleared);
    for (const field of ['name', 'email', 'timeZone']) {
      const answer = await update(id, { [field]: null });
      expect(answer.status).toBe(400);
      expect(answer.body.error.details.issues).toMatchObject([{ in: 'body', field }]);
    }
  });

  it.each([{}, undefined])('asks for something to change: %j', async (body) => {
    const { id } = await app.buildTenant();
    const answer = await update(id, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.details.issues).toMatchObject([
      { in: 'body', message: 'give at least one field to change' },
    ]);
  });

  it.each(['slug', 'status', 'version', 'trialEndsAt', 'owner', 'id', 'createdAt'])(
    'does not change the %s',
    async (field) => {
      const { id } = await app.buildTenant();
      const answer = await update(id, { city: 'Sikar', [field]: 'x' });
      expect(answer.status).toBe(400);
      expect(answer.body.error.details.issues).toContainEqual({ in: 'body', field, message: 'is not known here' });
      expect((await read(id)).city).toBe('Kota');
    },
  );

  it('does not touch the other tenants', async () => {
    const other = await app.buildTenant();
    const before = await read(other.id);
    const { id } = await app.buildTenant();
    await update(id, { name: 'Renamed Hall', city: null });
    expect(await read(other.id)).toEqual(before);
  });

  it('is a 404 for a purged tenant', async () => {
    const { id } = await app.buildTenant({ status: 'PURGED' });
    expect((await update(id, { city: 'Sikar' })).status).toBe(404);
  });
});

describe('The GSTIN and the state', () => {
  const wrong = { in: 'body', field: 'gstin', message: 'begins with the code of another state than `state`' };

  it('must fit each other, whichever of them was there before', async () => {
    const { id } = await app.buildTenant({ state: 'RJ', gstin: RAJASTHAN });
    for (const body of [{ gstin: MAHARASHTRA }, { state: 'MH' }, { gstin: MAHARASHTRA, state: 'KA' }]) {
      const answer = await update(id, body);
      expect(answer.status, JSON.stringify(body)).toBe(400);
      expect(answer.body.error.details.issues).toEqual([wrong]);
    }
    expect(await read(id)).toMatchObject({ state: 'RJ', gstin: RAJASTHAN, version: 1 });
  });

  it('may change together, or one of them where the other is not there', async () => {
    const { id } = await app.buildTenant({ state: 'RJ', gstin: RAJASTHAN });
    expect((await update(id, { gstin: MAHARASHTRA, state: 'MH' })).status).toBe(200);
    expect((await update(id, { state: 'KA', gstin: null })).status).toBe(200);
    expect((await update(id, { state: null })).status).toBe(200);
    expect((await update(id, { gstin: RAJASTHAN })).status).toBe(200);
    expect((await update(id, { state: 'RJ' })).status).toBe(200);
    expect(await read(id)).toMatchObject({ state: 'RJ', gstin: RAJASTHAN, version: 6 });
  });
});

describe('If-Match', () => {
  it('lets a change through while nobody was faster', async () => {
    const { id } = await app.buildTenant();
    const seen = await app.call('GET', `/api/tenants/${id}`, { token });
    expect(seen.headers.get('etag')).toBe('"1"');
    const first = await update(id, { city: 'Sikar' }, { 'if-match': '"1"' });
    expect([first.status, first.headers.get('etag')]).toEqual([200, '"2"']);
    const late = await update(id, { city: 'Ajmer' }, { 'if-match': '"1"' });
    expect(late.status).toBe(412);
    expect(late.body.error).toMatchObject({ code: 'version_mismatch', details: { version: 2 } });
    expect((await read(id)).city).toBe('Sikar');
    expect((await update(id, { city: 'Ajmer' }, { 'if-match': '"2"' })).status).toBe(200);
  });

  it('lets one of several through who saw the same', async () => {
    const { id } = await app.buildTenant();
    const cities = ['Sikar', 'Ajmer', 'Bundi', 'Tonk'];
    const answers = await Promise.all(cities.map((city) => update(id, { city }, { 'if-match': '"1"' })));
    expect(statusesOf(answers)).toEqual([200, 412, 412, 412]);
    const winner = answers.findIndex(({ status }) => status === 200);
    expect(await read(id)).toMatchObject({ city: cities[winner], version: 2 });
    expect(await auditOf(id)).toHaveLength(1);
  });

  it('may be left out: then the last one counts, and none is lost', async () => {
    const { id } = await app.buildTenant();
    const answers = await Promise.all([
      update(id, { city: 'Sikar' }),
      update(id, { pincode: '332001' }),
      update(id, { addressLine: '1 Station Road' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const after = { city: 'Sikar', pincode: '332001', addressLine: '1 Station Road', version: 4 };
    expect(await read(id)).toMatchObject(after);
  });

  it.each(['1', '"one"', '"1", "2"', '""', '"-1"', '"1.5"', '"99999999999"'])('is not %s', async (header) => {
    const { id } = await app.buildTenant();
    const answer = await update(id, { city: 'Sikar' }, { 'if-match': header });
    expect(answer.status).toBe(400);
    expect(answer.body.error.details.issues).toMatchObject([{ in: 'header', field: 'If-Match' }]);
  });

  it('rises with a change of status too', async () => {
    const { id } = await app.buildTenant();
    const suspended = await app.call('POST', `/api/tenants/${id}/suspend`, { token, body: { reason: 'Unpaid' } });
    expect(suspended.headers.get('etag')).toBe('"2"');
    expect((await update(id, { city: 'Sikar' }, { 'if-match': '"1"' })).status).toBe(412);
  });
});

describe('The audit row of a change', () => {
  it('tells exactly the fields that differ, before and after', async () => {
    const { id, name } = await app.buildTenant({ city: 'Kota' });
    await update(id, { name, city: 'Sikar', phone: '9829012345', gstin: null, state: 'RJ' });
    expect(await auditOf(id)).toMatchObject([{ action: 'tenants.update' }]);
    expect((await auditOf(id))[0]?.changes).toEqual({
      city: { from: 'Kota', to: 'Sikar' },
      phone: { from: null, to: '+919829012345' },
    });
  });

  it('is there for each change, and for none that was refused', async () => {
    const { id } = await app.buildTenant({ city: 'Kota' });
    await update(id, { city: 'Sikar' });
    await update(id, { city: 'Nowhere' }, { 'if-match': '"1"' });
    await update(id, { gstin: MAHARASHTRA });
    await update(id, { city: null });
    expect((await auditOf(id)).map(({ changes }) => changes)).toEqual([
      { city: { from: 'Kota', to: 'Sikar' } },
      { city: { from: 'Sikar', to: null } },
    ]);
  });
});

describe('Who may change a tenant', () => {
  it('is its owner', async () => {
    const { token: owner, tenantId, owner: person } = await app.ownerWithToken();
    const answer = await update(tenantId, { city: 'Sikar' }, {}, owner);
    expect(answer.status, answer.text).toBe(200);
    expect(await auditOf(tenantId)).toMatchObject([{ action: 'tenants.update', actor_id: person.id }]);
  });

  it('is not the owner of another', async () => {
    const { token: owner } = await app.ownerWithToken();
    const other = await app.buildTenant();
    for (const headers of [{}, { 'x-tenant-id': other.id }] as Record<string, string>[]) {
      const answer = await update(other.id, { city: 'Sikar' }, headers, owner);
      expect(answer.status).toBe('x-tenant-id' in headers ? 403 : 404);
    }
    expect(await read(other.id)).toMatchObject({ city: 'Kota', version: 1 });
  });

  it.each(['library_staff', 'student', 'parent'] as const)('is not a %s', async (role) => {
    const user = await app.buildUser({ role });
    const { token: theirs } = await app.signIn(user);
    const answer = await update(user.tenantId as string, { city: 'Sikar' }, {}, theirs);
    expect([answer.status, answer.body.error.code]).toEqual([403, 'forbidden']);
  });

  it.each(['finance', 'support', 'sales', 'auditor'] as const)('is not %s', async (role) => {
    const { id } = await app.buildTenant();
    const answer = await update(id, { city: 'Sikar' }, {}, await app.adminToken({ role }));
    expect(answer.status).toBe(403);
    expect(answer.body.error.message).toContain('tenants.update');
  });

  it('is an admin within that tenant, and not within another', async () => {
    const { id } = await app.buildTenant();
    const other = await app.buildTenant();
    expect((await update(id, { city: 'Sikar' }, { 'x-tenant-id': id })).status).toBe(200);
    expect((await update(id, { city: 'Ajmer' }, { 'x-tenant-id': other.id })).status).toBe(404);
    expect((await read(id)).city).toBe('Sikar');
  });
});
