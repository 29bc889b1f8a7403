import { pingDatabase } from '../config/database.ts';
import { AppError } from '../utils/errors.ts';
import { isStopping } from '../utils/stopping.ts';

const PROBE_MS = 1_500;

/**
 * Whether this process can do its work: it is not stopping, and the database answers soon. Redis is not asked:
 * without it limits count in memory and jobs wait in the outbox.
 * @throws AppError service_unavailable
 */
export async function assertReady(): Promise<void> {
  const notReady = () => new AppError('service_unavailable', 'Not ready.', { retryAfterSeconds: 2 });
  if (isStopping()) throw notReady();
  await pingDatabase(PROBE_MS).catch(() => Promise.reject(notReady()));
}
