-- The database roles of the application, and the one mechanism that lays row-level security over its tables.
--
-- studyspot_app     logs in; owns nothing, inherits nothing, sees no row before it takes one of the scopes below
-- studyspot_tenant  scope of one tenant: rows whose tenant_id is the setting app.tenant_id
-- studyspot_portal  scope of portal admins and of system jobs: rows of every tenant
-- studyspot_auth    scope of sign-in, before anybody is known: the few tables and privileges that it needs
--
-- A scope is taken for one transaction, by set_config('role', …, true). Roles belong to the whole server: another
-- database may have made them already, so that only what is missing is done here.

DO $$
DECLARE
  role_name text;
  timeout record;
  -- From PostgreSQL 16 on, whoever creates a role is a member that may grant the role but not take it.
  may_take text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['studyspot_app', 'studyspot_tenant', 'studyspot_portal', 'studyspot_auth'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', role_name);
      EXCEPTION
        -- A migration of another database was faster.
        WHEN duplicate_object OR unique_violation THEN NULL;
      END;
    END IF;
  END LOOP;

  IF NOT (SELECT rolcanlogin FROM pg_roles WHERE rolname = 'studyspot_app') THEN
    ALTER ROLE studyspot_app LOGIN;
  END IF;
  -- No query without an end; they hold behind connection poolers too, being set on the role.
  FOR timeout IN
    SELECT * FROM (VALUES
      ('statement_timeout', '10s'), ('lock_timeout', '5s'), ('idle_in_transaction_session_timeout', '20s')
    ) AS wanted (name, value)
    WHERE NOT EXISTS (
      SELECT FROM pg_db_role_setting, unnest(setconfig) AS present
      WHERE setrole = 'studyspot_app'::regrole AND setdatabase = 0 AND starts_with(present, wanted.name || '=')
    )
  LOOP
    EXECUTE format('ALTER ROLE studyspot_app SET %I = %L', timeout.name, timeout.value);
  END LOOP;

  FOREACH role_name IN ARRAY ARRAY['studyspot_tenant', 'studyspot_portal', 'studyspot_auth'] LOOP
    IF NOT pg_has_role('studyspot_app', role_name, may_take) THEN
      EXECUTE format('GRANT %I TO studyspot_app', role_name);
    END IF;
  END LOOP;
  -- So that the owner can fill tables whose row security binds owners as well.
  IF NOT pg_has_role(current_user, 'studyspot_portal', may_take) THEN
    EXECUTE format('GRANT studyspot_portal TO %I', current_user);
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN
    RAISE EXCEPTION '% may not set up the roles studyspot_app, studyspot_tenant, studyspot_portal and studyspot_auth: %',
      current_user, SQLERRM
      USING ERRCODE = 'insufficient_privilege', HINT = format(
        'As a superuser run: ALTER ROLE %1$I CREATEROLE; and, if the roles exist already: '
        'GRANT studyspot_app, studyspot_tenant, studyspot_portal, studyspot_auth TO %1$I WITH ADMIN OPTION; '
        'Then migrate again.', current_user);
END $$;

CREATE SCHEMA app;
GRANT USAGE ON SCHEMA app TO studyspot_app, studyspot_tenant, studyspot_portal, studyspot_auth;
GRANT USAGE ON SCHEMA public TO studyspot_app, studyspot_tenant, studyspot_portal, studyspot_auth;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- The tenant of the current transaction, or NULL: then no row matches. A setting that was reset comes back empty.
CREATE FUNCTION app.current_tenant() RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(current_setting('app.tenant_id', true), '');

-- Every migration calls this for every table it creates that holds rows of tenants.
--   tenant_column  the column with the tenant's id ('id' for the tenants themselves)
--   append_only    rows may be inserted and read, never changed or removed
--   auth_access    what the sign-in scope may do, such as 'SELECT, UPDATE'; nothing when empty
CREATE FUNCTION app.protect_table(
  target regclass, tenant_column name DEFAULT 'tenant_id', append_only boolean DEFAULT false, auth_access text DEFAULT ''
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  own_rows text := format('%I = (SELECT app.current_tenant())', tenant_column);
  privileges text := CASE WHEN append_only THEN 'SELECT, INSERT' ELSE 'SELECT, INSERT, UPDATE, DELETE' END;
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('DROP POLICY IF EXISTS tenant_rows ON %s', target);
  EXECUTE format('DROP POLICY IF EXISTS portal_rows ON %s', target);
  EXECUTE format('DROP POLICY IF EXISTS auth_rows ON %s', target);
  EXECUTE format('CREATE POLICY tenant_rows ON %s TO studyspot_tenant USING (%s) WITH CHECK (%s)', target, own_rows, own_rows);
  EXECUTE format('CREATE POLICY portal_rows ON %s TO studyspot_portal USING (true) WITH CHECK (true)', target);
  EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, studyspot_app, studyspot_tenant, studyspot_portal, studyspot_auth', target);
  EXECUTE format('GRANT %s ON %s TO studyspot_tenant, studyspot_portal', privileges, target);
  IF auth_access <> '' THEN
    EXECUTE format('CREATE POLICY auth_rows ON %s TO studyspot_auth USING (true) WITH CHECK (true)', target);
    EXECUTE format('GRANT %s ON %s TO studyspot_auth', auth_access, target);
  END IF;
END $$;

-- For a table without rows of tenants: everybody in a scope may read it, portal admins may change it.
CREATE FUNCTION app.share_table(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, studyspot_app, studyspot_tenant, studyspot_portal, studyspot_auth', target);
  EXECUTE format('GRANT SELECT ON %s TO studyspot_tenant, studyspot_auth', target);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO studyspot_portal', target);
END $$;
