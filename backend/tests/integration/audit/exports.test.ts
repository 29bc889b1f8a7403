import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { buildChain, runExports, runJobOnce, writeAudit } from './support.ts';

const verifier = path.join(import.meta.dirname, '../../../tools/verify-audit-export.mjs');
const directory = mkdtempSync(path.join(tmpdir(), 'studyspot-exports-'));

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startTestApp({ DATA_DIR: directory });
  token = await app.elevatedToken();
});
afterAll(async () => {
  await app.close();
  rmSync(directory, { recursive: true, force: true });
});

type Ask = Record<string, unknown> & { format?: 'JSONL' | 'CSV' };

async function ask(body: Ask = {}, headers: Record<string, string> = {}) {
  const asker = await app.elevatedToken();
  const answer = await app.call('POST', '/api/audit/exports', {
    token: asker,
    body: { format: 'JSONL', ...body },
    headers,
  });
  expect(answer.status, answer.text).toBe(202);
  return answer.body.data as { id: string; status: string };
}
const look = async (id: string) => (await app.call('GET', `/api/audit/exports/${id}`, { token })).body.data;
const download = (id: string, who = token, headers = {}) =>
  app.call('GET', `/api/audit/exports/${id}/download`, { token: who, headers });

async function exported(body: Ask = {}): Promise<string> {
  const { id } = await ask(body);
  await runExports(app);
  const answer = await download(id);
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers.get('content-disposition')).toBe(
    `attachment; filename="audit-${id}.${body.format === 'CSV' ? 'csv' : 'jsonl'}"`,
  );
  expect((await look(id)).sha256).toBe(createHash('sha256').update(answer.text).digest('hex'));
  return answer.text;
}

function verify(text: string, ...options: string[]) {
  const file = path.join(directory, `file-${newId()}`);
  writeFileSync(file, text);
  const { status, stdout, stderr } = spawnSync(process.execPath, [verifier, file, ...options], { encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}`.trim() };
}
const expectWhole = (text: string) =>
  expect(verify(text)).toEqual({ status: 0, said: expect.stringMatching(/^Whole: /) });
const linesOf = (text: string) => text.trimEnd().split('\n');
/** As much of the lines as is looked at here. */
type Line = {
  type: string;
  chains: { chain: string; start: object }[];
  record?: { chain: string; sequence: number };
};
const parsed = (text: string) => linesOf(text).map((line) => JSON.parse(line) as Line);

describe('An export', () => {
  it('holds every row of a chain with its proof, between a header and a trailer', async () => {
    const chain = await buildChain(app, 5);
    const text = await exported({ chain });
    const lines = parsed(text);
    expect(lines[0]).toMatchObject({
      type: 'header',
      format: 'studyspot-audit',
      version: 1,
      filter: { chain },
      chains: [{ chain, start: { kind: 'genesis', sequence: 0, hash: '0'.repeat(64) }, last: 5 }],
    });
    expect(lines.slice(1, -1).map((line) => line.record?.sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(lines.at(-1)).toMatchObject({ type: 'trailer', rows: 5, stubs: 0 });
    expectWhole(text);
  });

  it.each(['JSONL', 'CSV'] as const)('of everything is whole: %s', async (format) => {
    await buildChain(app, 3);
    expectWhole(await exported({ format }));
  });

  it('leaves stubs between the rows that match, and begins with the first of them', async () => {
    const chain = await buildChain(app, 3);
    for (const action of [
      'tenants.suspend',
      'tenants.update',
      'tenants.update',
      'tenants.suspend',
      'tenants.update',
    ] as const) {
      await writeAudit([{ action, resource: 'tenant', resourceId: chain, tenantId: chain }]);
    }
    const text = await exported({ tenantId: chain, action: 'tenants.suspend' });
    const lines = parsed(text);
    expect(lines.map(({ type }) => type)).toEqual(['header', 'row', 'stub', 'stub', 'row', 'trailer']);
    expect(lines[0]?.chains[0]).toMatchObject({ chain, start: { kind: 'row', sequence: 3 }, last: 7 });
    expect(Object.keys(lines[2] ?? {}).toSorted()).toEqual(['chain', 'hash', 'previousHash', 'sequence', 'type']);
    expectWhole(text);
    expectWhole(await exported({ format: 'CSV', tenantId: chain, action: 'tenants.suspend' }));
  });

  it('begins with the anchor where the rows before it were dropped', async () => {
    const chain = await buildChain(app, 4);
    await app.query(
      `insert into audit_anchors (id, tenant_id, chain, sequence, hash, reason)
       select $2, tenant_id, chain, sequence, hash, 'RETENTION' from audit_logs where chain = $1 and sequence = 2`,
      [chain, newId()],
    );
    await app.query(`delete from audit_logs where chain = $1 and sequence <= 2`, [chain]);
    const text = await exported({ chain });
    expect(parsed(text)[0]?.chains[0]?.start).toMatchObject({ kind: 'anchor', sequence: 2 });
    expectWhole(text);
  });

  it('of nothing is whole, too', async () => {
    const text = await exported({ actorId: newId() });
    expect(parsed(text).map(({ type }) => type)).toEqual(['header', 'trailer']);
    expectWhole(text);
  });

  it('neutralises in CSV what a spreadsheet would run, and keeps line breaks and quotes', async () => {
    const { id } = await app.buildTenant();
    const names = ['=cmd|x', '+1', '-1', '@x', '\tx', 'two\r\nlines, "quoted"'];
    await writeAudit(names.map((name) => ({ resource: 'tenant', tenantId: id, actor: { id: newId(), name } })));
    const text = await exported({ format: 'CSV', chain: id });
    for (const name of names.slice(0, 5)) expect(text).toContain(`"'${name}"`);
    expect(text).toContain('"two\r\nlines, ""quoted"""');
    expect(text).not.toMatch(/(^|,)"[=+\-@\t]/m);
    expectWhole(text);
  });

  it('within one tenant holds its rows alone', async () => {
    const chain = await buildChain(app, 2);
    await buildChain(app, 2);
    const { id } = await ask({}, { 'x-tenant-id': chain });
    await runExports(app);
    const [row] = await app.query(`select storage_key, tenant_id from audit_exports where id = $1`, [id]);
    expect(row?.tenant_id).toBe(chain);
    expect(row?.storage_key).toMatch(new RegExp(`^tenants/${chain}/audit-exports/`));
    const { text } = await download(id);
    expect(new Set(parsed(text).flatMap((line) => line.record?.chain ?? []))).toEqual(new Set([chain]));
    const other = (await app.buildTenant()).id;
    expectError(await download(id, token, { 'x-tenant-id': other }), 404, 'not_found');
  });
});

describe('An export is for', () => {
  it('who just proved who they are, and leaves two audit rows', async () => {
    const plain = await app.adminToken();
    const body = { format: 'JSONL' };
    expectError(await app.call('POST', '/api/audit/exports', { token: plain, body }), 403, 'step_up_required');
    const { id } = await ask({ action: 'tenants.suspend' });
    await runExports(app);
    await download(id);
    const rows = await app.query(`select action, changes from audit_logs where resource_id = $1 order by sequence`, [
      id,
    ]);
    expect(rows.map(({ action }) => action)).toEqual(['audit.export', 'audit.download']);
    expect(rows[0]?.changes).toMatchObject({ format: 'JSONL', filter: { action: 'tenants.suspend' } });
  });

  it('holders of audit.export alone, also at the download', async () => {
    const { id } = await ask();
    await runExports(app);
    const auditor = await app.adminToken({ role: 'operations' });
    expectError(await download(id, auditor), 403, 'forbidden');
  });

  it('nobody before it is ready, and nobody after a day', async () => {
    const chain = await buildChain(app, 1);
    const { id } = await ask({ chain });
    expect(await look(id)).toMatchObject({ status: 'PENDING', rows: 0, sha256: null });
    expectError(await download(id), 404, 'not_found');
    await runExports(app);
    expect(await look(id)).toMatchObject({ status: 'READY', rows: 1, sizeBytes: expect.any(Number) });
    const [{ storage_key: key } = {}] = await app.query<{ storage_key?: string }>(
      `update audit_exports set expires_at = now() - interval '1 second' where id = $1 returning storage_key`,
      [id],
    );
    expectError(await download(id), 404, 'not_found');
    const file = path.join(directory, 'files', key ?? '');
    expect(existsSync(file)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await runJobOnce('cleanup.audit-exports');
    expect(existsSync(file)).toBe(false);
    expect(await look(id)).toMatchObject({ status: 'EXPIRED' });
    await runJobOnce('report.audit-export', { exportId: id });
    expect(await look(id)).toMatchObject({ status: 'EXPIRED' });
  });

  it.each<[object, string]>([
    [{ format: 'XML' }, 'format'],
    [{ format: 'CSV', chain: 'all' }, 'chain'],
    [{ format: 'CSV', ipAddress: 'home' }, 'ipAddress'],
    [{ format: 'CSV', from: 'yesterday' }, 'from'],
    [{ format: 'CSV', page: 1 }, 'page'],
  ])('nobody who asks for %j', async (body, field) => {
    const answer = await app.call('POST', '/api/audit/exports', { token, body });
    expectError(answer, 400, 'validation_failed');
    expect(answer.body.error.details.issues).toContainEqual(expect.objectContaining({ in: 'body', field }));
  });
});

describe('The job', () => {
  const filesOf = () => readdirSync(path.join(directory, 'files', 'platform', 'audit-exports'));

  it('run twice, one after the other or at once, leaves one file', async () => {
    const chain = await buildChain(app, 3);
    const { id } = await ask({ chain });
    const run = () => runJobOnce('report.audit-export', { exportId: id });
    await Promise.all([run(), run(), run()]);
    await run();
    expect(filesOf().filter((name) => name.startsWith(id))).toHaveLength(1);
    expectWhole((await download(id)).text);
  });

  it('that died half-way begins again, and removes what was left', async () => {
    const chain = await buildChain(app, 3);
    const { id } = await ask({ chain });
    const left = `platform/audit-exports/${id}-dead.jsonl`;
    await app.query(`update audit_exports set status = 'RUNNING', rows = 2, storage_key = $2 where id = $1`, [
      id,
      left,
    ]);
    writeFileSync(path.join(directory, 'files', left), 'half of it');
    await runJobOnce('report.audit-export', { exportId: id }, { attempt: 2 });
    expect(existsSync(path.join(directory, 'files', left))).toBe(false);
    expect(await look(id)).toMatchObject({ status: 'READY', rows: 3 });
    expectWhole((await download(id)).text);
  });

  it('that was told to stop leaves nothing but the wish, and goes on with the next try', async () => {
    const { id } = await ask({ chain: await buildChain(app, 3) });
    const signal = AbortSignal.abort();
    await expect(runJobOnce('report.audit-export', { exportId: id }, { signal, attempt: 3 })).rejects.toThrow();
    expect(filesOf().filter((name) => name.startsWith(id))).toEqual([]);
    expect(await look(id)).toMatchObject({ status: 'RUNNING' });
    await runJobOnce('report.audit-export', { exportId: id });
    expect(await look(id)).toMatchObject({ status: 'READY' });
  });

  it('that failed for the last time says so', async () => {
    const { id } = await ask({ chain: await buildChain(app, 1) });
    const folder = path.join(directory, 'files', 'platform');
    const aside = path.join(directory, 'aside');
    const { renameSync } = await import('node:fs');
    renameSync(folder, aside);
    writeFileSync(folder, 'a file where a folder should be');
    await expect(runJobOnce('report.audit-export', { exportId: id }, { attempt: 1 })).rejects.toThrow();
    expect(await look(id)).toMatchObject({ status: 'RUNNING', error: null });
    await expect(runJobOnce('report.audit-export', { exportId: id }, { attempt: 3 })).rejects.toThrow();
    expect(await look(id)).toMatchObject({ status: 'FAILED', error: expect.stringContaining('Ask for it again') });
    rmSync(folder);
    renameSync(aside, folder);
  });
});

describe('The verifier', () => {
  let chain: string;
  let jsonl: string;
  let csv: string;
  beforeAll(async () => {
    chain = await buildChain(app, 6);
    jsonl = await exported({ chain });
    csv = await exported({ chain, format: 'CSV' });
  });

  const withLines = (change: (lines: string[]) => string[]) => `${change(linesOf(jsonl)).join('\n')}\n`;
  const expectBroken = (text: string, said: RegExp) =>
    expect(verify(text)).toEqual({ status: 1, said: expect.stringMatching(said) });

  it('says how it is used, and when it cannot read the file', () => {
    const help = spawnSync(process.execPath, [verifier, '--help'], { encoding: 'utf8' });
    expect([help.status, help.stdout]).toEqual([0, expect.stringContaining('Usage: node verify-audit-export.mjs')]);
    const nowhere = spawnSync(process.execPath, [verifier, path.join(directory, 'nowhere')], { encoding: 'utf8' });
    expect([nowhere.status, nowhere.stderr]).toEqual([2, expect.stringContaining('cannot be read')]);
    expect(spawnSync(process.execPath, [verifier]).status).toBe(2);
  });

  it.each<[string, (lines: string[]) => string[], RegExp]>([
    ['a changed row', (l) => l.with(3, l[3]!.replace('"step":3', '"step":4')), /row 3, line 4: altered/],
    ['a row gone', (l) => l.toSpliced(3, 1), /row 3: missing/],
    ['the first row gone', (l) => l.toSpliced(1, 1), /row 1: missing/],
    ['two rows swapped', (l) => l.with(3, l[4]!).with(4, l[3]!), /row 3: reordered/],
    ['a row twice', (l) => l.toSpliced(3, 0, l[3]!), /row 3, line 5: duplicated/],
    ['the last row gone', (l) => l.toSpliced(6, 1), /row 6: truncated/],
    ['the trailer gone', (l) => l.slice(0, -1), /truncated after line 7/],
    ['everything after the third row gone', (l) => l.slice(0, 4), /truncated after line 4/],
    ['half of the last line gone', (l) => [...l.slice(0, -1), l.at(-1)!.slice(0, 20)], /line 8: altered/],
    ['something after the trailer', (l) => [...l, '{}'], /follows the trailer/],
    ['another hash', (l) => l.with(2, l[2]!.replace(/"hash":"./, '"hash":"x')), /row 2, line 3: altered/],
    ['a space', (l) => l.with(2, l[2]!.replace(',', ', ')), /row 2, line 3: altered/],
    [
      'another start in the header',
      (l) => l.with(0, l[0]!.replace('"sequence":0', '"sequence":1')),
      /beginning.*altered/,
    ],
    [
      'another time in the header',
      (l) => l.with(0, l[0]!.replace('"exportedAt":"2', '"exportedAt":"3')),
      /trailer does not fit/,
    ],
    [
      'a row made a stub',
      (l) => {
        const { record, previousHash, hash } = JSON.parse(l[3]!);
        const stub = `{"chain":"${record.chain}","hash":"${hash}","previousHash":"${previousHash}","sequence":3,"type":"stub"}`;
        return l.with(3, stub);
      },
      /counts 6 rows/,
    ],
  ])('finds and names %s', (_what, change, said) => {
    expectWhole(jsonl);
    expectBroken(withLines(change), said);
  });

  it('finds any single byte that was changed, wherever it is', () => {
    for (const text of [jsonl, csv]) {
      for (let at = 7; at < text.length; at += Math.ceil(text.length / 12)) {
        const other = text[at] === '7' ? '8' : '7';
        const { status, said } = verify(`${text.slice(0, at)}${other}${text.slice(at + 1)}`);
        expect({ at, status, said }).toEqual({ at, status: 1, said: expect.stringMatching(/^Not whole: /) });
      }
    }
  });

  it('finds in CSV what was changed in the readable columns alone', () => {
    expectBroken(csv.replace('"आशा मेनन"', '"Somebody"'), /row 1, line 3: altered/);
    expectBroken(csv.replace('time,chain', 'chain,time'), /names of the columns/);
    const rows = csv.split('\r\n');
    expectBroken(rows.toSpliced(4, 1).join('\r\n'), /row 3: missing/);
  });

  it('finds with the SHA-256 of the API a file that was made anew as a whole', async () => {
    const other = await exported({ chain: await buildChain(app, 2) });
    const sum = createHash('sha256').update(jsonl).digest('hex');
    expect(verify(jsonl, '--sha256', sum).status).toBe(0);
    expect(verify(other, '--sha256', sum)).toEqual({ status: 1, said: expect.stringContaining('another one') });
  });

  it.each([
    ['changed', `update audit_logs set action = 'forged' where chain = $1 and sequence = 4`, /row 4, line 5: altered/],
    ['deleted', `delete from audit_logs where chain = $1 and sequence = 4`, /row 4: missing/],
    [
      'put in another order',
      `update audit_logs set sequence = sequence + 1000 where chain = $1 and sequence in (6, 7)`,
      /row 6, line 7: unlinked/,
    ],
  ])('finds a row that was %s in the database before the export', async (_how, tamper, said) => {
    const damaged = await buildChain(app, 8);
    await app.query(tamper, [damaged]);
    await app.query(`update audit_logs set sequence = 1013 - sequence where chain = $1 and sequence > 1000`, [damaged]);
    expectBroken(await exported({ chain: damaged }), said);
    expectBroken(await exported({ chain: damaged, format: 'CSV' }), /row \d/);
    const answer = await app.call('GET', `/api/audit/integrity?chain=${damaged}`, { token });
    expect(answer.body.data).toMatchObject({
      intact: false,
      breaks: [{ chain: damaged, sequence: expect.any(Number) }],
    });
  });
});

it('Forty thousand rows are exported within little memory, and are whole', async () => {
  const { id: chain } = await app.buildTenant();
  await writeAudit([{ resource: 'tenant', tenantId: chain }]);
  // Rows that hold no valid hash: the links are what is followed here.
  await app.query(
    `insert into audit_logs (id, chain, sequence, tenant_id, actor_type, action, resource, outcome, changes, created_at, previous_hash, hash)
     select 'c' || substr(md5($1 || i), 1, 24), $1, i, $1, 'SYSTEM', 'x', 'tenant', 'SUCCESS', jsonb_build_object('text', repeat('x', 200)),
            now(), md5((i - 1)::text), md5(i::text) from generate_series(2, 40000) i`,
    [chain],
  );
  const big = await ask({ chain });
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const retained = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = retained();
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, retained())), 300);
  await runExports(app);
  clearInterval(watch);
  expect(await look(big.id)).toMatchObject({ status: 'READY', rows: 40_000 });
  const { sizeBytes } = await look(big.id);
  expect(sizeBytes).toBeGreaterThan(24_000_000);
  expect(most).toBeGreaterThan(0);
  expect(most - before).toBeLessThan(16_000_000);
}, 120_000);
