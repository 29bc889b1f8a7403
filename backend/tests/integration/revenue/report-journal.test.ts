import { SaxesParser } from 'saxes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { sumOf } from '../../../src/utils/money.ts';
import type { BuiltInvoice } from '../../support/revenue-figures.ts';
import { startReportTests, type ReportTests } from './reports-support.ts';

let tests: ReportTests;
let tenantId: string;
let built: Record<string, BuiltInvoice>;
const HOSTILE = `R&D "Hall" <Öst> 'मीरा'`;
const range = { type: 'JOURNAL', from: '2026-10-01', to: '2026-10-31' };

beforeAll(async () => {
  tests = await startReportTests();
  tenantId = (await tests.app.buildTenant({ name: '=Reading Hall' })).id;
  const { invoice, creditNote, payment } = tests.figures;
  const buyer = { name: HOSTILE };
  built = {
    inState: await invoice({
      tenantId,
      on: '2026-10-01',
      lines: [{ taxable: 2499.1 }],
      buyer: { ...buyer, gstin: '27AAACR5055K1Z7' },
      roundOff: 0.06,
      status: 'PAID',
    }),
    outside: await invoice({ tenantId, on: '2026-10-31', lines: [{ taxable: 100.5 }], buyer, roundOff: -0.59 }),
    free: await invoice({ tenantId, on: '2026-10-02', lines: [{ taxable: 0 }], buyer, status: 'PAID' }),
    voided: await invoice({ tenantId, on: '2026-10-02', lines: [{ taxable: 1 }], buyer, status: 'VOID' }),
    before: await invoice({ tenantId, on: '2026-09-30', lines: [{ taxable: 5 }], buyer }),
  };
  await creditNote({ invoice: built.inState!, on: '2026-10-05', taxable: [499.1], use: 'credit' });
  await creditNote({ invoice: built.outside!, on: '2026-10-31', taxable: [1], voided: '2026-11-02T00:00:00Z' });
  const card = await payment({
    tenantId,
    on: '2026-10-03',
    amount: 2949,
    invoice: built.inState!,
    method: 'CARD',
    gateway: 'razorpay',
    fee: 69.6,
    tax: 10.62,
  });
  await payment({ tenantId, on: '2026-10-04', amount: 300, method: 'CASH' });
  await payment({ tenantId, on: '2026-10-31', amount: 59, method: 'BANK_TRANSFER', reference: '+UTR1' });
  await payment({ tenantId, on: '2026-10-06', amount: 588.94, method: 'CREDIT_BALANCE' });
  await payment({ tenantId, on: '2026-11-01', amount: 1, method: 'CASH' });
  await tests.app.query(
    `insert into refunds (id, tenant_id, payment_id, amount, status, gateway_refund_id, created_at, updated_at) values
       ($1, $3, $4, 100, 'SUCCEEDED', 'rfnd_1', '2026-10-30T00:00:00Z', '2026-10-31T18:29:59Z'),
       ($2, $3, $4, 50, 'SUCCEEDED', 'rfnd_2', '2026-10-30T00:00:00Z', '2026-10-31T18:30:00Z')`,
    [newId(), newId(), tenantId, card],
  );
});
afterAll(() => tests.close());

type Element = { name: string; attributes: Record<string, string>; text: string; children: Element[] };

/** An XML file as a tree; anything that is not well-formed throws. */
function parsed(xml: string): Element {
  const root: Element = { name: '', attributes: {}, text: '', children: [] };
  const open = [root];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    const element: Element = { name, attributes, text: '', children: [] };
    open.at(-1)!.children.push(element);
    open.push(element);
  });
  parser.on('text', (text) => void (open.at(-1)!.text += text));
  parser.on('closetag', () => void open.pop());
  parser.write(xml).close();
  return root;
}
const find = (element: Element, name: string): Element[] => [
  ...(element.name === name ? [element] : []),
  ...element.children.flatMap((child) => find(child, name)),
];
const textOf = (element: Element, name: string) => find(element, name)[0]?.text;
const entriesOf = (voucher: Element) =>
  find(voucher, 'ALLLEDGERENTRIES.LIST').map((entry) => ({
    ledger: textOf(entry, 'LEDGERNAME'),
    amount: textOf(entry, 'AMOUNT'),
    debit: textOf(entry, 'ISDEEMEDPOSITIVE'),
  }));
const amountsOf = (voucher: Element) => entriesOf(voucher).map(({ ledger, amount }) => [ledger, amount]);
const vouchersOf = async () => find(parsed(await tests.written({ ...range, format: 'XML' })), 'VOUCHER');

describe('The journal for Tally', () => {
  it('is an import of vouchers, each of which it would know again', async () => {
    const xml = await tests.written({ ...range, format: 'XML' });
    expect(xml).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<ENVELOPE>/);
    const root = parsed(xml);
    expect(textOf(root, 'TALLYREQUEST')).toBe('Import Data');
    expect(textOf(root, 'REPORTNAME')).toBe('Vouchers');
    const vouchers = find(root, 'VOUCHER');
    expect(vouchers.map((one) => [one.attributes.VCHTYPE, textOf(one, 'DATE')])).toEqual([
      ['Sales', '20261001'],
      ['Sales', '20261031'],
      ['Credit Note', '20261005'],
      ['Receipt', '20261003'],
      ['Receipt', '20261004'],
      ['Receipt', '20261031'],
      ['Payment', '20261031'],
    ]);
    const ids = vouchers.map((one) => one.attributes.REMOTEID);
    expect(new Set(ids).size).toBe(7);
    const again = (await vouchersOf()).map((one) => one.attributes.REMOTEID);
    expect(again).toEqual(ids);
  });

  it('has vouchers that balance, what is debited negative', async () => {
    for (const voucher of await vouchersOf()) {
      const entries = entriesOf(voucher);
      expect(entries.length).toBeGreaterThan(1);
      expect(sumOf(entries.map(({ amount }) => amount ?? 0)).toFixed(2), textOf(voucher, 'VOUCHERNUMBER')).toBe('0.00');
      for (const { amount, debit } of entries) expect(debit).toBe(amount?.startsWith('-') ? 'Yes' : 'No');
    }
  });

  it('debits the buyer of an invoice, and credits sales, taxes and round-off', async () => {
    const [inState, outside] = await vouchersOf();
    expect(textOf(inState!, 'PARTYLEDGERNAME')).toBe(HOSTILE);
    expect(textOf(inState!, 'PARTYGSTIN')).toBe('27AAACR5055K1Z7');
    expect(textOf(inState!, 'VOUCHERNUMBER')).toBe(built.inState!.number);
    expect(amountsOf(inState!)).toEqual([
      [HOSTILE, '-2949.00'],
      ['Sales', '2499.10'],
      ['Output CGST', '224.92'],
      ['Output SGST', '224.92'],
      ['Round Off', '0.06'],
    ]);
    // 118.59 rounded down to 118: what was given away is debited.
    expect(amountsOf(outside!)).toEqual([
      [HOSTILE, '-118.00'],
      ['Sales', '100.50'],
      ['Output IGST', '18.09'],
      ['Round Off', '-0.59'],
    ]);
  });

  it('takes back with a credit note', async () => {
    const note = (await vouchersOf()).find((one) => one.attributes.VCHTYPE === 'Credit Note');
    expect(amountsOf(note!)).toEqual([
      [HOSTILE, '588.94'],
      ['Sales', '-499.10'],
      ['Output CGST', '-44.92'],
      ['Output SGST', '-44.92'],
    ]);
    expect(textOf(note!, 'NARRATION')).toContain(built.inState!.number);
  });

  it('tells what came, what the gateway kept of it, and what went back', async () => {
    const [card, cash, bank] = (await vouchersOf()).filter((one) => one.attributes.VCHTYPE === 'Receipt');
    // The fee of 69.60 includes its tax of 10.62.
    expect(amountsOf(card!)).toEqual([
      ['Payment Gateway', '-2879.40'],
      ['Gateway Charges', '-58.98'],
      ['Input GST on Gateway Charges', '-10.62'],
      [HOSTILE, '2949.00'],
    ]);
    expect(textOf(card!, 'NARRATION')).toContain(built.inState!.number);
    expect(amountsOf(cash!)).toEqual([
      ['Cash', '-300.00'],
      ['=Reading Hall', '300.00'],
    ]);
    expect(amountsOf(bank!)[0]).toEqual(['Bank', '-59.00']);
    const refund = (await vouchersOf()).find((one) => one.attributes.VCHTYPE === 'Payment');
    expect(textOf(refund!, 'VOUCHERNUMBER')).toBe('rfnd_1');
    expect(amountsOf(refund!)).toEqual([
      [HOSTILE, '-100.00'],
      ['Payment Gateway', '100.00'],
    ]);
  });

  it('of days without anything has no voucher', async () => {
    const xml = await tests.written({ type: 'JOURNAL', from: '2024-01-01', to: '2024-12-31', format: 'XML' });
    expect(find(parsed(xml), 'VOUCHER')).toEqual([]);
  });
});

describe('The journal as a table', () => {
  it('has one row for each entry, and as much debited as credited', async () => {
    const rows = await tests.writtenRows(range);
    expect(rows).toHaveLength(5 + 4 + 4 + 4 + 2 + 2 + 2);
    expect(rows[0]).toEqual({
      Date: '2026-10-01',
      'Voucher type': 'Sales',
      'Voucher number': built.inState!.number,
      Party: HOSTILE,
      GSTIN: '27AAACR5055K1Z7',
      Ledger: HOSTILE,
      Debit: '2949.00',
      Credit: '',
      Narration: `Invoice ${built.inState!.number}`,
    });
    const sum = (name: string) => sumOf(rows.map((row) => row[name] || 0)).toFixed(2);
    expect(sum('Debit')).toBe(sum('Credit'));
  });

  it('has an apostrophe before what a spreadsheet would run', async () => {
    const rows = await tests.writtenRows(range);
    const cash = rows.filter(({ Ledger }) => Ledger === 'Cash' || Ledger?.endsWith('=Reading Hall'));
    expect(cash.map(({ Ledger }) => Ledger)).toEqual(['Cash', "'=Reading Hall", "'=Reading Hall"]);
    expect(cash.every(({ Party }) => Party === "'=Reading Hall")).toBe(true);
  });
});
