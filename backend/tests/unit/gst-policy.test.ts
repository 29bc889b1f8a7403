import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeOfSupply, supplyBetween, taxInvoice, taxOn } from '../../src/services/gst.policy.ts';
import { priceInvoice, roundingOf, type InvoiceLine } from '../../src/services/invoice-amounts.policy.ts';
import { decimal, fromPaise, rupees, sumOf, type Decimal } from '../../src/utils/money.ts';

const SAAS = '997331';
const SMS = '998413';
const rates = new Map([SAAS, SMS].map((code) => [code, decimal(18)]));
const line = (sacCode: string, unitPrice: string, more: Partial<InvoiceLine> = {}): InvoiceLine => ({
  kind: 'PLAN',
  description: 'Growth',
  sacCode,
  quantity: 1,
  unitPrice,
  ...more,
});
const inRupees = <Amounts extends Record<string, Decimal>>(amounts: Amounts) =>
  Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, rupees(amount)]));

/** Rule 18's example. */
const example = [line(SAAS, '2499.00', { discount: '249.90' }), line(SMS, '250.00', { kind: 'ADD_ON' })];

describe('The place of a supply', () => {
  it('rule 18: is the state of the buyer, by the GSTIN of a registered one', () => {
    expect(placeOfSupply({ gstin: '29AAPFU0939F1ZR', state: 'MH' })).toBe('29');
    expect(placeOfSupply({ gstin: null, state: 'MH' })).toBe('27');
    expect(placeOfSupply({ gstin: null, state: 'RJ' })).toBe('08');
    expect(() => placeOfSupply({ gstin: null, state: 'XX' })).toThrow('There is no state XX');
  });

  it('rule 18: decides whether it is CGST and SGST or IGST', () => {
    expect(supplyBetween('27', '27')).toBe('INTRA_STATE');
    expect(supplyBetween('27', '29')).toBe('INTER_STATE');
  });
});

describe('The tax on an amount', () => {
  it('rule 18: taxable 100.50 gives 18.10 inside the state and 18.09 outside', () => {
    const inside = taxOn(decimal('100.50'), decimal(18), 'INTRA_STATE');
    expect(inRupees(inside)).toEqual({ cgst: '9.05', sgst: '9.05', igst: '0.00' });
    expect(rupees(inside.cgst.plus(inside.sgst))).toBe('18.10');
    const outside = taxOn(decimal('100.50'), decimal(18), 'INTER_STATE');
    expect(inRupees(outside)).toEqual({ cgst: '0.00', sgst: '0.00', igst: '18.09' });
  });
});

describe('An invoice', () => {
  it('rule 18: plan 2,499.00 less 10 % plus SMS 250.00, buyer in 27: 224.92 + 224.92, payable 2,949', () => {
    const { lines: _, byRate: __, ...sums } = priceInvoice(example, rates, { supply: 'INTRA_STATE', reason: 'MANUAL' });
    expect(inRupees(sums)).toEqual({
      subtotal: '2749.00',
      discountTotal: '249.90',
      taxable: '2499.10',
      cgst: '224.92',
      sgst: '224.92',
      igst: '0.00',
      roundOff: '0.06',
      total: '2949.00',
    });
  });

  it('rule 18: the same, buyer in 29: 449.84, total 2,948.94, round-off 0.06, payable 2,949', () => {
    const { lines, igst, roundOff, total } = priceInvoice(example, rates, { supply: 'INTER_STATE', reason: 'MANUAL' });
    expect(inRupees({ igst, roundOff, total, before: total.minus(roundOff) })).toEqual({
      igst: '449.84',
      roundOff: '0.06',
      total: '2949.00',
      before: '2948.94',
    });
    expect(lines.map((one) => inRupees({ taxable: one.taxable, igst: one.igst, total: one.total }))).toEqual([
      { taxable: '2249.10', igst: '404.84', total: '2653.94' },
      { taxable: '250.00', igst: '45.00', total: '295.00' },
    ]);
  });

  it('rule 19: for a change of plan is taxed on the difference, to the paisa: IGST 182.90, payable 1,199.03', () => {
    const lines = [line(SAAS, '-676.74'), line(SAAS, '1692.87')];
    const invoice = priceInvoice(lines, rates, { supply: 'INTER_STATE', reason: 'SUBSCRIPTION_CHANGE' });
    expect(
      inRupees({ taxable: invoice.taxable, igst: invoice.igst, total: invoice.total, off: invoice.roundOff }),
    ).toEqual({
      taxable: '1016.13',
      igst: '182.90',
      total: '1199.03',
      off: '0.00',
    });
    expect(roundingOf('SUBSCRIPTION_CHANGE')).toBe('PAISA');
    expect(roundingOf('SUBSCRIPTION_CYCLE')).toBe('RUPEE');
  });

  it('has a row for each rate, the highest first, each rounded once', () => {
    const lines = ['0.03', '0.03', '0.03', '100.50', '50.00'].map((taxable, index) => ({
      taxable: decimal(taxable),
      taxRate: decimal(index === 4 ? 5 : 18),
    }));
    const { byRate, igst } = taxInvoice(lines, 'INTER_STATE', 'PAISA');
    expect(byRate.map((row) => inRupees(row))).toEqual([
      { taxRate: '18.00', taxable: '100.59', cgst: '0.00', sgst: '0.00', igst: '18.11' },
      { taxRate: '5.00', taxable: '50.00', cgst: '0.00', sgst: '0.00', igst: '2.50' },
    ]);
    expect(rupees(igst)).toBe('20.61');
  });

  it('without lines, or whose lines come to nothing, has no tax', () => {
    expect(inRupees({ total: taxInvoice([], 'INTRA_STATE', 'RUPEE').payable })).toEqual({ total: '0.00' });
    const even = [line(SAAS, '-100.00'), line(SAAS, '100.00')];
    const { total, lines } = priceInvoice(even, rates, { supply: 'INTRA_STATE', reason: 'SUBSCRIPTION_CHANGE' });
    expect(rupees(total)).toBe('0.00');
    expect(lines.map(({ cgst, sgst }) => rupees(cgst.plus(sgst)))).toEqual(['0.00', '0.00']);
  });
});

const anyLine = fc.record({
  sacCode: fc.constantFrom(SAAS, SMS, '9963'),
  quantity: fc.integer({ min: 1, max: 50 }),
  unitPrice: fc.integer({ min: -5_000_000, max: 50_000_000 }).map((paise) => rupees(fromPaise(paise))),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
});
const anyRates = new Map([
  [SAAS, decimal(18)],
  [SMS, decimal('2.5')],
  ['9963', decimal(0)],
]);
const supply = fc.constantFrom('INTRA_STATE' as const, 'INTER_STATE' as const);
const reason = fc.constantFrom('MANUAL' as const, 'SUBSCRIPTION_CHANGE' as const);

describe('Whatever is on it,', () => {
  const invoiceOf = (lines: { sacCode: string; quantity: number; unitPrice: string; share: number }[]) =>
    lines.map(({ share, unitPrice, quantity, sacCode }) => {
      const amount = decimal(unitPrice).times(quantity);
      const discount = amount.gt(0) ? rupees(amount.times(share).toDecimalPlaces(2)) : '0.00';
      return line(sacCode, unitPrice, { quantity, discount });
    });

  it('what the lines of an invoice show adds up to the invoice, to the paisa', () => {
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 12 }), supply, reason, (drawn, between, why) => {
        const invoice = priceInvoice(invoiceOf(drawn), anyRates, { supply: between, reason: why });
        for (const kind of ['taxable', 'cgst', 'sgst', 'igst'] as const) {
          expect(rupees(sumOf(invoice.lines.map((one) => one[kind])))).toBe(rupees(invoice[kind]));
          expect(rupees(sumOf(invoice.byRate.map((row) => row[kind])))).toBe(rupees(invoice[kind]));
        }
        const { subtotal, discountTotal, taxable, cgst, sgst, igst, roundOff, total } = invoice;
        expect(rupees(subtotal.minus(discountTotal))).toBe(rupees(taxable));
        expect(rupees(taxable.plus(cgst).plus(sgst).plus(igst).plus(roundOff))).toBe(rupees(total));
        expect(rupees(sumOf(invoice.lines.map((one) => one.total)).plus(roundOff))).toBe(rupees(total));
        expect(roundOff.abs().lte('0.50')).toBe(true);
        if (why === 'MANUAL') expect(total.isInteger()).toBe(true);
        else expect(roundOff.isZero()).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('inside a state both halves are the same, and outside there is IGST alone', () => {
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 12 }), (drawn) => {
        const inside = priceInvoice(invoiceOf(drawn), anyRates, { supply: 'INTRA_STATE', reason: 'MANUAL' });
        const outside = priceInvoice(invoiceOf(drawn), anyRates, { supply: 'INTER_STATE', reason: 'MANUAL' });
        for (const one of [inside, ...inside.lines]) {
          expect(one.cgst.equals(one.sgst) && one.igst.isZero()).toBe(true);
        }
        for (const one of [outside, ...outside.lines]) expect(one.cgst.isZero() && one.sgst.isZero()).toBe(true);
        // Two roundings instead of one, for each rate.
        const apart = inside.cgst.plus(inside.sgst).minus(outside.igst).abs();
        expect(apart.lte(decimal('0.015').times(inside.byRate.length))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('the order of the lines changes nothing of what is to be paid', () => {
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 8 }), supply, (drawn, between) => {
        const how = { supply: between, reason: 'MANUAL' as const };
        const forwards = priceInvoice(invoiceOf(drawn), anyRates, how);
        const backwards = priceInvoice(invoiceOf(drawn.toReversed()), anyRates, how);
        expect(rupees(backwards.total)).toBe(rupees(forwards.total));
      }),
    );
  });
});
