import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach } from 'vitest';
import { razorpayGateway } from '../../src/providers/payment-gateway-razorpay.provider.ts';
import type { RazorpayRequest, RazorpayTransport } from '../../src/providers/payment-gateway-razorpay-http.ts';

export const key = { keyId: 'rzp_test_key', keySecret: 'key-secret' };
const authorization = `Basic ${Buffer.from(`${key.keyId}:${key.keySecret}`).toString('base64')}`;

/** What the server was asked. */
export type Asked = {
  method: string;
  /** With `/v1` and the query. */
  url: string;
  headers: IncomingMessage['headers'];
  body: Record<string, unknown> | undefined;
};

/** An answer; `lost` ends the connection without one, `never` keeps it open. */
export type Told =
  { status?: number; json?: unknown; text?: string; headers?: Record<string, string> } | 'lost' | 'never';

/** Listens in the place of api.razorpay.com. */
export async function startRazorpayServer(answer: (asked: Asked) => Told | Promise<Told>) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      const question: Asked = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: body ? JSON.parse(body) : undefined,
      };
      asked.push(question);
      tell(response, await answer(question));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () => closeServer(server),
  };
}

function tell(response: ServerResponse, told: Told): void {
  if (told === 'lost') response.destroy();
  if (told === 'lost' || told === 'never') return;
  const { status = 200, json, text: page, headers } = told;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(page ?? JSON.stringify(json));
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** Answers every request over HTTP as the transport does: what it throws is a connection that breaks. */
export const startServerOver = (transport: RazorpayTransport) =>
  startRazorpayServer(async ({ method, url, headers, body }) => {
    if (headers.authorization !== authorization) return { status: 401, json: refusal('Authentication failed') };
    const { pathname, searchParams } = new URL(url, 'http://razorpay');
    const request = {
      method: method as RazorpayRequest['method'],
      path: pathname.replace(/^\/v1/, ''),
      query: Object.fromEntries(searchParams),
      body,
    };
    return transport(request).then(
      (told): Told => ({ status: told.status, json: told.body }),
      (): Told => 'lost',
    );
  });

/** A gateway whose server answers `GET /orders` and the like by what is given for it, and nothing else. */
async function razorpayAnswering(answers: Record<string, Told>, answerMs?: number) {
  const { apiUrl, asked, close } = await startRazorpayServer(({ method, url }) => {
    const told = answers[`${method} ${url.replace(/^\/v1/, '').replace(/\?.*/, '')}`];
    return told ?? { status: 418, json: { unexpected: `${method} ${url}` } };
  });
  return { gateway: razorpayGateway({ apiUrl, ...key, answerMs }), asked, close };
}

/** For a `describe`: opens gateways whose servers are closed after each test. */
export function razorpayForTests() {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(closers.splice(0).map((close) => close()));
  });
  return async (...given: Parameters<typeof razorpayAnswering>) => {
    const { close, ...answering } = await razorpayAnswering(...given);
    closers.push(close);
    return answering;
  };
}

/** The shape of an error that Razorpay documents. */
export const refusal = (description: string, error: Record<string, unknown> = {}) => ({
  error: {
    code: 'BAD_REQUEST_ERROR',
    description,
    source: 'business',
    step: 'payment_initiation',
    reason: 'input_validation_failed',
    metadata: {},
    ...error,
  },
});
