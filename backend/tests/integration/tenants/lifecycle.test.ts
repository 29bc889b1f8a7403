import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TenantStatus } from '../../../src/generated/prisma/enums.ts';
import { TENANT_TRANSITIONS } from '../../../src/services/tenant-status.policy.ts';
import { newId } from '../../../src/utils/ids.ts';
import { PASSWORD, someAddress } from '../../support/factories.ts';
import { statusesOf } from '../../support/calls.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

const HOUR_MS = 3_600_000;
const inHours = (hours: number) => new Date(Date.now() + hours * HOUR_MS);

let app: TestApp;
let admin: { id: string; name: string };
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  admin = await app.buildAdmin({ role: 'operations', name: 'Asha Menon' });
  token = (await app.signIn({ email: null, ...admin })).token;
});
afterAll(() => app.close());

const post = (id: string, what: 'suspend' | 'activate', body: unknown, who = token) =>
  app.call('POST', `/api/tenants/${id}/${what}`, { token: who, body });
const suspend = (id: string, reason = 'Unpaid since June') => post(id, 'suspend', { reason });
const activate = (id: string, body: object = {}) => post(id, 'activate', body);
const read = async (id: string) => (await app.call('GET', `/api/tenants/${id}`, { token })).body.data;
const history = async (id: string, query = '') =>
  (await app.call('GET', `/api/tenants/${id}/transitions${query}`, { token })).body;
const statusOf = async (id: string) =>
  (await app.query<{ status: TenantStatus }>(`select status from tenants where id = $1`, [id]))[0]?.status;

const alive = Object.values(TenantStatus).filter((status) => status !== 'PURGED');

describe('Suspending and activating', () => {
  it.each(alive)('a tenant that is %s goes by the table of transitions', async (from) => {
    for (const [what, to] of [
      ['suspend', 'SUSPENDED'],
      ['activate', 'ACTIVE'],
    ] as const) {
      const { id } = await app.buildTenant({ status: from });
      const answer = await post(id, what, { reason: 'As was agreed' });
      if (TENANT_TRANSITIONS[from].includes(to)) {
        expect(answer.status, answer.text).toBe(200);
        expect(answer.body.data).toMatchObject({ id, status: to, version: 2 });
        expect(await statusOf(id)).toBe(to);
        expect((await history(id)).data).toHaveLength(1);
        continue;
      }
      expect(answer.status, answer.text).toBe(409);
      expect(answer.body.error).toMatchObject({
        code: 'invalid_transition',
        details: { from, to, allowed: TENANT_TRANSITIONS[from] },
      });
      expect(answer.body.error.message).toContain(`The tenant is ${from} and cannot become ${to}`);
      expect(await read(id)).toMatchObject({ status: from, version: 1 });
      expect((await history(id)).data).toEqual([]);
      expect(await app.query(`select 1 from audit_logs where resource_id = $1`, [id])).toEqual([]);
    }
  });

  it('a purged tenant is a 404', async () => {
    const { id } = await app.buildTenant({ status: 'PURGED' });
    expect((await suspend(id)).status).toBe(404);
    expect((await activate(id)).status).toBe(404);
    expect((await app.call('GET', `/api/tenants/${id}`, { token })).status).toBe(404);
    expect((await app.call('GET', `/api/tenants/${id}/transitions`, { token })).status).toBe(404);
  });

  it.each([{}, { reason: '' }, { reason: '    ' }, { reason: 'abc' }, { reason: 'x'.repeat(501) }, { reason: null }])(
    'suspending needs a reason worth the name: not %j',
    async (body) => {
      const { id } = await app.buildTenant();
      const answer = await post(id, 'suspend', body);
      expect(answer.status).toBe(400);
      expect(answer.body.error.details.issues).toMatchObject([{ in: 'body', field: 'reason' }]);
      expect(await statusOf(id)).toBe('ACTIVE');
    },
  );

  it('activating may tell one', async () => {
    const { id } = await app.buildTenant({ status: 'SUSPENDED' });
    expect((await activate(id, { reason: 'abc' })).status).toBe(400);
    expect((await activate(id)).status).toBe(200);
    expect((await history(id)).data).toMatchObject([{ reason: null }]);
  });

  it('is written to the audit trail of the tenant, with the reason', async () => {
    const { id } = await app.buildTenant();
    await suspend(id, 'Invoice SS/26-27/000123 is unpaid');
    await activate(id);
    const rows = await app.query(
      `select action, changes, chain, actor_name from audit_logs where chain = $1 order by sequence`,
      [id],
    );
    expect(rows).toEqual([
      {
        action: 'tenants.suspend',
        changes: { status: { from: 'ACTIVE', to: 'SUSPENDED' }, reason: 'Invoice SS/26-27/000123 is unpaid' },
        chain: id,
        actor_name: 'Asha Menon',
      },
      {
        action: 'tenants.activate',
        changes: { status: { from: 'SUSPENDED', to: 'ACTIVE' } },
        chain: id,
        actor_name: 'Asha Menon',
      },
    ]);
  });

  it.each(['suspend', 'activate'] as const)('%s is not for those without the permission', async (what) => {
    const { token: owner, tenantId } = await app.ownerWithToken();
    for (const role of ['sales', 'support', 'finance', 'auditor'] as const) {
      expect((await post(tenantId, what, { reason: 'As was agreed' }, await app.adminToken({ role }))).status).toBe(
        403,
      );
    }
    expect((await post(tenantId, what, { reason: 'As was agreed' }, owner)).status).toBe(403);
    expect(await statusOf(tenantId)).toBe('ACTIVE');
  });

  it('is done by one of those who try at once', async () => {
    const { id } = await app.buildTenant();
    const suspended = await Promise.all([suspend(id), suspend(id), suspend(id)]);
    expect(statusesOf(suspended)).toEqual([200, 409, 409]);
    const activated = await Promise.all([activate(id), activate(id)]);
    expect(statusesOf(activated)).toEqual([200, 409]);
    expect((await history(id)).meta.total).toBe(2);
    expect(await read(id)).toMatchObject({ status: 'ACTIVE', version: 3 });
  });
});

describe('A suspension', () => {
  it('ends the sessions of the people of that tenant, and of nobody else', async () => {
    const { token: owner, refreshToken, tenantId, owner: person } = await app.ownerWithToken();
    const student = await app.signIn(await app.buildUser({ tenantId, role: 'student' }));
    const stranger = await app.ownerWithToken();
    const [old] = await app.query<{ id: string }>(
      `insert into sessions (id, tenant_id, user_id, refresh_seed, expires_at, revoked_at, revoked_reason)
       values ($1, $2, $3, 'x', now() + interval '1 day', '2026-01-01T00:00:00Z', 'LOGOUT') returning id`,
      [newId(), tenantId, person.id],
    );

    expect((await suspend(tenantId)).status).toBe(200);

    for (const dead of [owner, student.token]) {
      expect((await app.call('GET', '/api/auth/me', { token: dead })).status).toBe(401);
    }
    const refreshed = await app.call('POST', '/api/auth/refresh', { body: { refreshToken } });
    expect(refreshed.status).toBe(401);
    for (const living of [stranger.token, token]) {
      expect((await app.call('GET', '/api/auth/me', { token: living })).status).toBe(200);
    }
    const sessions = await app.query(
      `select id, revoked_at, revoked_reason from sessions where tenant_id = $1 order by revoked_at`,
      [tenantId],
    );
    expect(sessions).toHaveLength(3);
    expect(sessions[0]).toEqual({
      id: old?.id,
      revoked_at: new Date('2026-01-01T00:00:00Z'),
      revoked_reason: 'LOGOUT',
    });
    expect(sessions.slice(1)).toMatchObject([
      { revoked_reason: 'TENANT_SUSPENDED' },
      { revoked_reason: 'TENANT_SUSPENDED' },
    ]);
  });

  it('leaves the owner a way in, to see that they are suspended; activating opens the rest again', async () => {
    const { token: before, tenantId, owner } = await app.ownerWithToken();
    await suspend(tenantId);
    const { token: during } = await app.signIn(owner);
    expect((await app.call('GET', '/api/auth/me', { token: during })).body.data.tenant.status).toBe('SUSPENDED');
    for (const path of [`/api/tenants/${tenantId}`, `/api/tenants/${tenantId}/users`]) {
      const refused = await app.call('GET', path, { token: during });
      expect([refused.status, refused.body.error.code]).toEqual([403, 'tenant_suspended']);
    }
    const written = await app.call('PUT', `/api/tenants/${tenantId}`, { token: during, body: { city: 'Sikar' } });
    expect(written.status).toBe(403);

    await activate(tenantId);
    expect((await app.call('GET', `/api/tenants/${tenantId}`, { token: during })).status).toBe(200);
    expect((await app.call('GET', `/api/tenants/${tenantId}`, { token: before })).status).toBe(401);
  });

  it('that is refused ends no session', async () => {
    const { token: owner, tenantId } = await app.ownerWithToken();
    await app.query(`update tenants set status = 'INACTIVE' where id = $1`, [tenantId]);
    expect((await suspend(tenantId)).status).toBe(409);
    expect((await app.call('GET', '/api/auth/me', { token: owner })).status).toBe(200);
  });

  it('is not undone by signing in', async () => {
    const { tenantId, owner } = await app.ownerWithToken();
    await suspend(tenantId);
    const signedIn = await app.call('POST', '/api/auth/login', {
      body: { email: owner.email, password: PASSWORD },
      headers: { 'x-forwarded-for': someAddress() },
    });
    expect(signedIn.status).toBe(200);
    expect(await statusOf(tenantId)).toBe('SUSPENDED');
  });
});

describe('A trial', () => {
  const trial = (trialEndsAt: Date | null) => app.buildTenant({ status: 'TRIAL', trialEndsAt });

  it('goes on after a suspension for what is left of it', async () => {
    const { id } = await trial(inHours(48));
    const { trialEndsAt } = await read(id);
    await suspend(id);
    expect((await activate(id)).body.data).toMatchObject({ status: 'TRIAL', trialEndsAt });
    expect((await activate(id)).body.data.status).toBe('ACTIVE');
  });

  it('whose time ran out during the suspension is over', async () => {
    const { id } = await trial(inHours(48));
    await suspend(id);
    await app.query(`update tenants set trial_ends_at = now() - interval '1 minute' where id = $1`, [id]);
    expect((await activate(id)).body.data.status).toBe('ACTIVE');
  });

  it('that had ended before the last suspension does not come back', async () => {
    const { id } = await trial(inHours(48));
    for (const status of ['SUSPENDED', 'TRIAL', 'ACTIVE', 'SUSPENDED', 'ACTIVE']) {
      const answer = status === 'SUSPENDED' ? await suspend(id) : await activate(id);
      expect(answer.body.data.status, answer.text).toBe(status);
    }
  });

  it('goes on too where the suspension was still under way when the activation came', async () => {
    const { id } = await trial(inHours(48));
    const activated = await whileLocked(
      id,
      () => activate(id),
      async (client) => {
        await client.query(`update tenants set status = 'SUSPENDED' where id = $1`, [id]);
        await client.query(
          `insert into tenant_transitions (id, tenant_id, "from", "to", created_at)
         values ($1, $2, 'TRIAL', 'SUSPENDED', clock_timestamp())`,
          [newId(), id],
        );
      },
    );
    expect(activated.body.data.status).toBe('TRIAL');
    expect((await history(id)).data.map(({ to }: { to: string }) => to)).toEqual(['TRIAL', 'SUSPENDED']);
  });

  /** Holds the lock of a tenant until `request` waits for it, then lets `change` happen before it. */
  async function whileLocked<Result>(
    id: string,
    request: () => Promise<Result>,
    change: (client: pg.Client) => Promise<void>,
  ): Promise<Result> {
    const client = new pg.Client(app.database.ownerUrl);
    await client.connect();
    try {
      await client.query('begin');
      await client.query(`select 1 from tenants where id = $1 for update`, [id]);
      const answer = request();
      for (let tries = 0; tries < 200; tries += 1) {
        const waiting = await app.query(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        if (waiting.length > 0) break;
        await sleep(20);
      }
      await change(client);
      await client.query('commit');
      return await answer;
    } finally {
      await client.end();
    }
  }
});

describe('GET /api/tenants/:id/transitions', () => {
  it('tells who did what, when and why, from the creation on', async () => {
    const created = await app.call('POST', '/api/tenants', {
      token,
      body: {
        name: 'History Hall',
        email: 'office@history.example',
        owner: { name: 'Meera', email: `meera-${newId()}@history.example` },
      },
    });
    const { id } = created.body.data;
    const began = Date.now();
    await suspend(id, 'Invoice is unpaid');
    await activate(id, { reason: 'Invoice was paid' });
    const { data, meta } = await history(id);
    const actor = { id: admin.id, name: 'Asha Menon' };
    expect(meta).toEqual({ page: 1, limit: 20, total: 3, totalPages: 1 });
    const anyRow = { id: expect.stringMatching(/^c/), actor, createdAt: expect.any(String) };
    expect(data).toEqual([
      { ...anyRow, from: 'SUSPENDED', to: 'TRIAL', reason: 'Invoice was paid' },
      { ...anyRow, from: 'TRIAL', to: 'SUSPENDED', reason: 'Invoice is unpaid' },
      { ...anyRow, from: null, to: 'TRIAL', reason: null, createdAt: created.body.data.createdAt },
    ]);
    expect(Date.parse(data[1].createdAt)).toBeGreaterThanOrEqual(began);
    expect(Date.parse(data[0].createdAt)).toBeGreaterThanOrEqual(Date.parse(data[1].createdAt));
  });

  it('goes by page, in either direction, and never shows those of another tenant', async () => {
    const { id } = await app.buildTenant();
    const other = await app.buildTenant();
    await suspend(other.id);
    for (let round = 0; round < 3; round += 1) {
      await suspend(id, `Reason number ${round}`);
      await activate(id);
    }
    const all = (await history(id, '?limit=100')).data;
    expect(all).toHaveLength(6);
    const pages = await Promise.all([1, 2, 3].map((page) => history(id, `?limit=2&page=${page}`)));
    expect(pages.flatMap(({ data }) => data)).toEqual(all);
    expect((await history(id, '?order=asc&limit=100')).data).toEqual(all.toReversed());
  });

  it('shows what the system did without a name', async () => {
    const { id } = await app.buildTenant();
    await app.query(`insert into tenant_transitions (id, tenant_id, "from", "to") values ($1, $2, 'TRIAL', 'ACTIVE')`, [
      newId(),
      id,
    ]);
    expect((await history(id)).data).toMatchObject([{ actor: null, reason: null }]);
  });

  it('is a 404 for a tenant that is not there, and a 403 for a library owner', async () => {
    expect((await app.call('GET', `/api/tenants/${newId()}/transitions`, { token })).status).toBe(404);
    const { token: owner, tenantId } = await app.ownerWithToken();
    expect((await app.call('GET', `/api/tenants/${tenantId}/transitions`, { token: owner })).status).toBe(403);
  });

  it('takes no sort', async () => {
    const { id } = await app.buildTenant();
    const answer = await app.call('GET', `/api/tenants/${id}/transitions?sort=createdAt`, { token });
    expect(answer.status).toBe(400);
  });
});
