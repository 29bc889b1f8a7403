import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { demoAccounts, demoPassword } from '../../backend/prisma/seed/accounts.ts';
import { startApi, type ApiProcess } from '../api-process.ts';
import { ensureBuilt, loadSeed } from '../backend-modules.ts';
import type { DatabaseAccess } from '../database-access.ts';
import { inspectDemoData } from '../demo-data.ts';
import { UsageError } from '../errors.ts';
import { claimInstance, releaseInstance, writeInstance } from '../instance.ts';
import { Interrupted, watchInterruption, type Interruption } from '../interruption.ts';
import { migrateStep } from '../migrate-step.ts';
import { describePortOwner, isPortFree } from '../ports.ts';
import { loadSecrets, type Secrets } from '../secrets.ts';
import { startServices, type Services } from '../services.ts';
import { readSettings, type Settings } from '../settings.ts';
import { formatDuration, print, printProgress, step } from '../terminal.ts';

/** What has been started so far and is to be stopped in the end. */
interface Started {
  services?: Services;
  api?: ApiProcess;
}

/** Starts everything and keeps it running until it is interrupted. */
export async function up(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { verbose: { type: 'boolean', default: false } } });
  const settings = readSettings();
  const interruption = watchInterruption();
  const other = await interruption.orElse(() => claimInstance(settings.dataDir));
  if (other) {
    print(`StudySpot is running already: ${other.url} (process ${other.pid})`);
    return 0;
  }
  const started: Started = {};
  try {
    const api = await start(settings, values.verbose, started, interruption);
    throw new Error(await interruption.orElse(() => api.ended));
  } catch (error) {
    if (error instanceof Interrupted) return 0;
    throw error;
  } finally {
    await stop(settings.dataDir, started, interruption);
  }
}

async function start(
  settings: Settings,
  verbose: boolean,
  started: Started,
  { orElse }: Interruption,
): Promise<ApiProcess> {
  const startTime = performance.now();
  await requireFreePort(settings);
  print('Starting StudySpot');
  const services = await startServicesAndBuild(settings, started);
  const access = await orElse(() => migrateStep(settings, services));
  const hasAccounts = await orElse(() => ensureDemoData(access));
  const env = apiEnvironment(settings, services, await loadSecrets(settings.dataDir), access);
  return orElse(async () => {
    const api = startApi({ env, logFile: apiLog(settings), verbose });
    started.api = api;
    writeInstance(settings.dataDir, { api: api.identity });
    const url = browsable(await step('API', () => api.ready));
    writeInstance(settings.dataDir, { api: api.identity, url });
    printWelcome(settings, url, hasAccounts, performance.now() - startTime);
    return api;
  });
}

async function requireFreePort({ host, port }: Settings): Promise<void> {
  const free = await isPortFree(port, host).catch((error: NodeJS.ErrnoException) => {
    const advice = error.code === 'EACCES' ? 'Choose a PORT above 1023.' : 'Choose another HOST, such as 127.0.0.1.';
    throw new UsageError(`Cannot listen on ${host}:${port} (${error.code}). ${advice}`);
  });
  if (free) return;
  const owner = describePortOwner(port);
  throw new UsageError(`Port ${port} is in use by ${owner}. Stop it, or choose another port: PORT=4001 ./studyspot up`);
}

/** Waits for both whatever happens: a server that is half started could not be stopped. */
async function startServicesAndBuild(settings: Settings, started: Started): Promise<Services> {
  const [services, built] = await Promise.allSettled([
    startServices(settings, { redis: true }),
    step('Build', ensureBuilt, (done) => (done ? 'Built the backend' : 'The backend is built')),
  ]);
  if (services.status === 'rejected') throw services.reason;
  started.services = services.value;
  if (built.status === 'rejected') throw built.reason;
  return services.value;
}

/** Fills an empty database, except in production; tells whether it holds the demo accounts. */
async function ensureDemoData({ ownerUrl }: DatabaseAccess): Promise<boolean> {
  if (!ownerUrl) return false;
  const { empty, accounts } = await inspectDemoData(ownerUrl);
  if (!empty || process.env.NODE_ENV === 'production') return accounts;
  await step('Demo data', async () => {
    const { seed } = await loadSeed();
    await seed(ownerUrl, { onProgress: printProgress });
  });
  return true;
}

/** The API gets no way in as the owner of the database. */
function apiEnvironment(
  settings: Settings,
  services: Services,
  secrets: Secrets,
  access: DatabaseAccess,
): NodeJS.ProcessEnv {
  const { DATABASE_OWNER_URL: _owner, ...inherited } = process.env;
  mkdirSync(outbox(settings), { recursive: true, mode: 0o700 });
  return {
    ...inherited,
    ROLE: 'all',
    HOST: settings.host,
    PORT: String(settings.port),
    DATA_DIR: settings.dataDir,
    DATABASE_URL: access.appUrl,
    REDIS_URL: services.redisUrl,
    JWT_SECRET: process.env.JWT_SECRET || secrets.jwtSecret,
    REFRESH_TOKEN_SECRET: process.env.REFRESH_TOKEN_SECRET || secrets.refreshTokenSecret,
    ENCRYPTION_KEY: process.env.ENCRYPTION_KEY || secrets.encryptionKey,
  };
}

/** Addresses that stand for all of the machine's are none that a browser can open. */
function browsable(url: string): string {
  return url.replace(/\/\/(0\.0\.0\.0|::)(?=:\d)/, '//localhost');
}

function apiLog({ dataDir }: Settings): string {
  return path.join(dataDir, 'logs', 'api.log');
}

function outbox({ dataDir }: Settings): string {
  return path.join(dataDir, 'outbox');
}

function printWelcome(settings: Settings, url: string, hasAccounts: boolean, milliseconds: number): void {
  print(`Ready in ${formatDuration(milliseconds)}\n`);
  print(`  API    ${url}`);
  print(`  Docs   ${url}/api/docs`);
  print(`  Mails  ${outbox(settings)}`);
  print(`  Log    ${apiLog(settings)}`);
  if (hasAccounts) {
    print(`\n  Demo accounts, all with the password ${demoPassword}`);
    const width = Math.max(...demoAccounts.map(({ email }) => email.length));
    for (const { email, label } of demoAccounts) print(`  ${email.padEnd(width)}  ${label}`);
  }
  print('\nCtrl-C stops everything.');
}

async function stop(dataDir: string, { services, api }: Started, { onImpatience }: Interruption): Promise<void> {
  onImpatience(() => api?.kill());
  // Without its address, so that the next one waits for the end of this one.
  writeInstance(dataDir, { api: api?.identity });
  try {
    if (services) print('\nStopping StudySpot');
    if (api)
      await step(
        'API',
        () => api.stop(),
        () => 'The API has stopped',
      );
    await services?.stop('all');
    if (services) print('  Everything has stopped');
  } finally {
    releaseInstance(dataDir);
  }
}
