import { createHash } from 'node:crypto';
import type { PoolClient, QueryArrayResult, QueryResult } from 'pg';
import type { Sql } from 'sql-template-tag';
import type { Reader, Scope } from '../types/context.ts';
import { isRetryable, mapDatabaseError } from '../utils/database-errors.ts';
import { unsafeDb, unsafePool, type Transaction } from './database.ts';
import { environment } from './environment.ts';

const takeScope = `select set_config('role', $1, true), set_config('app.tenant_id', $2, true)`;
const scopeValues = (scope: Scope) => [`studyspot_${scope.role}`, scope.role === 'tenant' ? scope.tenantId : ''];

type Statement = { text: string; values: unknown[]; name?: string };

const statementNames = new Map<string, string>();
/** Beyond this many different texts a statement is not kept prepared: each costs memory on each connection. */
const MOST_PREPARED = 500;

/** Prepared once per connection and scope; the scope is in the name, since another role means another plan. */
function prepared(scope: Scope, { text, values }: { text: string; values: unknown[] }): Statement {
  if (!environment().DATABASE_PREPARED_STATEMENTS) return { text, values };
  const key = `${scope.role}:${text}`;
  let name = statementNames.get(key);
  if (!name) {
    if (statementNames.size >= MOST_PREPARED) return { text, values };
    name = `${scope.role}_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
    statementNames.set(key, name);
  }
  return { name, text, values };
}

/**
 * Reads within a scope, all statements in one round trip and one read-only transaction.
 * @throws AppError service_unavailable when the database does not answer in time
 */
export async function readScoped(scope: Scope, queries: readonly Sql[]): Promise<unknown[][]> {
  const client = await unsafePool().connect().catch(failConnect);
  let lost = false;
  try {
    const sent = [
      client.query('BEGIN READ ONLY'),
      client.query(prepared(scope, { text: takeScope, values: scopeValues(scope) })),
      ...queries.map((query) => client.query(prepared(scope, query))),
      client.query('COMMIT'),
    ];
    const answers = await Promise.allSettled(sent);
    const failed = answers.find((answer) => answer.status === 'rejected');
    if (failed) {
      lost = answers.at(-1)?.status === 'rejected';
      throw mapDatabaseError(failed.reason);
    }
    return answers.slice(2, -1).map((answer) => rowsOf(answer as PromiseFulfilledResult<QueryResult>));
  } finally {
    client.release(lost);
  }
}

const rowsOf = (answer: PromiseFulfilledResult<QueryResult | QueryArrayResult>): unknown[] => answer.value.rows;

const failConnect = (error: unknown): Promise<PoolClient> => Promise.reject(mapDatabaseError(error));

/** A reader that opens a transaction of its own for each call. */
export const scopedReader = (scope: Scope): Reader => ({
  many: async <Row>(query: Sql) => (await readScoped(scope, [query]))[0] as Row[],
  one: async <Row>(query: Sql) => (await readScoped(scope, [query]))[0]?.[0] as Row | undefined,
  batch: async <Rows extends unknown[][]>(...queries: { [Index in keyof Rows]: Sql }) =>
    (await readScoped(scope, queries)) as Rows,
});

const readWithin = async (db: Transaction, query: Sql): Promise<unknown[]> =>
  db.$queryRawUnsafe(query.text, ...query.values);

/** A reader within a transaction that is open already: it sees what that one has written. */
export const transactionReader = (db: Transaction): Reader => ({
  many: async <Row>(query: Sql) => (await readWithin(db, query)) as Row[],
  one: async <Row>(query: Sql) => (await readWithin(db, query))[0] as Row | undefined,
  batch: async <Rows extends unknown[][]>(...queries: { [Index in keyof Rows]: Sql }) => {
    const results: unknown[][] = [];
    for (const query of queries) results.push(await readWithin(db, query));
    return results as Rows;
  },
});

const MOST_TRIES = 4;

/**
 * Runs `work` in one transaction within a scope. It runs again, from the start and in a new transaction, when the
 * database asks for that (serialization failure, deadlock): it must not touch anything but the database.
 * @throws AppError conflict when even the last try met another transaction
 */
export async function withScope<Result>(scope: Scope, work: (db: Transaction) => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await unsafeDb().$transaction(
        async (db) => {
          const [role, tenantId] = scopeValues(scope);
          await db.$queryRaw`select set_config('role', ${role}, true), set_config('app.tenant_id', ${tenantId}, true)`;
          return work(db);
        },
        { maxWait: 3_000, timeout: 15_000 },
      );
    } catch (error) {
      if (!isRetryable(error) || tries === MOST_TRIES) throw mapDatabaseError(error);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 40 * tries));
    }
  }
}
