import type { Answer } from './client.ts';

/** `?status=ACTIVE&limit=5` of what is there; nothing is an empty text. */
export function queryString(query: Record<string, string | number | undefined>): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return given.length > 0 ? `?${new URLSearchParams(given).toString()}` : '';
}

/** The statuses of several answers, the lowest first: who of them was first is chance. */
export const statusesOf = (answers: Answer[]): number[] =>
  answers.map(({ status }) => status).toSorted((left, right) => left - right);
