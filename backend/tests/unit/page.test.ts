import fc from 'fast-check';
import type { Sql } from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Reader } from '../../src/types/context.ts';
import { newId } from '../../src/utils/ids.ts';
import { cursor, cursorPageOf, encodeCursor, page, pageOf, pageQuery, pageShape } from '../../src/utils/page.ts';
import { sql } from '../../src/utils/sql.ts';

const query = pageQuery(['createdAt', 'name']);

describe('The query of a list', () => {
  it('begins with the first twenty, newest first', () => {
    expect(query.parse({})).toEqual({ page: 1, limit: 20, sort: 'createdAt', order: 'desc' });
  });

  it('reads what comes as text', () => {
    expect(query.parse({ page: '3', limit: '100', sort: 'name', order: 'asc' })).toEqual({
      page: 3,
      limit: 100,
      sort: 'name',
      order: 'asc',
    });
  });

  it.each([
    { page: '0' },
    { page: '-1' },
    { page: '10001' },
    { page: '1.5' },
    { page: 'two' },
    { page: '' },
    { page: ['1', '2'] },
    { limit: '0' },
    { limit: '101' },
    { limit: '10000' },
    { limit: 'all' },
    { sort: 'password' },
    { sort: 'createdAt; drop table users' },
    { order: 'up' },
    { offset: '5' },
  ])('refuses %j and names the field', (given) => {
    const [field] = Object.keys(given);
    const issue = query.safeParse(given).error?.issues[0];
    expect(issue?.code === 'unrecognized_keys' ? issue.keys : issue?.path).toEqual([field]);
  });
});

/** A database of numbered rows, behind the reader that services have. */
const readerOf = (rows: number[], parentThere = true): { sql: Reader; asked: Sql[] } => {
  const asked: Sql[] = [];
  const batch = (...queries: Sql[]) => {
    asked.push(...queries);
    const [limit, offset] = (queries[0] as Sql).values.slice(-2) as [number, number];
    return Promise.resolve([rows.slice(offset, offset + limit), [{ total: rows.length }], parentThere ? [{}] : []]);
  };
  return { sql: { batch } as unknown as Reader, asked };
};
const numbers = { rows: sql`select n from numbers order by n`, count: sql`select count(*)::int as total from numbers` };

describe('A page', () => {
  it('says where it lies', async () => {
    const reader = readerOf(Array.from({ length: 41 }, (_, index) => index));
    expect(await page(reader, { page: 3, limit: 20 }, numbers)).toEqual({
      items: [40],
      meta: { page: 3, limit: 20, total: 41, totalPages: 3 },
    });
    expect(await page(reader, { page: 4, limit: 20 }, numbers)).toEqual({
      items: [],
      meta: { page: 4, limit: 20, total: 41, totalPages: 3 },
    });
  });

  it('of nothing is empty, not an error', async () => {
    expect(await page(readerOf([]), { page: 1, limit: 20 }, numbers)).toEqual({
      items: [],
      meta: { page: 1, limit: 20, total: 0, totalPages: 0 },
    });
  });

  it('asks for rows and number in one round trip, as values and not as text', async () => {
    const reader = readerOf([1, 2, 3]);
    await page(reader, { page: 2, limit: 2 }, numbers);
    expect(reader.asked).toHaveLength(2);
    expect(reader.asked[0]?.text).toBe('select n from numbers order by n limit $1 offset $2');
    expect(reader.asked[0]?.values).toEqual([2, 2]);
  });

  it('of a parent that is not there is a 404', async () => {
    const parent = { of: sql`select 1 from parents`, what: 'parent' };
    await expect(page(readerOf([1], false), { page: 1, limit: 20 }, { ...numbers, parent })).rejects.toMatchObject({
      code: 'not_found',
      message: 'There is no such parent.',
    });
    expect((await page(readerOf([1]), { page: 1, limit: 20 }, { ...numbers, parent })).items).toEqual([1]);
  });

  it('and the others are the whole list together, without gap or duplicate', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer(), { maxLength: 60 }),
        fc.integer({ min: 1, max: 100 }),
        async (all, limit) => {
          const reader = readerOf(all);
          const first = await page<number>(reader, { page: 1, limit }, numbers);
          const collected = [...first.items];
          for (let next = 2; next <= first.meta.totalPages; next += 1) {
            const { items } = await page<number>(reader, { page: next, limit }, numbers);
            expect(items.length).toBeGreaterThan(0);
            collected.push(...items);
          }
          expect(collected).toEqual(all);
        },
      ),
    );
  });
});

describe('A cursor', () => {
  it('comes back as it was given out', () => {
    const latest = Date.parse('2999-12-31T23:59:59Z');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: latest }), fc.integer({ min: 0, max: 999 }), (milliseconds, micros) => {
        const createdAt = new Date(milliseconds).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
        const place = { createdAt, id: newId() };
        expect(cursor.parse(encodeCursor(place))).toEqual(place);
      }),
    );
  });

  const id = newId();
  it.each([
    '',
    'nonsense',
    '%00',
    encodeCursor({ createdAt: '2026-08-11T06:30:00.123Z', id }),
    encodeCursor({ createdAt: '2026-13-11T06:30:00.123456Z', id }),
    encodeCursor({ createdAt: '2026-02-30T06:30:00.123456Z', id }),
    encodeCursor({ createdAt: '2026-08-11T24:00:00.000000Z', id }),
    encodeCursor({ createdAt: '2026-08-11T06:60:00.000000Z', id }),
    encodeCursor({ createdAt: '0000-01-01T00:00:00.000000Z', id }),
    encodeCursor({ createdAt: '2026-08-11T06:30:00.123456Z', id: "x' or 1=1" }),
    `${encodeCursor({ createdAt: '2026-08-11T06:30:00.123456Z', id })}AAAA`,
  ])('%j is refused', (text) => {
    expect(cursor.safeParse(text).error?.issues).toMatchObject([
      { message: 'must be the nextCursor of an earlier answer' },
    ]);
  });
});

describe('The answer of a list', () => {
  const item = z.object({ n: z.number() });

  it('is known by how it was made, not by how it looks', () => {
    expect(pageShape(pageOf(item))?.items).toBeDefined();
    expect(pageShape(cursorPageOf(item))?.meta).toBeDefined();
    expect(pageShape(z.object({ items: z.array(item), meta: z.object({}) }))).toBeUndefined();
  });

  it('from a cursor has no totals', () => {
    const schema = cursorPageOf(item);
    expect(schema.parse({ items: [], meta: { limit: 5, nextCursor: null } }).meta).toEqual({
      limit: 5,
      nextCursor: null,
    });
    expect(schema.safeParse({ items: [], meta: { limit: 5 } }).success).toBe(false);
    expect(pageOf(item).safeParse({ items: [], meta: { limit: 5, nextCursor: null } }).success).toBe(false);
  });
});
