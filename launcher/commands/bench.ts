import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ensureBuilt } from '../backend-modules.ts';
import { ROOT } from '../paths.ts';
import { readSettings } from '../settings.ts';
import { step } from '../terminal.ts';

/** Runs the benchmarks; the arguments are theirs. */
export async function bench(args: string[]): Promise<number> {
  const script = path.join(ROOT, 'bench', 'run.ts');
  if (!existsSync(script)) throw new Error(`There are no benchmarks: ${script} is missing.`);
  const { dataDir } = readSettings();
  await step('Build', ensureBuilt, (built) => (built ? 'Built the backend' : 'The backend is built'));
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    cwd: ROOT,
    env: { ...process.env, DATA_DIR: dataDir },
    stdio: 'inherit',
  });
  // Ctrl-C reaches the benchmarks too: they end first, and clean up after themselves.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
