import { Readable } from 'node:stream';
import type { Actor, ManualContext, ReadContext } from '../types/context.ts';
import { orNotFound } from '../utils/errors.ts';
import type { FileAnswer } from '../utils/file-answer.ts';
import { fileTypes } from '../validators/people-imports.validator.ts';
import { importFields, REASONS_HEADING, type ImportField } from './import-columns.policy.ts';
import type { SheetRow } from './people-export-columns.ts';
import { csvSheet } from './people-export-csv.ts';
import { xlsxSheet } from './people-export-xlsx.ts';
import { badRowsAfter, columnsOfImport, type StoredRow } from './people-imports.queries.ts';

// Files that people correct or fill in and send back: both can be read by the import as they are.

const ROWS_AT_ONCE = 1_000;

/**
 * The bad rows as they came, with a last column that says why. Read as they are sent, a thousand at a time.
 * @throws AppError not_found
 */
export async function badRowsFile(ctx: ManualContext<Actor>, id: string): Promise<FileAnswer> {
  const { columns } = orNotFound(await ctx.sql.one<{ columns: string[] }>(columnsOfImport(id)), 'import');
  const content = csvSheet([...columns, REASONS_HEADING], badRows(ctx, id, columns));
  return {
    content: Readable.from(content, { objectMode: false }),
    name: `import-${id}-errors.csv`,
    type: fileTypes.csv,
  };
}

async function* badRows(ctx: Pick<ReadContext, 'sql'>, id: string, columns: string[]): AsyncGenerator<SheetRow[]> {
  for (let after = 0; ;) {
    const rows = await ctx.sql.many<StoredRow>(badRowsAfter(id, after, ROWS_AT_ONCE));
    if (rows.length > 0) yield rows.map((row) => badRow(row, columns));
    if (rows.length < ROWS_AT_ONCE) return;
    after = rows.at(-1)?.number ?? after;
  }
}

const badRow = ({ cells, errors }: StoredRow, columns: string[]): SheetRow => [
  ...columns.map((_, index) => cells[index] ?? ''),
  (errors ?? []).map(({ column, message }) => `${column} ${message}`).join('; '),
];

const example: Partial<Record<ImportField, string>> = {
  name: 'Ravi Kumar',
  kind: 'Student',
  phone: '98290 12345',
  email: 'ravi.kumar@students.example',
  dateOfBirth: '17/04/2009',
  memberNumber: 'KOTA-0187',
  joinedOn: '01/07/2026',
  course: 'NEET',
  marketingConsent: 'No',
  guardianName: 'Sunita Kumar',
  guardianPhone: '98290 54321',
  guardianRelation: 'Mother',
};

const templateFields: ImportField[] = [
  ...(['name', 'kind', 'phone', 'email', 'dateOfBirth', 'library', 'memberNumber', 'joinedOn', 'course'] as const),
  ...(['jobTitle', 'marketingConsent', 'guardianName', 'guardianPhone', 'guardianEmail', 'guardianRelation'] as const),
];

/** The headings that the import knows, and one row as an example. */
export function importTemplate(format: 'csv' | 'xlsx'): FileAnswer {
  async function* rows(): AsyncGenerator<SheetRow[]> {
    yield [templateFields.map((field) => example[field] ?? '')];
  }
  const write = format === 'csv' ? csvSheet : xlsxSheet;
  const headings = templateFields.map((field) => importFields[field]);
  return {
    content: Readable.from(write(headings, rows()), { objectMode: false }),
    name: `people.${format}`,
    type: fileTypes[format],
  };
}
