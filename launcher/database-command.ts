import { ensureBuilt } from './backend-modules.ts';
import type { DatabaseAccess } from './database-access.ts';
import { watchInterruption } from './interruption.ts';
import { migrateStep } from './migrate-step.ts';
import { startServices } from './services.ts';
import { readSettings } from './settings.ts';
import { step } from './terminal.ts';

/** Runs a command on the migrated database, and stops the server again if it was started for that. */
export async function withDatabase(run: (access: DatabaseAccess) => Promise<void>): Promise<void> {
  const settings = readSettings();
  const { orElse } = watchInterruption();
  await step('Build', ensureBuilt, (built) => (built ? 'Built the backend' : 'The backend is built'));
  const services = await startServices(settings, { redis: false });
  try {
    const access = await orElse(() => migrateStep(settings, services));
    await orElse(() => run(access));
  } finally {
    await services.stop('started');
  }
}
