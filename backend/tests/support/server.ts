import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { clientOf } from './client.ts';
import { createTestDatabase } from './database.ts';
import { factoriesFor } from './factories.ts';

const limits = { RATE_LIMIT_USER_PER_MINUTE: '100000', RATE_LIMIT_IP_PER_MINUTE: '100000', TRUST_PROXY: 'loopback' };

/**
 * The API in this process, on a database of its own.
 * @param environment variables that differ from the defaults of tests
 */
export async function startTestApp(environment: Record<string, string> = {}) {
  const database = await createTestDatabase();
  // Mails, files and what the sandbox gateway keeps are each file's own.
  const dataDir = mkdtempSync(path.join(tmpdir(), 'studyspot-app-'));
  Object.assign(process.env, {
    DATA_DIR: dataDir,
    NODE_ENV: 'test',
    ROLE: 'api',
    DATABASE_URL: database.appUrl,
    JWT_SECRET: 'test-secret-of-access-tokens-0123456789',
    REFRESH_TOKEN_SECRET: 'test-secret-of-refresh-tokens-012345678',
    ENCRYPTION_KEY: 'test-secret-of-sealed-secrets-0123456789',
    ...limits,
    ...environment,
  });
  const { createApp } = await import('../../src/app.ts');
  const { closeDatabase } = await import('../../src/config/database.ts');
  const { closeRedis } = await import('../../src/config/redis.ts');
  const { answerUnreadable } = await import('../../src/middleware/unreadable-request.middleware.ts');
  const server = await new Promise<Server>((resolve) => {
    const listening = createApp().listen(0, '127.0.0.1', () => resolve(listening));
  });
  answerUnreadable(server);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const call = clientOf(url);
  const factories = factoriesFor(database, call);
  return {
    url,
    database,
    call,
    ...factories,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Promise.allSettled([closeDatabase(), closeRedis(), factories.closeConnections()]);
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export type TestApp = Awaited<ReturnType<typeof startTestApp>>;
