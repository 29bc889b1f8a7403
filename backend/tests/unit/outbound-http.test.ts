import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

type Outbound = typeof import('../../src/services/outbound-http.service.ts');

async function outboundWith(allowLocal: boolean): Promise<Outbound> {
  vi.resetModules();
  Object.assign(process.env, {
    NODE_ENV: 'test',
    DATABASE_URL: 'postgresql://nobody@localhost/nothing',
    JWT_SECRET: 'test-secret-of-access-tokens-0123456789',
    REFRESH_TOKEN_SECRET: 'test-secret-of-refresh-tokens-012345678',
    ENCRYPTION_KEY: 'test-secret-of-sealed-secrets-0123456789',
    OUTBOUND_ALLOW_LOCAL: String(allowLocal),
  });
  const outbound = await import('../../src/services/outbound-http.service.ts');
  // The environment is read once, and now: other files of this process have one of their own.
  outbound.parseOutboundUrl('https://siem.example/');
  return outbound;
}

describe('An address that somebody typed in', () => {
  let outbound: Outbound;
  beforeAll(async () => void (outbound = await outboundWith(false)));

  it.each([
    'https://10.0.0.1/',
    'https://172.16.3.4/',
    'https://192.168.1.1:8443/x',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://0/',
    'https://0x7f000001/',
    'https://2130706433/',
    'https://017700000001/',
    'https://169.254.169.254/latest/meta-data/',
    'https://100.64.0.1/',
    'https://198.18.0.1/',
    'https://224.0.0.1/',
    'https://255.255.255.255/',
    'https://[::]/',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[64:ff9b::10.0.0.1]/',
    'https://[2002:7f00:1::]/',
    'https://[2001:db8::1]/',
    'https://[fd00::1]/',
    'https://[fe80::1]/',
    'https://[ff02::1]/',
    'https://localhost/',
    'https://LOCALHOST./',
    'https://a.localhost/',
  ])('is refused where it leads inside: %s', async (url) => {
    expect(() => outbound.parseOutboundUrl(url)).toThrow(/public internet/);
    await expect(outbound.postOutbound(url, { body: '', headers: {}, timeoutMs: 500 })).rejects.toThrow(
      outbound.OutboundRefused,
    );
  });

  it.each([
    ['http://siem.example/', /https/],
    ['ftp://siem.example/', /https/],
    ['file:///etc/passwd', /https/],
    ['javascript:alert(1)', /https/],
    ['https://user:word@siem.example/', /user name/],
    ['siem.example', /complete address/],
    ['', /complete address/],
  ])('is refused for what it is: %s', (url, message) => {
    expect(() => outbound.parseOutboundUrl(url)).toThrow(message);
  });

  it.each(['https://siem.example/audit?x=1', 'https://8.8.8.8/', 'https://[2606:4700:4700::1111]:8443/'])(
    'is taken where it is of the public internet: %s',
    (url) => {
      expect(outbound.parseOutboundUrl(url).href).toBe(url);
    },
  );
});

describe('A name', () => {
  const answers: { address: string; family: number }[][] = [];
  let asked = 0;
  beforeEach(() => {
    asked = 0;
    vi.doMock('node:dns', async (original) => ({
      ...(await original<typeof import('node:dns')>()),
      lookup: (_host: string, _options: object, done: (error: null, found: object[]) => void) => {
        done(null, answers[Math.min(asked, answers.length - 1)] ?? []);
        asked += 1;
      },
    }));
  });
  afterEach(() => {
    vi.doUnmock('node:dns');
    answers.length = 0;
  });

  it.each([
    [[{ address: '127.0.0.1', family: 4 }]],
    [
      [
        { address: '8.8.8.8', family: 4 },
        { address: '10.0.0.1', family: 4 },
      ],
    ],
    [[{ address: '::ffff:169.254.169.254', family: 6 }]],
    [[]],
  ])('is refused when it leads inside, when it is typed in and at the call: %j', async (found) => {
    answers.push(found);
    const { assertMayBeCalled, postOutbound, OutboundRefused } = await outboundWith(false);
    await expect(assertMayBeCalled('https://inside.example/')).rejects.toThrow(OutboundRefused);
    const call = postOutbound('https://inside.example/', { body: '', headers: {}, timeoutMs: 500 });
    await expect(call).rejects.toThrow(OutboundRefused);
  });

  it('that answers otherwise the second time is called at the address that was checked', async () => {
    answers.push([{ address: '8.8.8.8', family: 4 }], [{ address: '127.0.0.1', family: 4 }]);
    const { assertMayBeCalled, postOutbound, OutboundRefused } = await outboundWith(false);
    await assertMayBeCalled('https://rebinding.example/');
    const call = postOutbound('https://rebinding.example/', { body: '', headers: {}, timeoutMs: 500 });
    await expect(call).rejects.toThrow(OutboundRefused);
    expect(asked).toBe(2);
  });
});

describe('A call', () => {
  let outbound: Outbound;
  let server: Server;
  let url: string;
  beforeAll(async () => {
    outbound = await outboundWith(true);
    server = createServer((request, response) => {
      request.resume();
      if (request.url === '/redirect') response.writeHead(302, { location: 'http://127.0.0.1:1/inside' }).end();
      else if (request.url === '/flood') {
        const more = setInterval(() => response.write('x'.repeat(100_000)), 5);
        response.on('close', () => clearInterval(more));
      } else if (request.url !== '/silence') response.end('thanks');
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const call = { body: 'hello', headers: {}, timeoutMs: 2_000 };

  it('reaches who is named, where this machine is allowed', async () => {
    expect(await outbound.postOutbound(url, call)).toEqual({ status: 200, text: 'thanks' });
    expect(() => outbound.parseOutboundUrl('http://10.0.0.1/')).toThrow(/https/);
    expect(() => outbound.parseOutboundUrl('https://10.0.0.1/')).toThrow(/public internet/);
  });

  it('follows no redirect', async () => {
    expect((await outbound.postOutbound(`${url}/redirect`, call)).status).toBe(302);
  });

  it('ends when nobody answers in time', async () => {
    const silent = outbound.postOutbound(`${url}/silence`, { ...call, timeoutMs: 200 });
    await expect(silent).rejects.toThrow(/did not answer within 0.2 s/);
  });

  it('reads so much of an answer and no more', async () => {
    expect((await outbound.postOutbound(`${url}/flood`, call)).text).toHaveLength(64 * 1024);
  });
});
