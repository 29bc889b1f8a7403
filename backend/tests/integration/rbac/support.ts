import { newId } from '../../../src/utils/ids.ts';
import type { Permission } from '../../../src/config/permissions.ts';
import type { TestApp } from '../../support/server.ts';

type Person = { id: string; tenantId: string | null };

/** Writes past the API what a test needs to be there; whoever it is about has signed in only after that. */
export const accessOf = (app: TestApp) => ({
  async buildRole(permissions: readonly string[], userType = 'ADMIN_USER') {
    const id = newId();
    const role = { id, code: `role_${id}`, permissions };
    await app.query(
      `insert into roles (id, code, name, description, user_type, updated_at) values ($1, $2, $2, 'of a test', $3::user_type, now())`,
      [id, role.code, userType],
    );
    await app.query(`insert into role_permissions (role_id, permission_code) select $1, unnest($2::text[])`, [
      id,
      permissions,
    ]);
    return role;
  },

  async give(person: Person, roleId: string, seconds?: number) {
    const id = newId();
    await app.query(
      `insert into role_assignments (id, tenant_id, user_id, role_id, expires_at)
       values ($1, $2, $3, $4, now() + $5::float8 * interval '1 second')`,
      [id, person.tenantId, person.id, roleId, seconds ?? null],
    );
    return id;
  },

  async override(person: Person, permission: Permission, effect: 'GRANT' | 'DENY' = 'GRANT', seconds?: number) {
    await app.query(
      `insert into permission_overrides (id, tenant_id, user_id, permission_code, effect, reason, expires_at)
       values ($1, $2, $3, $4, $5::permission_effect, 'for a test', now() + $6::float8 * interval '1 second')`,
      [newId(), person.tenantId, person.id, permission, effect, seconds ?? null],
    );
  },

  /** An admin with exactly these permissions, through a role of their own. */
  async buildAdminWith(permissions: readonly string[]) {
    const role = await this.buildRole(permissions);
    const admin = await app.buildAdmin({ role: 'finance' });
    await app.query('delete from role_assignments where user_id = $1', [admin.id]);
    await this.give(admin, role.id);
    return { admin, role };
  },

  roleId: async (code: string) =>
    (await app.query<{ id: string }>('select id from roles where code = $1', [code]))[0]!.id,
  assignmentOf: async (userId: string) =>
    (await app.query<{ id: string }>('select id from role_assignments where user_id = $1', [userId]))[0]!.id,
});

/** Everything that decides who may do what, and every link, session and job: a refused attempt leaves all of it alone. */
export async function stateOf(app: TestApp): Promise<unknown> {
  const [row] = await app.query(
    `select (select jsonb_agg(jsonb_build_array(id, email, phone, name, status, version, permission_version, deleted_at,
                                                mfa_required_since, password_hash) order by id) from users) as users,
            (select jsonb_agg(r order by id) from roles r) as roles,
            (select jsonb_agg(p order by role_id, permission_code) from role_permissions p) as grants,
            (select jsonb_agg(a order by id) from role_assignments a) as assignments,
            (select jsonb_agg(o order by id) from permission_overrides o) as overrides,
            (select jsonb_agg(t order by id) from one_time_tokens t) as tokens,
            (select jsonb_agg(jsonb_build_array(id, revoked_at) order by id) from sessions) as sessions,
            (select jsonb_agg(jsonb_build_array(id, created_by_id, scopes, secret_hash, revoked_at) order by id) from api_keys) as keys,
            (select jsonb_agg(a order by id) from approvals a) as approvals,
            (select count(*) from outbox_messages) as jobs`,
  );
  return row;
}
