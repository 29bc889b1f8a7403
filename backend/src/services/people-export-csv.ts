import { stringify } from 'csv-stringify/sync';
import type { SheetWriter } from './people-export-columns.ts';

/** By which spreadsheets know that the text is UTF-8. */
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * RFC 4180, every text in quotes. What a spreadsheet would run gets an apostrophe in front (rule 16), a phone with its
 * `+` as well: a rule with exceptions is one that somebody finds a way around.
 */
const options = { escape_formulas: true, quoted_string: true, record_delimiter: 'windows' } as const;

/** A table as CSV, as many rows at a time as come. */
export const csvSheet: SheetWriter = async function* (headings, batches) {
  yield BYTE_ORDER_MARK + stringify([[...headings]], options);
  for await (const rows of batches) yield stringify(rows, options);
};
