import type { z } from 'zod';
import * as exports from '../services/audit-export.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/audit-export.validator.ts';

type Params = { params: { id: string } };

export const createExport = (ctx: WriteContext<Actor>, { body }: { body: z.output<typeof v.createExportBody> }) =>
  exports.createExport(ctx, body);

export const getExport = (ctx: ReadContext<Actor>, { params }: Params) => exports.getExport(ctx, params.id);

export const downloadExport = (ctx: ManualContext<Actor>, { params }: Params) => exports.downloadExport(ctx, params.id);
