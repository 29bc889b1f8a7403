import type { SheetFormat } from '../generated/prisma/enums.ts';
import { layoutOf, type Layout } from './import-columns.policy.ts';
import { csvRows } from './import-csv.service.ts';
import { badFile, MAX_ROWS, tooManyRows, trimmedCells, type SheetRow, type SheetSource } from './import-sheet.ts';
import { xlsxRows } from './import-xlsx.service.ts';

/** What a file shows of itself before anything is taken from it. */
export type Inspected = { format: SheetFormat; columns: string[]; totalRows: number };

/**
 * Reads a file once, from end to end, and keeps nothing of it.
 * @throws AppError validation_failed for what cannot be imported, saying what to do
 */
export async function inspectFile(source: SheetSource): Promise<Inspected> {
  const format = await formatOf(source);
  let layout: Layout | undefined;
  let totalRows = 0;
  let widest = 0;
  for await (const { rows, layout: found } of dataRows(source, format)) {
    layout = found;
    totalRows += rows.length;
    if (totalRows > MAX_ROWS) throw tooManyRows();
    for (const { cells } of rows) widest = Math.max(widest, cells.filter(Boolean).length);
  }
  if (!layout) throw badFile('is empty: the first row has to hold the headings');
  if (layout.columns.length === 1 && widest > 1) {
    throw badFile('has a title in its first row. Remove what stands above the headings.');
  }
  if (totalRows === 0) throw badFile('has headings, and no rows below them');
  return { format, columns: layout.columns, totalRows };
}

/**
 * The rows below the headings, batch by batch, with their cells in the order of the columns. A row that has more cells
 * than there are headings has one more.
 * @param dateHeadings under which a number in a workbook is a day
 */
export async function* dataRows(
  source: SheetSource,
  format: SheetFormat,
  dateHeadings?: ReadonlySet<string>,
): AsyncGenerator<{ layout: Layout; rows: SheetRow[] }> {
  let layout: Layout | undefined;
  for await (const read of format === 'CSV' ? csvRows(source) : xlsxRows(source, dateHeadings)) {
    const rows = layout ? read : read.slice(1);
    layout ??= layoutOf(read[0]?.cells ?? []);
    const { places, width } = layout;
    yield {
      layout,
      rows: rows
        .map(({ number, cells }) => {
          const kept = places.map((place) => cells[place] ?? '');
          return { number, cells: trimmedCells([...kept, cells.slice(width).find(Boolean) ?? '']) };
        })
        .filter(({ cells }) => cells.length > 0),
    };
  }
}

const startsWith = (head: Buffer, ...bytes: number[]): boolean =>
  head.subarray(0, bytes.length).equals(Buffer.from(bytes));

/** By what it holds, whatever it is called. */
async function formatOf(source: SheetSource): Promise<SheetFormat> {
  const head = await headOf(source);
  if (head.length === 0) throw badFile('is empty');
  if (startsWith(head, 0x50, 0x4b, 0x03, 0x04)) return 'XLSX';
  if (startsWith(head, 0xd0, 0xcf, 0x11, 0xe0)) {
    const isEncrypted = head.includes(Buffer.from('EncryptedPackage', 'utf16le'));
    throw badFile(
      isEncrypted
        ? 'is protected by a password. Save it without one.'
        : 'is in the old format of Excel, or protected by a password. Save it as XLSX without a password, or as CSV.',
    );
  }
  const isOther = signatures.some((signature) => startsWith(head, ...signature));
  if (isOther) throw badFile('is neither CSV nor XLSX, whatever it is called');
  return 'CSV';
}

/** PNG, JPEG, GIF, PDF, gzip, RAR, 7z. */
const signatures = [
  [0x89, 0x50, 0x4e, 0x47],
  [0xff, 0xd8, 0xff],
  [0x47, 0x49, 0x46, 0x38],
  [0x25, 0x50, 0x44, 0x46],
  [0x1f, 0x8b],
  [0x52, 0x61, 0x72, 0x21],
  [0x37, 0x7a, 0xbc, 0xaf],
];

const HEAD_BYTES = 16 * 1024;

async function headOf(source: SheetSource): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of source.stream() as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= HEAD_BYTES) break;
  }
  return Buffer.concat(chunks);
}
