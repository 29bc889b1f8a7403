import { sql } from '../utils/sql.ts';
import { setClockOffset } from './clock.ts';
import { environment } from './environment.ts';
import { logger } from './logger.ts';
import { scopedReader } from './scope.ts';

const POLL_MS = 1_000;

/** How far every process of this database is to be ahead. */
const storedOffset = sql`select offset_seconds::float8 as seconds from test_clock where id = 1`;

/** Takes the clock over from the database, and follows it: another process may set it. Nothing of that in production. */
export async function followClock(): Promise<{ close(): Promise<void> }> {
  if (environment().NODE_ENV === 'production') return { close: async () => {} };
  const reader = scopedReader({ role: 'portal' });
  const read = async () => {
    const row = await reader.one<{ seconds: number }>(storedOffset);
    setClockOffset((row?.seconds ?? 0) * 1000);
  };
  await read();
  const timer = setInterval(() => {
    read().catch((error: unknown) => logger.debug('The clock could not be read', { error }));
  }, POLL_MS);
  return { close: async () => clearInterval(timer) };
}
