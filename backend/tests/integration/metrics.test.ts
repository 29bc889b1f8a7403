import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../src/utils/ids.ts';
import { expectError } from '../support/expectations.ts';
import { startTestApp, type TestApp } from '../support/server.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const PATH = '/api/monitoring/metrics';

/** The figures, by name and labels as they are written. */
async function figures(token: string): Promise<Map<string, number>> {
  const answer = await app.call('GET', PATH, { token });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = answer.text.split('\n').filter((line) => line && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

it('tell what came of requests, by operation', async () => {
  const token = await app.adminToken({ role: 'operations' });
  const { id } = await app.buildTenant();
  const counted = (all: Map<string, number>, operation: string, status: string) =>
    all.get(`studyspot_http_request_duration_seconds_count{operation="${operation}",status="${status}"}`) ?? 0;
  const before = await figures(token);
  await app.call('GET', `/api/tenants/${id}`, { token });
  await app.call('GET', `/api/tenants/${newId()}`, { token });
  await app.call('GET', `/api/nowhere/${newId()}`);
  const after = await figures(token);
  const more = (operation: string, status: string) =>
    counted(after, operation, status) - counted(before, operation, status);
  expect(more('getTenant', '2xx')).toBe(1);
  expect(more('getTenant', '4xx')).toBe(1);
  expect(more('none', '4xx')).toBe(1);
  expect(more('getMetrics', '2xx')).toBe(1);
  // No label is ever an id: each value of one is kept for good.
  expect([...after.keys()].filter((name) => name.includes(id) || /c[a-z0-9]{24}/.test(name))).toEqual([]);
});

it('tell of the cache, the jobs, the connections and the process', async () => {
  const { token, tenantId } = await app.ownerWithToken();
  await app.call('GET', `/api/tenants/${tenantId}/analytics`, { token });
  await app.query(`
    insert into outbox_messages (id, job, payload, dedupe_key, available_at)
    values ('${newId()}', 'x', '{}', '${newId()}', now() - interval '90 seconds'),
           ('${newId()}', 'x', '{}', '${newId()}', now() + interval '90 seconds');
    insert into dead_letters (id, queue, job, job_id, payload, error, attempts, resolved_at)
    values ('${newId()}', 'q', 'x', '1', '{}', 'No', 3, null), ('${newId()}', 'q', 'x', '2', '{}', 'No', 3, now())`);
  const all = await figures(await app.adminToken({ role: 'auditor' }));
  expect(all.get('studyspot_cache_requests_total{family="analytics",result="off"}')).toBe(1);
  expect(all.get('studyspot_dead_letters')).toBe(1);
  expect(all.get('studyspot_outbox_messages_waiting')).toBeGreaterThanOrEqual(1);
  expect(all.get('studyspot_outbox_oldest_seconds')).toBeGreaterThanOrEqual(90);
  expect(all.get('studyspot_database_connections_open')).toBeGreaterThanOrEqual(1);
  expect(all.get('studyspot_database_connections_awaited')).toBe(0);
  expect(all.get('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
});

it('are for those who hold the permission, and for API keys', async () => {
  expectError(await app.call('GET', PATH), 401, 'unauthenticated');
  const { token: ownerToken } = await app.ownerWithToken();
  expectError(await app.call('GET', PATH, { token: ownerToken }), 403, 'forbidden');
  expectError(await app.call('GET', PATH, { token: await app.adminToken({ role: 'sales' }) }), 403, 'forbidden');
  const made = await app.call('POST', '/api/security/api-keys', {
    token: await app.elevatedToken(),
    body: {
      name: 'Prometheus',
      scopes: ['monitoring.read'],
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    },
  });
  expect(made.status, made.text).toBe(201);
  const { key } = made.body.data;
  expect((await figures(key)).size).toBeGreaterThan(20);
  expectError(await app.call('GET', '/api/tenants', { token: key }), 403, 'forbidden');
});
