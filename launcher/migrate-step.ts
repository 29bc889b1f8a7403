import { loadMigrations } from './backend-modules.ts';
import { prepareDatabase, type DatabaseAccess } from './database-access.ts';
import { loadSecrets } from './secrets.ts';
import type { Services } from './services.ts';
import type { Settings } from './settings.ts';
import { printProgress, step } from './terminal.ts';

/** Migrates the database as a step of a command, and gives the ways into it. */
export function migrateStep(settings: Settings, services: Services): Promise<DatabaseAccess> {
  let applied: string[] = [];
  const open = async () => {
    const { migrate, pendingMigrations } = await loadMigrations();
    const { appPassword } = await loadSecrets(settings.dataDir);
    const { databaseUrl } = services;
    const { databaseOwnerUrl } = settings;
    return prepareDatabase(
      { databaseUrl, databaseOwnerUrl, appPassword },
      {
        pendingMigrations,
        migrate: async (ownerUrl) => (applied = await migrate(ownerUrl, { onStep: printProgress })),
      },
    );
  };
  return step('Migrations', open, ({ ownerUrl }) => {
    if (!ownerUrl) return 'The database is looked after by its owner';
    return applied.length > 0 ? `${applied.length} migrations applied` : 'The database is up to date';
  });
}
