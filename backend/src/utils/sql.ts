import sql, { empty, join, raw, type Sql } from 'sql-template-tag';

export { empty, join, raw, sql };
export type { Sql };

/** `where a and b and …` of the conditions that are there. */
export function where(...conditions: (Sql | false | null | undefined | '')[]): Sql {
  const present = conditions.filter((condition): condition is Sql => Boolean(condition));
  return present.length > 0 ? sql`where ${join(present, ' and ')}` : empty;
}

/**
 * `order by` of a column and direction, then by id so that equal values keep their order from page to page.
 * @param columns which SQL stands for which name of the API; nothing else gets into the statement
 */
export function orderBy<Name extends string>(
  columns: Record<Name, string>,
  sort: Name,
  order: 'asc' | 'desc',
  id: string,
): Sql {
  return raw(`order by ${columns[sort]} ${order}, ${id} ${order}`);
}

/** A LIKE pattern for text that contains `part`, whose own wildcards stand for themselves. */
export const containing = (part: string): string => `%${part.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
