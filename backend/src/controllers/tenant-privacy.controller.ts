import type { z } from 'zod';
import * as privacy from '../services/privacy-requests.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/tenant-privacy.validator.ts';

type Of = { params: { id: string } };
type OfRequest = { params: { id: string; requestId: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

const placeOf = ({ id, requestId }: OfRequest['params']) => ({ tenantId: id, requestId });

export const listPrivacyRequests = (
  ctx: ReadContext<Actor>,
  { params, query }: Of & Query<typeof v.listPrivacyRequestsQuery>,
) => privacy.listPrivacyRequests(ctx, params.id, query);

export const createPrivacyRequest = (
  ctx: WriteContext<Actor>,
  { params, body }: Of & Body<typeof v.createPrivacyRequestBody>,
) => privacy.createPrivacyRequest(ctx, params.id, body);

export const updatePrivacyRequest = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: OfRequest & Body<typeof v.updatePrivacyRequestBody> & { ifMatch: number | undefined },
) => privacy.updatePrivacyRequest(ctx, placeOf(params), body, ifMatch);

export const getPersonExport = (ctx: ReadContext<Actor>, { params }: OfRequest) =>
  privacy.getPersonExport(ctx, placeOf(params));

export const downloadPersonExport = (ctx: ManualContext<Actor>, { params }: OfRequest) =>
  privacy.downloadPersonExport(ctx, placeOf(params));
