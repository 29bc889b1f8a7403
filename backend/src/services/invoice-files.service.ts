import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Actor, ManualContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import type { FileAnswer } from '../utils/file-answer.ts';
import { raw, sql } from '../utils/sql.ts';
import { creditNoteById, type CreditNoteRow } from './credit-notes.queries.ts';
import { fileKey, fileStorage } from './file-storage.service.ts';
import { creditNoteDocument, invoiceDocument } from './invoice-document.policy.ts';
import type { InvoiceDocument } from './invoice-document.ts';
import { renderInvoicePdf } from './invoice-pdf.service.ts';
import { invoiceById, type InvoiceRow } from './invoices.queries.ts';

// The files of invoices and credit notes. Made the first time that somebody wants one, kept from then on, and made anew
// from the same row where the storage has lost it: its hash, on the row, says that it is the same.

type Anybody = ManualContext;

export type PdfFile = { name: string; content: Buffer };
const PDF = 'application/pdf';

type Wanted = {
  id: string;
  tenantId: string;
  number: string;
  table: 'invoices' | 'credit_notes';
  pdfKey: string | null;
  pdfSha256: string | null;
  document: () => InvoiceDocument;
};

/**
 * The PDF of an invoice, for whoever asks over HTTP.
 * @throws AppError not_found, also for the draft of a tenant that asks; conflict for a draft
 */
export async function downloadInvoice(ctx: ManualContext<Actor>, id: string): Promise<FileAnswer> {
  const drafts = ctx.actor.type !== 'PLATFORM_USER';
  const row = orNotFound(await ctx.sql.one<InvoiceRow>(invoiceById(id, drafts)), 'invoice');
  if (row.number === null) throw new AppError('conflict', 'A draft has no file. Finalize it, or look at its preview.');
  return answerOf(await invoicePdf(ctx, row));
}

/** The PDF of a credit note. @throws AppError not_found */
export const downloadCreditNote = async (ctx: ManualContext<Actor>, id: string): Promise<FileAnswer> =>
  answerOf(await creditNotePdf(ctx, orNotFound(await ctx.sql.one<CreditNoteRow>(creditNoteById(id)), 'credit note')));

const answerOf = ({ name, content }: PdfFile): FileAnswer => ({
  content: Readable.from([content]),
  name,
  type: PDF,
  sizeBytes: content.length,
});

/** The file of an invoice that was issued. Not to be called within a transaction: it renders, and asks the storage. */
export async function invoicePdf(ctx: Anybody, row: InvoiceRow): Promise<PdfFile> {
  const number = row.number ?? '';
  const content = await contentOf(ctx, { ...row, number, table: 'invoices', document: () => invoiceDocument(row) });
  return { name: nameOf('Invoice', number), content };
}

/** The file of a credit note. Not to be called within a transaction. */
export async function creditNotePdf(ctx: Anybody, row: CreditNoteRow): Promise<PdfFile> {
  const content = await contentOf(ctx, { ...row, table: 'credit_notes', document: () => creditNoteDocument(row) });
  return { name: nameOf('CreditNote', row.number), content };
}

/** `Invoice-SS-26-27-000001.pdf` */
const nameOf = (what: string, number: string): string => `${what}-${number.replace(/[^A-Za-z0-9]+/g, '-')}.pdf`;

const sha256Of = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

async function contentOf(ctx: Anybody, wanted: Wanted): Promise<Buffer> {
  const { id, number, pdfKey, pdfSha256 } = wanted;
  const stored = pdfKey && (await storedFile(pdfKey));
  if (stored && sha256Of(stored) === pdfSha256) return stored;
  if (pdfKey) ctx.log.warn('The file of a document is gone or is another one: it is made anew', { id, number });
  const content = await renderInvoicePdf(wanted.document());
  const sha256 = sha256Of(content);
  assertSame(ctx, wanted, sha256, pdfSha256);
  const key = pdfKey ?? fileKey(wanted.tenantId, wanted.table.replace('_', '-'), `${id}.pdf`);
  await fileStorage().put(key, Readable.from([content]));
  // Whoever else made it at the same time has the same.
  if (pdfSha256 === null)
    assertSame(ctx, wanted, sha256, await noteFile(ctx, wanted, { key, sha256, bytes: content.length }));
  return content;
}

async function storedFile(key: string): Promise<Buffer | undefined> {
  const file = await fileStorage().get(key);
  return file && buffer(file.content);
}

/** Notes the file on its row, where there is none yet. @returns the hash that stands there */
const noteFile = (
  ctx: Anybody,
  { table, id }: Wanted,
  { key, sha256, bytes }: { key: string; sha256: string; bytes: number },
) =>
  ctx.transact(async (tx) => {
    await tx.sql.many(sql`
      update ${raw(table)} set pdf_key = ${key}, pdf_sha256 = ${sha256}, pdf_bytes = ${bytes}
       where id = ${id} and pdf_sha256 is null returning 1 as noted`);
    const row = await tx.sql.one<{ sha256: string }>(
      sql`select pdf_sha256 as sha256 from ${raw(table)} where id = ${id}`,
    );
    return row?.sha256 ?? null;
  });

/** @throws Error where the same document no longer gives the same file: nobody may get another one */
function assertSame(ctx: Anybody, { id, number }: Wanted, sha256: string, expected: string | null): void {
  if (expected === null || sha256 === expected) return;
  ctx.log.error('A document does not give the file that it gave before', { id, number, sha256, expected });
  throw new Error(`The file of ${number} cannot be made again: it would be another one`);
}
