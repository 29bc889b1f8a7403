import { once } from 'node:events';
import { Agent, createServer, IncomingMessage, request as httpRequest, ServerResponse, type Server } from 'node:http';
import { Socket, type AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import type { Request, Response } from 'express';
import { createApp } from '../backend/src/app.ts';
import { closeDatabase } from '../backend/src/config/database.ts';
import { closeRedis } from '../backend/src/config/redis.ts';
import { scopedReader, withScope } from '../backend/src/config/scope.ts';
import { authenticate } from '../backend/src/middleware/auth.middleware.ts';
import { crossOrigin } from '../backend/src/middleware/cors.middleware.ts';
import { reserveIdempotencyKey } from '../backend/src/middleware/idempotency.middleware.ts';
import { factsOf, requestLog } from '../backend/src/middleware/logger.middleware.ts';
import { limitActor } from '../backend/src/middleware/rate-limit.middleware.ts';
import { authorize } from '../backend/src/middleware/role.middleware.ts';
import { securityHeaders } from '../backend/src/middleware/security-headers.middleware.ts';
import { resolveSpace } from '../backend/src/middleware/tenant.middleware.ts';
import { validateInput } from '../backend/src/middleware/validation.middleware.ts';
import type { Endpoint } from '../backend/src/routes/endpoint.ts';
import { modules } from '../backend/src/routes/index.ts';
import { readContext, runInTransaction } from '../backend/src/services/context.service.ts';
import { principalOfSession } from '../backend/src/services/principal.queries.ts';
import { getTenant } from '../backend/src/services/tenants.service.ts';
import type { Actor } from '../backend/src/types/context.ts';
import { accessTokenClaims, signAccessToken } from '../backend/src/utils/token.ts';
import type { StageCost } from './stage-table.ts';
import { median, quantile } from './statistics.ts';

// Times the very functions that a request passes, one by one, in this process and against the real database. Nothing
// of this is in the API itself: measuring costs nothing where nobody measures.

const ROUNDS = 1_500;
const WARM_UP = 300;
const IP = '127.0.0.1';
const tenantId = process.env.BENCH_TENANT ?? '';

const endpointOf = (operationId: string): Endpoint => {
  const found = modules.flatMap(({ endpoints }) => endpoints).find((one) => one.operationId === operationId);
  if (!found) throw new Error(`There is no ${operationId}`);
  return found;
};
const getTenantEndpoint = endpointOf('getTenant');
const updateTenant = endpointOf('updateTenant');
const listUsers = endpointOf('listTenantUsers');

/** A request as Express hands it on, without a connection. */
function fakeRequest(token: string, body?: object): Request {
  const request = new IncomingMessage(new Socket());
  request.method = body ? 'PUT' : 'GET';
  request.url = `/api/tenants/${tenantId}`;
  request.headers = { host: 'localhost', authorization: `Bearer ${token}` };
  if (body) {
    const text = JSON.stringify(body);
    Object.assign(request.headers, { 'content-type': 'application/json', 'content-length': String(text.length) });
    request.push(text);
    request.push(null);
  }
  const get = (name: string) => request.headers[name.toLowerCase()];
  const is = (type: string) => request.headers['content-type'] === type && type;
  return Object.assign(request, { ip: IP, params: { id: tenantId }, query: {}, get, is }) as unknown as Request;
}

/** An answer whose bytes go nowhere. */
function fakeResponse(request: Request): Response {
  const response = new ServerResponse(request);
  const nowhere = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  response.assignSocket(nowhere as unknown as Socket);
  return Object.assign(response, { locals: { requestId: 'bench-request', ip: IP } }) as unknown as Response;
}

type Stage = {
  stage: string;
  /** Not part of what is timed. */
  prepare?: (round: number) => unknown;
  run: (prepared: never) => unknown;
  rounds?: number;
  note?: string;
};

async function cost({ stage, prepare, run, rounds = ROUNDS, note }: Stage): Promise<StageCost> {
  const microseconds: number[] = [];
  for (let round = -Math.min(WARM_UP, rounds); round < rounds; round += 1) {
    const prepared = (await prepare?.(round)) as never;
    const began = process.hrtime.bigint();
    const result = run(prepared);
    // Waiting for what is done already would cost a turn of the event loop's queue.
    if (result instanceof Promise) await result;
    if (round >= 0) microseconds.push(Number(process.hrtime.bigint() - began) / 1000);
  }
  return { stage, median: median(microseconds), p95: quantile(microseconds, 0.95), ...(note && { note }) };
}

const noKey = () => {
  throw new Error('The benchmark signs in with a token');
};

const listen = async (server: Server): Promise<string> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const fetchOnce = (url: string, token: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = httpRequest(url, { agent, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.once('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(text))));
    });
    sent.once('error', reject).end();
  });

async function signIn(origin: string): Promise<string> {
  const answer = await fetch(`${origin}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: process.env.BENCH_EMAIL, password: process.env.BENCH_PASSWORD }),
  });
  return ((await answer.json()) as { data: { accessToken: string } }).data.accessToken;
}

const contextOf = (actor: Actor) => ({
  scope: { role: 'portal' as const },
  tenantId: null,
  actor,
  requestId: 'bench-request',
  now: new Date(),
  client: { ip: IP, userAgent: null },
  cookies: { get: () => undefined, set: () => {}, clear: () => {} },
  log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
});

/** The stages before the handler. */
function entranceStages(token: string, actor: Actor): Stage[] {
  const both = () => {
    const request = fakeRequest(token);
    return { request, response: fakeResponse(request) };
  };
  type Both = ReturnType<typeof both>;
  const helmet = securityHeaders();
  const cors = crossOrigin();
  const { exp: _, ...claims } = accessTokenClaims.parse(
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()),
  );
  const auth = scopedReader({ role: 'auth' });
  return [
    {
      stage: 'request id, and the line of the log',
      prepare: both,
      run: ({ request, response }: Both) => {
        requestLog(request, response, () => {});
        factsOf(response).operationId = 'getTenant';
        response.emit('close');
      },
    },
    {
      stage: 'security headers, cross origin',
      prepare: both,
      run: ({ request, response }: Both) => helmet(request, response, () => cors(request, response, () => {})),
    },
    {
      stage: 'rate limit',
      prepare: both,
      run: ({ response }: Both) => limitActor(getTenantEndpoint, actor, response),
      note: 'points are leased from Redis some at a time',
    },
    { stage: 'authenticate, token known', prepare: both, run: ({ request }: Both) => authenticate(request, IP, noKey) },
    {
      stage: 'authenticate, token new',
      // Each is another token of the same session: its signature was not verified before.
      prepare: (round) => fakeRequest(signAccessToken({ ...claims, role: `${claims.role}${round}` }).token),
      run: (request: Request) => authenticate(request, IP, noKey),
    },
    { stage: '  of which the principal query', run: () => auth.one(principalOfSession(actor.sessionId, IP)) },
    { stage: 'authorize', run: () => authorize(getTenantEndpoint, actor, undefined) },
    { stage: 'tenant, none named', run: () => resolveSpace(getTenantEndpoint.access, actor, undefined) },
    { stage: 'tenant, named in x-tenant-id', run: () => resolveSpace(getTenantEndpoint.access, actor, tenantId) },
    {
      stage: 'validate a read: path and query',
      prepare: both,
      run: ({ request, response }: Both) => validateInput(listUsers, request, response),
    },
    {
      stage: 'validate a write: path and body',
      prepare: () => {
        const request = fakeRequest(token, { city: 'Sikar', addressLine: '12, Station Road' });
        return { request, response: fakeResponse(request) };
      },
      run: ({ request, response }: Both) => validateInput(updateTenant, request, response),
    },
  ];
}

/** The handler and what comes after it. */
function exitStages(token: string, actor: Actor, result: unknown): Stage[] {
  const base = contextOf(actor);
  const rounds = 300;
  return [
    {
      stage: 'idempotency: reserve a key',
      rounds,
      prepare: (round) => {
        const request = fakeRequest(token);
        request.headers['idempotency-key'] = `bench-${process.pid}-${round + WARM_UP}`;
        return request;
      },
      run: (request: Request) =>
        reserveIdempotencyKey({ ...updateTenant, method: 'post' }, request, base, { params: {}, query: {}, body: {} }),
    },
    { stage: 'transaction, empty', rounds, run: () => withScope(base.scope, () => Promise.resolve()) },
    {
      stage: 'transaction with its audit row',
      rounds,
      run: () =>
        runInTransaction(base, { action: 'tenants.update' }, (ctx) => {
          ctx.audit({ resource: 'tenant', resourceId: tenantId, before: { city: 'Kota' }, after: { city: 'Sikar' } });
          return Promise.resolve();
        }),
    },
    { stage: 'handler of a read: its SQL', run: () => getTenant(readContext(base), tenantId) },
    { stage: 'answer through its schema', run: () => getTenantEndpoint.response.safeParse(result) },
    {
      stage: 'serialise and send',
      prepare: () => fakeResponse(fakeRequest(token)),
      run: (response: Response) => {
        const text = JSON.stringify({ success: true, data: result });
        response.setHeader('Content-Type', 'application/json; charset=utf-8');
        response.setHeader('Content-Length', Buffer.byteLength(text));
        response.end(text);
      },
      note: 'without the socket',
    },
  ];
}

async function main(): Promise<void> {
  const api = createServer(createApp());
  const origin = await listen(api);
  const token = await signIn(origin);
  const actor = await authenticate(fakeRequest(token), IP, noKey);
  const url = `${origin}/api/tenants/${tenantId}`;
  const answer = await fetchOnce(url, token);
  const bare = createServer((_request, response) => response.end(answer));
  const bareUrl = await listen(bare);
  const result = await getTenant(readContext(contextOf(actor)), tenantId);
  const stages: Stage[] = [
    ...entranceStages(token, actor),
    ...exitStages(token, actor, result),
    { stage: 'GET /api/tenants/:id, whole', run: () => fetchOnce(url, token), note: 'over one connection' },
    { stage: '  of which node:http and the client', run: () => fetchOnce(bareUrl, token) },
  ];
  const costs: StageCost[] = [];
  for (const stage of stages) costs.push(await cost(stage));
  process.send?.(costs);
  agent.destroy();
  for (const server of [api, bare]) server.close();
  await Promise.allSettled([closeDatabase(), closeRedis()]);
  process.disconnect?.();
}

await main();
