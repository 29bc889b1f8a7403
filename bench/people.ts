import autocannon from 'autocannon';
import pg from 'pg';
import type { Load, Paths } from './compare.ts';
import type { BenchDatabase } from './database.ts';
import { ports } from './servers.ts';
import { median } from './statistics.ts';

// People of libraries: the lists and one of them read, and added.

/** What a portal admin reads of the people of one tenant of 10,000. */
export async function peopleCases({ ownerUrl, tenantId }: BenchDatabase): Promise<Record<string, Paths>> {
  const { studentId, name } = await someStudent(ownerUrl, tenantId);
  const list = `/api/platform-users?tenantId=${tenantId}&limit=20`;
  const search = `${list}&q=${encodeURIComponent(name)}`;
  const one = `/api/platform-users/${studentId}`;
  const students = `/api/platform-users/students?tenantId=${tenantId}&limit=20`;
  return Object.fromEntries(
    [
      ['GET /api/platform-users?limit=20 (of 10,000)', list],
      [`GET /api/platform-users?q=${name}`, search],
      ['GET /api/platform-users/students?limit=20', students],
      ['GET /api/platform-users/:id', one],
    ].map(([title = '', path = '']) => [title, { api: path, bare: path }]),
  );
}

/** Within the portal's scope: row security binds the owner of the tables as well. */
async function query<Row extends pg.QueryResultRow>(url: string, text: string, values: unknown[]): Promise<Row[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query('set role studyspot_portal');
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

async function someStudent(url: string, tenantId: string): Promise<{ studentId: string; name: string }> {
  const [student] = await query<{ studentId: string; name: string }>(
    url,
    `select id as "studentId", name from users
      where tenant_id = $1 and kind = 'STUDENT' and email not like $2 order by id limit 1`,
    [tenantId, `%${ADDED}`],
  );
  if (!student) throw new Error('The large seed has no student in the tenant of the benchmark');
  return student;
}

/** Where those have their addresses who are added; they are removed again. */
const ADDED = '@added.bench.example';

let serial = Date.now();

/**
 * Adds people as fast as they are taken, to each side in turn. The bare handler does the SQL of adding and answering;
 * not the outbox, nor the audit trail, whose rows wait for each other within a tenant.
 */
export async function compareCreation(token: string, { ownerUrl, tenantId }: BenchDatabase, load: Load): Promise<void> {
  const rates: Record<'bare' | 'api', number[]> = { bare: [], api: [] };
  for (let round = 0; round < load.rounds; round += 1) {
    for (const side of ['bare', 'api'] as const) rates[side].push(await create(side, token, tenantId, load));
  }
  await query(ownerUrl, 'delete from users where tenant_id = $1 and email like $2', [tenantId, `%${ADDED}`]);
  const ratio = median(rates.api.map((rate, round) => rate / (rates.bare[round] ?? 1)));
  console.log('\nPOST /api/platform-users');
  for (const side of ['bare', 'api'] as const)
    console.log(`  ${side.padEnd(5)}${median(rates[side]).toFixed(0).padStart(10)} req/s`);
  console.log(`  ratio api / bare: ${ratio.toFixed(2)} (median of ${load.rounds} rounds)`);
}

async function create(side: 'bare' | 'api', token: string, tenantId: string, load: Load): Promise<number> {
  const setupRequest = (request: autocannon.Request): autocannon.Request => {
    const number = (serial += 1);
    const body = { tenantId, kind: 'STUDENT', name: `Student ${number}`, email: `student-${number}${ADDED}` };
    return { ...request, body: JSON.stringify(body) };
  };
  const result = await autocannon({
    url: `http://127.0.0.1:${ports[side]}/api/platform-users`,
    connections: load.connections,
    duration: load.seconds,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    requests: [{ method: 'POST', path: '/api/platform-users', setupRequest }],
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${side} refused people: ${result.non2xx}, ${result.errors}`);
  return result.requests.average;
}
