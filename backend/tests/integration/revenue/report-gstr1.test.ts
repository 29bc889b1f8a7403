import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decimal, sumOf } from '../../../src/utils/money.ts';
import type { BuiltInvoice, FigureInvoice } from '../../support/revenue-figures.ts';
import { startReportTests, type ReportTests } from './reports-support.ts';

let tests: ReportTests;
let tenantId: string;
beforeAll(async () => {
  tests = await startReportTests();
  tenantId = (await tests.app.buildTenant()).id;
});
afterAll(() => tests.close());

const PUNE = '27AAACR5055K1Z7';
const BENGALURU = '29AAGCB7383J1Z4';
const invoice = (of: Omit<FigureInvoice, 'tenantId'>) => tests.figures.invoice({ tenantId, ...of });
const gstr1 = (month: string, rest = {}) => tests.writtenJson({ type: 'GSTR1', month, ...rest });

type Taxes = { txval: number; iamt?: number; camt?: number; samt?: number };
const addedUp = (all: Taxes[]) => {
  const of = (name: keyof Taxes) => sumOf(all.map((one) => one[name] ?? 0)).toFixed(2);
  return { taxable: of('txval'), igst: of('iamt'), cgst: of('camt'), sgst: of('samt') };
};
const less = (a: ReturnType<typeof addedUp>, b: ReturnType<typeof addedUp>) =>
  Object.fromEntries(
    Object.entries(a).map(([name, amount]) => [
      name,
      decimal(amount)
        .minus(b[name as keyof typeof b])
        .toFixed(2),
    ]),
  );
// oxlint-disable-next-line typescript/no-explicit-any -- the file of the portal
const detailsOf = (documents: any[]): Taxes[] => documents.flatMap(({ itms }) => itms.map((one: any) => one.itm_det));

describe('GSTR-1 of a month', () => {
  let built: Record<string, BuiltInvoice>;
  beforeAll(async () => {
    const on = '2026-10-15';
    built = {
      inState: await invoice({
        on: '2026-10-01',
        lines: [{ taxable: 2499.1 }],
        buyer: { gstin: PUNE },
        roundOff: 0.06,
      }),
      twoRates: await invoice({
        on,
        lines: [{ taxable: 1000 }, { taxable: 200, rate: 5, sac: '998413' }, { taxable: 300 }],
        buyer: { gstin: BENGALURU },
        status: 'PAID',
      }),
      sameBuyer: await invoice({ on: '2026-10-31', lines: [{ taxable: 50 }], buyer: { gstin: BENGALURU } }),
      large: await invoice({ on, lines: [{ taxable: 100_000 }], buyer: { state: '33' } }),
      notLarge: await invoice({ on, lines: [{ taxable: 84_745.76 }], buyer: { state: '33' } }),
      largeInState: await invoice({ on, lines: [{ taxable: 200_000 }], buyer: { state: '27' } }),
      small: await invoice({ on, lines: [{ taxable: 100.5 }], buyer: { state: '29' }, status: 'UNCOLLECTIBLE' }),
      free: await invoice({ on, lines: [{ taxable: 0 }], buyer: { state: '29' }, status: 'PAID' }),
      voided: await invoice({ on, lines: [{ taxable: 999 }], buyer: { gstin: PUNE }, status: 'VOID' }),
    };
    await invoice({ on: '2026-09-30', lines: [{ taxable: 7 }], buyer: { gstin: PUNE } });
    await invoice({ on: '2026-11-01', lines: [{ taxable: 7 }], buyer: { gstin: PUNE } });
    const note = (of: string, taxable: number[], voided?: string) =>
      tests.figures.creditNote({ invoice: built[of]!, on: '2026-10-31', taxable, ...(voided && { voided }) });
    await note('inState', [499.1]);
    await note('twoRates', [100, 200, 0]);
    await note('large', [1000.01]);
    await note('notLarge', [45.76]);
    await note('largeInState', [200_000]);
    await note('small', [10], '2026-11-01T00:00:00Z');
  });

  it('tells registered buyers invoice by invoice, as the portal names everything', async () => {
    const { gstin, fp, b2b } = await gstr1('2026-10');
    expect({ gstin, fp }).toEqual({ gstin: '27AAPFU0939F1ZV', fp: '102026' });
    expect(b2b).toEqual([
      {
        ctin: PUNE,
        inv: [
          {
            inum: built.inState!.number,
            idt: '01-10-2026',
            val: 2949,
            pos: '27',
            rchrg: 'N',
            inv_typ: 'R',
            itms: [{ num: 1, itm_det: { rt: 18, txval: 2499.1, iamt: 0, camt: 224.92, samt: 224.92, csamt: 0 } }],
          },
        ],
      },
      {
        ctin: BENGALURU,
        inv: [
          {
            inum: built.twoRates!.number,
            idt: '15-10-2026',
            val: 1744,
            pos: '29',
            rchrg: 'N',
            inv_typ: 'R',
            itms: [
              { num: 1, itm_det: { rt: 5, txval: 200, iamt: 10, camt: 0, samt: 0, csamt: 0 } },
              { num: 2, itm_det: { rt: 18, txval: 1300, iamt: 234, camt: 0, samt: 0, csamt: 0 } },
            ],
          },
          expect.objectContaining({ inum: built.sameBuyer!.number, idt: '31-10-2026', val: 59 }),
        ],
      },
    ]);
  });

  it('tells large supplies to others in another state one by one, and sums up the rest less what was credited', async () => {
    const { b2cl, b2cs } = await gstr1('2026-10');
    expect(b2cl).toEqual([
      {
        pos: '33',
        inv: [
          {
            inum: built.large!.number,
            idt: '15-10-2026',
            val: 118_000,
            itms: [{ num: 1, itm_det: { rt: 18, txval: 100_000, iamt: 18_000, csamt: 0 } }],
          },
        ],
      },
    ]);
    // In our own state all of it was credited, and of nothing nothing is told. 84,745.76 with tax is 1,00,000: not more.
    expect(b2cs).toEqual([
      { sply_ty: 'INTER', pos: '29', typ: 'OE', rt: 18, txval: 100.5, iamt: 18.09, camt: 0, samt: 0, csamt: 0 },
      { sply_ty: 'INTER', pos: '33', typ: 'OE', rt: 18, txval: 84_700, iamt: 15_246, camt: 0, samt: 0, csamt: 0 },
    ]);
  });

  it('tells credit notes where their invoices stand', async () => {
    const { cdnr, cdnur } = await gstr1('2026-10');
    expect(cdnr).toEqual([
      {
        ctin: PUNE,
        nt: [
          {
            ntty: 'C',
            nt_num: expect.stringMatching(/^SSCN\//),
            nt_dt: '31-10-2026',
            val: 588.94,
            pos: '27',
            rchrg: 'N',
            inv_typ: 'R',
            itms: [{ num: 1, itm_det: { rt: 18, txval: 499.1, iamt: 0, camt: 44.92, samt: 44.92, csamt: 0 } }],
          },
        ],
      },
      {
        ctin: BENGALURU,
        nt: [
          expect.objectContaining({
            val: 328,
            itms: [
              { num: 1, itm_det: { rt: 5, txval: 200, iamt: 10, camt: 0, samt: 0, csamt: 0 } },
              { num: 2, itm_det: { rt: 18, txval: 100, iamt: 18, camt: 0, samt: 0, csamt: 0 } },
            ],
          }),
        ],
      },
    ]);
    expect(cdnur).toEqual([
      {
        typ: 'B2CL',
        ntty: 'C',
        nt_num: expect.stringMatching(/^SSCN\//),
        nt_dt: '31-10-2026',
        val: 1180.01,
        pos: '33',
        itms: [{ num: 1, itm_det: { rt: 18, txval: 1000.01, iamt: 180, csamt: 0 } }],
      },
    ]);
  });

  it('sums up codes apart for registered and other buyers, and counts documents, void ones as cancelled', async () => {
    const { hsn, doc_issue } = await gstr1('2026-10');
    const service = { uqc: 'NA', qty: 0, csamt: 0 };
    const platform = { hsn_sc: '997331', desc: 'Licensing services for the rig', ...service, rt: 18 };
    expect(hsn).toEqual({
      hsn_b2b: [
        { num: 1, ...platform, txval: 3250, iamt: 225, camt: 180, samt: 180 },
        // SMS at another rate was credited whole.
      ],
      hsn_b2c: [{ num: 1, ...platform, txval: 183_800.49, iamt: 33_084.09, camt: 0, samt: 0 }],
    });
    const numbers = Object.values(built).map(({ number }) => number);
    expect(doc_issue).toEqual({
      doc_det: [
        {
          doc_num: 1,
          docs: [{ num: 1, from: numbers[0], to: numbers.at(-1), totnum: 9, cancel: 1, net_issue: 8 }],
        },
        {
          doc_num: 5,
          docs: [expect.objectContaining({ num: 1, totnum: 6, cancel: 1, net_issue: 5 })],
        },
      ],
    });
  });

  it('comes to the invoices of the month less its credit notes, to the paisa, in every section', async () => {
    const { b2b, b2cl, b2cs, cdnr, cdnur, hsn } = await gstr1('2026-10');
    const [row] = await tests.app.query(
      `select sum(taxable)::text as taxable, sum(igst)::text as igst, sum(cgst)::text as cgst, sum(sgst)::text as sgst from (
         select taxable, igst, cgst, sgst from invoices
          where issue_date between '2026-10-01' and '2026-10-31' and status in ('OPEN', 'PAID', 'UNCOLLECTIBLE')
         union all
         select -taxable, -igst, -cgst, -sgst from credit_notes
          where issue_date between '2026-10-01' and '2026-10-31' and status = 'ISSUED') d`,
    );
    const supplied = addedUp([
      ...detailsOf(b2b.flatMap(({ inv }: { inv: object[] }) => inv)),
      ...detailsOf(b2cl.flatMap(({ inv }: { inv: object[] }) => inv)),
      ...b2cs,
    ]);
    const credited = addedUp([...detailsOf(cdnr.flatMap(({ nt }: { nt: object[] }) => nt)), ...detailsOf(cdnur)]);
    expect(less(supplied, credited)).toEqual(row);
    expect(addedUp([...hsn.hsn_b2b, ...hsn.hsn_b2c])).toEqual(row);
  });

  it('is the same as a table whose section says where a row stands', async () => {
    const rows = await tests.writtenRows({ type: 'GSTR1', month: '2026-10' });
    const of = (section: string) => rows.filter((row) => row.section === section);
    expect(
      Object.fromEntries([...new Set(rows.map((row) => row.section))].map((one) => [one, of(one!).length])),
    ).toEqual({ b2b: 4, b2cl: 1, b2cs: 2, cdnr: 3, cdnur: 1, hsn_b2b: 1, hsn_b2c: 1, doc_issue: 2 });
    expect(of('b2b')[0]).toMatchObject({
      recipient_gstin: PUNE,
      number: built.inState!.number,
      date: '2026-10-01',
      value: '2949.00',
      place_of_supply: '27',
      rate: '18',
      taxable_value: '2499.10',
      integrated_tax: '0.00',
      central_tax: '224.92',
      state_tax: '224.92',
    });
    expect(of('doc_issue')[0]).toMatchObject({ type: 'INVOICE', total_number: '9', cancelled: '1', net_issued: '8' });
  });
});

describe('GSTR-1', () => {
  it('of a month without documents says that there are none', async () => {
    expect(await gstr1('2025-12')).toEqual({
      gstin: '27AAPFU0939F1ZV',
      fp: '122025',
      version: expect.any(String),
      hash: 'hash',
      hsn: { hsn_b2b: [], hsn_b2c: [] },
      doc_issue: { doc_det: [] },
    });
  });

  it('knows what was large before August 2024, and sums up codes together before May 2025', async () => {
    const july = await invoice({ on: '2024-07-31', lines: [{ taxable: 150_000 }], buyer: { state: '33' } });
    const larger = await invoice({ on: '2024-07-31', lines: [{ taxable: 211_864.42 }], buyer: { state: '33' } });
    await invoice({ on: '2024-08-01', lines: [{ taxable: 150_000 }], buyer: { state: '33' } });
    const of = await gstr1('2024-07');
    expect(of.b2cl.flatMap(({ inv }: { inv: { inum: string }[] }) => inv.map(({ inum }) => inum))).toEqual([
      larger.number,
    ]);
    expect(of.b2cs).toEqual([expect.objectContaining({ pos: '33', txval: 150_000 })]);
    expect(of.hsn).toEqual({ data: [expect.objectContaining({ hsn_sc: '997331', txval: 361_864.42 })] });
    expect((await gstr1('2024-08')).b2cs).toBeUndefined();
    // A note follows its invoice, whenever it is written: July's was small.
    await tests.figures.creditNote({ invoice: july, on: '2024-09-05', taxable: [50_000] });
    const september = await gstr1('2024-09');
    expect(september.b2cs).toEqual([
      expect.objectContaining({ sply_ty: 'INTER', pos: '33', txval: -50_000, iamt: -9000 }),
    ]);
    expect(september.cdnur).toBeUndefined();
    const rows = await tests.writtenRows({ type: 'GSTR1', month: '2024-09' });
    expect(rows.find(({ section }) => section === 'b2cs')).toMatchObject({ taxable_value: '-50000.00' });
  });

  it('is that of one registration of ours', async () => {
    expect((await gstr1('2026-10', { gstin: '29AAGCB7383J1Z4' })).doc_issue).toEqual({ doc_det: [] });
  });

  it('reads on over batches: nothing is told twice, and nothing left out', async () => {
    await tests.app.query(
      `with made as (
         insert into invoices (id, tenant_id, number, serial, fiscal_year, status, reason, collection_method, issue_date, due_date, seller,
                               buyer, buyer_name, buyer_gstin, place_of_supply, supply, subtotal, taxable, igst, total, amount_due, updated_at)
         select 'c' || substr(md5('many' || i), 1, 24), $1, 'MNY/25-26/' || lpad(i::text, 6, '0'), i, '25-26', 'OPEN', 'MANUAL',
                'SEND_INVOICE', '2026-02-10', '2026-02-10', '{"gstin":"27AAPFU0939F1ZV"}', '{}', 'Hall',
                case when i % 2 = 0 then '29AAGCB7383J1Z4' end, '29', 'INTER_STATE', 100, 100, 18, 118, 118, now()
           from generate_series(1, 2500) i returning id, tenant_id)
       select count(*) from made`,
      [tenantId],
    );
    await tests.app.query(
      `set session_replication_role = replica;
       insert into invoice_items (id, tenant_id, invoice_id, position, kind, description, sac_code, quantity, unit_price, amount, taxable, tax_rate, igst, total)
       select 'c' || substr(md5('line' || id), 1, 24), tenant_id, id, 1, 'PLAN', 'Plan', '997331', 1, 100, 100, 100, 18, 18, 118
         from invoices where number like 'MNY/%'`,
    );
    const { b2b, b2cs, doc_issue } = await gstr1('2026-02');
    const numbers = b2b.flatMap(({ inv }: { inv: { inum: string }[] }) => inv.map(({ inum }) => inum));
    expect([b2b.length, numbers.length, new Set(numbers).size]).toEqual([1, 1250, 1250]);
    expect(b2cs).toEqual([expect.objectContaining({ txval: 125_000, iamt: 22_500 })]);
    expect(doc_issue.doc_det[0].docs).toEqual([
      { num: 1, from: 'MNY/25-26/000001', to: 'MNY/25-26/002500', totnum: 2500, cancel: 0, net_issue: 2500 },
    ]);
  });
});
