import { verify } from '@node-rs/argon2';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { QueryResultRow } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { demoAccounts, demoPassword } from '../../prisma/seed/accounts.ts';
import { demoTenants } from '../../prisma/seed/demo-tenants.ts';
import {
  benchTenantSlug,
  LARGE_TENANT_COUNT,
  LARGE_USER_COUNT,
  largeTenants,
} from '../../prisma/seed/large-tenants.ts';
import { peopleRows } from '../../prisma/seed/people.ts';
import { peopleCount, tenantRow } from '../../prisma/seed/tenants.ts';
import { seed } from '../../prisma/seed.ts';
import { isValidGstin } from '../../src/utils/gstin.ts';
import { stateByCode, stateByGstCode } from '../../src/utils/indian-states.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase, withClient } from '../support/database.ts';

const tables = ['users', 'role_assignments', 'tenants', 'tenant_transitions', 'libraries', 'guardianships'] as const;
const tablesOfBilling = [
  'subscription_plans',
  'subscription_plan_versions',
  'add_ons',
  'coupons',
  'payment_methods',
  'subscriptions',
  'subscription_changes',
  'subscription_coupons',
  'subscription_add_ons',
  'invoices',
  'invoice_items',
  'payments',
  'payment_allocations',
  'credit_notes',
  'credit_note_items',
  'billing_entries',
  'dunning_runs',
  'dunning_steps',
] as const;
/** Without an id in the shape of the others: one row for a tenant, under its id, or what the migration brings along. */
const otherTables = [
  'tenant_branding',
  'billing_profiles',
  'billing_accounts',
  'document_series',
  'dunning_campaigns',
] as const;
/** Half past midnight in India, while it is still the day before in UTC. */
const now = new Date('2026-07-31T19:00:00Z');
const later = new Date('2026-08-20T06:00:00Z');

let database: TestDatabase;
const others: TestDatabase[] = [];
const anotherDatabase = async (create = createTestDatabase) => {
  const created = await create();
  others.push(created);
  return created;
};

/** As the owner of the tables, in the scope that sees every row. */
async function query<Row extends QueryResultRow>(text: string, values: unknown[] = [], { ownerUrl } = database) {
  return withClient(ownerUrl, async (client) => {
    await client.query('begin; set local role studyspot_portal');
    const { rows } = await client.query<Row>(text, values);
    await client.query('commit');
    return rows;
  });
}

/** Number and hash of the rows of each table. */
async function contents(of = database) {
  const result: Record<string, unknown> = {};
  for (const table of [...tables, ...tablesOfBilling, ...otherTables]) {
    [result[table]] = await query(
      `select count(*)::int, md5(string_agg(t::text, e'\\n' order by t::text)) from ${table} t`,
      [],
      of,
    );
  }
  return result;
}

beforeAll(async () => {
  database = await createTestDatabase();
  await seed(database.ownerUrl, { now });
});

afterAll(async () => {
  await Promise.all([database, ...others].map((one) => one?.drop()));
});

describe('the people of the demo', () => {
  it('are eight portal admins over the six roles for admins', async () => {
    const roles = await query<{ code: string; count: number }>(
      `select r.code, count(*)::int from users u join role_assignments a on a.user_id = u.id join roles r on r.id = a.role_id
        where u.type = 'ADMIN_USER' group by r.code`,
    );
    expect(Object.fromEntries(roles.map(({ code, count }) => [code, count]))).toEqual({
      super_admin: 2,
      operations: 1,
      finance: 1,
      support: 2,
      sales: 1,
      auditor: 1,
    });
  });

  it.each(demoAccounts)('let $email sign in', async ({ email, role }) => {
    const [user] = await query<{ status: string; password_hash: string; roles: string[] }>(
      `select u.status, u.password_hash, array_agg(r.code) roles
         from users u join role_assignments a on a.user_id = u.id join roles r on r.id = a.role_id
        where u.email = $1 group by u.id`,
      [email],
    );
    expect(user).toMatchObject({ status: 'ACTIVE', roles: [role] });
    expect(user?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await verify(user?.password_hash ?? '', demoPassword)).toBe(true);
  });

  it('each have the role of what they are, within their tenant', async () => {
    const wrong = await query(
      `select u.id from users u left join role_assignments a on a.user_id = u.id left join roles r on r.id = a.role_id
        where u.type = 'PLATFORM_USER'
          and (r.code is distinct from
                 case u.kind when 'OWNER' then 'owner' when 'STAFF' then 'library_staff' when 'STUDENT' then 'student' else 'parent' end
               or a.tenant_id is distinct from u.tenant_id)`,
    );
    expect(wrong).toEqual([]);
  });

  it('are as mixed as real ones', async () => {
    const sizes = await query<Record<'owners' | 'staff' | 'students' | 'parents', number>>(
      `select count(*) filter (where kind = 'OWNER')::int owners, count(*) filter (where kind = 'STAFF')::int staff,
              count(*) filter (where kind = 'STUDENT')::int students, count(*) filter (where kind = 'PARENT')::int parents
         from users where tenant_id is not null group by tenant_id`,
    );
    expect(sizes).toHaveLength(demoTenants.length);
    for (const { owners, staff, students, parents } of sizes) {
      expect(owners).toBe(1);
      expect(staff).toBeOneOf([1, 2, 3, 4]);
      expect(students).toSatisfy((count: number) => count >= 10 && count <= 60);
      expect(parents).toBeGreaterThan(0);
    }
    const [kinds] = await query<Record<string, number>>(
      `select count(*) filter (where email is null)::int phone_only, count(*) filter (where phone is null)::int email_only,
              count(*) filter (where status = 'PENDING')::int pending, count(*) filter (where status = 'INACTIVE')::int inactive,
              count(*) filter (where name ~ '[ऀ-ॿ]')::int devanagari
         from users where tenant_id is not null`,
    );
    for (const count of Object.values(kinds ?? {})) expect(count).toBeGreaterThan(5);
  });

  it('have a password only when they have accepted their invitation', async () => {
    expect(await query(`select id from users where (status = 'PENDING') <> (password_hash is null)`)).toEqual([]);
  });

  it('did everything between joining and the day of the seed', async () => {
    const wrong = await query(
      `select u.id from users u left join tenants t on t.id = u.tenant_id
        where u.created_at < t.created_at or u.created_at > $1 or last_login_at > $1 or last_login_at < u.created_at`,
      [now],
    );
    expect(wrong).toEqual([]);
  });
});

describe('the students and the staff of the demo', () => {
  const age = `date_part('year', age(($1::timestamptz at time zone 'Asia/Kolkata')::date, s.date_of_birth))`;

  it('are known as a library knows them', async () => {
    const wrong = await query(
      `select s.id from users s left join libraries l on l.id = s.library_id and l.tenant_id = s.tenant_id
        where s.type = 'PLATFORM_USER'
          and ((s.kind in ('STUDENT', 'STAFF')) <> (l.id is not null and s.joined_on is not null)
               or (s.kind = 'STUDENT') <> (s.date_of_birth is not null and s.member_number is not null and s.course is not null)
               or (s.kind = 'STAFF') <> (s.job_title is not null))`,
    );
    expect(wrong).toEqual([]);
    const strange = await query(
      `select s.id from users s where s.date_of_birth is not null and not (${age} between 14 and 30 and s.joined_on > s.date_of_birth)`,
      [now],
    );
    expect(strange).toEqual([]);
  });

  it('have a guardian where they are under 18, and no marketing', async () => {
    const [counts] = await query<Record<string, number>>(
      `select count(*)::int minors, count(*) filter (where g.id is null)::int alone,
              count(*) filter (where s.marketing_consent)::int marketed
         from users s left join guardianships g on g.student_id = s.id where ${age} < 18`,
      [now],
    );
    expect(counts).toEqual({ minors: expect.any(Number), alone: 0, marketed: 0 });
    expect(counts?.minors).toBeGreaterThan(20);
    const [{ adults } = { adults: 0 }] = await query<{ adults: number }>(
      `select count(*)::int adults from users s where ${age} >= 18 and marketing_consent`,
      [now],
    );
    expect(adults).toBeGreaterThan(20);
  });

  it('have one parent each at most, of the same tenant and family', async () => {
    const pairs = await query<{ same: boolean; relation: string }>(
      `select s.tenant_id = p.tenant_id and g.tenant_id = p.tenant_id and s.kind = 'STUDENT' and p.kind = 'PARENT' as same, g.relation
         from guardianships g join users s on s.id = g.student_id join users p on p.id = g.guardian_id`,
    );
    const [parents] = await query<{ count: number }>(`select count(*)::int from users where kind = 'PARENT'`);
    expect(pairs).toHaveLength(parents?.count ?? 0);
    expect(pairs.every(({ same }) => same)).toBe(true);
    expect(new Set(pairs.map(({ relation }) => relation))).toEqual(new Set(['MOTHER', 'FATHER']));
  });
});

describe('the tenants of the demo', () => {
  it('begin with Saraswati Reading Hall in Kota', async () => {
    const rows = await query(
      `select t.name, t.city, t.state, t.status from users u join tenants t on t.id = u.tenant_id
        where u.email = 'owner@saraswati-library.example' and t.slug = 'saraswati-reading-hall'`,
    );
    expect(rows).toEqual([{ name: 'Saraswati Reading Hall', city: 'Kota', state: 'RJ', status: 'ACTIVE' }]);
  });

  it('are in every state of a customer', async () => {
    const [counts] = await query(
      `select count(*) filter (where status = 'ACTIVE')::int active, count(*) filter (where status = 'SUSPENDED')::int suspended,
              count(*) filter (where status = 'INACTIVE')::int inactive,
              count(*) filter (where status = 'TRIAL' and trial_ends_at > $1)::int trying,
              count(*) filter (where status = 'TRIAL' and trial_ends_at < $1)::int tried
         from tenants`,
      [now],
    );
    expect(counts).toEqual({ active: 15, suspended: 2, inactive: 1, trying: 4, tried: 2 });
  });

  it('have a history that leads to their status', async () => {
    const histories = await query<{
      status: string;
      version: number;
      steps: { from: string; to: string; reason: string }[];
    }>(
      `select t.status, t.version,
              json_agg(json_build_object('from', h."from", 'to', h."to", 'reason', h.reason) order by h.created_at) steps
         from tenants t join tenant_transitions h on h.tenant_id = t.id group by t.id`,
    );
    expect(histories).toHaveLength(demoTenants.length);
    for (const { status, version, steps } of histories) {
      expect(steps.map((step) => step.from)).toEqual([null, ...steps.slice(0, -1).map((step) => step.to)]);
      expect(steps.at(-1)?.to).toBe(status);
      expect(steps.slice(1).every((step) => step.reason)).toBe(true);
      expect(version).toBe(steps.length);
    }
    const strangers = await query(
      `select h.id from tenant_transitions h left join users u on u.id = h.actor_id and u.name = h.actor_name
        where h.actor_id is not null and u.id is null`,
    );
    expect(strangers).toEqual([]);
  });

  it('have valid GSTINs of their state, two thirds of them', async () => {
    const rows = await query<{ gstin: string; state: string }>(
      'select gstin, state from tenants where gstin is not null',
    );
    expect(rows).toHaveLength(16);
    for (const { gstin, state } of rows) {
      expect(gstin).toSatisfy(isValidGstin);
      expect(stateByGstCode(gstin.slice(0, 2))?.code).toBe(state);
    }
  });

  it('have one to four libraries, with postal codes of their city', async () => {
    const counts = await query<{ count: number }>('select count(*)::int from libraries group by tenant_id');
    expect(counts).toHaveLength(demoTenants.length);
    for (const { count } of counts) expect(count).toBeOneOf([1, 2, 3, 4]);
    for (const { name, localities, state } of demoTenants.map((tenant) => tenant.city)) {
      expect(stateByCode(state)).toBeDefined();
      expect(localities.map((locality) => locality.name)).not.toContain('');
      const rows = await query<{ pincode: string }>(
        'select pincode from tenants where city = $1 union all select pincode from libraries where city = $1',
        [name],
      );
      const pincodes = localities.map((locality) => locality.pincode);
      for (const { pincode } of rows) expect(pincodes).toContain(pincode);
    }
  });

  it('have billing profiles once they have bought, with the GSTIN of their state, and most of them a look of their own', async () => {
    const rows = await query<{ gstin: string | null; own: string | null; state: string }>(
      'select p.gstin, t.gstin as own, p.state from billing_profiles p join tenants t on t.id = p.tenant_id',
    );
    expect(rows).toHaveLength(demoTenants.filter(({ changes }) => changes.some(({ to }) => to === 'ACTIVE')).length);
    for (const { gstin, own, state } of rows) {
      expect(gstin).toBe(own);
      if (gstin) expect(stateByGstCode(gstin.slice(0, 2))?.code).toBe(state);
    }
    const looks = await query<{ primary_color: string }>('select primary_color from tenant_branding');
    expect(looks.length).toBeGreaterThan(demoTenants.length / 2);
    expect(looks.length).toBeLessThan(demoTenants.length);
    for (const { primary_color } of looks) expect(primary_color).toMatch(/^#[0-9a-f]{6}$/);
  });
});

describe('every seeded row', () => {
  it('has an id in the shape of a cuid', async () => {
    for (const table of [...tables, ...tablesOfBilling]) {
      expect(await query(`select id from ${table} where id !~ '^c[a-z0-9]{24}$'`)).toEqual([]);
    }
  });

  it('has a mobile number that is valid', async () => {
    const rows = await query<{ phone: string }>(
      `select phone from users union select phone from tenants union select phone from libraries`,
    );
    const phones = rows.flatMap(({ phone }) => phone ?? []);
    expect(phones.length).toBeGreaterThan(500);
    for (const phone of phones) {
      expect(parsePhoneNumberFromString(phone)).toMatchObject({ number: phone, country: 'IN' });
      expect(parsePhoneNumberFromString(phone)?.getType()).toBe('MOBILE');
    }
  });

  it('has an address that nobody owns', async () => {
    const wrong = await query(
      `select email from (select email from users union all select email from tenants) e
        where email !~ '^[a-z]+([.][a-z]+)?[0-9]*@[a-z-]+[.]example$'`,
    );
    expect(wrong).toEqual([]);
  });
});

describe('the seed', () => {
  it('gives the same rows in another database', async () => {
    const second = await anotherDatabase();
    await seed(second.ownerUrl, { now });
    expect(await contents(second)).toEqual(await contents());
  });

  it('run again on another day adds nothing and changes nothing', async () => {
    const before = await contents();
    const told: string[] = [];
    await seed(database.ownerUrl, { now: later, onProgress: (text) => told.push(text) });
    expect(await contents()).toEqual(before);
    expect(told).toEqual(['Demo data: is there already, nothing added']);
  });

  it('leaves alone what somebody changed or removed since', async () => {
    const changed = await anotherDatabase();
    await seed(changed.ownerUrl, { now });
    const change = (text: string) => query(text, [], changed);
    await change(`update users set password_hash = 'changed' where email = '${demoAccounts[0]?.email}'`);
    await change(
      `update users set email = 'somebody-else@example.org' where email = 'owner@vidya-study-point.example'`,
    );
    await change(`update tenants set name = 'Renamed', slug = 'renamed' where slug = 'lakshya-library'`);
    await change(
      `delete from role_assignments where user_id = (select id from users where email = '${demoAccounts[1]?.email}')`,
    );
    await change(`delete from users where id = (select id from users where kind = 'STUDENT' order by id limit 1)`);
    const before = await contents(changed);
    await seed(changed.ownerUrl, { now: later });
    expect(await contents(changed)).toEqual(before);
  });

  it('goes around a slug and an address that somebody took before', async () => {
    const taken = await anotherDatabase();
    await query(
      `insert into tenants (id, name, slug, email, updated_at) values ('own', 'Own', 'vidya-study-point', 'own@example.org', now())`,
      [],
      taken,
    );
    await query(
      `insert into users (id, tenant_id, type, kind, name, email, updated_at)
       values ('own', 'own', 'PLATFORM_USER', 'OWNER', 'Own', '${demoAccounts[0]?.email}', now())`,
      [],
      taken,
    );
    await seed(taken.ownerUrl, { now });
    const [counts] = await query(
      `select (select count(*)::int from tenants) tenants, (select count(*)::int from users where type = 'ADMIN_USER') admins,
              (select count(*)::int from users where tenant_id = 'own') own`,
      [],
      taken,
    );
    expect(counts).toEqual({ tenants: demoTenants.length, admins: 7, own: 1 });
  });

  it('writes nothing into the audit trail', async () => {
    expect(await query('select id from audit_logs')).toEqual([]);
  });

  it('refuses to run in production', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    try {
      await expect(seed(database.ownerUrl)).rejects.toThrow('NODE_ENV=production');
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('says what to do when the database does not answer', async () => {
    await expect(seed('postgres://127.0.0.1:1/none')).rejects.toThrow('Check that it runs');
  });

  it('says what to do when the database is not migrated', async () => {
    const empty = await anotherDatabase(createEmptyDatabase);
    await expect(seed(empty.ownerUrl)).rejects.toThrow('Run ./studyspot migrate');
  });
});

describe('the large seed', () => {
  const profiles = [...largeTenants()];
  const all = [...demoTenants, ...profiles];

  it('comes to 1,000 tenants and 200,000 users, the demo and its eight admins included', () => {
    expect(all).toHaveLength(LARGE_TENANT_COUNT);
    expect(all.reduce((sum, profile) => sum + peopleCount(profile), 8)).toBe(LARGE_USER_COUNT);
    expect(new Set(all.map((profile) => profile.slug)).size).toBe(LARGE_TENANT_COUNT);
    expect(Math.min(...profiles.map((profile) => profile.students))).toBeGreaterThan(0);
  });

  it('has a few tenants of 10,000 people, the one of the benchmark among them', () => {
    const huge = profiles.filter((profile) => peopleCount(profile) >= 10_000);
    expect(huge).toHaveLength(10);
    expect(huge[0]).toMatchObject({ slug: benchTenantSlug });
    const rows = [...peopleRows(huge[0]!, now, 'hash')];
    expect(rows).toHaveLength(10_000);
    expect(new Set(rows.map((row) => row.id)).size).toBe(10_000);
    const emails = rows.flatMap((row) => row.email ?? []);
    expect(new Set(emails).size).toBe(emails.length);
  });

  it('has tenants whose GSTIN and history are right', () => {
    for (const profile of profiles) {
      const { gstin, state } = tenantRow(profile, now);
      if (gstin) expect(isValidGstin(gstin) && stateByGstCode(gstin.slice(0, 2))?.code === state).toBe(true);
      const days = [profile.joinedDaysAgo, ...profile.changes.map((change) => change.daysAgo), 0];
      expect(days).toEqual(days.toSorted((left, right) => right - left));
    }
  });
});
