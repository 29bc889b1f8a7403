import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import {
  badFile,
  cellText,
  MAX_ROW_LENGTH,
  MAX_SHEET_ROWS,
  rowTooLong,
  tooManyRows,
  trimmedCells,
  type SheetRow,
  type SheetSource,
} from './import-sheet.ts';

// Reads CSV as spreadsheets write it, in one pass and row by row, after another that finds out in which characters.

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

const BATCH = 500;
const HEAD_BYTES = 64 * 1024;
const NEW_LINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * All rows that hold something, the headings first.
 * @throws AppError validation_failed for what is no CSV, or too large in any direction
 */
export async function* csvRows(source: SheetSource): AsyncGenerator<SheetRow[]> {
  const encoding = await encodingOf(source);
  const text = Readable.from(decoded(source.stream(), encoding), { objectMode: false });
  const delimiter = delimiterOf(await headOf(source, encoding));
  const parser = parse({
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    max_record_size: MAX_ROW_LENGTH,
  });
  text.on('error', (error) => parser.destroy(error));
  let number = 0;
  let rows: SheetRow[] = [];
  try {
    for await (const record of text.pipe(parser) as AsyncIterable<string[]>) {
      number += 1;
      if (number > MAX_SHEET_ROWS) throw tooManyRows();
      const cells = trimmedCells(record.map(cellText));
      if (cells.length > 0) rows.push({ number, cells });
      if (rows.length < BATCH) continue;
      yield rows;
      rows = [];
    }
    if (rows.length > 0) yield rows;
  } catch (error) {
    throw error instanceof CsvError ? csvProblem(error, number + 1) : error;
  } finally {
    text.destroy();
  }
}

const csvProblem = ({ code, message }: CsvError, number: number): Error => {
  if (code === 'CSV_MAX_RECORD_SIZE') return rowTooLong(number);
  if (code === 'CSV_QUOTE_NOT_CLOSED') return badFile(`has a quotation mark in row ${number} that is never closed`);
  return badFile(`cannot be read from row ${number} on: ${message}`);
};

/** UTF-8 if all of it is that, else what Excel writes in India and elsewhere: Windows-1252. */
async function encodingOf(source: SheetSource): Promise<Encoding> {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  let encoding: Encoding | undefined;
  let isUtf8 = true;
  const line = lineMeter();
  for await (const chunk of source.stream() as AsyncIterable<Buffer>) {
    encoding ??= markOf(chunk) ?? 'utf-8';
    const isWide = encoding.startsWith('utf-16');
    line(chunk, isWide ? 2 * MAX_ROW_LENGTH : MAX_ROW_LENGTH);
    if (isWide) continue;
    if (chunk.includes(0)) throw badFile('is no CSV: it holds binary data. Save it as CSV UTF-8 or XLSX.');
    isUtf8 &&= decodes(utf8, chunk);
  }
  if (encoding !== 'utf-8') return encoding ?? 'utf-8';
  return isUtf8 && decodes(utf8) ? 'utf-8' : 'windows-1252';
}

function decodes(decoder: InstanceType<typeof TextDecoder>, chunk?: Buffer): boolean {
  try {
    decoder.decode(chunk, { stream: chunk !== undefined });
    return true;
  } catch {
    return false;
  }
}

function markOf(chunk: Buffer): Encoding | undefined {
  if (chunk[0] === 0xff && chunk[1] === 0xfe) return 'utf-16le';
  return chunk[0] === 0xfe && chunk[1] === 0xff ? 'utf-16be' : undefined;
}

/** Watches that no line goes on forever; a parser would keep it whole. */
function lineMeter(): (chunk: Buffer, most: number) => void {
  let length = 0;
  let lines = 0;
  return (chunk, most) => {
    const mark = chunk.includes(NEW_LINE) ? NEW_LINE : CARRIAGE_RETURN;
    for (let from = 0; from < chunk.length;) {
      const end = chunk.indexOf(mark, from);
      length += (end === -1 ? chunk.length : end) - from;
      if (length > most) throw rowTooLong(lines + 1);
      if (end === -1) return;
      length = 0;
      lines += 1;
      if (lines > MAX_SHEET_ROWS) throw tooManyRows();
      from = end + 1;
    }
  };
}

async function* decoded(bytes: Readable, encoding: Encoding): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    const text = decoder.decode(chunk, { stream: true });
    // What PostgreSQL cannot store; a file in UTF-16 may hold it.
    if (text.includes('\0')) throw badFile('is no CSV: it holds binary data. Save it as CSV UTF-8 or XLSX.');
    if (text) yield text;
  }
  const rest = decoder.decode();
  if (rest) yield rest;
}

async function headOf(source: SheetSource, encoding: Encoding): Promise<string> {
  let head = '';
  for await (const text of decoded(source.stream(), encoding)) {
    head += text;
    if (head.length >= HEAD_BYTES) break;
  }
  return head;
}

/** Whichever stands most often in the first line, outside of quotation marks. */
function delimiterOf(head: string): string {
  const [first = ''] = /[^\r\n]+/.exec(head) ?? [];
  const bare = first.replace(/"(?:[^"]|"")*"/g, '');
  const counted = [',', ';', '\t', '|'].map((character) => ({ character, count: bare.split(character).length }));
  return counted.toSorted((left, right) => right.count - left.count)[0]?.character ?? ',';
}
