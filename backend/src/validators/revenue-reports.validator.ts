import { z } from 'zod';
import { DataExportStatus, RevenueReportFormat, RevenueReportType } from '../generated/prisma/enums.ts';
import { day, isoDate } from '../utils/fields.ts';
import { fileOf } from '../utils/file-answer.ts';
import { isValidGstin } from '../utils/gstin.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';
import { writtenFile } from './data-export.validator.ts';
import { month } from './revenue-metrics.validator.ts';

export const reportId = z.strictObject({ id });

const type = z.enum(RevenueReportType).meta({
  description:
    'GSTR1: the return of a month; AGEING: who owes what since when; DEFERRED_REVENUE: what is invoiced and not earned; JOURNAL: vouchers for Tally; MRR: movements by tenant',
  example: 'GSTR1',
});
const format = z.enum(RevenueReportFormat).meta({
  description:
    'GSTR1: JSON as the portal takes it, or CSV with a column `section`; JOURNAL: XML as Tally takes it, or CSV; the others: CSV or JSON',
  example: 'JSON',
});

/** What each report can be written as, and what it has to be told. */
const wishes = {
  GSTR1: { formats: ['JSON', 'CSV'], needs: ['month'], takes: ['gstin'] },
  AGEING: { formats: ['CSV', 'JSON'], needs: [], takes: ['day'] },
  DEFERRED_REVENUE: { formats: ['CSV', 'JSON'], needs: [], takes: ['day'] },
  JOURNAL: { formats: ['XML', 'CSV'], needs: ['from', 'to'], takes: [] },
  MRR: { formats: ['CSV', 'JSON'], needs: ['fromMonth', 'toMonth'], takes: [] },
} as const satisfies Record<
  RevenueReportType,
  { formats: readonly RevenueReportFormat[]; needs: readonly string[]; takes: readonly string[] }
>;
const parameters = ['month', 'gstin', 'day', 'from', 'to', 'fromMonth', 'toMonth'] as const;

export const createReportBody = z
  .strictObject({
    type,
    format,
    month: month.optional().meta({ description: 'Of GSTR1: the month of the return', example: '2026-10' }),
    gstin: z
      .string()
      .trim()
      .toUpperCase()
      .max(15)
      .refine(isValidGstin, 'must be a GSTIN, such as 27AAPFU0939F1ZV')
      .optional()
      .meta({
        description: 'Of GSTR1: the registration of ours that it is filed for; without, the one that invoices name now',
        example: '27AAPFU0939F1ZV',
      }),
    day: day
      .optional()
      .meta({ description: 'Of AGEING and DEFERRED_REVENUE: as of the end of this day; today without' }),
    from: day.optional().meta({ description: 'Of JOURNAL: the first day', example: '2026-10-01' }),
    to: day
      .optional()
      .meta({ description: 'Of JOURNAL: the last day, a year after the first at most', example: '2026-10-31' }),
    fromMonth: month.optional().meta({ description: 'Of MRR: the first month', example: '2026-04' }),
    toMonth: month.optional().meta({ description: 'Of MRR: the last month; 36 months at most', example: '2026-10' }),
  })
  .superRefine((body, check) => {
    const { formats, needs, takes } = wishes[body.type];
    const issue = (path: string, message: string) => check.addIssue({ code: 'custom', path: [path], message });
    if (!(formats as readonly string[]).includes(body.format)) {
      issue('format', `must be ${formats.join(' or ')} for ${body.type}`);
    }
    for (const name of parameters) {
      const isNeeded = (needs as readonly string[]).includes(name);
      if (isNeeded && body[name] === undefined) issue(name, `is missing: ${body.type} needs it`);
      const isTaken = isNeeded || (takes as readonly string[]).includes(name);
      if (!isTaken && body[name] !== undefined) issue(name, `means nothing to ${body.type}: leave it out`);
    }
  })
  .meta({ id: 'CreateRevenueReport', example: { type: 'GSTR1', format: 'JSON', month: '2026-10' } });

export const listReportsQuery = pageQuery(['createdAt']).extend({
  type: type.optional().meta({ description: 'Only these', example: 'GSTR1' }),
});

export const revenueReport = z
  .object({
    id,
    type,
    format,
    filter: z
      .record(z.string(), z.unknown())
      .meta({ description: 'What it is about', example: { month: '2026-10', gstin: '27AAPFU0939F1ZV' } }),
    status: z.enum(DataExportStatus).meta({ example: 'READY' }),
    rows: z.number().int().meta({ description: 'Rows written so far; documents, of a return', example: 1200 }),
    ...writtenFile,
    link: z
      .object({
        url: z.string().meta({ example: 'https://admin.studyspot.example/api/files/eyJrIjoi…' }),
        expiresAt: isoDate,
      })
      .nullable()
      .meta({
        description: 'Fetches the file without a token, for the caller alone; null in lists, and while there is none',
      }),
  })
  .meta({ id: 'RevenueReport' });

export const reportFile = fileOf('application/json', 'text/csv', 'application/xml');
