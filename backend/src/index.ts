import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApp } from './app.ts';
import { assertSafeDatabaseRole, closeDatabase } from './config/database.ts';
import { SHUTDOWN_SECONDS, UPLOAD_TIMEOUT_SECONDS } from './config/constants.ts';
import { followClock } from './config/clock-follow.ts';
import { environment } from './config/environment.ts';
import { logger } from './config/logger.ts';
import { closeRedis } from './config/redis.ts';
import { answerUnreadable } from './middleware/unreadable-request.middleware.ts';
import { removeLeftBehind } from './middleware/upload.middleware.ts';
import { startWorkers } from './queues/worker.ts';
import { beginStopping } from './utils/stopping.ts';

type Part = { close(): Promise<void> };

function serve(): Promise<Part & { url: string }> {
  const { HOST, PORT } = environment();
  return new Promise((resolve, reject) => {
    const server = createApp().listen(PORT, HOST, (error?: Error) => {
      if (error) return reject(error);
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : PORT;
      return resolve({ url: `http://${HOST}:${port}`, close: () => closeServer(server, sockets) });
    });
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    answerUnreadable(server);
    // JSON has less time: see the validation.
    server.requestTimeout = UPLOAD_TIMEOUT_SECONDS * 1000;
    server.headersTimeout = 10_000;
    // Longer than load balancers keep a connection, so that they close it first.
    server.keepAliveTimeout = 65_000;
  });
}

/** Of the time that a stop may take, what is left after the requests for everything else. */
const RESERVE_MS = 4_000;
const IDLE_CHECK_MS = 50;

/**
 * No new connections; those there are close with their next answer, or as soon as nothing is under way on them. What
 * is still open then, such as half a request that nobody ever completes, is cut.
 */
const closeServer = (server: Server, sockets: Set<Socket>): Promise<void> =>
  new Promise((resolve) => {
    const closing = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
    const cutting = setTimeout(() => server.closeAllConnections(), SHUTDOWN_SECONDS * 1000 - RESERVE_MS);
    // Browsers open connections for later; to Node one that was never used is not idle.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    server.prependListener('request', (_request, response) => void response.setHeader('Connection', 'close'));
    server.close(() => {
      clearInterval(closing);
      clearTimeout(cutting);
      resolve();
    });
  });

async function start(): Promise<void> {
  const { ROLE } = environment();
  await assertSafeDatabaseRole();
  const parts: Part[] = [];
  stopOnSignal(parts);
  parts.push(await followClock());
  if (ROLE !== 'api') parts.push(await startWorkers());
  if (ROLE === 'worker') {
    logger.info('Workers are running');
    process.send?.({ ready: true });
    return;
  }
  await removeLeftBehind();
  const server = await serve();
  parts.push(server);
  logger.info('Listening', { url: server.url, role: ROLE });
  process.send?.({ ready: true, url: server.url });
}

function stopOnSignal(parts: Part[]): void {
  let stopping = false;
  const stop = async (reason: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    beginStopping();
    logger.info('Stopping', { reason });
    setTimeout(() => {
      logger.error('Stopping took too long');
      process.exit(1);
    }, SHUTDOWN_SECONDS * 1000).unref();
    await Promise.allSettled(parts.map((part) => part.close()));
    // A database that hangs must not turn the end into a failure.
    await Promise.race([Promise.allSettled([closeDatabase(), closeRedis()]), sleep(RESERVE_MS / 4)]);
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
  // Started by the launcher: when that dies, so do we.
  process.on('disconnect', () => void stop('the launcher is gone'));
}

process.on('unhandledRejection', (error) => logger.error('A promise failed and nobody was waiting', { error }));
process.on('uncaughtException', (error) => {
  logger.error('An error that nothing foresaw; the process ends', { error });
  process.exitCode = 1;
  setTimeout(() => process.exit(1), 500);
});

start().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  logger.error('The start failed', { error });
  setTimeout(() => process.exit(1), 200);
});
