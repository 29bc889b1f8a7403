import type { z } from 'zod';
import * as issue from '../services/credit-note-issue.service.ts';
import { voidCreditNote as voidNote } from '../services/credit-note-void.service.ts';
import * as creditNotes from '../services/credit-notes.service.ts';
import { downloadCreditNote } from '../services/invoice-files.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/credit-notes.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

export const listCreditNotes = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listCreditNotesQuery>) =>
  creditNotes.listCreditNotes(ctx, query);

export const getCreditNote = (ctx: ReadContext<Actor>, { params }: Of) => creditNotes.getCreditNote(ctx, params.id);

export const getPdf = (ctx: ManualContext<Actor>, { params }: Of) => downloadCreditNote(ctx, params.id);

export const previewCreditNote = (ctx: WriteContext<Actor>, { body }: Body<typeof v.previewCreditNoteBody>) =>
  issue.previewCreditNote(ctx, body);

export const createCreditNote = (ctx: WriteContext<Actor>, { body }: Body<typeof v.createCreditNoteBody>) =>
  issue.createCreditNote(ctx, body);

export const voidCreditNote = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.voidCreditNoteBody>) =>
  voidNote(ctx, params.id, body.reason);
