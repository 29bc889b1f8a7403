import type { z } from 'zod';
import * as notes from '../services/tenant-notes.service.ts';
import { listTimeline as timeline } from '../services/tenant-timeline.service.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/tenant-notes.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

export const listNotes = (ctx: ReadContext<Actor>, { params, query }: Of & Query<typeof v.listNotesQuery>) =>
  notes.listNotes(ctx, params.id, query);

export const createNote = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.createNoteBody>) =>
  notes.createNote(ctx, params.id, body);

export const listTimeline = (ctx: ReadContext<Actor>, { params, query }: Of & Query<typeof v.timelineQuery>) =>
  timeline(ctx, params.id, query);
