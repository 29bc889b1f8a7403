import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { compare, printComparison, type Load, type Paths } from './compare.ts';
import { openBenchDatabase, type BenchDatabase } from './database.ts';
import { loadProgram } from './load.ts';
import { compareCreation, peopleCases } from './people.ts';
import { measureDashboard, printDashboard, revenueCases, type PlanSummary } from './revenue.ts';
import { measureSearches, printSearches } from './searches.ts';
import { residentMegabytes, runScript, sessionOf, signIn, startApi, startBare, stopServers } from './servers.ts';
import { printStages, type StageCost } from './stage-table.ts';
import { measureTiming, printTiming } from './timing.ts';

const parts = ['load', 'people', 'revenue', 'search', 'stages', 'timing'] as const;
type Part = (typeof parts)[number];

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '16' },
    samples: { type: 'string', default: '200' },
    only: { type: 'string', default: parts.join(',') },
  },
});
const load: Load = {
  seconds: Number(options.seconds),
  rounds: Number(options.rounds),
  connections: Number(options.connections),
};
const chosen = new Set(options.only.split(','));
const isChosen = (part: Part): boolean => chosen.has(part);

/** Nothing is limited, and a caller may say where it comes from: the limits are not what is measured. */
const apiEnvironment = ({ environment }: BenchDatabase) => ({
  ...environment,
  NODE_ENV: 'development',
  ROLE: 'api',
  HOST: '127.0.0.1',
  TRUST_PROXY: 'loopback',
  RATE_LIMIT_USER_PER_MINUTE: '10000000',
  RATE_LIMIT_IP_PER_MINUTE: '10000000',
});

async function compareLoads(database: BenchDatabase, environment: Record<string, string>): Promise<void> {
  const api = await startApi(environment);
  const bare = await startBare(environment);
  await sleep(500);
  const token = await signIn(database.account);
  const session = sessionOf(token);
  console.log(
    `${loadProgram}, ${load.connections} connections, ${load.seconds} s a run, ${database.users} users in ${database.tenants} tenants, ${database.invoices} invoices`,
  );
  const same = (path: string): Paths => ({ api: path, bare: path });
  const cases: Record<string, Paths> = {
    'GET /api/tenants/:id': same(`/api/tenants/${database.tenantId}`),
    'GET /api/tenants/:id/users?limit=20': same(`/api/tenants/${database.tenantId}/users?limit=20`),
    'GET /api/auth/me': { api: '/api/auth/me', bare: `/bare/me?${session}` },
    'GET /api/settings/definitions (a permission check and no query of its own)': {
      api: '/api/settings/definitions',
      bare: `/bare/permission?${session}`,
    },
  };
  const chosenCases = {
    ...(isChosen('load') && cases),
    ...(isChosen('people') && (await peopleCases(database))),
    ...(isChosen('revenue') && revenueCases(database)),
  };
  for (const [name, paths] of Object.entries(chosenCases)) {
    const row = await compare(paths, token, load);
    printComparison(name, row, { api: residentMegabytes(api), bare: residentMegabytes(bare) });
  }
  if (isChosen('people')) await compareCreation(token, database, load);
  if (isChosen('revenue')) {
    const plans = await runScript<PlanSummary[]>('bench/dashboard-plans.ts', environment);
    printDashboard(await measureDashboard(token), plans);
  }
}

async function main(): Promise<void> {
  const database = await openBenchDatabase();
  const environment = apiEnvironment(database);
  try {
    if (isChosen('load') || isChosen('people') || isChosen('revenue')) await compareLoads(database, environment);
    stopServers();
    if (isChosen('search')) {
      await sleep(1_000);
      await startApi(environment);
      const token = await signIn(database.account);
      printSearches(await measureSearches(database.tenantId, token, load));
      stopServers();
    }
    if (isChosen('stages')) {
      const { email, password } = database.account;
      const account = { BENCH_EMAIL: email, BENCH_PASSWORD: password, BENCH_TENANT: database.tenantId };
      printStages(await runScript<StageCost[]>('bench/stages.ts', { ...environment, ...account }));
    }
    if (isChosen('timing')) {
      await sleep(1_000);
      await startApi(environment);
      printTiming(await measureTiming(database, Number(options.samples)));
    }
  } finally {
    stopServers();
    await database.close();
  }
}

await main();
