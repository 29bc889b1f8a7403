import type { z } from 'zod';
import * as reports from '../services/revenue-reports.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/revenue-reports.validator.ts';

type Of = { params: { id: string } };

export const listReports = (ctx: ReadContext<Actor>, { query }: { query: z.output<typeof v.listReportsQuery> }) =>
  reports.listReports(ctx, query);

export const createReport = (ctx: WriteContext<Actor>, { body }: { body: z.output<typeof v.createReportBody> }) =>
  reports.createReport(ctx, body);

export const getReport = (ctx: ReadContext<Actor>, { params }: Of) => reports.getReport(ctx, params.id);

export const downloadReport = (ctx: ManualContext<Actor>, { params }: Of) => reports.downloadReport(ctx, params.id);
