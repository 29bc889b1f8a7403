import type { z } from 'zod';
import * as files from '../services/people-import-files.service.ts';
import * as imports from '../services/people-imports.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type { Upload } from '../types/upload.ts';
import type * as v from '../validators/people-imports.validator.ts';

type Of = { params: { jobId: string } };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

export const createImport = (
  ctx: ManualContext<Actor>,
  { body, upload }: { body: z.output<typeof v.bulkImportBody>; upload: Upload },
) => imports.createImport(ctx, body, upload);

export const listImports = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listImportsQuery>) =>
  imports.listImports(ctx, query);

export const getImport = (ctx: ReadContext<Actor>, { params }: Of) => imports.getImport(ctx, params.jobId);

export const listRows = (ctx: ReadContext<Actor>, { params, query }: Of & Query<typeof v.listRowsQuery>) =>
  imports.listRows(ctx, params.jobId, query);

export const downloadBadRows = (ctx: ManualContext<Actor>, { params }: Of) => files.badRowsFile(ctx, params.jobId);

export const commitImport = (ctx: WriteContext<Actor>, { params }: Of) => imports.commitImport(ctx, params.jobId);

export const cancelImport = (ctx: WriteContext<Actor>, { params }: Of) => imports.cancelImport(ctx, params.jobId);

export const undoImport = (ctx: WriteContext<Actor>, { params }: Of) => imports.undoImport(ctx, params.jobId);

export const downloadTemplate = async (_ctx: ReadContext<Actor>, { query }: Query<typeof v.templateQuery>) =>
  files.importTemplate(query.format);
