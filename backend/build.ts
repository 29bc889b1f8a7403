import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const BACKEND = import.meta.dirname;
const OUTPUT = path.join(BACKEND, 'dist');
/** What the output was made from, to leave it alone while nothing changes. */
const FINGERPRINT = path.join(OUTPUT, '.sources');
const ENTRY_POINTS = {
  index: 'src/index.ts',
  'create-admin': 'src/create-admin.ts',
  'break-glass': 'src/break-glass.ts',
  migrate: 'prisma/migrate.ts',
  seed: 'prisma/seed.ts',
};

/** Whether `dist` is made from the present sources. */
export function isBuilt(): boolean {
  return existsSync(FINGERPRINT) && readFileSync(FINGERPRINT, 'utf8') === fingerprintSources();
}

/** Bundles the backend into `dist`: one file per entry point, packages left outside. */
export async function buildBackend(): Promise<void> {
  const fingerprint = fingerprintSources();
  rmSync(FINGERPRINT, { force: true });
  await build({
    absWorkingDir: BACKEND,
    entryPoints: ENTRY_POINTS,
    outdir: OUTPUT,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    sourcemap: true,
    logLevel: 'silent',
  });
  writeFileSync(FINGERPRINT, fingerprint);
}

/** Names, sizes and times of everything that the output is made from. */
function fingerprintSources(): string {
  const files = [
    ...['src', 'prisma'].flatMap((folder) => listFiles(path.join(BACKEND, folder))),
    ...['build.ts', 'package.json'].map((name) => path.join(BACKEND, name)),
  ];
  const hash = createHash('sha256');
  for (const file of files.toSorted()) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${path.relative(BACKEND, file)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

if (process.argv[1] && path.resolve(process.argv[1]) === import.meta.filename) await buildBackend();
