import sql, { type Sql } from 'sql-template-tag';
import { z } from 'zod';
import { MAX_PAGE, MAX_PAGE_SIZE } from '../config/constants.ts';
import type { ReadContext } from '../types/context.ts';
import { orNotFound } from './errors.ts';

/** Query parameters of every list; a module adds its filters with `.extend`. */
export const pageQuery = <const Columns extends readonly [string, ...string[]]>(sortable: Columns) =>
  z.strictObject({
    page: z.coerce
      .number()
      .int()
      .min(1)
      .max(MAX_PAGE)
      .default(1)
      .meta({ description: 'Which page, from 1', example: 1 }),
    limit: z.coerce
      .number()
      .int()
      .min(1)
      .max(MAX_PAGE_SIZE)
      .default(20)
      .meta({ description: 'Items a page', example: 20 }),
    sort: z.enum(sortable).default(sortable[0]).meta({ description: 'What to sort by' }),
    order: z.enum(['asc', 'desc']).default('desc').meta({ description: 'Direction of the sort' }),
  });

const pageMeta = z
  .object({
    page: z.number().int().meta({ example: 1 }),
    limit: z.number().int().meta({ example: 20 }),
    total: z.number().int().meta({ description: 'Items on all pages', example: 1 }),
    totalPages: z.number().int().meta({ example: 1 }),
  })
  .meta({ id: 'PageMeta', description: 'Where this page lies in the whole list' });

const cursorMeta = pageMeta
  .partial()
  .required({ limit: true })
  .extend({
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: 'Pass it as `cursor` for what follows; null at the end', example: null }),
  })
  .meta({ id: 'CursorMeta', description: 'Where this page lies; without the totals when it was read from a cursor' });

/** A place in a list that is sorted by time, newest first. */
export type Cursor = { createdAt: string; id: string };

const cursorText = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)~(c[a-z0-9]{24})$/;

/** `Date` takes 30 February for 2 March; the database does not take it at all. */
function isRealMoment(text: string): boolean {
  const milliseconds = Date.parse(text);
  return milliseconds > 0 && new Date(milliseconds).toISOString().startsWith(text.slice(0, 19));
}

export const cursor = z
  .string()
  .max(120)
  .transform((encoded, check): Cursor => {
    const [, createdAt, id] = cursorText.exec(Buffer.from(encoded, 'base64url').toString()) ?? [];
    if (createdAt && id && isRealMoment(createdAt)) return { createdAt, id };
    check.addIssue({ code: 'custom', message: 'must be the nextCursor of an earlier answer' });
    return z.NEVER;
  })
  .pipe(z.object({ createdAt: z.string(), id: z.string() }))
  .meta({
    description: 'nextCursor of the page before; stands in for `page`',
    example: 'MjAyNi0wOC0xMVQwNjozMDowMC4xMjM0NTZafmNtM2s4djF4NDAwMDBxcDJoOWQ3ZjVhNmI',
  });

export const encodeCursor = ({ createdAt, id }: Cursor): string =>
  Buffer.from(`${createdAt}~${id}`).toString('base64url');

const pages = new WeakSet<z.ZodType>();

/** The answer of a list: `items` go out as `data`, beside `meta`. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  const schema = z.object({ items: z.array(item), meta: pageMeta });
  pages.add(schema);
  return schema;
}

/** The answer of a list that is read on from a cursor. */
export function cursorPageOf<Item extends z.ZodType>(item: Item) {
  const schema = z.object({ items: z.array(item), meta: cursorMeta });
  pages.add(schema);
  return schema;
}

type PageShape = { shape: { items: z.ZodType; meta: z.ZodType } };
/** Items and meta of a schema that `pageOf` or `cursorPageOf` made. */
export const pageShape = (schema: z.ZodType): PageShape['shape'] | undefined =>
  pages.has(schema) ? (schema as unknown as PageShape).shape : undefined;

type PageInput = { page: number; limit: number };

/**
 * One page and the number of all items, in one round trip.
 * @param rows selects the items, sorted by something unique at the end; limit and offset are added here
 * @param count selects one column `total`
 * @param parent selects a row without which the list does not exist
 * @throws AppError not_found without that row
 */
export async function page<Row>(
  ctx: Pick<ReadContext, 'sql'>,
  input: PageInput,
  { rows, count, parent }: { rows: Sql; count: Sql; parent?: { of: Sql; what: string } },
) {
  const window = sql`${rows} limit ${input.limit} offset ${(input.page - 1) * input.limit}`;
  const [items, [counted], parents] = await ctx.sql.batch<[Row[], { total: number }[], unknown[]]>(
    window,
    count,
    ...((parent ? [parent.of] : []) as [Sql]),
  );
  if (parent) orNotFound(parents[0], parent.what);
  const total = counted?.total ?? 0;
  return { items, meta: { page: input.page, limit: input.limit, total, totalPages: Math.ceil(total / input.limit) } };
}
