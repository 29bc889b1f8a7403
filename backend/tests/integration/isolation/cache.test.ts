import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cacheKey, namesOf, PLATFORM_SPACE } from '../../../src/utils/cache-key.ts';
import { Redis } from 'ioredis';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { emptyRedis, hasRedis } from '../../support/processes.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { buildPlace, type Place } from './support.ts';

// Layer 3: what is cached. Nobody gets a kept answer who may not see it now, and no two tenants share a key.

/** Connected: before that nothing is kept. */
async function startWithCache(number: number): Promise<TestApp & { redis: Redis }> {
  const url = await emptyRedis(number);
  const app = await startTestApp({ REDIS_URL: url });
  const { commandRedis } = await import('../../../src/config/redis.ts');
  const commands = commandRedis();
  if (commands && commands.status !== 'ready') await new Promise<void>((done) => commands.once('ready', () => done()));
  return { ...app, redis: new Redis(url) };
}

const analytics = (app: TestApp, tenantId: string, token: string, headers = {}) =>
  app.call('GET', `/api/tenants/${tenantId}/analytics`, { token, headers });

/** Adds somebody of whom the cache is not told: what is kept does not know of them. */
const addUnnoticed = (app: TestApp, tenantId: string) => app.buildUser({ role: 'student', tenantId });

describe.runIf(hasRedis)('What is cached', () => {
  let app: Awaited<ReturnType<typeof startWithCache>>;
  let mine: Place;
  let theirs: Place;
  beforeAll(async () => {
    app = await startWithCache(12);
    mine = await buildPlace(app, 'Ours');
    theirs = await buildPlace(app, 'Theirs');
    for (let index = 0; index < 3; index += 1) await addUnnoticed(app, theirs.tenantId);
    expect((await analytics(app, mine.tenantId, mine.token)).body.data.people.total).toBe(2);
    expect((await analytics(app, theirs.tenantId, theirs.token)).body.data.people.total).toBe(5);
    await Promise.all([mine, theirs].map(({ tenantId }) => addUnnoticed(app, tenantId)));
  });
  afterAll(async () => {
    app?.redis.disconnect();
    await app?.close();
  });

  it('is kept for each tenant apart, and answered to its own people and to portal admins', async () => {
    const admin = await app.adminToken({ role: 'operations' });
    for (const [place, total] of [
      [mine, 2],
      [theirs, 5],
    ] as const) {
      for (const [token, headers] of [
        [place.token, {}],
        [admin, {}],
        [admin, { 'x-tenant-id': place.tenantId }],
      ] as const) {
        const answer = await analytics(app, place.tenantId, token, headers);
        expectSuccess(answer);
        expect(answer.body.data.people.total).toBe(total);
      }
    }
    const names = await app.redis.keys('cache:*:value:*');
    expect(names).toHaveLength(2);
    for (const { tenantId } of [mine, theirs]) {
      expect(names.filter((name) => name.startsWith(`cache:{${tenantId}}:value:analytics:${tenantId}:`))).toHaveLength(
        1,
      );
    }
  });

  it("is a 404 for another tenant's people, and for a portal admin who works within another tenant", async () => {
    expectError(await analytics(app, theirs.tenantId, mine.token), 404, 'not_found');
    const admin = await app.adminToken({ role: 'operations' });
    const answer = await analytics(app, theirs.tenantId, admin, { 'x-tenant-id': mine.tenantId });
    expectError(answer, 404, 'not_found');
  });

  it('is not answered after the permission is gone', async () => {
    const staff = await app.buildUser({ role: 'library_staff', tenantId: mine.tenantId });
    const { token } = await app.signIn(staff);
    expectSuccess(await analytics(app, mine.tenantId, token));
    expectSuccess(await analytics(app, mine.tenantId, token));
    await app.query(`delete from role_assignments where user_id = $1`, [staff.id]);
    await app.query(`update users set permission_version = permission_version + 1 where id = $1`, [staff.id]);
    expectError(await analytics(app, mine.tenantId, token), 403, 'forbidden');
  });

  it.each([
    [`update users set deleted_at = now(), status = 'INACTIVE' where id = $1`, 'somebody who has left'],
    [`update users set status = 'SUSPENDED' where id = $1`, 'somebody who was suspended'],
    [`update sessions set revoked_at = now(), revoked_reason = 'REVOKED' where user_id = $1`, 'an ended session'],
  ])('is not answered after %s: %s', async (statement) => {
    const staff = await app.buildUser({ role: 'library_staff', tenantId: mine.tenantId });
    const { token } = await app.signIn(staff);
    expectSuccess(await analytics(app, mine.tenantId, token));
    expectSuccess(await analytics(app, mine.tenantId, token));
    await app.query(statement, [staff.id]);
    expectError(await analytics(app, mine.tenantId, token), 401, 'unauthenticated');
  });

  it('is not answered to a tenant that is shut out, nor of one that was purged', async () => {
    const place = await buildPlace(app, 'Soon gone');
    const admin = await app.adminToken();
    expectSuccess(await analytics(app, place.tenantId, place.token));
    await app.query(`update tenants set status = 'SUSPENDED' where id = $1`, [place.tenantId]);
    expectError(await analytics(app, place.tenantId, place.token), 403, 'tenant_suspended');
    expectSuccess(await analytics(app, place.tenantId, admin));
    await app.query(`update tenants set status = 'PURGED' where id = $1`, [place.tenantId]);
    expectError(await analytics(app, place.tenantId, admin), 404, 'not_found');
    expectError(await analytics(app, place.tenantId, place.token), 401, 'unauthenticated');
  });

  it("and lies under one tenant's name but is another's, is not answered, and written down", async () => {
    const { analyticsKey } = await import('../../../src/services/tenant-analytics.service.ts');
    const own = namesOf(analyticsKey(mine.tenantId, new Date()));
    const foreign = namesOf(analyticsKey(theirs.tenantId, new Date()));
    const [ownGeneration, foreignGeneration, value] = (await app.redis.mget(
      own.generation,
      foreign.generation,
      foreign.value,
    )) as [string, string, string];
    await app.redis.set(own.value, ownGeneration + value.slice(foreignGeneration.length), 'EX', 600);
    const answer = await analytics(app, mine.tenantId, mine.token);
    expectSuccess(answer);
    expect(answer.body.data.people.total).not.toBe(5);
    const metrics = await app.call('GET', '/api/monitoring/metrics', { token: await app.adminToken() });
    expect(metrics.text).toContain('studyspot_cache_requests_total{family="analytics",result="foreign"} 1');
  });
});

describe.runIf(hasRedis)('Where the keys of the cache were made without the tenant', () => {
  it("one tenant would get the other's answer", async () => {
    vi.resetModules();
    vi.doMock('../../../src/utils/cache-key.ts', async (original) => {
      const modules = await original<typeof import('../../../src/utils/cache-key.ts')>();
      const withoutTenant = (_space: string, { date, of }: { date: string; of: string }) =>
        cacheKey.users(PLATFORM_SPACE, `${date} ${of}`);
      return { ...modules, cacheKey: { ...modules.cacheKey, analytics: withoutTenant } };
    });
    const naive = await startWithCache(13);
    try {
      const [ours, others] = [await buildPlace(naive, 'Ours'), await buildPlace(naive, 'Theirs')];
      for (let index = 0; index < 3; index += 1) await addUnnoticed(naive, others.tenantId);
      expect((await analytics(naive, others.tenantId, others.token)).body.data.people.total).toBe(5);
      const crossed = await analytics(naive, ours.tenantId, ours.token);
      expectSuccess(crossed);
      expect(crossed.body.data.people.total).toBe(5);
    } finally {
      naive.redis.disconnect();
      await naive.close();
      vi.doUnmock('../../../src/utils/cache-key.ts');
    }
  });
});
