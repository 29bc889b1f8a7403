import type { Client } from 'pg';

/** What differs between tables on purpose; everything else is the same for all. */
export type RowSecurityRules = {
  /** Tables of the tenants themselves, and the column that holds the tenant's id there. */
  tenantColumns: Record<string, string>;
  /** Tables without rows of tenants: everybody in a scope reads them, portal admins change them. */
  shared: string[];
  /** Tables of the platform that only portal admins and jobs may touch. */
  portalOnly: string[];
  /** Policies beside those of every table, by table. */
  extraPolicies: Record<string, string[]>;
  /** Tables that no scope may touch. */
  private: string[];
  /** Tables whose rows may be inserted and read only. */
  appendOnly: string[];
  /** Those of them whose rows the portal's scope removes in the end: a policy of theirs says which. */
  purged?: string[];
  /** What sign-in may do, by table: privileges in alphabetical order. */
  authAccess: Record<string, string[]>;
  /** Tables whose owner may read them in spite of forced row security, for a function with its rights. */
  ownerReads: string[];
  /** Schemas that hold nothing but partitions of one table, through which alone they are reached. */
  partitionSchemas: Record<string, string>;
  /** Functions with the rights of their owner, and who may call them. */
  definerFunctions: Record<string, string[]>;
  /** Schemas of others, which have no tenants. */
  exemptSchemas: string[];
};

type Table = {
  oid: number;
  schema: string;
  name: string;
  kind: string;
  owner: string;
  /** The table that this is a partition of. */
  parent: string | null;
  enabled: boolean;
  forced: boolean;
  columns: string[];
  options: string[];
  /** First columns of the indexes that cover all rows. */
  indexed: string[];
  /** `role: PRIVILEGE, …` of everybody but the owner, sorted. */
  privileges: string[];
  columnPrivileges: string[];
  appHas: string[];
  policies: string[];
};

const SCOPES = ['studyspot_auth', 'studyspot_portal', 'studyspot_tenant'];

const TABLES = `
  SELECT c.oid::int, n.nspname AS schema, c.relname AS name, c.relkind AS kind, pg_get_userbyid(c.relowner) AS owner,
    (SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = c.oid AND c.relispartition) AS parent, c.relrowsecurity AS enabled,
    c.relforcerowsecurity AS forced, coalesce(c.reloptions, '{}') AS options,
    ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns,
    ARRAY(SELECT DISTINCT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
           WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL) AS indexed,
    ARRAY(SELECT coalesce(r.rolname, 'PUBLIC') || ': ' || string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type)
            FROM aclexplode(c.relacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
           WHERE x.grantee <> c.relowner GROUP BY r.rolname ORDER BY r.rolname) AS privileges,
    ARRAY(SELECT DISTINCT a.attname || ' for ' || coalesce(r.rolname, 'PUBLIC')
            FROM pg_attribute a, aclexplode(a.attacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
           WHERE a.attrelid = c.oid AND x.grantee <> c.relowner) AS "columnPrivileges",
    ARRAY(SELECT p FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
           WHERE has_table_privilege('studyspot_app', c.oid, p)) AS "appHas",
    ARRAY(SELECT concat_ws(' ', policyname, permissive, cmd, 'TO', array_to_string(roles, ', '),
                           'USING', qual, 'WITH CHECK', with_check)
            FROM pg_policies WHERE schemaname = n.nspname AND tablename = c.relname ORDER BY policyname) AS policies
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND NOT n.nspname = ANY ($1)
  ORDER BY n.nspname, c.relname`;

/**
 * What is wrong with the row-level security of a migrated database, read from its catalogue tables: one sentence for
 * each fault, none when all is well.
 */
export async function rowSecurityFaults(client: Client, rules: RowSecurityRules): Promise<string[]> {
  const { rows: tables } = await client.query<Table>(TABLES, [rules.exemptSchemas]);
  const names = new Set(tables.map((table) => table.name));
  const listed = [
    ...Object.keys(rules.tenantColumns),
    ...rules.shared,
    ...rules.portalOnly,
    ...Object.keys(rules.extraPolicies),
    ...rules.private,
    ...rules.appendOnly,
    ...(rules.purged ?? []),
    ...Object.keys(rules.authAccess),
    ...rules.ownerReads,
    ...Object.values(rules.partitionSchemas),
  ];
  return [
    ...tables.flatMap((table) => faultsOf(table, rules).map((fault) => `${table.schema}.${table.name}: ${fault}`)),
    ...listed.filter((name) => !names.has(name)).map((name) => `${name}: is named in the rules but does not exist`),
    ...(await roleFaults(client)),
    ...(await functionFaults(client, rules)),
    ...(await schemaFaults(client, rules)),
  ];
}

function faultsOf(table: Table, rules: RowSecurityRules): string[] {
  const faults = [
    ...table.columnPrivileges.map((column) => `has privileges of its own on the column ${column}`),
    ...table.appHas.map((privilege) => `studyspot_app has ${privilege} without taking a scope`),
  ];
  const partitioned = rules.partitionSchemas[table.schema];
  if (partitioned) return [...faults, ...partitionFaults(table, partitioned)];
  if (table.schema !== 'public') return [...faults, `lies in the schema ${table.schema}, which nobody checks`];
  if (table.kind === 'v' || table.kind === 'm' || table.kind === 'f') return [...faults, ...derivedFaults(table)];
  if (rules.private.includes(table.name)) return [...faults, ...compare('privileges', table.privileges, [])];
  const tenantColumn = rules.tenantColumns[table.name] ?? (table.columns.includes('tenant_id') ? 'tenant_id' : null);
  if (tenantColumn) return [...faults, ...tenantTableFaults(table, tenantColumn, rules)];
  if (rules.shared.includes(table.name))
    return [...faults, ...compare('privileges', table.privileges, sharedPrivileges())];
  if (rules.portalOnly.includes(table.name))
    return [...faults, ...compare('privileges', table.privileges, [portalPrivileges])];
  return [...faults, 'has no tenant_id, and is not named among the tables without rows of tenants'];
}

/** Whoever had a right here would read past the row security of the whole table. */
function partitionFaults(table: Table, parent: string): string[] {
  const faults = compare('privileges', table.privileges, []);
  return table.parent === parent ? faults : [...faults, `is no partition of ${parent}, the only thing to lie there`];
}

/** Views and their like read with the rights of their owner unless they say otherwise. */
function derivedFaults(table: Table): string[] {
  const asInvoker = table.kind === 'v' && table.options.some((option) => /^security_invoker=(true|on|1)$/.test(option));
  return asInvoker || table.privileges.length === 0 ? [] : ['gives its rows away past row-level security'];
}

function tenantTableFaults(table: Table, tenantColumn: string, rules: RowSecurityRules): string[] {
  const auth = rules.authAccess[table.name] ?? [];
  const faults: string[] = [];
  if (!table.enabled) faults.push('row-level security is not enabled');
  if (!table.forced) faults.push('row-level security is not forced upon its owner');
  if (!table.indexed.includes(tenantColumn)) faults.push(`has no index that begins with ${tenantColumn}`);
  const own = rules.appendOnly.includes(table.name) ? 'INSERT, SELECT' : 'DELETE, INSERT, SELECT, UPDATE';
  const portal = rules.purged?.includes(table.name) ? `DELETE, ${own}` : own;
  const privileges = [`studyspot_portal: ${portal}`, `studyspot_tenant: ${own}`];
  if (auth.length > 0) privileges.unshift(`studyspot_auth: ${auth.join(', ')}`);
  return [
    ...faults,
    ...compare('policies', table.policies, [
      ...policiesOf(tenantColumn, auth.length > 0),
      ...(rules.extraPolicies[table.name] ?? []),
      ...(rules.ownerReads.includes(table.name)
        ? [`owner_rows PERMISSIVE SELECT TO ${table.owner} USING true WITH CHECK`]
        : []),
    ]),
    ...compare('privileges', table.privileges, privileges),
  ];
}

function policiesOf(tenantColumn: string, auth: boolean): string[] {
  const own = `(${tenantColumn} = ( SELECT app.current_tenant() AS current_tenant))`;
  return [
    ...(auth ? ['auth_rows PERMISSIVE ALL TO studyspot_auth USING true WITH CHECK true'] : []),
    'portal_rows PERMISSIVE ALL TO studyspot_portal USING true WITH CHECK true',
    `tenant_rows PERMISSIVE ALL TO studyspot_tenant USING ${own} WITH CHECK ${own}`,
  ];
}

const portalPrivileges = 'studyspot_portal: DELETE, INSERT, SELECT, UPDATE';

function sharedPrivileges(): string[] {
  return ['studyspot_auth: SELECT', portalPrivileges, 'studyspot_tenant: SELECT'];
}

function compare(what: string, found: string[], expected: string[]): string[] {
  const missing = expected.filter((entry) => !found.includes(entry));
  const surplus = found.filter((entry) => !expected.includes(entry));
  return [...missing.map((entry) => `${what}: lacks «${entry}»`), ...surplus.map((entry) => `${what}: has «${entry}»`)];
}

async function roleFaults(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; traits: string[]; memberships: string[]; owned: number }>(
    `SELECT r.rolname AS name,
       array_remove(ARRAY[CASE WHEN rolcanlogin THEN 'LOGIN' END, CASE WHEN rolsuper THEN 'SUPERUSER' END,
         CASE WHEN rolbypassrls THEN 'BYPASSRLS' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
         CASE WHEN rolcreatedb THEN 'CREATEDB' END, CASE WHEN rolreplication THEN 'REPLICATION' END,
         CASE WHEN rolinherit THEN 'INHERIT' END], NULL) AS traits,
       ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
              WHERE m.member = r.oid ORDER BY 1) AS memberships,
       (SELECT count(*)::int FROM pg_shdepend d JOIN pg_database b ON b.datname = current_database()
         WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid AND d.deptype = 'o' AND d.dbid IN (0, b.oid)) AS owned
     FROM pg_roles r WHERE r.rolname = ANY ($1) ORDER BY r.rolname`,
    [['studyspot_app', ...SCOPES]],
  );
  const missing = ['studyspot_app', ...SCOPES].filter((name) => !rows.some((role) => role.name === name));
  const present = rows.flatMap((role) => {
    const isApp = role.name === 'studyspot_app';
    const faults = [
      ...compare('attributes', role.traits, isApp ? ['LOGIN'] : []),
      ...compare('memberships', role.memberships, isApp ? SCOPES : []),
    ];
    if (role.owned > 0) faults.push(`owns ${role.owned} objects`);
    return faults.map((fault) => `role ${role.name}: ${fault}`);
  });
  return [...present, ...missing.map((name) => `role ${name}: does not exist`)];
}

/** A function with the rights of its owner is a way around the policies. */
async function functionFaults(client: Client, rules: RowSecurityRules): Promise<string[]> {
  const { rows } = await client.query<{ signature: string; callers: string[]; settings: string[] | null }>(
    `SELECT p.oid::regprocedure::text AS signature, p.proconfig AS settings,
       ARRAY(SELECT coalesce(r.rolname, 'PUBLIC')::text FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
               LEFT JOIN pg_roles r ON r.oid = x.grantee WHERE x.grantee <> p.proowner ORDER BY 1) AS callers
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE p.prosecdef AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND NOT n.nspname = ANY ($1)`,
    [rules.exemptSchemas],
  );
  const missing = Object.keys(rules.definerFunctions).filter(
    (name) => !rows.some(({ signature }) => signature === name),
  );
  const present = rows.flatMap(({ signature, callers, settings }) => {
    const wanted = rules.definerFunctions[signature];
    if (!wanted) return ['runs with the rights of its owner (SECURITY DEFINER)'].map(named(signature));
    const isPinned = settings?.some((setting) => /^search_path=pg_catalog, pg_temp$/.test(setting));
    return [...compare('callers', callers, wanted), ...(isPinned ? [] : ['has no search_path of its own'])].map(
      named(signature),
    );
  });
  return [...present, ...missing.map((name) => `function ${name}: is named in the rules but does not exist`)];
}

const named = (signature: string) => (fault: string) => `function ${signature}: ${fault}`;

/** Into a schema of partitions nobody but its owner looks. */
async function schemaFaults(client: Client, rules: RowSecurityRules): Promise<string[]> {
  const { rows } = await client.query<{ name: string; privileges: string[] }>(
    `SELECT nspname AS name, ARRAY(SELECT coalesce(r.rolname, 'PUBLIC') || ': ' || x.privilege_type
         FROM aclexplode(nspacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee WHERE x.grantee <> nspowner) AS privileges
       FROM pg_namespace WHERE nspname = ANY ($1)`,
    [Object.keys(rules.partitionSchemas)],
  );
  return rows.flatMap(({ name, privileges }) =>
    compare('privileges', privileges, []).map((fault) => `schema ${name}: ${fault}`),
  );
}
