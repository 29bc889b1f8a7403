import type { z } from 'zod';
import type { ReadContext } from '../types/context.ts';
import { amountInWords } from '../utils/amount-in-words.ts';
import { orNotFound } from '../utils/errors.ts';
import { page } from '../utils/page.ts';
import type { creditNote, creditNoteListItem } from '../validators/credit-notes.validator.ts';
import * as queries from './credit-notes.queries.ts';

export type CreditNoteView = z.input<typeof creditNote>;

export const listCreditNotes = (ctx: ReadContext, filter: queries.CreditNoteFilter) =>
  page<z.input<typeof creditNoteListItem>>(ctx, filter, queries.creditNoteRows(filter));

/** @throws AppError not_found, also for one outside the scope */
export async function getCreditNote(ctx: Pick<ReadContext, 'sql'>, id: string): Promise<CreditNoteView> {
  const row = orNotFound(await ctx.sql.one<queries.CreditNoteRow>(queries.creditNoteById(id)), 'credit note');
  return { ...row, amountInWords: amountInWords(row.total) };
}
