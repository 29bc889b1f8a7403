import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { finalizeInvoice } from '../../../src/services/invoice-issue.service.ts';
import { manualContext } from '../../../src/services/context.service.ts';
import { AppError } from '../../../src/utils/errors.ts';
import { newId } from '../../../src/utils/ids.ts';
import { noon, resetClock, setClock } from '../../support/billing.ts';
import { expectError } from '../../support/expectations.ts';
import type { TestApp } from '../../support/server.ts';
import { startDesk, type Desk, type Invoice } from './invoices-support.ts';

let app: TestApp;
let finance: Desk;
let tenantId: string;
beforeAll(async () => {
  ({ app, finance, tenantId } = await startDesk());
});
afterAll(() => app.close());
afterEach(resetClock);

const serialsOf = async (fiscalYear: string) =>
  (
    await app.query<{ serial: number }>(`select serial from invoices where fiscal_year = $1 order by serial`, [
      fiscalYear,
    ])
  ).map(({ serial }) => serial);
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

/** As a request would, but in this process, so that it can be broken off after it had its number. */
function portal(now: Date) {
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  return manualContext<null>(
    {
      scope: { role: 'portal' },
      tenantId: null,
      requestId: newId(),
      log: quiet,
      now,
      client: { ip: '', userAgent: null },
      cookies: { get: () => undefined, set: () => undefined, clear: () => undefined },
      actor: null,
      system: true,
    },
    {},
  );
}

/** Finalizes a draft, and breaks off at the last moment where it is told to. Waits where the pool is full. */
async function finalizeIn(now: Date, id: string, breaksOff: boolean): Promise<string | null> {
  try {
    return await portal(now).transact(async (tx) => {
      const { number } = await finalizeInvoice(tx, id);
      if (breaksOff) throw new Error(`Broken off after ${number}`);
      return number;
    });
  } catch (error) {
    if (error instanceof AppError && error.code === 'service_unavailable') return finalizeIn(now, id, breaksOff);
    if (breaksOff && String(error).includes('Broken off')) return null;
    throw error;
  }
}

describe('Numbers of invoices', () => {
  it('rule 17: fifty parallel finalizations of which five roll back leave 1..45', async () => {
    const now = new Date('2031-05-05T10:00:00Z');
    const drafts: Invoice[] = [];
    for (let n = 0; n < 50; n += 1) drafts.push(await finance.draft(tenantId));
    const given = await Promise.all(drafts.map(({ id }, index) => finalizeIn(now, id, index % 10 === 3)));
    expect(given.filter((number) => number === null)).toHaveLength(5);
    expect(given.filter((number) => number !== null).toSorted()).toEqual(
      upTo(45).map((serial) => `SS/31-32/${String(serial).padStart(6, '0')}`),
    );
    expect(await serialsOf('31-32')).toEqual(upTo(45));
    const broken = drafts.filter((_, index) => given[index] === null);
    for (const { id } of broken) expect(await finance.read(id)).toMatchObject({ status: 'DRAFT', number: null });
    const audit = (await finance.get('/invoices/numbering-audit?fiscalYear=31-32')).body.data;
    expect(audit).toMatchObject({
      contiguous: true,
      series: [{ first: 1, last: 45, lastGiven: 45, count: 45, missing: [] }],
    });
  });

  it('rule 17: the last second of March in India is of the old fiscal year, the next one of the new', async () => {
    const issuedAt = async (moment: string) => {
      const draft = await finance.draft(tenantId);
      setClock(moment);
      return finance.finalize(draft.id);
    };
    // The clock goes on while the request travels.
    const before = await issuedAt('2026-03-31T18:29:50Z');
    const after = await issuedAt('2026-03-31T18:30:00Z');
    expect(before).toMatchObject({ number: 'SS/25-26/000001', fiscalYear: '25-26', issueDate: '2026-03-31' });
    expect(after).toMatchObject({ number: 'SS/26-27/000001', fiscalYear: '26-27', issueDate: '2026-04-01' });
    const [last, next] = [await finance.draft(tenantId), await finance.draft(tenantId)];
    const numbers = [
      await finalizeIn(new Date('2026-03-31T18:29:59.999Z'), last.id, false),
      await finalizeIn(new Date('2026-03-31T18:30:00.000Z'), next.id, false),
    ];
    expect(numbers).toEqual(['SS/25-26/000002', 'SS/26-27/000002']);
  });

  it('rule 17: a void keeps its number, and the next one follows it', async () => {
    setClock(noon('2033-05-05'));
    const first = await finance.issue(tenantId);
    const answer = await finance.post(`/invoices/${first.id}/void`, { reason: 'Billed by mistake' });
    expect(answer.body.data).toMatchObject({ status: 'VOID', number: 'SS/33-34/000001' });
    expect((await finance.issue(tenantId)).number).toBe('SS/33-34/000002');
  });

  it('rule 17: drafts have none, and those that are removed leave no gap', async () => {
    setClock(noon('2034-05-05'));
    const [first, second, third] = [
      await finance.draft(tenantId),
      await finance.draft(tenantId),
      await finance.draft(tenantId),
    ];
    const token = await app.adminToken({ role: 'finance' });
    await app.call('DELETE', `/api/revenue/invoices/${second.id}`, { token });
    const rows = await app.query(`select number, serial, fiscal_year from invoices where id = any($1)`, [
      [first.id, third.id],
    ]);
    expect(rows).toEqual([1, 2].map(() => ({ number: null, serial: null, fiscal_year: null })));
    await finance.finalize(third.id);
    await finance.finalize(first.id);
    expect(await serialsOf('34-35')).toEqual([1, 2]);
  });

  it('rule 17: have 16 characters at most, also under a prefix of four', async () => {
    setClock(noon('2035-05-05'));
    await app.query(
      `insert into settings (id, key, value, updated_at) values ($1, 'billing.invoice_prefix', '"LONG"', now())`,
      [newId()],
    );
    const { number } = await finance.issue(tenantId);
    await app.query(`delete from settings where key = 'billing.invoice_prefix'`);
    expect(number).toBe('LONG/35-36/00001');
    expect(number).toHaveLength(16);
    // Another prefix is another series.
    expect((await finance.issue(tenantId)).number).toBe('SS/35-36/000001');
  });
});

describe('An invoice that was issued', () => {
  let issued: Invoice;
  beforeAll(async () => {
    issued = await finance.issue(tenantId, [{ unitPrice: '100.00' }]);
  });

  it.each([
    `update invoices set total = total + 1, taxable = taxable + 1, subtotal = subtotal + 1 where id = $1`,
    `update invoices set number = 'SS/26-27/999999' where id = $1`,
    `update invoices set issue_date = issue_date + 1 where id = $1`,
    `update invoices set buyer = '{}' where id = $1`,
    `update invoices set notes = 'x' where id = $1`,
    `update invoices set status = 'DRAFT' where id = $1`,
    `delete from invoices where id = $1`,
  ])('rule 17: refuses %s, also from the owner of the database', async (statement) => {
    await expect(app.query(statement, [issued.id])).rejects.toThrow(/was issued|cannot become/);
  });

  it.each([
    `update invoice_items set description = 'x' where invoice_id = $1`,
    `delete from invoice_items where invoice_id = $1`,
  ])('rule 17: refuses %s', async (statement) => {
    await expect(app.query(statement, [issued.id])).rejects.toThrow(/was issued cannot be changed/);
  });
});

describe('The audit of numbers', () => {
  const seriesOf = async (fiscalYear: string, kind = 'INVOICE') => {
    const answer = await finance.get(`/invoices/numbering-audit?fiscalYear=${fiscalYear}&kind=${kind}`);
    expect(answer.status, answer.text).toBe(200);
    return answer.body.data;
  };
  /** Puts an invoice down as it should never come to be. */
  const forge = (number: string, serial: number, issueDate: string) =>
    app.query(
      `insert into invoices (id, tenant_id, number, fiscal_year, serial, status, reason, collection_method, issue_date, due_date,
                             seller, buyer, place_of_supply, supply, subtotal, taxable, total, amount_due, updated_at)
       values ($1, $2, $3, '40-41', $4, 'OPEN', 'MANUAL', 'SEND_INVOICE', $5, $5, '{}', '{}', '29', 'INTER_STATE', 1, 1, 1, 1, now())`,
      [newId(), tenantId, number, serial, issueDate],
    );

  it('names gaps, doubles, what is out of order, and what is missing at the end', async () => {
    await forge('SS/40-41/000002', 2, '2040-05-02');
    await forge('SS/40-41/000003', 3, '2040-05-01');
    await forge('SS/40-41/3', 3, '2040-05-03');
    await forge('SS/40-41/000007', 7, '2040-05-04');
    await forge('QQ/40-41/000001', 1, '2040-05-04');
    await app.query(
      `insert into document_series (kind, fiscal_year, prefix, last_serial) values ('INVOICE', '40-41', 'SS', 9), ('INVOICE', '40-41', 'QQ', 1), ('INVOICE', '40-41', 'RR', 1)`,
    );
    expect(await seriesOf('40-41')).toEqual({
      contiguous: false,
      series: [
        {
          kind: 'INVOICE',
          fiscalYear: '40-41',
          prefix: 'QQ',
          first: 1,
          last: 1,
          lastGiven: 1,
          count: 1,
          missingCount: 0,
          missing: [],
          duplicates: [],
          outOfOrder: [],
          contiguous: true,
        },
        {
          kind: 'INVOICE',
          fiscalYear: '40-41',
          prefix: 'RR',
          first: null,
          last: null,
          lastGiven: 1,
          count: 0,
          missingCount: 1,
          missing: [1],
          duplicates: [],
          outOfOrder: [],
          contiguous: false,
        },
        {
          kind: 'INVOICE',
          fiscalYear: '40-41',
          prefix: 'SS',
          first: 2,
          last: 7,
          lastGiven: 9,
          count: 4,
          missingCount: 6,
          missing: [1, 4, 5, 6, 8, 9],
          duplicates: ['SS/40-41/3'],
          outOfOrder: [{ number: 'SS/40-41/000003', issueDate: '2040-05-01', after: '2040-05-02' }],
          contiguous: false,
        },
      ],
    });
  });

  it('names a hundred at most, whatever is wrong', async () => {
    await forge('SS/40-41/99999', 2_000_000_000, '2040-06-01');
    const { series } = await seriesOf('40-41');
    expect(series.at(-1)).toMatchObject({ missingCount: 1_999_999_996, contiguous: false });
    expect(series.at(-1).missing).toHaveLength(100);
  });

  it('is of one kind and year, or of all', async () => {
    expect(await seriesOf('40-41', 'CREDIT_NOTE')).toEqual({ contiguous: true, series: [] });
    const all = (await finance.get('/invoices/numbering-audit')).body.data;
    expect(all.series.map(({ fiscalYear }: { fiscalYear: string }) => fiscalYear)).toContain('31-32');
    expectError(
      await finance.get('/invoices/numbering-audit?fiscalYear=2026'),
      400,
      'validation_failed',
      'query fiscalYear',
    );
  });
});
