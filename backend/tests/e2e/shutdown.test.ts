import { Agent, request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clientOf } from '../support/client.ts';
import { createTestDatabase, ownerQuery, type TestDatabase } from '../support/database.ts';
import { factoriesFor, someAddress } from '../support/factories.ts';
import {
  emptyRedis,
  endBackend,
  holdAuditChain,
  killBackends,
  spawnBackend,
  startBackend,
  startMailServer,
  until,
  type BackendProcess,
} from '../support/processes.ts';

let database: TestDatabase;
let environment: Record<string, string>;
let mails: Awaited<ReturnType<typeof startMailServer>>;

beforeAll(async () => {
  [database, mails] = await Promise.all([createTestDatabase(), startMailServer()]);
  environment = {
    DATABASE_URL: database.appUrl,
    REDIS_URL: await emptyRedis(15),
    DATA_DIR: tmpdir(),
    EMAIL_PROVIDER: 'smtp',
    SMTP_URL: mails.url,
  };
}, 60_000);

afterEach(killBackends);

afterAll(async () => {
  await mails.close();
  await database.drop();
}, 60_000);

const startApi = (more: Record<string, string> = {}) => startBackend({ ...environment, ROLE: 'api', ...more });

/** How it ended and how long that took. */
async function timed(ending: Promise<{ code: number | null }>): Promise<{ code: number | null; ms: number }> {
  const began = Date.now();
  const { code } = await ending;
  return { code, ms: Date.now() - began };
}

/** A connection of its own, on which nothing happens by itself. */
async function openSocket({ url }: BackendProcess, text = ''): Promise<{ socket: Socket; closed: Promise<void> }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  socket.resume();
  await new Promise((resolve) => socket.once('connect', resolve));
  if (text) socket.write(text);
  return { socket, closed };
}

const askForMail = (process: BackendProcess, email: string) =>
  process.call('POST', '/api/auth/forgot-password', { body: { email }, headers: { 'x-forwarded-for': someAddress() } });

/** Less than the patience with requests that are under way. */
const SOON_MS = 6_000;
const LIVE = 'GET /api/monitoring/live HTTP/1.1\r\nHost: localhost\r\n\r\n';

describe('SIGTERM', () => {
  it('lets the request under way finish, takes no new connection, and ends with 0', async () => {
    const api = await startApi();
    const chain = await holdAuditChain(database, 'platform');
    const answer = askForMail(api, 'slow@people.example');
    await chain.awaited();
    const ending = timed(endBackend(api));
    await until('it listened no more', () =>
      fetch(`${api.url}/api/monitoring/live`, { headers: { connection: 'close' } }).then(
        () => false,
        (error: Error) => /ECONNREFUSED/.test(String(error.cause)),
      ),
    );
    // Somebody who is impatient does no harm.
    api.child.kill('SIGTERM');
    api.child.kill('SIGINT');
    await sleep(700);
    expect(api.hasEnded()).toBe(false);
    await chain.release();
    expect((await answer).status).toBe(202);
    const rows = await ownerQuery(
      database,
      `select id from outbox_messages where payload->>'email' = 'slow@people.example'`,
    );
    expect(rows).toHaveLength(1);
    expect(await ending).toMatchObject({ code: 0 });
    expect((await ending).ms).toBeLessThan(SOON_MS);
    expect(api.stderr()).toBe('');
  });

  it('does not wait for connections on which nothing is under way', async () => {
    const api = await startApi();
    const used = await Promise.all([openSocket(api, LIVE), openSocket(api, LIVE)]);
    await Promise.all(used.map(({ socket }) => new Promise((resolve) => socket.once('data', resolve))));
    const unused = await openSocket(api);
    await sleep(100);
    const { code, ms } = await timed(endBackend(api));
    await Promise.all([...used, unused].map(({ closed }) => closed));
    expect(code).toBe(0);
    expect(ms).toBeLessThan(SOON_MS);
  });

  it('closes a connection that is never at rest with its next answer', async () => {
    const api = await startApi();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const get = () =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const sent = request(`${api.url}/api/monitoring/live`, { agent }, (response) => {
          response.resume();
          response.once('end', () => resolve(response));
        });
        sent.once('error', reject);
        sent.end();
      });
    let answers = 0;
    const busy = (async () => {
      for (;;) {
        await get();
        answers += 1;
      }
    })();
    const lost = expect(busy).rejects.toThrow(/ECONNREFUSED|ECONNRESET|hang up/);
    await until('it was busy', () => answers > 20);
    const { code, ms } = await timed(endBackend(api));
    await lost;
    agent.destroy();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(SOON_MS);
  });

  it('cuts half a request that nobody completes, and ends with 0 all the same', async () => {
    const api = await startApi();
    const { closed } = await openSocket(api, 'POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Le');
    await sleep(100);
    const { code, ms } = await timed(endBackend(api));
    await closed;
    expect(code).toBe(0);
    expect(ms).toBeLessThan(12_000);
  });

  it('lets a worker finish its job', async () => {
    const owner = await factoriesFor(database, clientOf('')).buildOwner();
    const email = owner.email ?? '';
    const process = await startBackend({ ...environment, ROLE: 'all' });
    mails.hold(email);
    expect((await askForMail(process, email)).status).toBe(202);
    await until('the mail was under way', () => mails.begun.includes(email), 25_000);
    const ending = timed(endBackend(process));
    await sleep(500);
    expect(process.hasEnded()).toBe(false);
    mails.release(email, true);
    expect(await ending).toMatchObject({ code: 0 });
    expect(mails.begun.filter((to) => to === email)).toHaveLength(1);
    const rows = await ownerQuery(database, 'select status from email_deliveries where recipient = $1', [email]);
    expect(rows).toEqual([{ status: 'SENT' }]);
  });

  it('ends a process that has not started yet', async () => {
    const process = await spawnBackend({ ...environment, ROLE: 'all' });
    await sleep(300);
    const { signal, code } = await endBackend(process);
    // Before it could listen to signals, the signal itself ends it.
    expect(code === 0 || signal === 'SIGTERM').toBe(true);
  });
});

it('ends when the channel to the launcher breaks', async () => {
  const process = await startBackend({ ...environment, ROLE: 'all' });
  process.child.disconnect();
  expect(await process.ended).toMatchObject({ code: 0 });
});

describe('an unusable configuration', () => {
  const secret = 'short-and-secret';
  const nowhere = 'postgresql://studyspot_app:pw@127.0.0.1:1/studyspot';
  const laptop = { NODE_ENV: 'production', EMAIL_PROVIDER: 'local', REDIS_URL: '', PUBLIC_URL: '' };
  const withPassword = (url: string, password: string) => Object.assign(new URL(url), { password }).href;

  it.each<[string, () => Record<string, string>, RegExp[]]>([
    [
      'missing secrets',
      () => ({ JWT_SECRET: '', REFRESH_TOKEN_SECRET: '', ENCRYPTION_KEY: '' }),
      [/JWT_SECRET: is missing/, /REFRESH_TOKEN_SECRET: is missing/, /ENCRYPTION_KEY: is missing/],
    ],
    [
      'values of the wrong kind',
      () => ({ JWT_SECRET: secret, PORT: 'http' }),
      [/JWT_SECRET: .*32 characters/, /PORT: /],
    ],
    [
      'a laptop in production',
      () => laptop,
      [/EMAIL_PROVIDER: /, /FILE_STORAGE: /, /PAYMENT_GATEWAY: /, /REDIS_URL: /, /PUBLIC_URL: /],
    ],
    ['the owner of the database', () => ({ DATABASE_URL: database.ownerUrl }), [/DATABASE_URL signs in as postgres/]],
    ['a database that is not there', () => ({ DATABASE_URL: nowhere }), [/DATABASE_URL.*ECONNREFUSED/]],
    ['a wrong password', () => ({ DATABASE_URL: withPassword(database.appUrl, secret) }), [/DATABASE_URL.*password/]],
  ])('%s: every variable is named, and the process ends', async (_, wrong, named) => {
    const process = await spawnBackend({ ...environment, ROLE: 'api', ...wrong() });
    expect(await process.ended).toMatchObject({ code: 1 });
    for (const variable of named) expect(process.stderr()).toMatch(variable);
    expect(process.stderr()).not.toMatch(/^\s+at /m);
    expect(process.stderr().trim().split('\n').length).toBeLessThanOrEqual(1 + named.length);
    expect(process.stderr() + process.stdout()).not.toContain(secret);
  });

  it('a port that is taken: it is named, and the process ends', async () => {
    const api = await startApi();
    const second = await spawnBackend({ ...environment, ROLE: 'api', PORT: new URL(api.url).port });
    expect(await second.ended).toMatchObject({ code: 1 });
    expect(second.stderr()).toMatch(/^.*EADDRINUSE.*127\.0\.0\.1.*\n$/);
  });
});
