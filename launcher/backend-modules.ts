import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildBackend, isBuilt } from '../backend/build.ts';
import type * as Migrations from '../backend/prisma/migrate.ts';
import type * as Seed from '../backend/prisma/seed.ts';
import { withLock } from './lock.ts';
import { ROOT } from './paths.ts';

/** Builds the backend if its sources changed, and says whether they did. Two launchers of one checkout take turns. */
export async function ensureBuilt(): Promise<boolean> {
  if (isBuilt()) return false;
  const cache = path.join(ROOT, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  return withLock(path.join(cache, 'studyspot-build.lock'), async () => {
    if (isBuilt()) return false;
    await buildBackend();
    return true;
  });
}

/** The migrations, from the built backend. */
export function loadMigrations(): Promise<typeof Migrations> {
  return import(builtFile('migrate.js'));
}

/** The demo data, from the built backend. */
export function loadSeed(): Promise<typeof Seed> {
  return import(builtFile('seed.js'));
}

function builtFile(name: string): string {
  return pathToFileURL(path.join(ROOT, 'backend', 'dist', name)).href;
}
