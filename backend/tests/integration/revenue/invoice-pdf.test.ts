import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { formatIndian } from '../../../src/utils/indian-number.ts';
import { buildBilledTenant, noon, resetClock, setClock } from '../../support/billing.ts';
import { expectError } from '../../support/expectations.ts';
import { pdfText } from '../../support/pdf-text.ts';
import type { TestApp } from '../../support/server.ts';
import { payOn, startDesk, type Desk, type Invoice } from './invoices-support.ts';

let app: TestApp;
let finance: Desk;
let token: string;
let tenantId: string;
beforeAll(async () => {
  ({ app, finance, token, tenantId } = await startDesk({ state: 'MH', gstin: '27AAPFU0939F1ZV' }));
});
afterAll(() => app.close());
afterEach(resetClock);

/** The file as it comes, byte by byte. */
async function download(route: string) {
  const response = await fetch(`${app.url}/api/revenue${route}/pdf`, { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, headers: response.headers, content: Buffer.from(await response.arrayBuffer()) };
}
type FileRow = { pdf_key: string; pdf_sha256: string; pdf_bytes: number };
const rowOf = async (id: string, table = 'invoices') =>
  (await app.query<FileRow>(`select pdf_key, pdf_sha256, pdf_bytes from ${table} where id = $1`, [id]))[0]!;
const onDisk = (key: string) => path.join(process.env.DATA_DIR as string, 'files', key);
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

const example = [
  { description: 'Growth plan, monthly', unitPrice: '2499.00', discount: '249.90' },
  { description: 'एसएमएस पैक', sacCode: '998413', quantity: '2.500', unitPrice: '100.00' },
  { description: 'Migration of 1,25,000 records', unitPrice: '1250000.00' },
];

describe('The PDF of an invoice', () => {
  it('holds every figure that the invoice has', async () => {
    setClock(noon('2026-08-11'));
    const invoice = await finance.issue(tenantId, example, { notes: 'As agreed by phone' });
    const { status, headers, content } = await download(`/invoices/${invoice.id}`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/pdf');
    const name = `Invoice-${invoice.number?.replaceAll('/', '-')}.pdf`;
    expect(name).toMatch(/^Invoice-SS-26-27-\d{6}\.pdf$/);
    expect(headers.get('content-disposition')).toBe(`attachment; filename="${name}"`);
    expect(headers.get('content-length')).toBe(String(content.length));
    const text = await pdfText(content);
    const amounts = [
      invoice.subtotal,
      invoice.discountTotal,
      invoice.taxable,
      invoice.cgst,
      invoice.sgst,
      invoice.roundOff,
      invoice.total,
      ...invoice.items.flatMap((item) => [
        item.unitPrice,
        item.amount,
        item.discount,
        item.taxable,
        item.cgst,
        item.total,
      ]),
      ...invoice.taxes.flatMap((tax) => [tax.taxable, tax.cgst, tax.sgst]),
    ];
    for (const amount of amounts) expect(text).toContain(formatIndian(amount));
    const words = [
      invoice.number,
      '11-Aug-2026',
      '18-Aug-2026',
      'Maharashtra (27)',
      'As agreed by phone',
      '2.5',
      invoice.seller?.legalName,
      invoice.seller?.gstin,
      invoice.buyer?.legalName,
      invoice.buyer?.gstin,
      '997331',
      '998413',
      'Growth plan, monthly',
    ];
    for (const word of words) expect(text).toContain(word);
    expect(text.replaceAll(/\s+/g, ' ')).toContain(invoice.amountInWords);
  });

  it('is made once, kept in the space of its tenant, and the same each time', async () => {
    const invoice = await finance.issue(tenantId, example);
    expect(await rowOf(invoice.id)).toMatchObject({ pdf_key: null, pdf_sha256: null });
    const [first, atOnce] = await Promise.all([1, 2].map(() => download(`/invoices/${invoice.id}`)));
    const kept = await rowOf(invoice.id);
    expect(kept).toEqual({
      pdf_key: `tenants/${tenantId}/invoices/${invoice.id}.pdf`,
      pdf_sha256: sha256(first!.content),
      pdf_bytes: first!.content.length,
    });
    expect(readFileSync(onDisk(kept.pdf_key)).equals(first!.content)).toBe(true);
    expect(atOnce!.content.equals(first!.content)).toBe(true);
    expect((await download(`/invoices/${invoice.id}`)).content.equals(first!.content)).toBe(true);
  });

  it('is made again byte by byte where it is lost or spoiled, whatever became of the invoice, buyer and seller', async () => {
    const { tenantId: of } = await buildBilledTenant(app, { state: 'KA' });
    const invoice = await finance.issue(of, example);
    const { content } = await download(`/invoices/${invoice.id}`);
    const { pdf_key: key } = await rowOf(invoice.id);
    rmSync(onDisk(key));
    await payOn(app, invoice, '100.00');
    await finance.credit(invoice.id);
    await app.query(`update billing_profiles set legal_name = 'Another', state = 'MH' where tenant_id = $1`, [of]);
    await app.query(`update tenants set name = 'Another' where id = $1`, [of]);
    setClock(noon('2035-01-01'));
    expect((await download(`/invoices/${invoice.id}`)).content.equals(content)).toBe(true);
    expect(readFileSync(onDisk(key)).equals(content)).toBe(true);
    writeFileSync(onDisk(key), 'something else');
    expect((await download(`/invoices/${invoice.id}`)).content.equals(content)).toBe(true);
    expect(readFileSync(onDisk(key)).equals(content)).toBe(true);
  });

  it('is refused where another file would come of it than before, and the lost one is not replaced', async () => {
    const invoice = await finance.issue(tenantId);
    await download(`/invoices/${invoice.id}`);
    const { pdf_key: key } = await rowOf(invoice.id);
    rmSync(onDisk(key));
    await app.query(
      `alter table invoices disable trigger invoices_guard;
       update invoices set notes = 'forged' where id = '${invoice.id}';
       alter table invoices enable trigger invoices_guard`,
    );
    expectError(await finance.get(`/invoices/${invoice.id}/pdf`), 500, 'internal_error');
    expect(existsSync(onDisk(key))).toBe(false);
  });

  it('is there for a void one, and not for a draft', async () => {
    const voided = await finance.issue(tenantId);
    await finance.post(`/invoices/${voided.id}/void`, { reason: 'Billed by mistake' });
    expect((await download(`/invoices/${voided.id}`)).status).toBe(200);
    const draft = await finance.draft(tenantId);
    expectError(await finance.get(`/invoices/${draft.id}/pdf`), 409, 'conflict');
  });
});

describe('The PDF of a credit note', () => {
  it('holds its figures and those of its invoice, and is the same each time', async () => {
    const { tenantId: of } = await buildBilledTenant(app, { state: 'KA' });
    const invoice: Invoice = await finance.issue(of, example);
    const note = await finance.credit(invoice.id, {
      lines: [{ invoiceItemId: invoice.items[2]?.id, amount: '123456.78' }],
      reason: 'PRICE_CORRECTION',
      explanation: 'Fewer records than agreed',
    });
    const { headers, content } = await download(`/credit-notes/${note.id}`);
    expect(headers.get('content-disposition')).toMatch(/filename="CreditNote-SSCN-26-27-\d{5}\.pdf"/);
    const text = await pdfText(content);
    for (const amount of [note.taxable, note.igst, note.total]) expect(text).toContain(formatIndian(amount));
    const words = [note.number, invoice.number, 'Correction of the price', 'Fewer records than agreed', 'Credit note'];
    for (const word of words) expect(text.toLowerCase()).toContain(word?.toLowerCase());
    expect(await rowOf(note.id, 'credit_notes')).toEqual({
      pdf_key: `tenants/${of}/credit-notes/${note.id}.pdf`,
      pdf_sha256: sha256(content),
      pdf_bytes: content.length,
    });
    await finance.post(`/credit-notes/${note.id}/void`, { reason: 'Issued for the wrong invoice' });
    rmSync(onDisk((await rowOf(note.id, 'credit_notes')).pdf_key));
    expect((await download(`/credit-notes/${note.id}`)).content.equals(content)).toBe(true);
  });
});
