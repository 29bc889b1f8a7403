import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { importerOf } from './import-support.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'studyspot-import-files-'));
let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ DATA_DIR: directory });
});
afterAll(async () => {
  await app.close();
  rmSync(directory, { recursive: true, force: true });
});

const filesBelow = () => {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
};

/** Refused with a sentence that says what to do, and nothing is left of it. */
async function expectRefused(content: string | Uint8Array, told: RegExp, name = 'people.csv', status = 400) {
  // Somebody else each time: a few files a minute are what one person may send.
  const answer = await importerOf(app, (await app.ownerWithToken()).token).send(content, { name });
  expect({ status: answer.status, message: answer.body?.error?.message }).toEqual({
    status,
    message: expect.stringMatching(told),
  });
  expect(await app.query('select id from people_imports')).toEqual([]);
  expect(filesBelow()).toEqual([]);
}

const NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const row = (number: number, ...cells: string[]) =>
  `<row r="${number}">${cells.map((text) => `<c t="inlineStr"><is><t>${text}</t></is></c>`).join('')}</row>`;
const sheet = (rows: string) => `<worksheet ${NS}><sheetData>${rows}</sheetData></worksheet>`;
const people = row(1, 'Name', 'Phone') + row(2, 'Ravi', '9829012345');

/** A workbook of just the parts that are needed. */
async function workbook(sheetXml: string, parts: Record<string, string | Buffer> = {}): Promise<Buffer> {
  const zip = new ZipFile();
  const all = {
    'xl/workbook.xml': `<workbook ${NS} xmlns:r="r"><sheets><sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>`,
    'xl/worksheets/sheet1.xml': sheetXml,
    ...parts,
  };
  for (const [name, content] of Object.entries(all)) zip.addBuffer(Buffer.from(content), name);
  zip.end();
  return buffer(zip.outputStream as Readable);
}

/** Changes what the zip says of the inflated size of a part, in both places. */
function lieAboutSize(zip: Buffer, name: string, size: number): Buffer {
  const changed = Buffer.from(zip);
  for (let at = changed.indexOf(name); at !== -1; at = changed.indexOf(name, at + 1)) {
    const [local, central] = [at - 30, at - 46];
    if (local >= 0 && changed.readUInt32LE(local) === 0x04034b50) changed.writeUInt32LE(size, local + 22);
    if (central >= 0 && changed.readUInt32LE(central) === 0x02014b50) changed.writeUInt32LE(size, central + 24);
  }
  return changed;
}

describe('A file that is no list is refused, and nothing of it is left', () => {
  const png = Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), Buffer.alloc(500, 7)]);
  const ole = (text: string) =>
    Buffer.concat([Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]), Buffer.from(text, 'utf16le')]);
  it.each([
    ['nothing', '', /is empty|is missing/],
    ['blank lines', '\n\n ,\n', /is empty/],
    ['a picture', png, /neither CSV nor XLSX/],
    ['binary data', Buffer.from([1, 0, 2, 0, 3]), /binary data/],
    ['an encrypted workbook', ole('EncryptedPackage'), /protected by a password/],
    ['an old workbook', ole('Workbook'), /old format/],
    ['headings alone', 'Name,Phone\n', /no rows/],
    ['no names', 'Phone,Email\n9829012345,x@y.example\n', /no column for names/],
    ['the same heading twice', 'Name,Phone,phone \nRavi,1,2\n', /“phone” twice/],
    ['a column without a heading', 'Name,,Phone\nRavi,x,9829012345\n', /no heading above column B/],
    [
      'too many columns',
      `${['Name', ...Array.from({ length: 60 }, (_, index) => `C${index}`)].join(',')}\nRavi\n`,
      /more than 60/,
    ],
    ['a title', 'Students of Kota\nName,Phone\nRavi,9829012345\n', /title in its first row/],
    ['a long line', `Name,Phone\n${'x'.repeat(70_000)},1\n`, /64 KiB in row 2/],
    ['one long line', 'x'.repeat(15_000_000), /64 KiB in row 1/],
    ['commas alone', ','.repeat(10_000_000), /64 KiB in row 1/],
    ['an open quotation mark', `Name,Phone\n"Ravi,1\n${'Asha,2\n'.repeat(20_000)}`, /64 KiB in row 2/],
    ['an open quotation mark at the end', 'Name,Phone\n"Ravi,1\n', /never closed/],
    ['empty lines without end', `Name,Phone\n${'\n'.repeat(5_000_000)}`, /more than 50,000 rows/],
    ['too many rows', `Name,Phone\n${'Ravi,1\n'.repeat(50_001)}`, /more than 50,000 rows/],
  ])('%s', async (_, content, told) => {
    await expectRefused(content, told);
  });

  it('larger than 20 MiB', async () => {
    await expectRefused(Buffer.alloc(21 * 1024 * 1024, 'Ravi,9829012345\n'), /larger|at most|20/, 'people.csv', 413);
  });
});

describe('A workbook that is made to harm is refused', () => {
  it('a zip without a workbook, a damaged one, one cut off', async () => {
    const whole = await workbook(sheet(people));
    const zip = new ZipFile();
    zip.addBuffer(Buffer.from('x'), 'word/document.xml');
    zip.end();
    await expectRefused(await buffer(zip.outputStream as Readable), /no XLSX/, 'a.xlsx');
    await expectRefused(whole.subarray(0, whole.length - 30), /damaged/, 'a.xlsx');
    await expectRefused(await workbook('<worksheet><sheetData><row'), /damaged/, 'a.xlsx');
    await expectRefused(await workbook(sheet(row(2, 'Name') + row(1, 'Ravi'))), /out of order/, 'a.xlsx');
    await expectRefused(await workbook(sheet('<row r="9999999"><c/></row>')), /more than 50,000/, 'a.xlsx');
    await expectRefused(await workbook(sheet('<row r="1"><c r="ZZZZZ1"/></row>')), /damaged/, 'a.xlsx');
  });

  it('a bomb: by what it says, by its ratio, by a lie, by its number of parts', async () => {
    const zeros = Buffer.alloc(40 * 1024 * 1024, ' ');
    await expectRefused(await workbook(sheet(people), { 'xl/media/a': zeros }), /inflates/, 'a.xlsx');
    const bomb = await workbook(`<worksheet><sheetData>${' '.repeat(8 * 1024 * 1024)}</sheetData></worksheet>`);
    await expectRefused(bomb, /inflates/, 'a.xlsx');
    await expectRefused(lieAboutSize(bomb, 'xl/worksheets/sheet1.xml', 500_000), /damaged/, 'a.xlsx');
    const parts = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`p/${index}`, 'x']));
    await expectRefused(await workbook(sheet(people), parts), /inflates/, 'a.xlsx');
  });

  it('entities that grow, text without end, shared strings without end', async () => {
    const laughs = `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><worksheet ${NS}><sheetData>&b;</sheetData></worksheet>`;
    await expectRefused(await workbook(laughs), /damaged/, 'a.xlsx');
    const noise = Array.from({ length: 40_000 }, (_, index) => index.toString(36)).join('x');
    await expectRefused(await workbook(sheet(row(1, 'Name') + row(2, noise.repeat(2)))), /64 KiB|damaged/, 'a.xlsx');
  });
});

describe('A list is read', () => {
  const rowsOf = async (content: string | Uint8Array, name = 'people.csv') => {
    const { token } = await app.ownerWithToken();
    const mine = importerOf(app, token);
    const { id, status, error, columns } = await mine.check(content, { name });
    expect({ status, error }).toEqual({ status: 'VALIDATED', error: null });
    const rows = await mine.rows(id);
    return {
      columns,
      rows: rows.map(({ number, cells }: { number: number; cells: object }) => [number, ...Object.values(cells)]),
    };
  };
  const text = 'Name,Phone\nरवि é,9829012345\n';
  const expected = [[2, 'रवि é', '9829012345']];

  it('in UTF-8 with and without a mark, and in UTF-16', async () => {
    const utf16 = Buffer.from(`\uFEFF${text.replaceAll(',', '\t')}`, 'utf16le');
    for (const content of [text, `\uFEFF${text}`, utf16, Buffer.from(utf16).swap16()]) {
      expect((await rowsOf(content)).rows).toEqual(expected);
    }
  });

  it('in Windows-1252, when it is no UTF-8 however late that shows', async () => {
    const late = `Name,Phone\n${'Ravi,9829012345\n'.repeat(8_000)}Andr\u00e9 \u0080,1\n`;
    const bytes = Buffer.from(late, 'latin1');
    const { token } = await app.ownerWithToken();
    const sent = await importerOf(app, token).send(bytes);
    expect(sent.body.data.totalRows).toBe(8_001);
    expect((await rowsOf(Buffer.from('Name,Phone\nAndr\u00e9 \u0080,1\n', 'latin1'))).rows).toEqual([
      [2, 'André €', '1'],
    ]);
  });

  it('with any separator, quotes, line ends and empty lines', async () => {
    for (const separator of [',', ';', '\t', '|']) {
      const lines = ['Name,Phone,Remarks', '', '"Kumar, Ravi"" R",1,"two', 'lines"', ' ,, ', 'Asha,2', 'O"Neil,3,x'];
      const content = lines.map((line) => line.replaceAll(/,(?! Ravi)/g, separator)).join('\r\n');
      expect((await rowsOf(content)).rows, separator).toEqual([
        [3, 'Kumar, Ravi" R', '1', 'two\r\nlines'],
        [5, 'Asha', '2', ''],
        [6, 'O"Neil', '3', 'x'],
      ]);
    }
    expect((await rowsOf('Name,Phone\rRavi,1\rAsha,2')).rows).toEqual([
      [2, 'Ravi', '1'],
      [3, 'Asha', '2'],
    ]);
  });

  it('from a workbook with macros, whatever it is called', async () => {
    const content = await workbook(sheet(people), { 'xl/vbaProject.bin': 'macro' });
    expect((await rowsOf(content, 'list.csv')).rows).toEqual([[2, 'Ravi', '9829012345']]);
  });
});
