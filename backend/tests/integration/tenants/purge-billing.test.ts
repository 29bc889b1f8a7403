import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { buildOpenInvoice, fillBilling, PAYER } from './billed-tenant.ts';
import { moveGrace, runJob } from './support.ts';

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.elevatedToken({ name: 'Asha Menon' });
});
afterAll(() => app.close());

const look = async (id: string) => (await app.call('GET', `/api/tenants/${id}/offboarding`, { token })).body.data;
async function leave(id: string) {
  const begun = await app.call('POST', `/api/tenants/${id}/offboard`, { token, body: { reason: 'They leave us' } });
  expect(begun.status, begun.text).toBe(200);
  await moveGrace(app, id, 1, 49);
}
const rowsOf = async (id: string, table: string) => {
  const [row] = await app.query<{ count: number }>(`select count(*)::int from ${table} where tenant_id = $1`, [id]);
  return row?.count;
};

/** What the law makes us keep, with the rows that `fillBilling` puts there. */
const BOOKS = {
  billing_accounts: 1,
  billing_entries: 1,
  credit_note_items: 1,
  credit_notes: 1,
  invoice_items: 1,
  invoices: 1,
  payment_allocations: 1,
  payment_methods: 1,
  payments: 1,
  refunds: 1,
  subscription_add_ons: 1,
  subscription_changes: 1,
  subscription_coupons: 1,
  subscriptions: 1,
};
const GONE = ['dunning_runs', 'dunning_steps', 'gateway_events', 'payment_links', 'subscription_scheduled_changes'];

describe('rule 12: the purge of a tenant that was billed', () => {
  it('keeps the books, and says under which law; how somebody paid goes', async () => {
    const { tenantId: id } = await app.ownerWithToken();
    const other = await app.ownerWithToken();
    await fillBilling(app, id);
    await fillBilling(app, other.tenantId);
    await leave(id);
    await runJob('cleanup.offboarding');
    const { offboarding, status, unsettled } = await look(id);
    expect([status, unsettled]).toEqual(['PURGED', null]);
    const kept = offboarding.certificate.kept as { table: string; rows: number; why: string; blanked?: string[] }[];
    const books = kept.filter(({ why }) => why.includes('CGST Act 2017, section 36'));
    expect(Object.fromEntries(books.map(({ table, rows }) => [table, rows]))).toEqual(BOOKS);
    for (const { why } of books) expect(why).toContain('Companies Act 2013, section 128');
    expect(books.find(({ table }) => table === 'payment_methods')?.blanked).toContain('vpa');
    const removed = new Map(
      (offboarding.certificate.removed.rows as { table: string; rows: number }[]).map((row) => [row.table, row.rows]),
    );
    for (const table of GONE) {
      expect(removed.get(table), table).toBe(1);
      expect(await rowsOf(id, table), table).toBe(0);
      expect(await rowsOf(other.tenantId, table), table).toBe(1);
    }
    for (const [table, rows] of Object.entries(BOOKS)) expect(await rowsOf(id, table), table).toBe(rows);
  });

  it('leaves nothing in them by which the payer could be known or charged', async () => {
    const { tenantId: id } = await app.ownerWithToken();
    const { payment, method } = await fillBilling(app, id);
    await leave(id);
    await runJob('cleanup.offboarding');
    for (const table of Object.keys(BOOKS)) {
      const rows = await app.query<{ text: string }>(`select t::text as text from ${table} t where tenant_id = $1`, [
        id,
      ]);
      for (const { text } of rows) {
        expect(text, table).not.toContain(PAYER);
        expect(text, table).not.toContain(`cust_${id}`);
        expect(text, table).not.toContain(`token_of_${id}`);
      }
    }
    expect(await app.query(`select label, vpa, last4, kind from payment_methods where id = $1`, [method])).toEqual([
      { label: null, vpa: null, last4: null, kind: 'CARD' },
    ]);
    const [kept] = await app.query(`select amount::text, payment_method_id from payments where id = $1`, [payment]);
    expect(kept).toEqual({ amount: '1179.00', payment_method_id: method });
  });
});

describe('rule 12: the purge waits and says so', () => {
  const waits = async (id: string, said: object) => {
    await runJob('cleanup.offboarding');
    const state = await look(id);
    expect(state).toMatchObject({ status: 'OFFBOARDING', offboarding: { purgeStartedAt: null } });
    expect(state.unsettled).toEqual({
      openInvoices: 0,
      amountDue: '0.00',
      paymentsUnderWay: 0,
      refundsUnderWay: 0,
      ...said,
    });
  };
  const settled = async (id: string) => {
    await runJob('cleanup.offboarding');
    expect(await look(id)).toMatchObject({ status: 'PURGED', unsettled: null });
  };

  it.each([
    ['written off', `update invoices set status = 'UNCOLLECTIBLE', uncollectible_at = now() where id = $1`],
    ['voided', `update invoices set status = 'VOID', amount_due = 0, voided_at = now() where id = $1`],
    [
      'credited',
      `update invoices set status = 'PAID', amount_credited = 1179, amount_due = 0, paid_at = now() where id = $1`,
    ],
  ])('while an invoice is unpaid, until it is %s', async (_how, settle) => {
    const { tenantId: id } = await app.ownerWithToken();
    const { invoice } = await buildOpenInvoice(app, id);
    await leave(id);
    await waits(id, { openInvoices: 1, amountDue: '1179.00' });
    await app.query(settle, [invoice]);
    await settled(id);
  });

  it('while nobody knows what became of a payment', async () => {
    const { tenantId: id } = await app.ownerWithToken();
    const { payment } = await fillBilling(app, id);
    await app.query(
      `insert into payments (id, tenant_id, transaction_id, amount, method, status, initiated_by, updated_at)
       values ($1 || '2', $2, $1 || '2', 10, 'CARD', 'UNKNOWN', 'PERSON', now())`,
      [payment, id],
    );
    await leave(id);
    await waits(id, { paymentsUnderWay: 1 });
    await app.query(`update payments set status = 'FAILED', failed_at = now() where id = $1 || '2'`, [payment]);
    await settled(id);
  });

  it('while money is on its way back', async () => {
    const { tenantId: id } = await app.ownerWithToken();
    await fillBilling(app, id);
    await app.query(`update refunds set status = 'PENDING' where tenant_id = $1`, [id]);
    await leave(id);
    await waits(id, { refundsUnderWay: 1 });
    await app.query(`update refunds set status = 'SUCCEEDED' where tenant_id = $1`, [id]);
    await settled(id);
  });
});
