import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import { BUILT_IN_ROLES, type BuiltInRoleCode } from '../../src/config/permissions.ts';
import { newId } from '../../src/utils/ids.ts';
import { hashPassword } from '../../src/utils/password.ts';
import type { clientOf } from './client.ts';

export const PASSWORD = 'correct-horse-battery';
let passwordHash: Promise<string> | undefined;

let serial = 0;
const next = () => `${process.pid}-${(serial += 1)}`;

/** An address that no other call of this run comes from: limits by address do not add up over tests. */
export const someAddress = (): string =>
  `10.${(serial += 1) % 250}.${process.pid % 250}.${Math.floor(Math.random() * 250)}`;

const kinds: Partial<Record<BuiltInRoleCode, string>> = {
  owner: 'OWNER',
  library_staff: 'STAFF',
  student: 'STUDENT',
  parent: 'PARENT',
};

type UserOverrides = {
  role?: BuiltInRoleCode;
  tenantId?: string | null;
  email?: string | null;
  phone?: string | null;
  name?: string;
  status?: string;
  password?: boolean;
};
type TenantOverrides = {
  name?: string;
  slug?: string;
  status?: string;
  city?: string;
  state?: string;
  trialEndsAt?: Date | null;
  createdAt?: Date;
  gstin?: string | null;
  email?: string;
};

/** Makes what a test needs, parents included, past the API and row security: as the owner of the database. */
export function factoriesFor(database: { ownerUrl: string }, call: ReturnType<typeof clientOf>) {
  // Signing in to the database costs more than most statements.
  const connections = new pg.Pool({ connectionString: database.ownerUrl, max: 4, idleTimeoutMillis: 2_000 });
  connections.on('error', () => {});
  const query = async <Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> =>
    (await connections.query<Row>(sql, values)).rows;

  async function buildTenant(overrides: TenantOverrides = {}) {
    const serialNumber = next();
    const row = {
      id: newId(),
      name: `Reading Hall ${serialNumber}`,
      slug: `reading-hall-${serialNumber}`,
      email: `office-${serialNumber}@hall.example`,
      status: 'ACTIVE',
      city: 'Kota',
      state: 'RJ',
      gstin: null,
      trialEndsAt: null,
      createdAt: new Date(),
      ...overrides,
    };
    await query(
      `insert into tenants (id, name, slug, email, status, city, state, gstin, trial_ends_at, created_at, updated_at)
       values ($1, $2, $3, $4, $5::tenant_status, $6, $7, $8, $9, $10, now())`,
      [
        row.id,
        row.name,
        row.slug,
        row.email,
        row.status,
        row.city,
        row.state,
        row.gstin,
        row.trialEndsAt,
        row.createdAt,
      ],
    );
    return row;
  }

  async function buildUser(overrides: UserOverrides = {}) {
    const { role = 'owner', password = true } = overrides;
    const isAdmin = BUILT_IN_ROLES[role].userType === 'ADMIN_USER';
    const tenantId = isAdmin ? null : (overrides.tenantId ?? (await buildTenant()).id);
    const serialNumber = next();
    const user = {
      id: newId(),
      name: `Person ${serialNumber}`,
      email: `person-${serialNumber}@people.example` as string | null,
      phone: null as string | null,
      status: 'ACTIVE',
      ...overrides,
      role,
      tenantId,
    };
    passwordHash ??= hashPassword(PASSWORD);
    await query(
      `with u as (
         insert into users (id, tenant_id, type, kind, name, email, phone, status, password_hash, updated_at)
         values ($1, $2, $3::user_type, $4::person_kind, $5, $6, $7, $8::user_status, $9, now()) returning id, tenant_id
       )
       insert into role_assignments (id, tenant_id, user_id, role_id)
       select $10, u.tenant_id, u.id, r.id from u, roles r where r.code = $11`,
      [
        user.id,
        tenantId,
        isAdmin ? 'ADMIN_USER' : 'PLATFORM_USER',
        kinds[role] ?? null,
        user.name,
        user.email,
        user.phone,
        user.status,
        password ? await passwordHash : null,
        newId(),
        role,
      ],
    );
    return user;
  }

  const buildAdmin = (overrides: UserOverrides = {}) => buildUser({ role: 'super_admin', ...overrides });
  const buildOwner = (overrides: UserOverrides = {}) => buildUser({ role: 'owner', ...overrides });

  /** Signs in over HTTP. */
  async function signIn(user: { email: string | null }) {
    const answer = await call('POST', '/api/auth/login', {
      body: { email: user.email, password: PASSWORD },
      headers: { 'x-forwarded-for': someAddress() },
    });
    if (answer.status !== 200) throw new Error(`Sign-in failed: ${answer.text}`);
    return { token: answer.body.data.accessToken as string, refreshToken: answer.body.data.refreshToken as string };
  }

  /** Signs in, and counts as having just proved who they are. */
  async function signInElevated(user: { email: string | null }) {
    const signedIn = await signIn(user);
    await query(
      `update sessions set elevated_until = now() + interval '10 minutes'
        where user_id = (select id from users where email = $1)`,
      [user.email],
    );
    return signedIn;
  }

  const elevatedToken = async (overrides: UserOverrides = {}) =>
    (await signInElevated(await buildAdmin(overrides))).token;
  const adminToken = async (overrides: UserOverrides = {}) => (await signIn(await buildAdmin(overrides))).token;
  async function ownerWithToken(overrides: UserOverrides = {}) {
    const owner = await buildOwner(overrides);
    return { owner, tenantId: owner.tenantId as string, ...(await signIn(owner)) };
  }

  /** As the mail of a forgotten password carries it. */
  async function buildOneTimeToken(user: { id: string; tenantId: string | null }, purpose = 'PASSWORD_RESET') {
    const token = randomBytes(32).toString('base64url');
    await query(
      `insert into one_time_tokens (id, tenant_id, user_id, purpose, token_hash, expires_at)
       values ($1, $2, $3, $4::one_time_token_purpose, $5, now() + interval '30 minutes')`,
      [newId(), user.tenantId, user.id, purpose, createHash('sha256').update(token).digest('hex')],
    );
    return token;
  }

  return {
    query,
    closeConnections: () => connections.end(),
    buildOneTimeToken,
    buildTenant,
    buildUser,
    buildAdmin,
    buildOwner,
    signIn,
    signInElevated,
    elevatedToken,
    adminToken,
    ownerWithToken,
  };
}
