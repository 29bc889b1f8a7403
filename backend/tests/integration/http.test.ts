import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../support/server.ts';

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startTestApp({ CORS_ORIGINS: 'https://portal.studyspot.example' });
  token = await app.adminToken();
  for (let count = 0; count < 10; count += 1) await app.buildTenant();
});
afterAll(() => app.close());

/** The headers as they were sent: fetch hides how the body was encoded. */
const headersOf = (path: string, headers: Record<string, string> = {}): Promise<NodeJS.Dict<string | string[]>> =>
  new Promise((resolve, reject) => {
    request(`${app.url}${path}`, { headers: { authorization: `Bearer ${token}`, ...headers } }, (response) => {
      response.resume();
      resolve(response.headers);
    })
      .on('error', reject)
      .end();
  });

describe('every answer', () => {
  it.each(['gzip', 'br'])('of some size is compressed with %s where the client takes it', async (encoding) => {
    const list = await headersOf('/api/tenants', { 'accept-encoding': encoding });
    expect(list).toMatchObject({ 'content-encoding': encoding, vary: expect.stringContaining('Accept-Encoding') });
    expect(await headersOf('/api/monitoring/live', { 'accept-encoding': encoding })).not.toHaveProperty(
      'content-encoding',
    );
    expect(await headersOf('/api/tenants')).not.toHaveProperty('content-encoding');
    const unpacked = await app.call('GET', '/api/tenants', { token, headers: { 'accept-encoding': encoding } });
    expect(unpacked.body.data.length).toBeGreaterThanOrEqual(10);
  });

  it('tells browsers to run, frame, sniff and keep nothing of it', async () => {
    expect(await headersOf('/api/auth/me')).toMatchObject({
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'strict-transport-security': expect.stringContaining('max-age='),
      'cache-control': 'no-store',
    });
    expect(await headersOf('/api/auth/me')).not.toHaveProperty('x-powered-by');
  });

  it('carries the id of the request: the sane one of the caller, else its own', async () => {
    const given = await app.call('GET', '/api/monitoring/live', { headers: { 'x-request-id': 'trace-0123456789' } });
    expect(given.headers.get('x-request-id')).toBe('trace-0123456789');
    const hostile = await app.call('GET', '/api/monitoring/live', {
      headers: { 'x-request-id': '<script>alert(1)</script>' },
    });
    expect(hostile.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('may be read by browsers of the listed origins alone', async () => {
    const ours = await headersOf('/api/auth/me', { origin: 'https://portal.studyspot.example' });
    expect(ours).toMatchObject({
      'access-control-allow-origin': 'https://portal.studyspot.example',
      'access-control-allow-credentials': 'true',
    });
    expect(await headersOf('/api/auth/me', { origin: 'https://evil.example' })).not.toHaveProperty(
      'access-control-allow-origin',
    );
    const preflight = await app.call('OPTIONS', '/api/tenants', {
      headers: {
        origin: 'https://portal.studyspot.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'idempotency-key',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Idempotency-Key');
  });
});

describe('the documentation', () => {
  it('is a page that loads nothing from elsewhere, and the document', async () => {
    const page = await app.call('GET', '/api/docs/');
    expect(page.status).toBe(200);
    expect(page.text).toContain('StudySpot API');
    expect(page.text).not.toMatch(/(src|href)="https?:/);
    const document = await app.call('GET', '/api/docs/openapi.yaml');
    expect(document.status).toBe(200);
    expect(document.text).toContain('openapi: 3.1.0');
  });

  it('an address that is not there is a 404 in the envelope', async () => {
    const answer = await app.call('GET', '/api/nothing-here');
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ success: false, error: { code: 'not_found', requestId: expect.any(String) } });
  });
});
