import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queryString } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { broken, buildChain, integrityOf, recompute, rowsOfChain, runJobOnce, type AuditRow } from './support.ts';

let app: TestApp;
let check: ReturnType<typeof integrityOf>;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  check = integrityOf(app);
  token = await app.adminToken();
});
afterAll(() => app.close());

const verdictOf = async (query: Record<string, string | number> = {}) => (await check(queryString(query))).body.data;
const breaksOf = async (chain: string) =>
  (await verdictOf()).breaks.filter((one: { chain: string }) => one.chain === chain);

/** Writes the rows of a chain anew from one on, as somebody with all rights and the recipe could: it holds again. */
async function rewriteFrom(chain: string, sequence: number, change: string): Promise<void> {
  await app.query(`update audit_logs set ${change} where chain = $1 and sequence = $2`, [chain, sequence]);
  const rows = await rowsOfChain(app, chain);
  let previous = rows.find((row) => row.sequence === sequence - 1)?.hash ?? '0'.repeat(64);
  for (const row of rows.filter((one) => one.sequence >= sequence)) {
    const hash = recompute(previous, row);
    await app.query(`update audit_logs set previous_hash = $2, hash = $3 where id = $1`, [row.id, previous, hash]);
    previous = hash;
  }
  await app.query(`update audit_chains set hash = $2 where chain = $1`, [chain, previous]);
}

/** Makes the first rows of a chain look as if they had been written long ago. */
async function backdate(chain: string, upTo: number, month: string): Promise<void> {
  await app.query(
    `update audit_logs set created_at = ($3 || '-10')::date + sequence * interval '1 minute' where chain = $1 and sequence <= $2`,
    [chain, upTo, month],
  );
  await rewriteFrom(chain, 1, 'action = action');
}

describe('GET and PUT /api/audit/retention', () => {
  const put = (months: unknown) => app.call('PUT', '/api/audit/retention', { token, body: { months } });

  it('is 36 months until somebody says otherwise, and is audited', async () => {
    const first = await app.call('GET', '/api/audit/retention', { token });
    expect(first.body.data).toEqual({ months: 36, oldestMonth: new Date().toISOString().slice(0, 7) });
    expect((await put(60)).body.data).toMatchObject({ months: 60 });
    const [row] = await app.query(`select changes from audit_logs where action = 'audit.retention_update'`);
    expect(row?.changes).toEqual({ value: { from: null, to: 60 } });
  });

  it.each([11, 0, -36, 121, 36.5, '36', null])('refuses %j', async (months) => {
    expectError(await put(months), 400, 'validation_failed');
  });

  it('is changed by those alone who may manage the trail', async () => {
    const auditor = await app.adminToken({ role: 'auditor' });
    expect((await app.call('GET', '/api/audit/retention', { token: auditor })).status).toBe(200);
    const change = { token: auditor, body: { months: 12 } };
    expectError(await app.call('PUT', '/api/audit/retention', change), 403, 'forbidden');
  });
});

describe('Every night', () => {
  it('drops the months that are too old, after an anchor, and the chain holds from there on', async () => {
    await app.call('PUT', '/api/audit/retention', { token, body: { months: 24 } });
    const chain = await buildChain(app, 6);
    const whole = await buildChain(app, 3);
    await backdate(chain, 4, '2022-05');
    expect(await breaksOf(chain)).toEqual([]);
    await runJobOnce('cleanup.audit-months');
    expect((await rowsOfChain(app, chain)).map(({ sequence }) => sequence)).toEqual([5, 6]);
    expect((await rowsOfChain(app, whole)).length).toBe(3);
    expect(await verdictOf({ chain })).toMatchObject({ intact: true, complete: true, rows: 2 });
    expect(await verdictOf()).toMatchObject({ intact: true });
    const [row] = await app.query(
      `select changes from audit_logs where action = 'audit.drop_month' order by created_at desc limit 1`,
    );
    expect(row?.changes).toEqual({ month: '2022-05', rows: 4, chains: 1 });
    await runJobOnce('cleanup.audit-months');
    expect(await app.query(`select 1 from audit_anchors where chain = $1`, [chain])).toHaveLength(1);
    await app.query(`delete from audit_logs where chain = $1 and sequence = 5`, [chain]);
    expect(await verdictOf({ chain })).toEqual(broken(chain, 5, 'missing'));
    await app.query(`delete from audit_logs where chain = $1`, [chain]);
    expect(await verdictOf({ chain })).toEqual(broken(chain, 5, 'truncated'));
  });

  it('goes on where it died between the anchor and the drop', async () => {
    const chain = await buildChain(app, 3);
    await backdate(chain, 3, '2021-07');
    await app.query(
      `insert into audit_anchors (id, tenant_id, chain, sequence, hash, reason)
       select 'died', tenant_id, chain, sequence, hash, 'RETENTION' from audit_logs where chain = $1 and sequence = 3`,
      [chain],
    );
    await runJobOnce('cleanup.audit-months');
    expect(await rowsOfChain(app, chain)).toEqual([]);
    expect(await verdictOf({ chain })).toMatchObject({ intact: true, rows: 0 });
  });

  it('keeps what is within the time, though it is older than a year', async () => {
    const chain = await buildChain(app, 3);
    const month = new Date();
    month.setUTCMonth(month.getUTCMonth() - 20, 1);
    await backdate(chain, 3, month.toISOString().slice(0, 7));
    await runJobOnce('cleanup.audit-months');
    expect(await rowsOfChain(app, chain)).toHaveLength(3);
  });

  it('a beginning that was cut off without an anchor is found', async () => {
    const chain = await buildChain(app, 5);
    await app.query(`delete from audit_logs where chain = $1 and sequence <= 3`, [chain]);
    expect(await breaksOf(chain)).toEqual([{ chain, sequence: 1, reason: 'missing' }]);
  });
});

describe('The anchor of every night', () => {
  it('is one for each chain, and one row with the digest of all', async () => {
    const chain = await buildChain(app, 2);
    await runJobOnce('report.audit-anchors');
    const [{ chains } = { chains: 0 }] = await app.query<{ chains: number }>(
      `select count(*)::int as chains from audit_anchors where reason = 'NIGHTLY'`,
    );
    expect(chains).toBe((await app.query(`select 1 from audit_chains`)).length);
    const row = `select changes from audit_logs where action = 'audit.anchor' order by created_at desc limit 1`;
    expect((await app.query(row))[0]?.changes).toEqual({ chains, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    await runJobOnce('report.audit-anchors');
    expect(await app.query(`select sequence from audit_anchors where chain = $1`, [chain])).toEqual([{ sequence: 2 }]);
  });

  it('finds a chain that vanished with its head', async () => {
    const chain = await buildChain(app, 4);
    await runJobOnce('report.audit-anchors');
    await app.query(`delete from audit_logs where chain = $1`, [chain]);
    await app.query(`delete from audit_chains where chain = $1`, [chain]);
    expect(await breaksOf(chain)).toEqual([{ chain, sequence: 4, reason: 'vanished' }]);
    expect(await verdictOf({ chain })).toEqual(broken(chain, 4, 'vanished'));
  });

  it('finds a chain whose end was cut off, head and all', async () => {
    const chain = await buildChain(app, 4);
    await runJobOnce('report.audit-anchors');
    await app.query(`delete from audit_logs where chain = $1 and sequence > 2`, [chain]);
    const [last] = (await rowsOfChain(app, chain)).slice(-1) as [AuditRow];
    await app.query(`update audit_chains set sequence = 2, hash = $2 where chain = $1`, [chain, last.hash]);
    expect(await breaksOf(chain)).toEqual([{ chain, sequence: 3, reason: 'truncated' }]);
  });

  it('finds a chain that was written anew so that every link holds, and the first anchor that it passed', async () => {
    const chain = await buildChain(app, 4);
    await runJobOnce('report.audit-anchors');
    await rewriteFrom(chain, 2, `action = 'forged'`);
    expect(await breaksOf(chain)).toEqual([{ chain, sequence: 4, reason: 'rewritten' }]);
    const { tenant_id: tenantId } = (await rowsOfChain(app, chain))[0] as AuditRow & { tenant_id: string };
    await app.call('PUT', `/api/tenants/${tenantId}`, { token, body: { city: 'Sikar' } });
    expect(await breaksOf(chain)).toEqual([{ chain, sequence: 4, reason: 'rewritten' }]);
    expect(await verdictOf({ chain, from: 1, to: 3 })).toMatchObject({ intact: true, rows: 3 });
  });

  it('lets a chain grow', async () => {
    const chain = await buildChain(app, 2);
    await runJobOnce('report.audit-anchors');
    await app.call('PUT', `/api/tenants/${chain}`, { token, body: { city: 'Sikar' } });
    expect(await verdictOf({ chain })).toMatchObject({ intact: true, rows: 3 });
  });
});
