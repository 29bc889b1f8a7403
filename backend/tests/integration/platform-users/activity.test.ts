import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { planOf, scopesOf, type Plan } from '../../support/plans.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
let owner: Awaited<ReturnType<TestApp['ownerWithToken']>>;
let admin: string;
beforeAll(async () => {
  app = await startTestApp();
  owner = await app.ownerWithToken();
  admin = await app.adminToken();
});
afterAll(() => app.close());

type Read = Plan & { 'Actual Rows': number; 'Rows Removed by Filter'?: number };
type Entry = { id: string; action: string; direction: string; createdAt: string };
const list = (id: string, query = '', who = owner.token) =>
  app.call('GET', `/api/platform-users/${id}/activity${query}`, { token: who });
const entriesOf = async (id: string, query = '', who = owner.token) => {
  const answer = await list(id, query, who);
  expectSuccess(answer);
  return answer.body.data as (Entry & Record<string, unknown>)[];
};

/** Rows of the trail, past the application: when and what, and nothing that could be verified. */
async function writeRows(tenantId: string | null, rows: Record<string, unknown>[]): Promise<void> {
  await app.query(
    `insert into audit_logs (id, chain, sequence, tenant_id, actor_type, actor_id, actor_name, on_behalf_of_id, action,
                             resource, resource_id, outcome, ip_address, user_agent, created_at, previous_hash, hash)
     select id, coalesce($1, 'platform'), 100000 + number, $1, coalesce("actorType", 'USER')::actor_type, "actorId", 'Asha',
            "onBehalfOfId", action, coalesce(resource, 'person'), "resourceId", 'SUCCESS', '203.0.113.7',
            'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
            "createdAt", repeat('0', 64), repeat('1', 64)
       from jsonb_to_recordset($2) as r (id text, number int, "actorType" text, "actorId" text, "onBehalfOfId" text, action text,
            resource text, "resourceId" text, "createdAt" timestamptz)`,
    [
      tenantId,
      JSON.stringify(rows.map((row, index) => ({ id: newId(), number: (serial += 1), createdAt: at(index), ...row }))),
    ],
  );
}
let serial = 0;
const at = (minute: number) => new Date(Date.UTC(2026, 9, 1, 0, minute)).toISOString();

it('tells what somebody did, what was done in their name, and what was done to them', async () => {
  const { tenantId } = owner;
  const staff = await app.buildUser({ role: 'library_staff', tenantId });
  const [key, adminId] = [newId(), newId()];
  await writeRows(tenantId, [
    { action: 'users.create', resourceId: staff.id, actorId: owner.owner.id },
    { action: 'users.update', resourceId: newId(), actorId: staff.id },
    { action: 'users.delete', resourceId: newId(), actorId: key, actorType: 'API_KEY', onBehalfOfId: staff.id },
    { action: 'users.activate', resourceId: staff.id, actorId: adminId, onBehalfOfId: staff.id },
    { action: 'auth.update_profile', resourceId: staff.id, actorId: staff.id },
    { action: 'cleanup.access', resourceId: staff.id, actorType: 'SYSTEM' },
  ]);
  const told = await entriesOf(staff.id);
  expect(told.map(({ action, direction }) => [action, direction])).toEqual([
    ['cleanup.access', 'TO_PERSON'],
    ['auth.update_profile', 'BY_PERSON'],
    ['users.activate', 'IN_THEIR_NAME'],
    ['users.delete', 'IN_THEIR_NAME'],
    ['users.update', 'BY_PERSON'],
    ['users.create', 'TO_PERSON'],
  ]);
  const own = { ipAddress: '203.0.113.7', device: 'Chrome on Windows' };
  const ofOthers = { ipAddress: null, device: null };
  for (const entry of told) expect(entry).toMatchObject(entry.direction === 'BY_PERSON' ? own : ofOthers);
  expect(told[0]?.actor).toEqual({ id: null, name: 'Asha', type: 'SYSTEM' });
  expect(await entriesOf(staff.id, '', admin)).toEqual(told);
});

it('tells of sign-ins with their session, while it is kept', async () => {
  const { tenantId } = owner;
  const staff = await app.buildUser({ role: 'library_staff', tenantId });
  const { token } = await app.signIn(staff);
  const [entry, ...others] = await entriesOf(staff.id);
  expect(others).toEqual([]);
  expect(entry).toMatchObject({
    action: 'auth.login',
    direction: 'BY_PERSON',
    ipAddress: expect.stringMatching(/^10\./),
    session: { method: 'PASSWORD', mfa: false, endedAt: null, lastSeenAt: expect.any(String) },
  });
  await app.call('POST', '/api/auth/logout', { token });
  const [out, signIn] = await entriesOf(staff.id);
  expect(out).toMatchObject({ action: 'auth.logout', session: null });
  expect(signIn).toMatchObject({ action: 'auth.login', session: { endedAt: expect.any(String) } });
  await app.query(`delete from sessions where user_id = $1`, [staff.id]);
  expect((await entriesOf(staff.id))[1]).toMatchObject({ action: 'auth.login', session: null });
});

it('tells nothing of another chain than that of their own tenant', async () => {
  const { tenantId } = owner;
  const staff = await app.buildUser({ role: 'library_staff', tenantId });
  const other = (await app.buildTenant()).id;
  await writeRows(other, [{ action: 'users.update', resourceId: staff.id, actorId: staff.id }]);
  await writeRows(null, [{ action: 'rbac.assign', resourceId: staff.id, actorId: newId() }]);
  for (const who of [owner.token, admin]) expect(await entriesOf(staff.id, '', who)).toEqual([]);
});

it('knows nobody of another tenant, no portal admin, and nobody who has left', async () => {
  const other = await app.ownerWithToken();
  const gone = await app.buildUser({ role: 'student', tenantId: owner.tenantId, password: false });
  await app.query(`update users set deleted_at = now() where id = $1`, [gone.id]);
  const somebody = await app.buildAdmin();
  expectError(await list(other.owner.id), 404, 'not_found');
  expectError(await list(gone.id), 404, 'not_found');
  for (const id of [somebody.id, gone.id, newId()]) expectError(await list(id, '', admin), 404, 'not_found');
  const within = { token: admin, headers: { 'x-tenant-id': owner.tenantId } };
  const path = `/api/platform-users/${other.owner.id}/activity`;
  expectError(await app.call('GET', path, within), 404, 'not_found');
});

it('is for holders of users.read', async () => {
  const student = await app.buildUser({ role: 'student', tenantId: owner.tenantId });
  const { token } = await app.signIn(student);
  expectError(await list(student.id, '', token), 403, 'forbidden');
});

it('goes on from a cursor without leaving anything out or telling it twice, rows of one moment included', async () => {
  const { tenantId } = owner;
  const student = await app.buildUser({ role: 'student', tenantId, password: false });
  await writeRows(
    tenantId,
    Array.from({ length: 60 }, (_, index) => ({
      action: `x.${index}`,
      createdAt: at(Math.floor(index / 7)),
      ...(index % 3 === 0
        ? { actorId: student.id, resourceId: newId() }
        : index % 3 === 1
          ? { actorId: newId(), resourceId: student.id }
          : { actorId: newId(), onBehalfOfId: student.id, resourceId: student.id }),
    })),
  );
  const first = await list(student.id, '?limit=13');
  expect(first.body.meta).toMatchObject({ total: 60, totalPages: 5 });
  const all = await entriesOf(student.id, '?limit=100');
  const found: Entry[] = [...first.body.data];
  for (let next = first.body.meta.nextCursor as string | null; next !== null;) {
    const { body } = await list(student.id, `?limit=13&cursor=${next}`);
    found.push(...body.data);
    next = body.meta.nextCursor;
  }
  expect(found.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
  expect(new Set(found.map(({ id }) => id)).size).toBe(60);
  const second = await entriesOf(student.id, '?limit=13&page=2');
  expect(second.map(({ id }) => id)).toEqual(all.slice(13, 26).map(({ id }) => id));
  expectError(await list(student.id, '?cursor=nonsense'), 400, 'validation_failed', 'query cursor');
});

it('reads hardly more than a page of each part among many rows, for who did much as for who did little', async () => {
  const { tenantId } = owner;
  const busy = await app.buildUser({ role: 'library_staff', tenantId });
  const quiet = await app.buildUser({ role: 'library_staff', tenantId });
  const rows = process.env.TEST_ALL ? 200_000 : 20_000;
  await app.query(
    `insert into audit_logs (id, chain, sequence, tenant_id, actor_type, actor_id, on_behalf_of_id, action, resource,
                             resource_id, outcome, created_at, previous_hash, hash)
     select 'c' || substr(md5('busy' || i), 1, 24), $1, 1000000 + i, $1, 'USER', case when i % 3 = 0 then who else other end,
            case when i % 3 = 1 then who end, 'x.y', 'person', case when i % 3 = 2 then who else other end, 'SUCCESS',
            now() - i * interval '30 seconds', repeat('0', 64), repeat('1', 64)
       from (select i, 'c' || substr(md5('a' || i % 900), 1, 24) as other,
                    case when i % 5 = 0 then $2 when i > $4::int - 9 then $3 end as who
               from generate_series(1, $4::int) i) numbered`,
    [tenantId, busy.id, quiet.id, rows],
  );
  await app.query('analyze audit_logs');
  const database = new pg.Client(app.database.appUrl);
  await database.connect();
  try {
    for (const [who, id] of [owner.token, admin].flatMap((one) =>
      [busy.id, quiet.id].map((id) => [one, id] as const),
    )) {
      const scopes = await scopesOf(app, `/api/platform-users/${id}/activity?limit=5`, who);
      const [scope, statement] = scopes.at(-1) ?? [];
      const nodes = (await planOf(database, scope!, statement!, ', analyze')) as Read[];
      const reads = nodes.filter((node) => node['Relation Name']?.startsWith('audit_logs'));
      expect(reads.length).toBeGreaterThanOrEqual(3);
      expect(reads.filter((node) => !node['Index Name'])).toEqual([]);
      const touched = reads.map((node) => node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0));
      expect(Math.max(...touched), JSON.stringify(reads)).toBeLessThan(200);
    }
  } finally {
    await database.end();
  }
});
