import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBilledTenant } from '../../support/billing.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { desk, type Desk } from './invoices-support.ts';

let app: TestApp;
let finance: Desk;
beforeAll(async () => {
  app = await startTestApp();
  finance = desk(app, await app.adminToken({ role: 'finance' }));
});
afterAll(() => app.close());

/** The plan less ten percent, and a pack of SMS. */
const example = [
  { description: 'Growth plan, monthly', unitPrice: '2499.00', discount: '249.90' },
  { description: 'SMS pack', sacCode: '998413', unitPrice: '250.00' },
];

describe('The tax of an invoice', () => {
  it('rule 18: buyer in 27, as the seller: CGST and SGST, each rounded', async () => {
    const { tenantId } = await buildBilledTenant(app, { state: 'MH' });
    expect(await finance.issue(tenantId, example)).toMatchObject({
      supply: 'INTRA_STATE',
      placeOfSupply: '27',
      subtotal: '2749.00',
      discountTotal: '249.90',
      taxable: '2499.10',
      cgst: '224.92',
      sgst: '224.92',
      igst: '0.00',
      roundOff: '0.06',
      total: '2949.00',
      taxes: [{ taxRate: '18.00', taxable: '2499.10', cgst: '224.92', sgst: '224.92', igst: '0.00' }],
    });
  });

  it('rule 18: buyer in 29: IGST', async () => {
    const { tenantId } = await buildBilledTenant(app, { state: 'KA' });
    expect(await finance.issue(tenantId, example)).toMatchObject({
      supply: 'INTER_STATE',
      placeOfSupply: '29',
      taxable: '2499.10',
      cgst: '0.00',
      sgst: '0.00',
      igst: '449.84',
      roundOff: '0.06',
      total: '2949.00',
    });
  });

  it.each([
    ['inside of the state', 'MH', { cgst: '9.05', sgst: '9.05', igst: '0.00' }, '118.60'],
    ['outside', 'KA', { cgst: '0.00', sgst: '0.00', igst: '18.09' }, '118.59'],
  ])('rule 18: taxable 100.50 %s', async (_, state, tax, beforeRounding) => {
    const { tenantId } = await buildBilledTenant(app, { state });
    const invoice = await finance.issue(tenantId, [{ unitPrice: '100.50' }]);
    expect(invoice).toMatchObject({ taxable: '100.50', ...tax, total: '119.00' });
    expect(Number(invoice.total) - Number(invoice.roundOff)).toBeCloseTo(Number(beforeRounding), 10);
  });

  it('rule 18: a registered buyer is where the first two digits of the GSTIN say', async () => {
    const { tenantId } = await buildBilledTenant(app, { state: 'MH', gstin: '27AAPFU0939F1ZV' });
    expect(await finance.issue(tenantId)).toMatchObject({ supply: 'INTRA_STATE', buyer: { gstin: '27AAPFU0939F1ZV' } });
    await app.query(`update billing_profiles set state = 'KA', gstin = '29AAPFU0939F1ZR' where tenant_id = $1`, [
      tenantId,
    ]);
    expect(await finance.issue(tenantId)).toMatchObject({ supply: 'INTER_STATE', placeOfSupply: '29' });
  });

  it('rule 18: a GSTIN whose check character is wrong is never billed to', async () => {
    const { tenantId, token } = await buildBilledTenant(app, { state: 'MH' });
    const body = {
      legalName: 'Saraswati Reading Hall',
      email: 'accounts@saraswati.example',
      addressLine: '12 FC Road',
      city: 'Pune',
      state: 'MH',
      pincode: '411045',
    };
    const path = `/api/tenants/${tenantId}/billing-profile`;
    const wrong = await app.call('PUT', path, { token, body: { ...body, gstin: '27AAPFU0939F1ZX' } });
    expectError(wrong, 400, 'validation_failed', 'body gstin');
    const right = await app.call('PUT', path, { token, body: { ...body, gstin: '27AAPFU0939F1ZV' } });
    expect(right.status, right.text).toBe(200);
  });

  it('of a buyer of whom it is not known where they are is that of the seller’s state', async () => {
    const tenant = await app.buildTenant();
    await app.query(`update tenants set state = null, gstin = null where id = $1`, [tenant.id]);
    expect(await finance.issue(tenant.id)).toMatchObject({ supply: 'INTRA_STATE', placeOfSupply: '27' });
  });

  it('what the lines show adds up to the sums, to the paisa', async () => {
    const { tenantId } = await buildBilledTenant(app, { state: 'MH' });
    const prices = ['0.01', '33.33', '66.67', '100.01', '7.77', '1234.56'];
    const invoice = await finance.issue(
      tenantId,
      prices.map((unitPrice, index) => ({
        unitPrice,
        quantity: `${index + 1}.333`,
        ...(index % 2 && { sacCode: '998413' }),
      })),
    );
    for (const name of ['amount', 'taxable', 'cgst', 'sgst', 'igst'] as const) {
      const paise = invoice.items.reduce((sum, item) => sum + Math.round(Number(item[name]) * 100), 0);
      const sum = name === 'amount' ? invoice.subtotal : invoice[name];
      expect(paise, name).toBe(Math.round(Number(sum) * 100));
    }
    expect(invoice.total).toMatch(/\.00$/);
    expect(Math.abs(Number(invoice.roundOff))).toBeLessThanOrEqual(0.5);
  });

  it('stays as it was issued, whatever becomes of buyer and seller', async () => {
    const { tenantId } = await buildBilledTenant(app, { state: 'KA' });
    const issued = await finance.issue(tenantId);
    await app.query(`update billing_profiles set state = 'MH', legal_name = 'Another' where tenant_id = $1`, [
      tenantId,
    ]);
    const read = await finance.read(issued.id);
    expect({ buyer: read.buyer, supply: read.supply, igst: read.igst }).toEqual({
      buyer: issued.buyer,
      supply: 'INTER_STATE',
      igst: '90.00',
    });
  });
});
