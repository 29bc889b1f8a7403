import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modules } from '../../../src/routes/index.ts';
import { buildBilledTenant, freshKey } from '../../support/billing.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { desk, type CreditNote, type Desk, type Invoice } from './invoices-support.ts';

let app: TestApp;
let finance: Desk;
let ours: Awaited<ReturnType<typeof buildBilledTenant>>;
let theirs: Awaited<ReturnType<typeof buildBilledTenant>>;
let issued: Invoice;
let draft: Invoice;
let other: Invoice;
let note: CreditNote;
beforeAll(async () => {
  app = await startTestApp();
  finance = desk(app, await app.adminToken({ role: 'finance' }));
  [ours, theirs] = [await buildBilledTenant(app), await buildBilledTenant(app)];
  issued = await finance.issue(ours.tenantId);
  draft = await finance.draft(ours.tenantId);
  other = await finance.issue(theirs.tenantId);
  note = await finance.credit(other.id, { lines: [{ invoiceItemId: other.items[0]?.id, amount: '10.00' }] });
});
afterAll(() => app.close());

const get = (route: string, token: string, headers = {}) => app.call('GET', `/api/revenue${route}`, { token, headers });
const post = (route: string, token: string, body: object = {}) =>
  app.call('POST', `/api/revenue${route}`, { token, body, headers: freshKey() });

describe('An owner', () => {
  it('sees their own invoices and no drafts', async () => {
    const list = await get('/invoices', ours.token);
    expect(list.body.data.map(({ id }: Invoice) => id)).toEqual([issued.id]);
    expect(list.body.meta.total).toBe(1);
    expect((await get('/invoices?status=DRAFT', ours.token)).body.data).toEqual([]);
    expect((await get(`/invoices?tenantId=${theirs.tenantId}`, ours.token)).body.data).toEqual([]);
    expect((await get(`/invoices/${issued.id}`, ours.token)).body.data).toMatchObject({ id: issued.id });
    expectError(await get(`/invoices/${draft.id}`, ours.token), 404, 'not_found');
    expectError(await get(`/invoices/${draft.id}/pdf`, ours.token), 404, 'not_found');
  });

  it('does not learn that another tenant’s invoice exists', async () => {
    for (const route of [`/invoices/${other.id}`, `/invoices/${other.id}/pdf`]) {
      expectError(await get(route, ours.token), 404, 'not_found');
    }
    expect((await get(`/invoices?q=${encodeURIComponent(other.number ?? '')}`, ours.token)).body.data).toEqual([]);
  });

  it('cannot write them, nor see what is the portal’s', async () => {
    for (const step of ['send', 'finalize', 'void', 'mark-uncollectible']) {
      expectError(await post(`/invoices/${issued.id}/${step}`, ours.token), 403, 'forbidden');
    }
    expectError(await get('/invoices/numbering-audit', ours.token), 403, 'forbidden');
    expectError(await get('/credit-notes', ours.token), 403, 'forbidden');
  });

  it('of a suspended tenant still reads them', async () => {
    const { token, tenantId } = await buildBilledTenant(app);
    const { id } = await finance.issue(tenantId);
    await app.query(`update tenants set status = 'SUSPENDED' where id = $1`, [tenantId]);
    const owner = await app.ownerWithToken({ tenantId });
    expect((await get(`/invoices/${id}`, owner.token)).status).toBe(200);
    expect(token).not.toBe(owner.token);
  });

  it('staff and students do not see them', async () => {
    for (const role of ['library_staff', 'student'] as const) {
      const { token } = await app.signIn(await app.buildUser({ role, tenantId: ours.tenantId }));
      expectError(await get('/invoices', token), 403, 'forbidden');
    }
  });
});

describe('Of the portal', () => {
  const endpoints = modules.flatMap(({ prefix, endpoints: all }) =>
    all
      .filter((one) => /^\/(invoices|credit-notes)(\/|$)/.test(one.path))
      .map((one) => ({ ...one, path: `/api${prefix}${one.path}` })),
  );
  const writes = endpoints.filter(
    ({ method, access }) => method !== 'get' && JSON.stringify(access).includes('revenue.invoices'),
  );

  it('support reads and does not write', async () => {
    const token = await app.adminToken({ role: 'support' });
    expect((await get('/invoices', token)).body.meta.total).toBeGreaterThan(2);
    for (const route of [
      `/invoices/${draft.id}`,
      `/invoices/${other.id}/pdf`,
      `/credit-notes/${note.id}`,
      '/credit-notes',
    ]) {
      expect((await get(route, token)).status, route).toBe(200);
    }
    expect(writes.length).toBeGreaterThan(10);
    for (const { method, path: route } of writes) {
      const answer = await app.call(method.toUpperCase(), route.replace(':id', issued.id), { token, body: {} });
      expectError(answer, 403, 'forbidden');
    }
  });

  it('sales does not see them', async () => {
    const token = await app.adminToken({ role: 'sales' });
    for (const { method, path: route } of endpoints.filter((one) => one.method === 'get')) {
      expectError(await app.call(method.toUpperCase(), route.replace(':id', issued.id), { token }), 403, 'forbidden');
    }
  });

  it('who works within one tenant sees and writes that one’s alone', async () => {
    const admin = await app.adminToken();
    const headers = { 'x-tenant-id': ours.tenantId };
    const list = await get('/invoices', admin, headers);
    expect(list.body.data.map(({ id }: Invoice) => id).toSorted()).toEqual([issued.id, draft.id].toSorted());
    expectError(await get(`/invoices/${other.id}`, admin, headers), 404, 'not_found');
    expectError(await get(`/credit-notes/${note.id}`, admin, headers), 404, 'not_found');
    const write = (route: string, body: object) =>
      app.call('POST', `/api/revenue${route}`, { token: admin, body, headers: { ...headers, ...freshKey() } });
    expectError(await write(`/invoices/${other.id}/void`, { reason: 'Not ours to void' }), 404, 'not_found');
    const lines = [{ description: 'A service', unitPrice: '1.00' }];
    expectError(await write('/invoices', { tenantId: theirs.tenantId, lines }), 404, 'not_found');
    const credit = { invoiceId: other.id, full: true, reason: 'GOODWILL' };
    expectError(await write('/credit-notes', credit), 404, 'not_found');
    const own = await write('/invoices', { tenantId: ours.tenantId, lines });
    expect(own.status, own.text).toBe(201);
    const finalized = await write(`/invoices/${own.body.data.id}/finalize`, {});
    expect(finalized.body.data, finalized.text).toMatchObject({
      status: 'OPEN',
      number: expect.stringContaining('SS/'),
    });
  });
});
