import pg from 'pg';
import { expect, vi } from 'vitest';
import type { TestApp } from './server.ts';

// The statements that requests really send, and how PostgreSQL would run them in the scope of the request.

export type Statement = { text: string; values: unknown[] };
export type Batch = Statement[];
export type Plan = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  'Parent Relationship'?: string;
  'Sort Key'?: string[];
  'Actual Loops'?: number;
  Plans?: Plan[];
};

/** What the API sends to the database while it answers, message by message. */
export async function messagesOf(app: TestApp, path: string, token: string): Promise<Batch[]> {
  const query = vi.spyOn(pg.Client.prototype, 'query');
  const answer = await app.call('GET', path, { token });
  const sent = query.mock.calls.map(([first]) => (first as unknown as { statements?: Batch }).statements);
  query.mockRestore();
  expect(answer.status, answer.text).toBe(200);
  expect(sent.every(Boolean), 'reads travel together').toBe(true);
  return sent as Batch[];
}

/** The same, scope by scope: who is calling, and what they read, may travel in one message. */
export async function scopesOf(app: TestApp, path: string, token: string): Promise<Batch[]> {
  const scopes: Batch[] = [];
  for (const statement of (await messagesOf(app, path, token)).flat()) {
    if (statement.text.includes(`set_config('role'`)) scopes.push([]);
    scopes.at(-1)?.push(statement);
  }
  return scopes;
}

/** Every node of the plan of a statement, in the scope that another one takes; reading whole tables is made expensive. */
export async function planOf(database: pg.Client, scope: Statement, statement: Statement, how = ''): Promise<Plan[]> {
  await database.query('begin');
  try {
    await database.query('set local enable_seqscan = off');
    await database.query(scope.text, scope.values);
    const { rows } = await database.query(`explain (format json${how}) ${statement.text}`, statement.values);
    const nodes: Plan[] = [rows[0]['QUERY PLAN'][0].Plan];
    for (const node of nodes) nodes.push(...(node.Plans ?? []));
    return nodes;
  } finally {
    await database.query('rollback');
  }
}
