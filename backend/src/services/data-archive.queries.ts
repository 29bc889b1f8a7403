import { empty, join, raw, sql, type Sql } from '../utils/sql.ts';

const column = (name: string): Sql => raw(`t."${name}"`);

/**
 * Some rows of a table, each as the JSON text of the columns that are handed out, with the values of its key.
 * @param after the key of the row before; null for the first
 */
export const archivedRows = (
  table: string,
  { columns, key }: { columns: readonly string[]; key: readonly string[] },
  { which, after, most }: { which: Sql; after: readonly string[] | null; most: number },
): Sql => sql`
  select (select to_jsonb(c) from (select ${join(columns.map(column))}) c)::text as line,
         array[${join(key.map((name) => sql`${column(name)}::text`))}] as key
    from ${raw(table)} t
   where ${which}
     ${after ? sql`and (${join(key.map(column))}) > (${join([...after])})` : empty}
   order by ${join(key.map(column))} limit ${most}`;
