import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { SheetRow, SheetWriter } from './people-export-columns.ts';

// A workbook in which every cell is text, by its type and by its format: nothing is ever taken for a formula, not even
// when somebody edits the cell, and phones keep their `+`. Rows are written as they come and never kept.

/** What one sheet holds: 1,048,576, and a little less. */
const MOST_ROWS = 1_000_000;
const TEXT_STYLE = 1;
const HEADING_STYLE = 2;

const xml = (content: string): string => `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n${content}`;
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const DOCUMENT = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const CONTENT = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/** Text: number format 49. The second and the third style are those of cells and headings. */
const styles = xml(`<styleSheet xmlns="${MAIN}">
<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>
<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>
<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>
<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs>
</styleSheet>`);

const sheetNames = (count: number) => Array.from({ length: count }, (_, index) => `sheet${index + 1}`);

const contentTypes = (sheets: string[]) =>
  xml(`<Types xmlns="${PACKAGE}/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/xl/workbook.xml" ContentType="${CONTENT}.sheet.main+xml"/>
<Override PartName="/xl/styles.xml" ContentType="${CONTENT}.styles+xml"/>
${sheets.map((name) => `<Override PartName="/xl/worksheets/${name}.xml" ContentType="${CONTENT}.worksheet+xml"/>`).join('')}
</Types>`);

const rootRelations = xml(`<Relationships xmlns="${PACKAGE}/relationships">
<Relationship Id="rId1" Type="${DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>`);

const workbook = (sheets: string[]) =>
  xml(`<workbook xmlns="${MAIN}" xmlns:r="${DOCUMENT}"><sheets>
${sheets.map((_, index) => `<sheet name="People${index === 0 ? '' : ` ${index + 1}`}" sheetId="${index + 1}" r:id="rId${index + 1}"/>`).join('')}
</sheets></workbook>`);

const workbookRelations = (sheets: string[]) =>
  xml(`<Relationships xmlns="${PACKAGE}/relationships">
${sheets.map((name, index) => `<Relationship Id="rId${index + 1}" Type="${DOCUMENT}/worksheet" Target="worksheets/${name}.xml"/>`).join('')}
<Relationship Id="rId${sheets.length + 1}" Type="${DOCUMENT}/styles" Target="styles.xml"/></Relationships>`);

// oxlint-disable-next-line no-control-regex -- control characters are what it takes out
const notInXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '_x000D_' };

/** `_x0041_` would be read as the letter A: the line before it is escaped. */
const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replace(notInXml, '')
    .replaceAll(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
    .replaceAll(/[&<>\r]/g, (character) => entities[character] ?? '');

const columnName = (index: number): string => String.fromCodePoint(65 + index);

function rowXml(cells: SheetRow, number: number, style: number): string {
  const written = cells.map((text, index) =>
    text === null || text === ''
      ? ''
      : `<c r="${columnName(index)}${number}" s="${style}" t="inlineStr"><is><t xml:space="preserve">${escaped(text)}</t></is></c>`,
  );
  return `<row r="${number}">${written.join('')}</row>`;
}

/** Batches, of which one can be looked at before it is taken. */
function peekable(batches: AsyncIterable<SheetRow[]>) {
  const source = batches[Symbol.asyncIterator]();
  let next: SheetRow[] | undefined;
  const peek = async (): Promise<SheetRow[] | undefined> => {
    if (next) return next;
    const { done, value } = await source.next();
    next = done ? undefined : value;
    return next;
  };
  return { peek, take: () => void (next = undefined) };
}

/** One sheet: as many batches as fit. */
async function* worksheet(
  headings: readonly string[],
  { peek, take }: ReturnType<typeof peekable>,
  mostRows: number,
): AsyncGenerator<string> {
  yield xml(`<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0">
<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>
<cols><col min="1" max="${headings.length}" width="20" style="${TEXT_STYLE}" customWidth="1"/></cols><sheetData>`);
  yield rowXml([...headings], 1, HEADING_STYLE);
  let number = 1;
  for (let rows = await peek(); rows && (number === 1 || number + rows.length <= mostRows); rows = await peek()) {
    const first = number + 1;
    number += rows.length;
    yield rows.map((row, index) => rowXml(row, first + index, TEXT_STYLE)).join('');
    take();
  }
  yield '</sheetData></worksheet>';
}

/**
 * A table as XLSX, as many rows at a time as come; on several sheets where it does not fit on one.
 * @param mostRows of one sheet, headings included
 */
export const xlsxSheetOf = (mostRows: number): SheetWriter =>
  async function* (headings, batches) {
    const zip = new ZipFile();
    // What goes wrong on the way of a row ends the file, so that whoever reads it learns of it.
    const output = zip.outputStream as Readable;
    zip.on('error', (error: Error) => output.destroy(error));
    const rows = peekable(batches);
    let sheets = 0;
    let current: Readable | undefined;
    const addSheet = (): void => {
      sheets += 1;
      current = Readable.from(worksheet(headings, rows, mostRows), { objectMode: false });
      current.on('error', (error) => output.destroy(error));
      current.on('end', () => void next().catch((error: Error) => output.destroy(error)));
      zip.addReadStream(current, `xl/worksheets/sheet${sheets}.xml`);
    };
    const next = async (): Promise<void> => {
      if (await rows.peek()) addSheet();
      else addFrame(zip, sheetNames(sheets));
    };
    addSheet();
    try {
      for await (const piece of output) yield piece as Uint8Array;
    } finally {
      current?.destroy();
    }
  };

function addFrame(zip: ZipFile, sheets: string[]): void {
  const parts: Record<string, string> = {
    '[Content_Types].xml': contentTypes(sheets),
    '_rels/.rels': rootRelations,
    'xl/workbook.xml': workbook(sheets),
    'xl/_rels/workbook.xml.rels': workbookRelations(sheets),
    'xl/styles.xml': styles,
  };
  for (const [name, content] of Object.entries(parts)) zip.addBuffer(Buffer.from(content), name);
  zip.end();
}

export const xlsxSheet = xlsxSheetOf(MOST_ROWS);
