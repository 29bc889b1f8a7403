import type { z } from 'zod';
import type { Actor, ReadContext } from '../types/context.ts';
import type { numberingAudit, numberingAuditQuery } from '../validators/invoice-views.validator.ts';
import { seriesRows, type SeriesRow } from './invoice-numbering.queries.ts';

/** Whether the numbers of invoices and credit notes are without gaps and doubles, and in the order of their days (rule 17). */
export async function auditNumbering(
  ctx: ReadContext<Actor>,
  query: z.output<typeof numberingAuditQuery>,
): Promise<z.input<typeof numberingAudit>> {
  const rows = await ctx.sql.many<SeriesRow>(seriesRows(query));
  const series = rows.map((row) => ({ ...row, contiguous: row.missingCount === 0 && row.duplicates.length === 0 }));
  return { contiguous: series.every(({ contiguous }) => contiguous), series };
}
