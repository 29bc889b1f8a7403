import type { z } from 'zod';
import * as libraries from '../services/tenant-libraries.service.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/tenant-libraries.validator.ts';

type Of = { params: { id: string } };
type OfLibrary = { params: { id: string; libraryId: string } };
type Seen = { ifMatch: number | undefined };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

const named = ({ id, libraryId }: OfLibrary['params']) => ({ tenantId: id, id: libraryId });

export const listLibraries = (ctx: ReadContext<Actor>, { params, query }: Of & Query<typeof v.listLibrariesQuery>) =>
  libraries.listLibraries(ctx, params.id, query);

export const createLibrary = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.createLibraryBody>) =>
  libraries.createLibrary(ctx, params.id, body);

export const updateLibrary = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: OfLibrary & Seen & Body<typeof v.updateLibraryBody>,
) => libraries.updateLibrary(ctx, named(params), body, ifMatch);

export const deleteLibrary = (ctx: WriteContext<Actor>, { params, ifMatch }: OfLibrary & Seen) =>
  libraries.deleteLibrary(ctx, named(params), ifMatch);
