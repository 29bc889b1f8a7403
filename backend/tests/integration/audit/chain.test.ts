import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queryString } from '../../support/calls.ts';
import { someAddress } from '../../support/factories.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { buildChain, expectWholeChain, intact, integrityOf, rowsOfChain, writeAudit } from './support.ts';

let app: TestApp;
let check: ReturnType<typeof integrityOf>;
let operations: string;
beforeAll(async () => {
  app = await startTestApp();
  check = integrityOf(app);
  operations = await app.adminToken({ role: 'operations' });
});
afterAll(() => app.close());

const verdictOf = async (query: Record<string, string | number> = {}) => (await check(queryString(query))).body.data;

describe('The chain', () => {
  it('is whole after fifty writes to one tenant at once', async () => {
    const { id } = await app.buildTenant();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        app.call('PUT', `/api/tenants/${id}`, { token: operations, body: { city: `City ${index}` } }),
      ),
    );
    expect(answers.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([]);
    await expectWholeChain(app, id, 50);
    expect(await verdictOf({ chain: id })).toEqual(intact(50));
  });

  it('is whole after writes to many chains at once, some of which are refused', async () => {
    const ids = (await Promise.all(Array.from({ length: 5 }, () => app.buildTenant()))).map(({ id }) => id);
    const [{ n: platform } = { n: 0 }] = await app.query<{ n: number }>(
      `select count(*)::int as n from audit_logs where chain = 'platform'`,
    );
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => {
        const id = ids[index % ids.length];
        if (index % 4 === 3) {
          const body = { email: `nobody-${index}@people.example` };
          return app.call('POST', '/api/auth/forgot-password', {
            body,
            headers: { 'x-forwarded-for': someAddress() },
          });
        }
        const headers: Record<string, string> = index % 4 === 2 ? { 'if-match': '"77"' } : {};
        return app.call('PUT', `/api/tenants/${id}`, { token: operations, body: { city: `City ${index}` }, headers });
      }),
    );
    const count = (status: number) => answers.filter((answer) => answer.status === status).length;
    expect([count(200), count(202), count(412)]).toEqual([30, 15, 15]);
    for (const id of ids) await expectWholeChain(app, id, 6);
    await expectWholeChain(app, 'platform', platform + 15);
    const everything = await verdictOf();
    expect(everything).toMatchObject({ intact: true, complete: true, breaks: [] });
    expect(everything.chains).toBe((await app.query(`select 1 from audit_chains`)).length);
  });

  it('can be recomputed by anybody, whatever the rows hold', async () => {
    const chain = await buildChain(app, 5);
    await expectWholeChain(app, chain, 5);
    expect((await rowsOfChain(app, chain))[2]?.changes).toEqual({
      step: 3,
      note: 'é 🙏 "quoted" \\ \n',
      nested: { z: 1.5, a: [true, null] },
    });
  });

  it('goes on where a transaction was rolled back as if it had not been', async () => {
    const chain = await buildChain(app, 2);
    await expect(
      writeAudit([
        { resource: 'x', tenantId: chain },
        { resource: null as unknown as string, tenantId: chain },
      ]),
    ).rejects.toThrow();
    await writeAudit([{ resource: 'x', tenantId: chain }]);
    await expectWholeChain(app, chain, 3);
  });
});

describe('A check', () => {
  it('stops where one call has checked enough, and says so', async () => {
    const chain = await buildChain(app, 1_500);
    const { verifyChains } = await import('../../../src/services/audit-integrity.service.ts');
    const { scopedReader } = await import('../../../src/config/scope.ts');
    const ctx = { sql: scopedReader({ role: 'portal' }) };
    expect(await verifyChains(ctx, { chain, mostRows: 1_200 })).toEqual({
      complete: false,
      chains: 1,
      rows: 1_200,
      breaks: [],
      next: { chain, sequence: 1_200 },
    });
    expect(await verifyChains(ctx, { chain, after: { chain, sequence: 1_200 } })).toMatchObject({
      complete: true,
      rows: 300,
    });
    expect(await verifyChains(ctx, { chain, from: 1_201, mostRows: 1_200 })).toMatchObject({
      complete: true,
      rows: 300,
    });
    expect(await verifyChains(ctx, { chain, mostRows: 1_500 })).toMatchObject({ complete: true, rows: 1_500 });
    const all = await verifyChains(ctx, { mostRows: 10 });
    expect(all).toMatchObject({ complete: false, rows: 10, breaks: [] });
    expect(all.chains).toBeLessThan((await app.query(`select 1 from audit_chains`)).length);
  });

  it('of all chains goes on from its cursor until every row was seen once', async () => {
    await buildChain(app, 7);
    const { verifyChains } = await import('../../../src/services/audit-integrity.service.ts');
    const { scopedReader } = await import('../../../src/config/scope.ts');
    const ctx = { sql: scopedReader({ role: 'portal' }) };
    const [all] = await app.query<{ rows: number }>(`select count(*)::int as rows from audit_logs`);
    for (const mostRows of [3, 7, 50, 1_000]) {
      let rows = 0;
      let after: { chain: string; sequence: number } | undefined;
      do {
        const verdict = await verifyChains(ctx, { after, mostRows });
        expect(verdict.breaks).toEqual([]);
        rows += verdict.rows;
        after = verdict.next ?? undefined;
      } while (after);
      expect(rows).toBe(all?.rows);
    }
  });

  it('of every night covers everything', async () => {
    const { verifyAuditTrail } = await import('../../../src/services/audit.service.ts');
    const { scopedReader } = await import('../../../src/config/scope.ts');
    const verdict = await verifyAuditTrail({ sql: scopedReader({ role: 'portal' }) });
    const [all] = await app.query(`select count(*)::int as rows, count(distinct chain)::int as chains from audit_logs`);
    expect(verdict).toEqual({ ...all, broken: [] });
  });

  it('can go on while rows are written, and finds nothing', async () => {
    const { id } = await app.buildTenant();
    const writing = Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        app.call('PUT', `/api/tenants/${id}`, { token: operations, body: { city: `City ${index}` } }),
      ),
    );
    await app.call('PUT', `/api/tenants/${id}`, { token: operations, body: { city: 'First' } });
    for (let round = 0; round < 8; round += 1) {
      expect(await verdictOf({ chain: id })).toMatchObject({ intact: true, complete: true, chains: 1 });
    }
    await writing;
    expect(await verdictOf({ chain: id })).toEqual(intact(31));
  });

  it.each(['operations', 'finance', 'support', 'sales'] as const)('is not for %s', async (role) => {
    const answer = await app.call('GET', '/api/audit/integrity', { token: await app.adminToken({ role }) });
    expect(answer.status).toBe(403);
  });

  it('within one tenant sees its chain alone', async () => {
    const chain = await buildChain(app, 3);
    const other = await buildChain(app, 3);
    const token = await app.adminToken();
    const within = (query: string) =>
      app.call('GET', `/api/audit/integrity${query}`, { token, headers: { 'x-tenant-id': chain } });
    expect((await within('')).body.data).toEqual(intact(3));
    expect((await within(`?chain=${other}`)).status).toBe(404);
    expect((await within('?chain=platform')).status).toBe(404);
  });

  it('may be asked for twenty times a minute', async () => {
    const token = await app.adminToken({ role: 'auditor' });
    const answers = await Promise.all(
      Array.from({ length: 24 }, () => app.call('GET', '/api/audit/integrity?chain=platform&to=1', { token })),
    );
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited).toHaveLength(4);
    expect(limited[0]?.body.error).toMatchObject({ code: 'rate_limited' });
  });
});
