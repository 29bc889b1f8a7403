import { once } from 'node:events';
import jwt from 'jsonwebtoken';
import { vi } from 'vitest';
import type { Answer } from '../../support/client.ts';
import { PASSWORD, someAddress } from '../../support/factories.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

export const JWT_SECRET = 'test-secret-of-access-tokens-0123456789';

/**
 * The API as another process would start it, with an environment of its own. Where it counts in Redis, it is
 * connected: before that it counts in memory.
 */
export async function startAnotherApp(environment: Record<string, string> = {}): Promise<TestApp> {
  vi.resetModules();
  const app = await startTestApp({ REDIS_URL: '', ...environment });
  const { commandRedis } = await import('../../../src/config/redis.ts');
  const redis = commandRedis();
  if (redis && redis.status !== 'ready') await once(redis, 'ready', { signal: AbortSignal.timeout(5000) });
  return app;
}

/** As if it came through the trusted proxy from this address. */
export const from = (address = someAddress()) => ({ 'x-forwarded-for': address });

export const claimsOf = (token: string) => jwt.decode(token) as jwt.JwtPayload & { sid: string; pv: number };

export type AuditRow = {
  action: string;
  chain: string;
  tenant_id: string | null;
  actor_type: string;
  actor_id: string | null;
  actor_name: string | null;
  resource: string;
  resource_id: string | null;
  outcome: string;
  changes: Record<string, unknown> | null;
  ip_address: string | null;
};

/** The audit rows that a request left. */
export const auditOf = (app: TestApp, answer: Answer): Promise<AuditRow[]> =>
  app.query<AuditRow>(
    `select action, chain, tenant_id, actor_type, actor_id, actor_name, resource, resource_id, outcome, changes, ip_address
       from audit_logs where request_id = $1 order by sequence`,
    [answer.headers.get('x-request-id')],
  );

type Login = {
  email?: string | null;
  phone?: string | null;
  password?: string;
  refreshTokenIn?: string;
  deviceToken?: string;
};

export const login = (app: TestApp, { password = PASSWORD, ...rest }: Login, address?: string): Promise<Answer> =>
  app.call('POST', '/api/auth/login', { body: { ...rest, password }, headers: from(address) });

export const refresh = (app: TestApp, refreshToken: string, address?: string): Promise<Answer> =>
  app.call('POST', '/api/auth/refresh', { body: { refreshToken }, headers: from(address) });

export const refreshByCookie = (app: TestApp, cookie: string): Promise<Answer> =>
  app.call('POST', '/api/auth/refresh', { headers: { ...from(), cookie } });

export const me = (app: TestApp, token: string): Promise<Answer> => app.call('GET', '/api/auth/me', { token });

/** A cookie as a browser would keep it: its value, and what else the header says, in small letters. */
export function cookieOf(answer: Answer): { value: string; pair: string; flags: string[] } | undefined {
  const [header] = answer.headers.getSetCookie();
  if (header === undefined) return undefined;
  const [pair = '', ...flags] = header.split('; ');
  return {
    pair,
    value: decodeURIComponent(pair.slice(pair.indexOf('=') + 1)),
    flags: flags.map((flag) => flag.toLowerCase()),
  };
}
