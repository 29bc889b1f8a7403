import { z } from 'zod';
import { ImportRowStatus, ImportStatus, SheetFormat } from '../generated/prisma/enums.ts';
import { importFieldNames } from '../services/import-columns.policy.ts';
import { MAX_FILE_BYTES } from '../services/import-sheet.ts';
import { fileOf } from '../utils/file-answer.ts';
import { isoDate } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';

export const importId = z.strictObject({ jobId: id.meta({ description: 'Id of the import' }) });

const field = z.enum(importFieldNames);
const wish = z.record(z.string().max(200), field.nullable()).refine((mapping) => Object.keys(mapping).length <= 100, {
  message: 'must name at most 100 headings',
});

/** JSON as the text of a form's field. */
const mapping = z
  .string()
  .max(16 * 1024)
  .transform((text, check): z.output<typeof wish> => {
    try {
      const read = wish.safeParse(JSON.parse(text));
      if (read.success) return read.data;
      check.addIssue({
        code: 'custom',
        message: `must give each heading one of: ${importFieldNames.join(', ')}; or null`,
      });
    } catch {
      check.addIssue({ code: 'custom', message: 'must be JSON, such as {"Mobile": "phone", "Remarks": null}' });
    }
    return z.NEVER;
  })
  .pipe(wish)
  .meta({
    description:
      'JSON: the field that a heading stands for, null for a column to leave out. Other headings are recognised in English and Hindi',
    example: '{"Mobile": "phone", "Remarks": null}',
  });

export const importUpload = {
  field: 'file',
  maxBytes: MAX_FILE_BYTES,
  description: 'CSV or XLSX, whatever it is called; up to 20 MiB',
} as const;

export const bulkImportBody = z.strictObject({
  tenantId: id.optional().meta({
    description: 'The tenant they are added to. Portal admins name it here or in x-tenant-id; others leave it out',
  }),
  kind: z
    .enum(['STUDENT', 'PARENT', 'STAFF'])
    .default('STUDENT')
    .meta({ description: 'What people are whose row does not say. Owners are not imported', example: 'STUDENT' }),
  libraryId: id.optional().meta({ description: 'The library of people whose row names none' }),
  mapping: mapping.optional(),
});

const count = (description: string, example: number) => z.number().int().meta({ description, example });
const heading = z.string().meta({ example: 'Mobile' });

export const peopleImport = z
  .object({
    id,
    tenantId: id,
    status: z.enum(ImportStatus).meta({
      description:
        'VALIDATING: rows are read and tried, nothing stays; VALIDATED: look at the bad rows, then commit; FAILED: see error',
      example: 'VALIDATED',
    }),
    fileName: z.string().meta({ example: 'students-july.xlsx' }),
    format: z.enum(SheetFormat).meta({ description: 'By what the file holds', example: 'XLSX' }),
    sizeBytes: count('Of the file', 48_213),
    columns: z.array(heading).meta({ description: 'The headings of the file, in order' }),
    mapping: z
      .record(heading, field)
      .meta({ description: 'Which field each heading stands for', example: { Mobile: 'phone' } }),
    kind: bulkImportBody.shape.kind.unwrap(),
    libraryId: id.nullable(),
    totalRows: count('Rows of the file that hold something', 412),
    readRows: count('Rows read so far', 412),
    checkedRows: count('Rows tried so far', 412),
    validRows: count('Rows that can be created, or were', 405),
    invalidRows: count('Rows that cannot be created', 7),
    createdRows: count('Rows whose people were created', 0),
    undoneRows: count('Rows whose people an undo removed', 0),
    keptRows: count('Rows whose people an undo left, since somebody has touched them', 0),
    percent: count('How far the running step is', 100),
    warnings: z.array(z.string()).meta({
      description: 'What does not stop the import, and is worth knowing',
      example: ['The column “Remarks” is not imported: no field is known by that heading.'],
    }),
    error: z.string().nullable().meta({ description: 'Why it failed', example: null }),
    requestedBy: z
      .object({ id, name: z.string().meta({ example: 'Meera Joshi' }) })
      .meta({ description: 'Who gave the file' }),
    createdAt: isoDate,
    validatedAt: isoDate.nullable(),
    committedAt: isoDate.nullable().meta({ description: 'When it was asked to create the people' }),
    finishedAt: isoDate.nullable(),
  })
  .meta({ id: 'PeopleImport' });

export const listImportsQuery = pageQuery(['createdAt'])
  .omit({ sort: true, order: true })
  .extend({
    status: z.enum(ImportStatus).optional().meta({ description: 'Imports in this state', example: 'VALIDATED' }),
    tenantId: id.optional().meta({ description: 'Imports of this tenant; for portal admins, who see all of them' }),
  });

export const listRowsQuery = pageQuery(['number'])
  .omit({ sort: true, order: true })
  .extend({
    status: z.enum(ImportRowStatus).optional().meta({ description: 'Rows in this state', example: 'INVALID' }),
  });

export const importRow = z
  .object({
    number: count('As a spreadsheet counts', 14),
    status: z.enum(ImportRowStatus).meta({ example: 'INVALID' }),
    cells: z.record(heading, z.string()).meta({
      description: 'What the file holds, by heading',
      example: { Name: 'Ravi Kumar', Mobile: '9.82901E+09' },
    }),
    errors: z
      .array(z.object({ column: heading, message: z.string().meta({ example: 'was cut by the spreadsheet' }) }))
      .meta({ description: 'What is wrong, to be read after the heading' }),
    userId: id.nullable().meta({ description: 'Who was created from it' }),
  })
  .meta({ id: 'PeopleImportRow' });

export const templateQuery = z.strictObject({
  format: z.enum(['csv', 'xlsx']).default('xlsx').meta({ description: 'Of the file', example: 'xlsx' }),
});

const CSV = 'text/csv; charset=utf-8';
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
export const badRowsFile = fileOf(CSV);
export const templateFile = fileOf(CSV, XLSX);
export const fileTypes = { csv: CSV, xlsx: XLSX } as const;
