import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import pg from 'pg';
import type { Sql } from 'sql-template-tag';
import { profileOf } from '../backend/src/services/auth.queries.ts';
import { principalOfSession } from '../backend/src/services/principal.queries.ts';
import { standingQueries } from '../backend/src/services/standing.service.ts';
import { tenantById, tenantExists, tenantUserRows } from '../backend/src/services/tenants.queries.ts';
import { sql } from '../backend/src/utils/sql.ts';
import { addPerson, peopleQueries } from './bare-people.ts';
import { invoiceQueries } from './bare-revenue.ts';

// The yardstick: node:http and node-postgres doing the same SQL in the same row-security transaction, and nothing
// else. No limits, no validation, no log; no sign-in either, but for the paths of `/bare`, which are about it: they look
// up who the session in the address belongs to, and take it at its word.

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });

type Query = { name: string; query: Sql };
type Run = (query: Query) => Promise<unknown[]>;

async function transaction<Result>(
  role: 'portal' | 'auth',
  mode: 'READ ONLY' | 'READ WRITE',
  work: (run: Run) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  try {
    await client.query(`BEGIN ${mode}`);
    await client.query({
      name: 'scope',
      text: `select set_config('role', $1, true), set_config('app.tenant_id', $2, true)`,
      values: [`studyspot_${role}`, ''],
    });
    const result = await work(
      async ({ name, query }) => (await client.query({ name, text: query.text, values: query.values })).rows,
    );
    await client.query('COMMIT');
    return result;
  } finally {
    client.release();
  }
}

const inScope = (role: 'portal' | 'auth', queries: Query[]): Promise<unknown[][]> =>
  transaction(role, 'READ ONLY', async (run) => {
    const results: unknown[][] = [];
    for (const query of queries) results.push(await run(query));
    return results;
  });

/** `/bare/me?SESSION`: who it is and their profile. `/bare/permission?SESSION`: who it is, and whether they may. */
async function answerToSession(url: string): Promise<unknown> {
  const [path, session = ''] = url.split('?');
  const [[principal]] = (await inScope('auth', [
    { name: 'principal', query: principalOfSession(session, '127.0.0.1') },
  ])) as [{ id: string; live: boolean }[]];
  if (!principal?.live) throw new Error('There is no such session');
  if (path !== '/bare/me') return { allowed: true };
  const rest = standingQueries(principal.id).map((query, index) => ({ name: `standing${index}`, query }));
  const results = await inScope('portal', [{ name: 'profile', query: profileOf(principal.id) }, ...rest]);
  return { ...principal, profile: results[0]?.[0], standing: results.slice(1) };
}

async function answerList(queries: Query[]): Promise<unknown> {
  const [rows, counted] = (await inScope('portal', queries)) as [unknown[], [{ total: number }]?];
  return counted ? { items: rows, total: counted[0].total } : rows[0];
}

async function addedPerson(request: IncomingMessage): Promise<unknown> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return transaction('portal', 'READ WRITE', (run) => addPerson(run, JSON.parse(body)));
}

async function answer(request: IncomingMessage): Promise<unknown> {
  const url = request.url ?? '/';
  if (request.method === 'POST') return addedPerson(request);
  if (url.startsWith('/bare/')) return answerToSession(url);
  if (url.startsWith('/api/platform-users')) return answerList(peopleQueries(url));
  if (url.startsWith('/api/revenue/invoices')) return answerList(invoiceQueries(url));
  const [, id = '', list] = /^\/api\/tenants\/(c[a-z0-9]{24})(\/users)?/.exec(url) ?? [];
  if (!list) return (await inScope('portal', [{ name: 'tenant', query: tenantById(id) }]))[0]?.[0];
  const { rows, count } = tenantUserRows(id, { page: 1, limit: 20, sort: 'createdAt', order: 'desc' });
  const [items, [total]] = (await inScope('portal', [
    { name: 'users', query: sql`${rows} limit ${20} offset ${0}` },
    { name: 'count', query: count },
    { name: 'exists', query: tenantExists(id) },
  ])) as [unknown[], [{ total: number }]];
  return { items, total: total.total };
}

const send = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
};

const server = createServer((request, response) => {
  answer(request).then(
    (data) => send(response, 200, { success: true, data }),
    (error: unknown) => send(response, 500, { success: false, error: String(error) }),
  );
});
server.listen(Number(process.env.PORT), '127.0.0.1', () => process.send?.({ ready: true }));
