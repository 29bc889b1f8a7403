import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { buildOpenInvoice, fillBilling } from './billed-tenant.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const draft = (tenantId: string) =>
  app.query(
    `insert into invoices (id, tenant_id, reason, collection_method, updated_at) values ($1, $2, 'MANUAL', 'SEND_INVOICE', now())`,
    [newId(), tenantId],
  );
const idsOf = (answer: { body: { data: { id: string }[] } }) => answer.body.data.map(({ id }) => id);

describe.each(['invoices', 'payments'])('GET /api/tenants/:id/%s', (what) => {
  const list = (id: string, token: string, query = '') =>
    app.call('GET', `/api/tenants/${id}/${what}${query}`, { token });

  it('is of this tenant alone, for itself and for admins', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const billed = await fillBilling(app, tenantId);
    const other = await app.ownerWithToken();
    await fillBilling(app, other.tenantId);
    const own = what === 'invoices' ? billed.invoice : billed.payment;
    expect(idsOf(await list(tenantId, token))).toEqual([own]);
    const admin = await app.adminToken({ role: 'support' });
    expect(idsOf(await list(tenantId, admin))).toEqual([own]);
    expectError(await list(other.tenantId, token), 404, 'not_found');
    expectError(await list(newId(), admin), 404, 'not_found');
    expectError(await list((await app.buildTenant({ status: 'PURGED' })).id, admin), 404, 'not_found');
    const staff = await app.buildUser({ role: 'library_staff', tenantId });
    expectError(await list(tenantId, (await app.signIn(staff)).token), 403, 'forbidden');
  });

  it('stays open while the tenant is suspended', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    await fillBilling(app, tenantId);
    await app.query(`update tenants set status = 'SUSPENDED' where id = $1`, [tenantId]);
    expect(idsOf(await list(tenantId, token))).toHaveLength(1);
  });
});

describe('GET /api/tenants/:id/invoices', () => {
  it('takes the filters of all invoices, but for the tenant, and shows drafts to admins alone', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const { invoice } = await buildOpenInvoice(app, tenantId);
    await fillBilling(app, tenantId);
    await draft(tenantId);
    const list = (query: string, who = token) =>
      app.call('GET', `/api/tenants/${tenantId}/invoices${query}`, { token: who });
    expect(idsOf(await list('?status=OPEN'))).toEqual([invoice]);
    expect((await list('?sort=total&limit=1')).body.meta).toMatchObject({ total: 2, totalPages: 2 });
    expect((await list('', await app.adminToken())).body.meta.total).toBe(3);
    expectError(await list(`?tenantId=${tenantId}`), 400, 'validation_failed');
  });
});

describe('GET /api/tenants/:id/payments', () => {
  it('shows what was paid with it, and finds by status', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const { invoice, payment } = await fillBilling(app, tenantId);
    const list = (query = '') => app.call('GET', `/api/tenants/${tenantId}/payments${query}`, { token });
    expect((await list('?status=SUCCEEDED')).body.data).toMatchObject([
      { id: payment, amount: '1179.00', method: 'UPI', allocations: [{ invoiceId: invoice, amount: '1179.00' }] },
    ]);
    expect(idsOf(await list('?status=FAILED'))).toEqual([]);
    expect((await list()).text).not.toContain('token_of_');
  });
});
