import type { Client } from 'pg';
import type { BuiltInRoleCode } from '../../src/config/permissions.ts';
import type { PersonKind } from '../../src/generated/prisma/enums.ts';
import type { BillingRows } from './billing-rows.ts';
import { peopleRows } from './people.ts';
import { guardianshipRow } from './person-facts.ts';
import type {
  BillingProfileRow,
  BrandingRow,
  GuardianshipRow,
  LibraryRow,
  RoleAssignmentRow,
  TenantRow,
  TransitionRow,
  UserRow,
} from './rows.ts';
import { billingProfileRow, brandingRow } from './tenant-profile.ts';
import { libraryRows, tenantRow, transitionRows, type TenantProfile } from './tenants.ts';

/** By the names of their tables. */
export type Rows = {
  tenants: TenantRow;
  libraries: LibraryRow;
  tenant_transitions: TransitionRow;
  users: UserRow;
  role_assignments: RoleAssignmentRow;
  guardianships: GuardianshipRow;
  tenant_branding: BrandingRow;
  billing_profiles: BillingProfileRow;
} & BillingRows;

/** Ids of the built-in roles. */
export type RoleIds = ReadonlyMap<string, string>;

/** Rows of one INSERT: enough that round trips cost nothing, few enough that they take little memory. */
const CHUNK = 2_000;

const roleOfKind: Record<PersonKind, BuiltInRoleCode> = {
  OWNER: 'owner',
  STAFF: 'library_staff',
  STUDENT: 'student',
  PARENT: 'parent',
};

/** Inserts what is not there yet, by any unique key, and leaves alone what is. Answers the ids of the new rows. */
export async function insertMissing<Table extends keyof Rows>(
  client: Client,
  table: Table,
  rows: Rows[Table][],
  key = 'id',
): Promise<Set<string>> {
  const [first] = rows;
  if (!first) return new Set();
  const columns = Object.keys(first)
    .map((column) => `"${column}"`)
    .join(', ');
  const inserted = await client.query<{ id: string }>({
    name: `seed_${table}`,
    text: `insert into ${table} (${columns}) select ${columns} from json_populate_recordset(null::${table}, $1)
           on conflict do nothing returning ${key} as id`,
    values: [JSON.stringify(rows)],
  });
  return new Set(inserted.rows.map((row) => row.id));
}

/** Adds users that are missing, each with its role. @returns the ids of those it added */
export async function insertUsers(
  client: Client,
  users: UserRow[],
  roleIdOf: (user: UserRow) => string,
): Promise<Set<string>> {
  const added = await insertMissing(client, 'users', users);
  const assignments = users
    .filter((user) => added.has(user.id))
    .map((user) => ({
      // One role each, so the user's id serves for the assignment as well.
      id: user.id,
      tenant_id: user.tenant_id,
      user_id: user.id,
      role_id: roleIdOf(user),
      created_at: user.created_at,
    }));
  await insertMissing(client, 'role_assignments', assignments);
  return added;
}

/**
 * Adds the tenants that are missing, each with its libraries, history and people. A tenant that is there is left as it
 * is, whole: what somebody changed or removed within it stays changed or removed.
 */
export async function insertTenants(
  client: Client,
  profiles: TenantProfile[],
  roles: RoleIds,
  day: Date,
  passwordHash: string,
): Promise<{ tenants: number; people: number }> {
  const rows = profiles.map((profile) => tenantRow(profile, day));
  const added = await insertMissing(client, 'tenants', rows);
  const missing = profiles.filter((_, index) => added.has(rows[index]?.id ?? ''));
  await insertMissing(
    client,
    'libraries',
    missing.flatMap((profile) => libraryRows(profile, day)),
  );
  await insertMissing(
    client,
    'tenant_transitions',
    missing.flatMap((profile) => transitionRows(profile, day)),
  );

  await insertMissing(
    client,
    'tenant_branding',
    missing.flatMap((profile) => brandingRow(profile, day) ?? []),
    'tenant_id',
  );
  await insertMissing(
    client,
    'billing_profiles',
    missing.flatMap((profile) => billingProfileRow(profile, day) ?? []),
    'tenant_id',
  );
  return { tenants: missing.length, people: await insertPeople(client, missing, roles, day, passwordHash) };
}

/** The people of new tenants, in chunks, and which parent is whose. @returns how many it added */
async function insertPeople(
  client: Client,
  profiles: TenantProfile[],
  roles: RoleIds,
  day: Date,
  passwordHash: string,
): Promise<number> {
  const roleIdOf = (user: UserRow) => roleId(roles, roleOfKind[user.kind ?? 'OWNER']);
  let people = 0;
  let chunk: UserRow[] = [];
  const insertChunk = async () => {
    const added = await insertUsers(client, chunk, roleIdOf);
    const pairs = chunk.flatMap((parent, index) => guardianshipRow(chunk[index - 1], parent) ?? []);
    // Whose address somebody else took before is not there.
    const known = pairs.filter((pair) => added.has(pair.student_id) && added.has(pair.guardian_id));
    await insertMissing(client, 'guardianships', known);
    people += added.size;
    chunk = [];
  };
  for (const profile of profiles) {
    for (const person of peopleRows(profile, day, passwordHash)) {
      // A parent stays in one chunk with their child, who comes right before.
      if (chunk.length >= CHUNK && person.kind !== 'PARENT') await insertChunk();
      chunk.push(person);
    }
  }
  await insertChunk();
  return people;
}

/** @throws Error that says how to create the built-in roles */
export function roleId(roles: RoleIds, code: BuiltInRoleCode): string {
  const id = roles.get(code);
  if (!id)
    throw new Error(`The built-in role ${code} is missing in the database. Run ./studyspot migrate, then seed again.`);
  return id;
}
