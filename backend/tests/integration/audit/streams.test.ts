import { createHmac } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { statusesOf } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { buildChain, runJobOnce } from './support.ts';

const SECRET = 'kX2bq8Jm5vTz0wLr7hNc4yGd1sPf9aQe';
type Delivery = {
  headers: Record<string, string>;
  body: string;
  rows: { chain: string; sequence: number; id: string }[];
};

let app: TestApp;
let token: string;
let receiver: Server;
let url: string;
let received: Delivery[] = [];
let answerWith: (response: ServerResponse, count: number) => void;

beforeAll(async () => {
  app = await startTestApp({ OUTBOUND_ALLOW_LOCAL: 'true' });
  token = await app.adminToken();
  receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (piece: string) => (body += piece));
    request.on('end', () => {
      const rows = body.split('\n').map((line) => (JSON.parse(line) as { record: Delivery['rows'][number] }).record);
      received.push({ headers: request.headers as Record<string, string>, body, rows });
      answerWith(response, received.length);
    });
  });
  await new Promise<void>((resolve) => void receiver.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/audit`;
});
afterAll(async () => {
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
  await app.close();
});

const put = (name: string, body: object, version?: number) =>
  app.call('PUT', `/api/audit/streams/${name}`, {
    token,
    body,
    headers: version === undefined ? {} : { 'if-match': `"${version}"` },
  });
const stream = async (name = 'siem') =>
  (await app.call('GET', '/api/audit/streams', { token })).body.data.find((one: { name: string }) => one.name === name);
const deliver = () => runJobOnce('webhook.audit-streams');
const isDue = () => app.query(`update audit_streams set retry_at = null, leased_until = null`);
const sequencesOf = (chain: string) =>
  received.flatMap(({ rows }) => rows.filter((row) => row.chain === chain).map(({ sequence }) => sequence));
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe('PUT /api/audit/streams/:name', () => {
  it('makes a stream, and changes it with the version that was read', async () => {
    const made = await put('first', { url: 'https://siem.example/x', secret: SECRET, enabled: false });
    expect(made.body.data).toMatchObject({ name: 'first', version: 1, enabled: false, consecutiveFailures: 0 });
    expect(made.headers.get('etag')).toBe('"1"');
    expectError(await put('first', { url: 'https://siem.example/y' }), 428, 'version_required');
    const changed = await put('first', { url: 'https://siem.example/y', enabled: false }, 1);
    expect(changed.body.data).toMatchObject({ version: 2, url: 'https://siem.example/y' });
    expectError(await put('first', { url: 'https://siem.example/z' }, 1), 412, 'version_mismatch');
    expectError(await put('nobody', { url: 'https://siem.example/z', secret: SECRET }, 1), 412, 'version_mismatch');
  });

  it('shows the secret nowhere, and keeps it sealed', async () => {
    const list = await app.call('GET', '/api/audit/streams', { token });
    expect(list.text).not.toMatch(/secret/i);
    const rows = await app.query(
      `select to_jsonb(s) as row from audit_streams s union all select to_jsonb(a) from audit_logs a`,
    );
    expect(JSON.stringify(rows)).not.toContain(SECRET);
  });

  it('needs a secret for a new one', async () => {
    const answer = await put('new', { url: 'https://siem.example/x' });
    expectError(answer, 400, 'validation_failed');
    expect(answer.body.error.details.issues).toEqual([expect.objectContaining({ field: 'secret' })]);
  });

  it('is done once by two at once', async () => {
    const body = { url: 'https://siem.example/x', secret: SECRET, enabled: false };
    const answers = await Promise.all([put('twin', body), put('twin', body), put('twin', body)]);
    expect(statusesOf(answers)).toEqual([200, 428, 428]);
  });

  it.each([
    'https://10.0.0.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[fd00::1]/',
    'https://[::ffff:192.168.0.1]/',
    'http://siem.example/',
    'https://user:pass@siem.example/',
    'ftp://siem.example/',
  ])('refuses %s', async (address) => {
    const answer = await put('inside', { url: address, secret: SECRET });
    expectError(answer, 400, 'validation_failed');
    expect(answer.body.error.details.issues).toEqual([expect.objectContaining({ in: 'body', field: 'url' })]);
  });

  it('is for those alone who may manage the trail', async () => {
    const auditor = await app.adminToken({ role: 'auditor' });
    expectError(await app.call('GET', '/api/audit/streams', { token: auditor }), 403, 'forbidden');
  });
});

describe('A stream', () => {
  let version: number;
  beforeAll(async () => {
    version = (await put('siem', { url, secret: SECRET })).body.data.version as number;
  });
  beforeEach(async () => {
    answerWith = (response) => response.end();
    await isDue();
    await deliver();
    received = [];
  });

  it('gets every row, in order within its chain, signed', async () => {
    const chain = await buildChain(app, 3);
    const other = await buildChain(app, 2);
    await deliver();
    expect(sequencesOf(chain)).toEqual([1, 2, 3]);
    expect(sequencesOf(other)).toEqual([1, 2]);
    const [{ headers, body }] = received as [Delivery];
    const { 'x-studyspot-timestamp': timestamp, 'x-studyspot-delivery': delivery } = headers;
    const expected = createHmac('sha256', SECRET).update(`${timestamp}.${delivery}.${body}`).digest('hex');
    expect(headers['x-studyspot-signature']).toBe(`v1=${expected}`);
    expect(headers['content-type']).toBe('application/x-ndjson');
    expect(await stream()).toMatchObject({ waiting: 0, consecutiveFailures: 0, lastDeliveredAt: expect.any(String) });
    received = [];
    await deliver();
    expect(received).toEqual([]);
  });

  it('gets five hundred rows at a time at most', async () => {
    const chain = await buildChain(app, 1_200);
    await deliver();
    expect(sequencesOf(chain)).toEqual(upTo(1_200));
    expect(received.every(({ rows }) => rows.length <= 500)).toBe(true);
    expect(new Set(received.map(({ headers }) => headers['x-studyspot-delivery'])).size).toBe(received.length);
  });

  it.each([
    [
      'says that it failed',
      (response: ServerResponse) => void response.writeHead(500).end('inside words'),
      'It answered 500',
    ],
    [
      'sends elsewhere',
      (response: ServerResponse) => void response.writeHead(302, { location: 'http://10.0.0.1/' }).end(),
      'It answered 302',
    ],
    ['hangs up', (response: ServerResponse) => void response.destroy(), 'It could not be reached (ECONNRESET)'],
  ])('that %s gets the same again later, and nothing is lost', async (_what, fail, lastError) => {
    const chain = await buildChain(app, 2);
    answerWith = fail;
    await deliver();
    const failed = await stream();
    expect(failed).toMatchObject({ consecutiveFailures: 1, lastError, waiting: 2, enabled: true });
    expect(Date.parse(failed.retryAt)).toBeGreaterThan(Date.now() + 30_000);
    await deliver();
    expect(received).toHaveLength(1);
    answerWith = (response) => response.end();
    await isDue();
    await deliver();
    expect(sequencesOf(chain)).toEqual([1, 2, 1, 2]);
    expect(received[1]?.headers['x-studyspot-delivery']).toBe(received[0]?.headers['x-studyspot-delivery']);
    expect(await stream()).toMatchObject({ consecutiveFailures: 0, lastError: null, retryAt: null, waiting: 0 });
  });

  it('keeps what arrived before the failure', async () => {
    const chain = await buildChain(app, 700);
    answerWith = (response, count) => void response.writeHead(count === 2 ? 503 : 200).end();
    await deliver();
    expect(await stream()).toMatchObject({ waiting: 200, consecutiveFailures: 1 });
    await isDue();
    await deliver();
    expect([...new Set(sequencesOf(chain))]).toEqual(upTo(700));
    expect(sequencesOf(chain)).toHaveLength(900);
  });

  it('gets rows again and misses none when the worker dies between sending and saving', async () => {
    const chain = await buildChain(app, 2);
    await app.query(`create function die() returns trigger language plpgsql as $$ begin raise 'died'; end $$;
                     create trigger die before insert or update on audit_stream_positions for each row execute function die()`);
    await deliver();
    await app.query(`drop trigger die on audit_stream_positions; drop function die()`);
    expect(await stream()).toMatchObject({ waiting: 2 });
    await isDue();
    await deliver();
    expect(sequencesOf(chain)).toEqual([1, 2, 1, 2]);
  });

  it('is with one worker at a time', async () => {
    const chain = await buildChain(app, 3);
    await Promise.all([deliver(), deliver(), deliver(), deliver()]);
    expect(sequencesOf(chain)).toEqual([1, 2, 3]);
  });

  it('that a dead worker had is taken over when its time is up', async () => {
    const chain = await buildChain(app, 1);
    await app.query(`update audit_streams set leased_until = now() + interval '30 seconds'`);
    await deliver();
    expect(sequencesOf(chain)).toEqual([]);
    await app.query(`update audit_streams set leased_until = now() - interval '1 second'`);
    await deliver();
    expect(sequencesOf(chain)).toEqual([1]);
  });

  it('gets rows that are written while it is served', async () => {
    const { id } = await app.buildTenant();
    const write = async () => {
      for (let index = 0; index < 15; index += 1) {
        await app.call('PUT', `/api/tenants/${id}`, { token, body: { city: `City ${index}` } });
      }
    };
    const serve = async () => {
      for (let round = 0; round < 8; round += 1) await deliver();
    };
    await Promise.all([write(), serve()]);
    await deliver();
    expect(sequencesOf(id)).toEqual(upTo(15));
  });

  it('that is switched off gets nothing, and all of it when it is switched on', async () => {
    const off = await put('siem', { url, enabled: false }, version);
    const chain = await buildChain(app, 2);
    await deliver();
    expect(received).toEqual([]);
    version = (await put('siem', { url, enabled: true }, off.body.data.version as number)).body.data.version as number;
    await deliver();
    expect(sequencesOf(chain)).toEqual([1, 2]);
  });
});

it('The pause after failures grows from a minute to an hour', async () => {
  const { pauseSeconds } = await import('../../../src/services/audit-delivery.service.ts');
  expect([1, 2, 3, 6, 7, 8, 1000].map(pauseSeconds)).toEqual([60, 120, 240, 1920, 3600, 3600, 3600]);
});
