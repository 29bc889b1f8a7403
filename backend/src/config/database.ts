import type { Socket } from 'node:net';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient, type Prisma } from '../generated/prisma/client.ts';
import { environment } from './environment.ts';
import { logger } from './logger.ts';

/** The database within one transaction and scope: what handlers and services write through. */
export type Transaction = Prisma.TransactionClient;

let openPool: pg.Pool | undefined;
let openClient: PrismaClient | undefined;

/**
 * The connections of this process, shared by Prisma and by the SQL reader. Every wait is bounded, so that a database
 * that hangs is an error, not a hang.
 */
export function unsafePool(): pg.Pool {
  if (openPool) return openPool;
  openPool = new pg.Pool({
    connectionString: environment().DATABASE_URL,
    max: environment().DATABASE_POOL_SIZE,
    application_name: `studyspot-${environment().ROLE}`,
    connectionTimeoutMillis: 3_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
  });
  openPool.on('connect', watchConnection);
  openPool.on('error', (error) => logger.warn('An idle database connection was lost', { error }));
  return openPool;
}

/** Longer than the 10 s that the database gives a statement. */
const SILENCE_MS = 12_000;

/**
 * A connection that is silent while somebody waits for its answer is cut: it fails them at once, and nobody uses it
 * again. The driver's `query_timeout` would leave it in the pool, and what is queued on it to wait as long once more.
 */
function watchConnection(client: pg.PoolClient): void {
  // Whoever uses it learns of the loss by their query; without a listener the event would end the process.
  client.on('error', (error) => logger.debug('A database connection was lost', { error }));
  const watched = client as unknown as { connection: { stream: Socket }; readyForQuery: boolean };
  const { stream } = watched.connection;
  stream.setTimeout(SILENCE_MS);
  stream.on('timeout', () => {
    if (!watched.readyForQuery)
      stream.destroy(Object.assign(new Error('The database is silent'), { code: 'ETIMEDOUT' }));
  });
}

/** Prisma without a scope: sees no row. Everybody but `config/scope.ts` gets `ctx.db`. */
export const unsafeDb = (): PrismaClient =>
  (openClient ??= new PrismaClient({ adapter: new PrismaPg(unsafePool()), errorFormat: 'minimal' }));

/**
 * @throws Error when the role of DATABASE_URL could see rows past row-level security, or cannot sign in
 */
export async function assertSafeDatabaseRole(): Promise<void> {
  const { rows } = await unsafePool()
    .query<{ name: string; unsafe: boolean; owner: boolean }>(
      `select rolname as name, rolsuper or rolbypassrls as unsafe,
            exists (select from pg_class c where c.relowner = r.oid and c.relnamespace = 'public'::regnamespace) as owner
       from pg_roles r where rolname = current_user`,
    )
    .catch((cause: Error & { code?: string }) => {
      const reason = cause.message || cause.code;
      throw new Error(`The database of DATABASE_URL cannot be used: ${reason}. Check that it runs, and the address.`, {
        cause,
      });
    });
  const role = rows[0];
  if (!role || role.unsafe || role.owner) {
    throw new Error(
      `DATABASE_URL signs in as ${role?.name}, which row-level security does not bind. Use the role studyspot_app, ` +
        'which the migrations create, and keep the owner in DATABASE_OWNER_URL for ./studyspot migrate.',
    );
  }
}

/** @throws when the database does not answer in time */
export async function pingDatabase(milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The database did not answer in time')), milliseconds);
  });
  await Promise.race([unsafePool().query('select 1'), late]).finally(() => clearTimeout(timer));
}

export async function closeDatabase(): Promise<void> {
  await openClient?.$disconnect();
  await openPool?.end();
  openClient = openPool = undefined;
}
