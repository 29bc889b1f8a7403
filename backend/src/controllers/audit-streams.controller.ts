import type { z } from 'zod';
import * as retention from '../services/audit-retention.service.ts';
import * as streams from '../services/audit-streams.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/audit-stream.validator.ts';

export const listStreams = (ctx: ReadContext<Actor>, { query }: { query: { page: number; limit: number } }) =>
  streams.listStreams(ctx, query);

type Put = { params: { name: string }; body: z.output<typeof v.putStreamBody>; ifMatch: number | undefined };
export const putStream = (ctx: ManualContext<Actor>, { params, body, ifMatch }: Put) =>
  streams.putStream(ctx, params.name, body, ifMatch);

export const getRetention = (ctx: ReadContext<Actor>) => retention.getRetention(ctx);

export const updateRetention = (ctx: WriteContext<Actor>, { body }: { body: z.output<typeof v.retentionBody> }) =>
  retention.updateRetention(ctx, body);
