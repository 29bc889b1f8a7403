import pg from 'pg';
import { closeDatabase } from '../backend/src/config/database.ts';
import { closeRedis } from '../backend/src/config/redis.ts';
import { readContext } from '../backend/src/services/context.service.ts';
import { getDashboard } from '../backend/src/services/revenue-dashboard.service.ts';
import type { PlanSummary } from './revenue.ts';

// Computes the dashboard in this process, and has PostgreSQL tell how it answers each statement that was sent for it.

type Statement = { text: string; values: unknown[] };
type Node = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Shared Hit Blocks'?: number;
  'Shared Read Blocks'?: number;
  Plans?: Node[];
};

/** What the dashboard sends, apart from what takes the scope. */
async function statementsOf(work: () => Promise<unknown>): Promise<Statement[]> {
  const sent: Statement[] = [];
  const original = pg.Client.prototype.query;
  pg.Client.prototype.query = function spied(this: pg.Client, ...args: unknown[]) {
    sent.push(...((args[0] as { statements?: Statement[] }).statements ?? []));
    return Reflect.apply(original, this, args) as never;
  };
  try {
    await work();
  } finally {
    pg.Client.prototype.query = original;
  }
  return sent.filter(({ text }) => !text.includes('set_config'));
}

const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

async function summaryOf(client: pg.Client, { text, values }: Statement): Promise<PlanSummary> {
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Node; 'Execution Time': number }] }>(
    `explain (analyze, buffers, format json) ${text}`,
    values,
  );
  const plan = rows[0]?.['QUERY PLAN'][0];
  if (!plan) throw new Error('PostgreSQL told no plan');
  const { Plan: top } = plan;
  return {
    statement: text.replaceAll(/\s+/g, ' ').trim().slice(0, 90),
    milliseconds: plan['Execution Time'],
    pages: (top['Shared Hit Blocks'] ?? 0) + (top['Shared Read Blocks'] ?? 0),
    reads: nodesOf(top)
      .filter((node) => node['Relation Name'] ?? node['Index Name'])
      .map((node) => {
        const of = node['Index Name'] ?? node['Relation Name'] ?? '';
        const read = Math.round(node['Actual Rows'] * node['Actual Loops']);
        return `${node['Node Type']} ${of}: ${read.toLocaleString('en')} rows`;
      }),
  };
}

async function main(): Promise<void> {
  const base = {
    scope: { role: 'portal' as const },
    tenantId: null,
    actor: null,
    requestId: 'bench-request',
    now: new Date(),
    client: { ip: '127.0.0.1', userAgent: null },
    cookies: { get: () => undefined, set: () => {}, clear: () => {} },
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  };
  const compute = () => getDashboard(readContext(base), { refresh: true });
  await compute();
  const statements = await statementsOf(compute);
  const client = new pg.Client(process.env.DATABASE_URL);
  await client.connect();
  await client.query(`begin read only; set local role studyspot_portal`);
  const plans: PlanSummary[] = [];
  for (const statement of statements) plans.push(await summaryOf(client, statement));
  await client.end();
  process.send?.(plans);
  await Promise.allSettled([closeDatabase(), closeRedis()]);
  process.disconnect?.();
}

await main();
