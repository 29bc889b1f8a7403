import { createHash } from 'node:crypto';
import type { Sql } from 'sql-template-tag';
import type { Reader, Scope } from '../types/context.ts';
import { isRetryable, mapDatabaseError } from '../utils/database-errors.ts';
import { unsafeDb, unsafePool, type Transaction } from './database.ts';
import { environment } from './environment.ts';
import { sendTogether, type Statement } from './pipeline.ts';

const scopeValues = (scope: Scope) => [`studyspot_${scope.role}`, scope.role === 'tenant' ? scope.tenantId : ''];

/** Until the end of the transaction, as everything in a scope; and nothing can be written in it. */
const takeReadScope = `select set_config('role', $1, true), set_config('app.tenant_id', $2, true),
                              set_config('transaction_read_only', 'on', true)`;

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
  const take = prepared(scope, { text: takeReadScope, values: scopeValues(scope) });
  const statements = [take, ...queries.map((query) => prepared(scope, query))];
  const answers = await sendPrepared(statements);
  return answers.slice(1);
}

const sendPrepared = (statements: Statement[]): Promise<unknown[][]> =>
  send(statements)
    .catch((error: unknown) => {
      // A migration has changed a table since the statement was prepared: another connection knows nothing of that.
      if ((error as { code?: string }).code === '0A000') return send(statements);
      throw error;
    })
    .catch((error: unknown) => Promise.reject(mapDatabaseError(error)));

/**
 * Two reads, each within its scope, in one round trip and one read-only transaction: what the first finds decides
 * whether what the second finds may be used.
 */
export async function readScopedBehind(
  gate: { scope: Scope; query: Sql },
  scope: Scope,
  queries: readonly Sql[],
): Promise<{ found: unknown[]; answers: unknown[][] }> {
  const statements = [
    prepared(gate.scope, { text: takeReadScope, values: scopeValues(gate.scope) }),
    prepared(gate.scope, gate.query),
    prepared(scope, { text: takeReadScope, values: scopeValues(scope) }),
    ...queries.map((query) => prepared(scope, query)),
  ];
  const [, found = [], , ...answers] = await sendPrepared(statements);
  return { found, answers };
}

/** A connection that has seen an error is not used again: what it holds prepared is no longer known for sure. */
async function send(statements: Statement[]): Promise<unknown[][]> {
  const client = await unsafePool().connect();
  let failure: Error | undefined;
  try {
    return await sendTogether(client, statements);
  } catch (error) {
    failure = error as Error;
    throw error;
  } finally {
    client.release(failure);
  }
}

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
