import type { z } from 'zod';
import * as files from '../services/invoice-files.service.ts';
import * as lifecycle from '../services/invoice-lifecycle.service.ts';
import { auditNumbering } from '../services/invoice-numbering.service.ts';
import * as invoices from '../services/invoices.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type { numberingAuditQuery } from '../validators/invoice-views.validator.ts';
import type * as v from '../validators/invoices.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };
type Seen = { ifMatch: number | undefined };

export const listInvoices = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listInvoicesQuery>) =>
  invoices.listInvoices(ctx, query);

export const auditNumbers = (ctx: ReadContext<Actor>, { query }: Query<typeof numberingAuditQuery>) =>
  auditNumbering(ctx, query);

export const getInvoice = (ctx: ReadContext<Actor>, { params }: Of) => invoices.getInvoice(ctx, params.id);

export const getPdf = (ctx: ManualContext<Actor>, { params }: Of) => files.downloadInvoice(ctx, params.id);

export const previewInvoice = (ctx: WriteContext<Actor>, { body }: Body<typeof v.previewInvoiceBody>) =>
  invoices.previewInvoice(ctx, body);

export const createInvoice = (ctx: WriteContext<Actor>, { body }: Body<typeof v.createInvoiceBody>) =>
  invoices.createInvoice(ctx, body);

export const updateInvoice = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: Of & Body<typeof v.updateInvoiceBody> & Seen,
) => invoices.updateInvoice(ctx, params.id, body, ifMatch);

export const deleteInvoice = (ctx: WriteContext<Actor>, { params, ifMatch }: Of & Seen) =>
  invoices.deleteInvoice(ctx, params.id, ifMatch);

export const sendInvoice = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.sendInvoiceBody>) =>
  invoices.sendInvoice(ctx, params.id, body.to);

export const finalizeInvoice = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.finalizeInvoiceBody>) =>
  lifecycle.finalizeDraft(ctx, params.id, body.collect);

export const finalizeInvoices = (ctx: ManualContext<Actor>, { body }: Body<typeof v.bulkFinalizeBody>) =>
  lifecycle.finalizeDrafts(ctx, body.ids, body.collect);

export const voidInvoice = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.voidInvoiceBody>) =>
  lifecycle.voidInvoice(ctx, params.id, body.reason);

export const markUncollectible = (
  ctx: WriteContext<Actor>,
  { params, body }: Of & Body<typeof v.markUncollectibleBody>,
) => lifecycle.markUncollectible(ctx, params.id, body.reason);
