import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import pg from 'pg';
import { UsageError } from './errors.ts';

/**
 * Who signs in to the database, and with what.
 *
 * Two roles share the work. The owner creates tables and may do everything; the launcher uses it to migrate and to
 * seed. The API signs in as `studyspot_app`, which owns nothing and is bound by row-level security; it never learns
 * the owner's password.
 */
export interface DatabaseAccess {
  /** Null: the database is somebody else's to migrate. */
  ownerUrl: string | null;
  /** For the API. */
  appUrl: string;
}

export interface GivenAccess {
  databaseUrl: string;
  databaseOwnerUrl?: string;
  /** The password that `studyspot_app` gets where the launcher may set it. */
  appPassword: string;
}

/** What this file needs of the migrations. */
export interface MigrationRunner {
  migrate: (ownerUrl: string) => Promise<string[]>;
  pendingMigrations: (url: string) => Promise<string[]>;
}

const APP_ROLE = 'studyspot_app';
const WRONG_PASSWORD = '28P01';
const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * Migrates the database if it may, and finds out how the API signs in:
 * - DATABASE_OWNER_URL given: it migrates, and DATABASE_URL is the API's as it stands.
 * - DATABASE_URL alone, with a role that may manage the database: it migrates, and `studyspot_app` gets our password.
 * - DATABASE_URL alone, with any other role: the API's as it stands; the database must be migrated already.
 *
 * @throws UsageError that says which variable to set
 */
export async function prepareDatabase(given: GivenAccess, runner: MigrationRunner): Promise<DatabaseAccess> {
  const { databaseUrl, databaseOwnerUrl, appPassword } = given;
  if (databaseOwnerUrl) {
    await runner.migrate(databaseOwnerUrl);
    return { ownerUrl: databaseOwnerUrl, appUrl: databaseUrl };
  }
  if (await mayManageDatabase(databaseUrl)) {
    await runner.migrate(databaseUrl);
    return { ownerUrl: databaseUrl, appUrl: await giveAppRoleItsPassword(databaseUrl, appPassword) };
  }
  await requireMigrated(databaseUrl, runner);
  return { ownerUrl: null, appUrl: databaseUrl };
}

/** Whether the role of a URL is a superuser, may create roles, or owns the database. */
async function mayManageDatabase(url: string): Promise<boolean> {
  return withClient(url, 'DATABASE_URL', async (client) => {
    const { rows } = await client.query<{ manages: boolean }>(
      `SELECT r.rolsuper OR r.rolcreaterole OR d.datdba = r.oid AS manages
         FROM pg_roles r, pg_database d
        WHERE r.rolname = current_user AND d.datname = current_database()`,
    );
    return rows[0]?.manages === true;
  });
}

/** Lets `studyspot_app` sign in with our password, and gives the URL with which it does. */
async function giveAppRoleItsPassword(ownerUrl: string, password: string): Promise<string> {
  const url = new URL(ownerUrl);
  url.username = APP_ROLE;
  url.password = password;
  const appUrl = url.href;
  if (await canSignIn(appUrl)) return appUrl;

  await withClient(ownerUrl, 'DATABASE_URL', async (client) => {
    const verifier = client.escapeLiteral(scramVerifier(password));
    await client.query(`ALTER ROLE ${APP_ROLE} PASSWORD ${verifier}`).catch((error: pg.DatabaseError) => {
      if (error.code !== INSUFFICIENT_PRIVILEGE) throw error;
      throw new UsageError(
        `The role of DATABASE_URL may not set the password of ${APP_ROLE}. Let a superuser set it, then put this ` +
          `role's URL into DATABASE_OWNER_URL and the one of ${APP_ROLE} into DATABASE_URL.`,
      );
    });
  });
  if (await canSignIn(appUrl)) return appUrl;
  throw new UsageError(
    `The database server does not let ${APP_ROLE} sign in with a password. Allow it (pg_hba.conf), or set ` +
      `DATABASE_URL to a URL with which ${APP_ROLE} gets in and DATABASE_OWNER_URL to the owner's.`,
  );
}

async function canSignIn(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch (error) {
    // 28000: no rule of the server lets this role in at all.
    if ([WRONG_PASSWORD, '28000'].includes((error as pg.DatabaseError).code ?? '')) return false;
    throw error;
  } finally {
    await client.end().catch(() => {});
  }
}

/** What PostgreSQL stores of a password (RFC 5803): the password itself never gets into a statement, nor into a log. */
function scramVerifier(password: string): string {
  const iterations = 4096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const keyed = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(keyed('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${keyed('Server Key').toString('base64')}`;
}

async function requireMigrated(url: string, { pendingMigrations }: MigrationRunner): Promise<void> {
  let pending: string[];
  try {
    pending = await pendingMigrations(url);
  } catch (error) {
    // The history is there and closed to this role: its owner looks after it.
    if ((error as pg.DatabaseError).code === INSUFFICIENT_PRIVILEGE) return;
    throw error;
  }
  if (pending.length === 0) return;
  throw new UsageError(
    `The database lacks ${pending.length} migrations, and the role of DATABASE_URL may not apply them. Set ` +
      'DATABASE_OWNER_URL to the URL of the role that owns the database, and leave DATABASE_URL as it is.',
  );
}

async function withClient<T>(url: string, variable: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  if (!URL.canParse(url)) {
    throw new UsageError(`${variable} is not a URL such as postgresql://USER:PASSWORD@HOST:5432/DATABASE.`);
  }
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: 30_000 });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => {});
    const { host } = new URL(url);
    throw new UsageError(`Cannot sign in to the database at ${host}, which ${variable} names: ${reasonOf(error)}`);
  }
  try {
    return await run(client);
  } finally {
    await client.end().catch(() => {});
  }
}

function reasonOf(error: unknown): string {
  // Connecting to a name with several addresses fails with one error for each, and no message of its own.
  if (error instanceof AggregateError && !error.message) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
