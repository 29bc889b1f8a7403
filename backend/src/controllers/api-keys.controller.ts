import type { z } from 'zod';
import * as keys from '../services/api-keys.service.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/api-keys.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };

export const listApiKeys = (ctx: ReadContext<Actor>, { query }: { query: z.output<typeof v.listApiKeysQuery> }) =>
  keys.listApiKeys(ctx, query);

export const createApiKey = (ctx: WriteContext<Actor>, { body }: Body<typeof v.createApiKeyBody>) =>
  keys.createApiKey(ctx, body);

export const rotateApiKey = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.rotateApiKeyBody>) =>
  keys.rotateApiKey(ctx, params.id, body.overlapHours);

export const revokeApiKey = (ctx: WriteContext<Actor>, { params }: Of) => keys.revokeApiKey(ctx, params.id);
