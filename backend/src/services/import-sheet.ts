import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { fromBufferPromise, openPromise, type ZipFile } from 'yauzl';
import { invalidField, type AppError } from '../utils/errors.ts';

// What every reader of a file of people gives, and how much it takes (rule 15).

/** One row that holds something. `number` is the one that a spreadsheet shows. */
export type SheetRow = { number: number; cells: string[] };

/** Where the bytes of a file are: each reading starts anew. */
export type SheetSource = { stream(): Readable; zip(): Promise<ZipFile> };

export const MAX_FILE_BYTES = 20 * 1024 * 1024;
export const MAX_ROWS = 50_000;
export const MAX_COLUMNS = 60;
export const MAX_HEADING_LENGTH = 100;
/** Of one row, in characters. */
export const MAX_ROW_LENGTH = 64 * 1024;
/** Rows that are read at all, empty ones included. */
export const MAX_SHEET_ROWS = 200_000;

/** A file as it lies on disk. */
export const fileSource = (path: string): SheetSource => ({
  stream: () => createReadStream(path),
  zip: () => openPromise(path, { autoClose: false }),
});

/** A file in memory: no larger than an import may be. */
export const bufferSource = (content: Buffer): SheetSource => ({
  stream: () => Readable.from([content]),
  zip: () => fromBufferPromise(content, { autoClose: false }),
});

/** What is wrong with a file as a whole, told to whoever sent it. */
export const badFile = (message: string): AppError => invalidField('file', message);

const APOSTROPHE = /^'(?=[=+\-@\t\r＝＋－＠])/;

/**
 * A cell as it was meant: without the apostrophe by which the files that we hand out keep spreadsheets from running it,
 * and without spaces around.
 */
export const cellText = (text: string): string => text.replace(APOSTROPHE, '').trim();

/** Cells as they are kept: nothing behind the last one that holds something. */
export function trimmedCells(cells: string[]): string[] {
  let length = cells.length;
  while (length > 0 && !cells[length - 1]) length -= 1;
  return cells.slice(0, length);
}

export const tooManyRows = (): AppError =>
  badFile(`has more than ${MAX_ROWS.toLocaleString('en-IN')} rows. Split it into several files.`);
export const rowTooLong = (number: number): AppError =>
  badFile(`has more than ${MAX_ROW_LENGTH / 1024} KiB in row ${number}. Is a quotation mark missing there?`);
