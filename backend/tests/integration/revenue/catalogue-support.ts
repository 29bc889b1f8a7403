import { expect } from 'vitest';
import { queryString } from '../../support/calls.ts';
import type { FinanceApp } from '../../support/finance.ts';

/**
 * What finance does with plans, coupons or add-ons, over HTTP.
 * @param bodyOf a whole request to create one, with what a test says otherwise
 */
export function catalogueOf(
  app: () => FinanceApp,
  kind: 'plans' | 'coupons' | 'add-ons',
  bodyOf: (changes?: object) => object,
) {
  const path = `/api/revenue/${kind}`;
  const create = (changes?: object, headers = {}) =>
    app().call('POST', path, { token: app().finance, body: bodyOf(changes), headers });
  const made = async (changes?: object) => {
    const answer = await create(changes);
    expect(answer.status, answer.text).toBe(201);
    return answer.body.data;
  };
  const update = (id: string, body: object, version?: number) =>
    app().call('PUT', `${path}/${id}`, {
      token: app().finance,
      body,
      ...(version && { headers: { 'if-match': `"${version}"` } }),
    });
  /** What somebody sees of them, on one page. */
  const listed = async <Row>(who: string, query: Record<string, string | number> = {}): Promise<Row[]> => {
    const answer = await app().call('GET', `${path}${queryString({ limit: 100, ...query })}`, { token: who });
    expect(answer.status, answer.text).toBe(200);
    return answer.body.data;
  };
  return { create, made, update, listed };
}
