import path from 'node:path';
import { isDateFormat, numberText, serialDay } from './import-numbers.policy.ts';
import {
  badFile,
  cellText,
  MAX_COLUMNS,
  MAX_ROW_LENGTH,
  MAX_SHEET_ROWS,
  rowTooLong,
  tooManyRows,
  trimmedCells,
  type SheetRow,
  type SheetSource,
} from './import-sheet.ts';
import { readXml, walkXml, type XmlHandler } from './import-xlsx-xml.service.ts';
import { openParts, type Parts } from './import-xlsx-zip.service.ts';

// Reads the first sheet of a workbook, whoever wrote it: cells as text, dates as days, formulas by their last value.

const WORKBOOK = 'xl/workbook.xml';
const MAX_SHARED_CHARACTERS = 24 * 1024 * 1024;
const MAX_SHARED = 1_500_000;

type Workbook = { sheet: string; is1904: boolean; shared: string[]; dateStyles: ReadonlySet<number> };

/**
 * All rows of the first visible sheet that hold something, the headings first.
 * @param dateHeadings under which a bare number is a day too
 * @throws AppError validation_failed for what is no workbook, or too large in any direction
 */
export async function* xlsxRows(
  source: SheetSource,
  dateHeadings: ReadonlySet<string> = new Set(),
): AsyncGenerator<SheetRow[]> {
  const parts = await openParts(source);
  try {
    if (!parts.names.has(WORKBOOK)) throw badFile('is a zip, but no XLSX. Save the list as XLSX or CSV.');
    const book = await readWorkbook(parts);
    const content = await parts.read(book.sheet);
    if (!content) throw badFile('is an XLSX without a sheet');
    let rows: SheetRow[] = [];
    const handler = sheetHandler(book, dateHeadings, (row) => rows.push(row));
    for await (const _ of walkXml(content, handler)) {
      if (rows.length === 0) continue;
      yield rows;
      rows = [];
    }
  } finally {
    parts.close();
  }
}

async function readWorkbook(parts: Parts): Promise<Workbook> {
  const { sheetId, is1904 } = await readSheets(parts);
  const targets = new Map<string, string>();
  await readXml(await parts.read('xl/_rels/workbook.xml.rels'), {
    open: (name, { Id = '', Target = '' }) => {
      if (name === 'Relationship')
        targets.set(Id, path.posix.join(Target.startsWith('/') ? '/' : '/xl', Target).slice(1));
    },
  });
  const nameOf = (ending: string) => [...targets.values()].find((target) => target.endsWith(ending)) ?? '';
  const [shared, dateStyles] = [
    await readShared(parts, nameOf('/sharedStrings.xml')),
    await readStyles(parts, nameOf('/styles.xml')),
  ];
  return { sheet: targets.get(sheetId) ?? 'xl/worksheets/sheet1.xml', is1904, shared, dateStyles };
}

async function readSheets(parts: Parts): Promise<{ sheetId: string; is1904: boolean }> {
  let sheetId: string | undefined;
  let is1904 = false;
  await readXml(await parts.read(WORKBOOK), {
    open: (name, attributes) => {
      if (name === 'workbookPr') is1904 = ['1', 'true'].includes(attributes.date1904 ?? '');
      if (name !== 'sheet' || (attributes.state ?? 'visible') !== 'visible') return;
      sheetId ??= Object.entries(attributes).find(([key]) => key.endsWith(':id'))?.[1];
    },
  });
  return { sheetId: sheetId ?? '', is1904 };
}

/** Gathers the text within `<si>` or `<is>`, of which reading aids for Japanese are no part. */
function textGatherer() {
  let text = '';
  let inText = false;
  let inReadingAid = false;
  return {
    open: (name: string) => {
      if (name === 't') inText = true;
      else if (name === 'rPh') inReadingAid = true;
    },
    close: (name: string) => {
      if (name === 't') inText = false;
      else if (name === 'rPh') inReadingAid = false;
    },
    add: (piece: string) => {
      if (inText && !inReadingAid) text += piece;
    },
    take: () => {
      const taken = text;
      text = '';
      return unescaped(taken);
    },
  };
}

/** `_x000D_` stands for a character that XML cannot hold. */
const unescaped = (text: string): string =>
  text.includes('_x')
    ? text.replace(/_x([0-9A-Fa-f]{4})_/g, (whole, hex: string) => {
        const code = Number.parseInt(hex, 16);
        return code === 0 || (code >= 0xd800 && code <= 0xdfff) ? whole : String.fromCodePoint(code);
      })
    : text;

async function readShared(parts: Parts, name: string): Promise<string[]> {
  const shared: string[] = [];
  const gather = textGatherer();
  let characters = 0;
  await readXml(await parts.read(name), {
    open: gather.open,
    text: gather.add,
    close: (tag) => {
      gather.close(tag);
      if (tag !== 'si') return;
      const text = gather.take();
      characters += text.length;
      if (characters > MAX_SHARED_CHARACTERS || shared.length >= MAX_SHARED) {
        throw badFile('holds far more text than a list of people does. Save only the list itself.');
      }
      shared.push(text);
    },
  });
  return shared;
}

/** Which styles of cells show a number as a date. */
async function readStyles(parts: Parts, name: string): Promise<ReadonlySet<number>> {
  const formats = new Map<string, string>();
  const dates = new Set<number>();
  let inCells = false;
  let index = 0;
  await readXml(await parts.read(name), {
    open: (tag, { numFmtId = '0', formatCode = '' }) => {
      if (tag === 'numFmt') formats.set(numFmtId, formatCode);
      else if (tag === 'cellXfs') inCells = true;
      else if (tag === 'xf' && inCells) {
        if (isDateFormat(Number(numFmtId), formats.get(numFmtId))) dates.add(index);
        index += 1;
      }
    },
    close: (tag) => {
      if (tag === 'cellXfs') inCells = false;
    },
  });
  return dates;
}

type Cell = { column: number; type: string; style: number };

function sheetHandler(book: Workbook, dateHeadings: ReadonlySet<string>, found: (row: SheetRow) => void): XmlHandler {
  const gather = textGatherer();
  let number = 0;
  let cells: string[] = [];
  let length = 0;
  let cell: Cell | undefined;
  let value = '';
  let inValue = false;
  let dateColumns: Set<number> | undefined;
  const endRow = () => {
    const kept = trimmedCells(cells);
    if (kept.length === 0) return;
    dateColumns ??= new Set(kept.flatMap((heading, index) => (dateHeadings.has(heading) ? index : [])));
    found({ number, cells: kept });
  };
  const endCell = ({ column, type, style }: Cell) => {
    const isDay = book.dateStyles.has(style) || dateColumns?.has(column) === true;
    const text = cellText(textOf(type, type === 'inlineStr' ? gather.take() : value, book, isDay));
    length += text.length;
    if (length > MAX_ROW_LENGTH) throw rowTooLong(number);
    const place = Math.min(column, MAX_COLUMNS);
    while (cells.length < place) cells.push('');
    if (text || !cells[place]) cells[place] = text;
  };
  return {
    open: (name, attributes) => {
      gather.open(name);
      if (name === 'row') {
        number = rowNumber(attributes.r, number);
        cells = [];
        length = 0;
      } else if (name === 'c') {
        const column = attributes.r ? columnOf(attributes.r) : (cell?.column ?? -1) + 1;
        cell = { column, type: attributes.t ?? 'n', style: Number(attributes.s ?? -1) };
        value = '';
      } else if (name === 'v') inValue = true;
    },
    text: (text) => {
      gather.add(text);
      if (inValue) value += text;
    },
    close: (name) => {
      gather.close(name);
      if (name === 'v') inValue = false;
      else if (name === 'c' && cell) endCell(cell);
      else if (name === 'row') {
        endRow();
        cell = undefined;
      }
    },
  };
}

function rowNumber(told: string | undefined, before: number): number {
  const number = told === undefined ? before + 1 : Number(told);
  if (!Number.isInteger(number) || number <= before) throw badFile('is a damaged XLSX: its rows are out of order');
  if (number > MAX_SHEET_ROWS) throw tooManyRows();
  return number;
}

/** `B5` is in column 1. */
function columnOf(reference: string): number {
  let column = 0;
  for (const character of reference.toUpperCase()) {
    const letter = character.charCodeAt(0) - 64;
    if (letter < 1 || letter > 26) break;
    column = column * 26 + letter;
  }
  if (column < 1 || column > 16_384) throw badFile('is a damaged XLSX: it names a column that there cannot be');
  return column - 1;
}

function textOf(type: string, value: string, { shared, is1904 }: Workbook, isDay: boolean): string {
  switch (type) {
    case 's':
      return shared[Number(value)] ?? '';
    case 'n':
      return isDay ? (serialDay(Number(value), is1904) ?? numberText(value)) : numberText(value);
    case 'b':
      return value === '1' ? 'TRUE' : 'FALSE';
    case 'd':
      return value.slice(0, 10);
    case 'str':
      return unescaped(value);
    default:
      return value;
  }
}
