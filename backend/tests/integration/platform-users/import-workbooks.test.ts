import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { inspectFile, dataRows } from '../../../src/services/import-reading.service.ts';
import { bufferSource, type SheetRow } from '../../../src/services/import-sheet.ts';
import { fixture } from './import-support.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'studyspot-workbooks-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const hasOffice = spawnSync('soffice', ['--version'], { timeout: 20_000 }).status === 0;

async function read(content: Buffer) {
  const source = bufferSource(content);
  const { format, columns, totalRows } = await inspectFile(source);
  const found: SheetRow[] = [];
  for await (const { rows } of dataRows(source, format, new Set(['DOB', 'Joined on']))) found.push(...rows);
  expect(found).toHaveLength(totalRows);
  return { format, columns, rows: found };
}

const list = `Name,Mobile,DOB,Joined on,Consent,Father name,Father phone,Twice
Ravi Kumar,9829012345,2009-04-17,2026-07-01,TRUE,Mohan Kumar,9829054321,=2*B2
रवि वर्मा,9829012346,1999-12-31,2026-07-02,FALSE,,,=2*B3
`;
const asLibreOffice = {
  format: 'XLSX',
  columns: ['Name', 'Mobile', 'DOB', 'Joined on', 'Consent', 'Father name', 'Father phone', 'Twice'],
  rows: [
    {
      number: 2,
      cells: [
        'Ravi Kumar',
        '9829012345',
        '2009-04-17',
        '2026-07-01',
        'TRUE',
        'Mohan Kumar',
        '9829054321',
        '19658024690',
      ],
    },
    { number: 3, cells: ['रवि वर्मा', '9829012346', '1999-12-31', '2026-07-02', 'FALSE', '', '', '19658024692'] },
  ],
};

it('reads what LibreOffice has written: shared strings, serial dates, numbers, formulas by their value', async () => {
  expect(await read(fixture('people-libreoffice.xlsx'))).toEqual(asLibreOffice);
});

it.skipIf(!hasOffice)('reads what the LibreOffice of this machine writes', { timeout: 90_000 }, async () => {
  writeFileSync(path.join(directory, 'list.csv'), list);
  const made = spawnSync(
    'soffice',
    [
      `-env:UserInstallation=file://${directory}/profile`,
      '--headless',
      '--convert-to',
      'xlsx:Calc MS Excel 2007 XML',
      '--infilter=CSV:44,34,76,1,,0,false,true,false',
      path.join(directory, 'list.csv'),
      '--outdir',
      directory,
    ],
    { timeout: 80_000, encoding: 'utf8' },
  );
  expect(made.status, made.stderr).toBe(0);
  expect(await read(readFileSync(path.join(directory, 'list.xlsx')))).toEqual(asLibreOffice);
});

it('reads what phones write: inline strings, prefixes, no references, the dates of 1904, a hidden sheet in front', async () => {
  expect(await read(fixture('people-phone.xlsx'))).toEqual({
    format: 'XLSX',
    columns: ['Name', 'Mobile No', 'DOB', 'Joined on', 'Seat'],
    rows: [
      { number: 7, cells: ['Ravi Kumar', '9829012345', '2001-07-02', '2026-06-30', '12.5'] },
      { number: 8, cells: ['Asha Verma', '#N/A'] },
    ],
  });
});
