import type { Client } from 'pg';
import { BUILT_IN_ROLES, PERMISSIONS } from '../config/permissions.ts';

/**
 * Brings the tables `permissions`, `roles` and `role_permissions` to what `config/permissions.ts` says. Holders of a
 * built-in role whose permissions change get a new permission version, so that live tokens are checked afresh.
 * Runs as the owner of the tables, inside the caller's transaction; custom roles lose only codes that are gone.
 */
export async function syncAccessCatalogue(client: Client): Promise<void> {
  await client.query(`select set_config('role', 'studyspot_portal', true)`);
  const permissions = Object.entries(PERMISSIONS).map(([code, p]) => ({ code, ...p }));
  await client.query(
    `insert into permissions (code, "group", description, risk)
     select code, "group", description, risk
       from jsonb_to_recordset($1) as p (code text, "group" text, description text, risk permission_risk)
     on conflict (code) do update set "group" = excluded."group", description = excluded.description, risk = excluded.risk
      where (permissions."group", permissions.description, permissions.risk)
            is distinct from (excluded."group", excluded.description, excluded.risk)`,
    [JSON.stringify(permissions)],
  );
  const roles = Object.entries(BUILT_IN_ROLES).map(([code, r]) => ({ code, ...r }));
  await client.query(
    `insert into roles (id, code, name, description, user_type, built_in, updated_at)
     select 'c' || substr(encode(sha256(('role:' || code)::bytea), 'hex'), 1, 24), code, name, description, "userType", true, now()
       from jsonb_to_recordset($1) as r (code text, name text, description text, "userType" user_type)
     on conflict (code) do update set name = excluded.name, description = excluded.description, updated_at = now()
      where (roles.name, roles.description) is distinct from (excluded.name, excluded.description)`,
    [JSON.stringify(roles)],
  );
  const grants = roles.flatMap((r) => r.permissions.map((permission) => ({ role: r.code, permission })));
  await client.query(
    `with wanted as (
       select r.id role_id, g.permission code
         from jsonb_to_recordset($1) as g (role text, permission text) join roles r on r.code = g.role
     ), removed as (
       delete from role_permissions p using roles r
        where r.id = p.role_id and r.built_in
          and not exists (select from wanted w where w.role_id = p.role_id and w.code = p.permission_code)
       returning p.role_id
     ), added as (
       insert into role_permissions (role_id, permission_code) select role_id, code from wanted
       on conflict do nothing returning role_id
     )
     update users set permission_version = permission_version + 1, updated_at = now()
      where id in (select a.user_id from role_assignments a
                    where a.role_id in (select role_id from removed union select role_id from added))`,
    [JSON.stringify(grants)],
  );
  await client.query(
    `with gone as (delete from permissions where not code = any ($1) returning code)
     update users set permission_version = permission_version + 1, updated_at = now()
      where id in (select a.user_id from role_assignments a join role_permissions p using (role_id) join gone on gone.code = p.permission_code)`,
    [Object.keys(PERMISSIONS)],
  );
}
