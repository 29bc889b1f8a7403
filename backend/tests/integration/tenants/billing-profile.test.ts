import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gstinCheckCharacter } from '../../../src/utils/gstin.ts';
import { statusesOf } from '../../support/calls.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const withCheck = (first14: string) => first14 + gstinCheckCharacter(first14);
const profile = (changes: object = {}) => ({
  legalName: 'Saraswati Reading Hall Private Limited',
  gstin: withCheck('08AAPFU0939F1Z'),
  email: 'Accounts@Saraswati.example',
  addressLine: '12 Talwandi Road',
  city: 'Kota',
  state: 'RJ',
  pincode: '324005',
  ...changes,
});
const path = (id: string) => `/api/tenants/${id}/billing-profile`;
const put = (id: string, token: string, changes: object = {}, version?: number) =>
  app.call('PUT', path(id), {
    token,
    body: profile(changes),
    ...(version !== undefined && { headers: { 'if-match': `"${version}"` } }),
  });

describe('The billing profile of a tenant', () => {
  it('is a 404 until there is one; then it is replaced, whole', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    expect((await app.call('GET', path(tenantId), { token })).status).toBe(404);
    const created = await put(tenantId, token);
    expect(created.status, created.text).toBe(200);
    expect(created.body.data).toEqual({
      ...profile({ email: 'accounts@saraswati.example' }),
      tenantId,
      version: 1,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    expect((await app.call('GET', path(tenantId), { token })).body.data).toEqual(created.body.data);
    const replaced = await put(tenantId, token, { gstin: undefined, city: 'Sikar' }, 1);
    expect(replaced.body.data).toMatchObject({ gstin: null, city: 'Sikar', version: 2 });
    const audit = await app.query(
      `select tenant_id, changes from audit_logs where action = 'tenants.billing_profile' and chain = $1 order by sequence`,
      [tenantId],
    );
    expect(audit).toHaveLength(2);
    expect(audit[1]?.changes).toMatchObject({ city: { from: 'Kota', to: 'Sikar' } });
  });

  it.each([
    [{ gstin: withCheck('08AAPFU0939F1Z').slice(0, 14) + '0' }, 'gstin'],
    [{ gstin: withCheck('27AAPFU0939F1Z') }, 'gstin'],
    [{ gstin: '' }, 'gstin'],
    [{ state: null }, 'state'],
    [{ legalName: undefined }, 'legalName'],
    [{ pincode: '32400' }, 'pincode'],
    [{ email: 'accounts' }, 'email'],
    [{ version: 7 }, 'version'],
  ])('refuses %j', async (changes, field) => {
    const { token, tenantId } = await app.ownerWithToken();
    const answer = await put(tenantId, token, changes);
    expect(answer.status, answer.text).toBe(400);
    expect(answer.body.error.details.issues).toMatchObject([{ in: 'body', field }]);
  });

  it('lets one of several who saw the same win, also where there was none', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const first = await Promise.all([1, 2, 3].map(() => put(tenantId, token, {}, 0)));
    expect(statusesOf(first)).toEqual([200, 412, 412]);
    const later = await Promise.all([1, 2, 3].map((n) => put(tenantId, token, { legalName: `Name ${n}` }, 1)));
    expect(statusesOf(later)).toEqual([200, 412, 412]);
    const blind = await Promise.all([1, 2, 3].map((n) => put(tenantId, token, { legalName: `Name ${n}` })));
    expect(statusesOf(blind)).toEqual([200, 200, 200]);
  });

  it('is for those who look after money, within their own tenant', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    await put(tenantId, token);
    const staff = (await app.signIn(await app.buildUser({ role: 'library_staff', tenantId }))).token;
    expect((await app.call('GET', path(tenantId), { token: staff })).status).toBe(403);
    const support = await app.adminToken({ role: 'support' });
    expect((await app.call('GET', path(tenantId), { token: support })).status).toBe(200);
    expect((await put(tenantId, support)).status).toBe(403);
    expect((await put(tenantId, await app.adminToken({ role: 'finance' }))).status).toBe(200);
    const other = await app.ownerWithToken();
    expect((await app.call('GET', path(tenantId), { token: other.token })).status).toBe(404);
    expect((await put(tenantId, other.token)).status).toBe(404);
  });

  it('stays open to a tenant that is suspended: who pays has to say who is billed', async () => {
    const { owner, tenantId } = await app.ownerWithToken();
    await app.query(`update tenants set status = 'SUSPENDED' where id = $1`, [tenantId]);
    const { token } = await app.signIn(owner);
    expect((await put(tenantId, token)).status).toBe(200);
    expect((await app.call('GET', path(tenantId), { token })).status).toBe(200);
    expect((await app.call('GET', `/api/tenants/${tenantId}/libraries`, { token })).status).toBe(403);
  });
});
