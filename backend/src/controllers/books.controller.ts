import type { z } from 'zod';
import * as books from '../services/books.service.ts';
import type { Actor, ReadContext } from '../types/context.ts';
import type * as v from '../validators/books.validator.ts';

export const listBookChecks = (ctx: ReadContext<Actor>, { query }: { query: z.output<typeof v.listBookChecksQuery> }) =>
  books.listBookChecks(ctx, query);
