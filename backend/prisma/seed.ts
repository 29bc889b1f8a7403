import { existsSync, realpathSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { hash } from '@node-rs/argon2';
import pg from 'pg';
import { demoPassword, portalAdmins } from './seed/accounts.ts';
import { insertBilling } from './seed/billing.ts';
import { demoStories } from './seed/billing-stories.ts';
import { demoTenants } from './seed/demo-tenants.ts';
import { daysBefore, startOfIndianDay } from './seed/deterministic.ts';
import { insertTenants, insertUsers, roleId, type RoleIds } from './seed/insert.ts';
import { insertLargeBilling } from './seed/large-billing.ts';
import { largeTenants } from './seed/large-tenants.ts';
import { adminRows } from './seed/people.ts';
import { peopleCount, tenantId, type TenantProfile } from './seed/tenants.ts';

type Progress = (text: string) => void;

export type SeedOptions = {
  /** On top of the demo: 1,000 tenants, 200,000 users and 500,000 invoices in all. */
  large?: boolean;
  onProgress?: Progress;
  /** The moment that dates are counted back from on an empty database. Default: now. */
  now?: Date;
};

/** People of one transaction, roughly: a run that is broken off loses no more than that, and the next goes on. */
const BATCH_PEOPLE = 5_000;

/**
 * Fills a migrated database with demo data: the same rows on every machine. Run again it adds nothing and changes
 * nothing, and it never touches a row that is there, so what people changed since stays.
 *
 * Dates count back from 00:00 in India of the day of the first run, so that some trials still run and others have
 * ended; later runs find that day in the database.
 *
 * No audit rows: the trail and its hash chain belong to what people and jobs do in the application.
 *
 * @param ownerUrl the owner of the tables
 * @throws Error in production, and where the database is not reachable or not migrated; the message says what to do
 */
export async function seed(ownerUrl: string, options: SeedOptions = {}): Promise<void> {
  if (process.env.NODE_ENV === 'production') {
    throw new Error('The seed creates accounts with a public password and does not run with NODE_ENV=production.');
  }
  const report = options.onProgress ?? (() => {});
  const client = new pg.Client({
    connectionString: ownerUrl,
    application_name: 'studyspot seed',
    connectionTimeoutMillis: 10_000,
    query_timeout: 120_000,
  });
  // A lost connection fails the query that runs or comes next; unheard, this event would end the process instead.
  client.on('error', () => {});
  try {
    await client.connect();
    const { day, roles } = await inPortalScope(client, () => readStart(client, options.now ?? new Date()));
    const passwordHash = await hashDemoPassword();
    await seedDemo(client, roles, day, passwordHash, report);
    if (options.large) await seedLarge(client, roles, day, passwordHash, report);
  } catch (error) {
    throw explained(error);
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * One transaction in the scope of portal admins. Row security binds the owner of the tables too, unless it is a
 * superuser.
 */
async function inPortalScope<Result>(client: pg.Client, work: () => Promise<Result>): Promise<Result> {
  await client.query('begin');
  try {
    await client.query(`select set_config('role', 'studyspot_portal', true),
                               set_config('statement_timeout', '60s', true), set_config('lock_timeout', '30s', true)`);
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

/** The day that dates are counted back from, and the built-in roles. */
async function readStart(client: pg.Client, now: Date): Promise<{ day: Date; roles: RoleIds }> {
  const [first] = demoTenants;
  const known = await client.query<{ created_at: Date }>('select created_at from tenants where id = $1', [
    first && tenantId(first),
  ]);
  const roles = await client.query<{ code: string; id: string }>('select code, id from roles where built_in');
  const firstJoined = known.rows[0]?.created_at;
  const day =
    first && firstJoined
      ? new Date(daysBefore(startOfIndianDay(firstJoined), -first.joinedDaysAgo))
      : startOfIndianDay(now);
  return { day, roles: new Map(roles.rows.map((role) => [role.code, role.id])) };
}

/** With a fixed salt: the password is public anyway, and the rows come out the same on every machine. */
const hashDemoPassword = (): Promise<string> =>
  hash(demoPassword, { memoryCost: 19_456, timeCost: 2, parallelism: 1, salt: Buffer.from('studyspot demo 1') });

async function seedDemo(client: pg.Client, roles: RoleIds, day: Date, passwordHash: string, report: Progress) {
  const roleByEmail = new Map(portalAdmins.map((admin) => [admin.email, roleId(roles, admin.role)]));
  const added = await inPortalScope(client, async () => {
    const admins = await insertUsers(
      client,
      adminRows(day, passwordHash),
      (user) => roleByEmail.get(user.email ?? '') ?? '',
    );
    const { tenants, people } = await insertTenants(client, [...demoTenants], roles, day, passwordHash);
    const invoices = await insertBilling(client, demoTenants, demoStories, day);
    return { admins: admins.size, tenants, people, invoices };
  });
  const { admins, tenants, people, invoices } = added;
  report(
    admins + tenants + invoices > 0
      ? `Demo data: added ${admins} portal admins, ${tenants} tenants, ${people} people of tenants, ${invoices} invoices`
      : 'Demo data: is there already, nothing added',
  );
}

async function seedLarge(client: pg.Client, roles: RoleIds, day: Date, passwordHash: string, report: Progress) {
  const started = performance.now();
  const added = { tenants: 0, people: 0 };
  for (const batch of batches(largeTenants())) {
    const { tenants, people } = await inPortalScope(client, () =>
      insertTenants(client, batch, roles, day, passwordHash),
    );
    const step = Math.floor((added.people + people) / 20_000) > Math.floor(added.people / 20_000);
    added.tenants += tenants;
    added.people += people;
    if (step) report(`Large data: ${format(added.tenants)} tenants, ${format(added.people)} people so far`);
  }
  const withPeople = performance.now();
  const invoices = await inPortalScope(client, () => insertLargeBilling(client, [...largeTenants()], { day, report }));
  if (added.tenants + invoices === 0) return report('Large data: is there already, nothing added');
  // Without fresh statistics, and a visibility map for index-only scans, the first queries get poor plans.
  await client.query(`vacuum (analyze) ${filled.join(', ')}`);
  const seconds = (since: number, until = performance.now()) => ((until - since) / 1000).toFixed(1);
  report(
    `Large data: added ${format(added.tenants)} tenants and ${format(added.people)} people of tenants in ${seconds(started, withPeople)} s, ` +
      `${format(invoices)} invoices in ${seconds(withPeople)} s`,
  );
}

/** What a large seed fills. */
const filled = [
  'tenants',
  'libraries',
  'tenant_transitions',
  'tenant_branding',
  'billing_profiles',
  'users',
  'role_assignments',
  'guardianships',
  'billing_accounts',
  'payment_methods',
  'subscriptions',
  'subscription_changes',
  'subscription_coupons',
  'subscription_add_ons',
  'invoices',
  'invoice_items',
  'payments',
  'payment_allocations',
  'dunning_runs',
] as const;

function* batches(profiles: Iterable<TenantProfile>): Generator<TenantProfile[]> {
  let batch: TenantProfile[] = [];
  let people = 0;
  for (const profile of profiles) {
    batch.push(profile);
    people += peopleCount(profile);
    if (people < BATCH_PEOPLE) continue;
    yield batch;
    [batch, people] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

const format = (count: number): string => count.toLocaleString('en');

const notReachable =
  'The database does not answer. Check that it runs and that DATABASE_OWNER_URL names its host and port.';
const notLetIn = 'The database refuses the login. Check user, password and database name in DATABASE_OWNER_URL.';
const notMigrated = 'The database is not migrated. Run ./studyspot migrate, then seed again.';
const notOwner = 'The login may not do this. DATABASE_OWNER_URL must name the role that ran the migrations.';

/** By the code of Node.js or PostgreSQL. */
const adviceByCode: Record<string, string> = {
  ECONNREFUSED: notReachable,
  ENOTFOUND: notReachable,
  ETIMEDOUT: notReachable,
  EHOSTUNREACH: notReachable,
  '28000': notLetIn,
  '28P01': notLetIn,
  '3D000': notLetIn,
  '22023': notMigrated,
  '42704': notMigrated,
  '42P01': notMigrated,
  '42501': notOwner,
};

/** Puts what to do in front of the errors that a wrong or empty database gives. */
function explained(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const advice = adviceByCode[String(error.code)];
  return advice ? new Error(`${advice} (${error.message || String(error.code)})`, { cause: error }) : error;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { large: { type: 'boolean', default: false } } });
  const ownerUrl = process.env.DATABASE_OWNER_URL;
  if (!ownerUrl) {
    throw new Error('DATABASE_OWNER_URL is missing: set it to the owner of the tables, or use ./studyspot seed.');
  }
  await seed(ownerUrl, { large: values.large, onProgress: (text) => console.log(text) });
}

const script = process.argv[1];
if (script && existsSync(script) && realpathSync(script) === import.meta.filename) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
