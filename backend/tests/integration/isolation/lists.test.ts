import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/routes/endpoint.ts';
import { modules } from '../../../src/routes/index.ts';
import { fileTypesOf } from '../../../src/utils/file-answer.ts';
import { pageShape } from '../../../src/utils/page.ts';
import type { Answer } from '../../support/client.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { scenarios } from '../endpoints/scenarios/index.ts';

// Layers 1 and 2, list by list: a database full of the rows of many tenants, and every GET that people of a tenant may
// call. Whatever an answer holds, no id in it is of another tenant.

type Declared = Endpoint & { fullPath: string };

const openToTenants: Declared[] = modules.flatMap(({ prefix, endpoints }) =>
  endpoints
    .filter(({ access }) => typeof access === 'object' && 'permission' in access && access.tenant)
    .map((endpoint) => ({ ...endpoint, fullPath: `/api${prefix}${endpoint.path}`.replace(/\/$/, '') })),
);

/** Those that need nothing but the tenant: lists, searches and figures. */
const isOfTheWholeTenant = ({ method, path, fullPath, response }: Declared) =>
  method === 'get' &&
  !fileTypesOf(response) &&
  (fullPath.startsWith('/api/tenants/:id') ? !path.slice('/:id'.length).includes(':') : !path.includes(':'));

const lists = openToTenants.filter(isOfTheWholeTenant);
const idText = /\bc[a-z0-9]{24}\b/g;

let app: TestApp;
/** Which tenant a row is of, by its id. */
const ownerOf = new Map<string, string>();
let owners: { tenantId: string; token: string }[];

async function readOwners(): Promise<void> {
  const tables = await app.query<{ name: string }>(
    `select t.table_name as name from information_schema.columns t
       join information_schema.columns i on i.table_name = t.table_name and i.table_schema = 'public' and i.column_name = 'id'
      where t.table_schema = 'public' and t.column_name = 'tenant_id'`,
  );
  const rows = await app.query<{ id: string; tenantId: string }>(
    [
      `select id, id as "tenantId" from tenants`,
      ...tables.map(({ name }) => `select id::text, tenant_id from ${name} where tenant_id is not null`),
    ].join(' union all '),
  );
  for (const { id, tenantId } of rows) ownerOf.set(id, tenantId);
}

/** Of which tenant the scenario of a list made something. */
const tenantOf = new Map<string, string>();

/** Makes what the scenario needs, tenants included, and remembers of which tenant it asked. */
async function runScenario(name: string): Promise<void> {
  const call: TestApp['call'] = (method, path, options) => {
    const named = /^\/api\/tenants\/(c[a-z0-9]{24})/.exec(path)?.[1];
    const tenantId = named ?? (jwt.decode(options?.token ?? '') as { tenantId?: string } | null)?.tenantId;
    if (tenantId) tenantOf.set(name, tenantId);
    return app.call(method, path, options);
  };
  await scenarios[name]?.({ ...app, call });
}

/** Some at a time. */
async function runScenarios(names: string[]): Promise<void> {
  const left = [...names];
  const worker = async () => {
    for (let name = left.pop(); name; name = left.pop()) await runScenario(name);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

beforeAll(async () => {
  app = await startTestApp();
  await runScenarios(
    [...openToTenants.filter(({ method }) => method === 'post'), ...lists].map((one) => one.operationId),
  );
  await readOwners();
  const fullest = await app.query<{ id: string }>(
    `select t.id from tenants t where t.status in ('ACTIVE', 'TRIAL')
      order by (select count(*) from audit_logs a where a.tenant_id = t.id) desc limit 3`,
  );
  owners = await Promise.all(fullest.map(({ id }) => app.ownerWithToken({ tenantId: id })));
  await readOwners();
}, 120_000);
afterAll(() => app.close());

const callAs = (
  { tenantId, token }: { tenantId: string; token: string },
  { fullPath, query }: Declared,
): Promise<Answer> => {
  const takesLimit = query && 'shape' in query && 'limit' in (query.shape as object);
  return app.call('GET', `${fullPath.replace(':id', tenantId)}${takesLimit ? '?limit=100' : ''}`, { token });
};

describe('With the rows of many tenants in the database', () => {
  it('there are such rows', () => {
    expect(new Set(ownerOf.values()).size).toBeGreaterThan(20);
    expect(ownerOf.size).toBeGreaterThan(200);
    expect(lists.length).toBeGreaterThan(5);
  });

  it.each(lists.map((list) => [list.operationId, list] as const))('%s tells of no other tenant', async (_, list) => {
    const tenantId = tenantOf.get(list.operationId);
    const own = tenantId ? [await app.ownerWithToken({ tenantId })] : [];
    let ownIds = 0;
    let answers = 0;
    for (const owner of [...own, ...owners]) {
      const answer = await callAs(owner, list);
      // What is needed beyond the tenant, such as a text to search for; or there is nothing of the kind.
      if (answer.status !== 200) expect([400, 404], answer.text).toContain(answer.status);
      else answers += 1;
      const ids = answer.text.match(idText) ?? [];
      expect(
        ids.filter((id) => (ownerOf.get(id) ?? owner.tenantId) !== owner.tenantId),
        answer.text,
      ).toEqual([]);
      ownIds += ids.filter((id) => ownerOf.get(id) === owner.tenantId).length;
    }
    expect(answers).toBeGreaterThan(0);
    // A list that shows nothing to anybody would prove nothing.
    if (tenantId && pageShape(list.response)) expect(ownIds).toBeGreaterThan(0);
  });
});
