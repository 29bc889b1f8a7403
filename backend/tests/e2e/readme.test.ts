import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { choosePort } from '../../../launcher/ports.ts';
import { waitUntil } from '../../../launcher/processes.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../../..');
const dataDir = mkdtempSync(path.join(tmpdir(), 'studyspot-readme-'));
let environment: Record<string, string>;
let up: ChildProcess;

const launcher = (...args: string[]) => spawn(path.join(root, 'studyspot'), args, { env: environment, stdio: 'pipe' });

beforeAll(async () => {
  const { PATH = '', HOME = '' } = process.env;
  const port = await choosePort();
  environment = {
    PATH,
    HOME,
    DATA_DIR: dataDir,
    PORT: String(port),
    DATABASE_URL: '',
    DATABASE_OWNER_URL: '',
    REDIS_URL: '',
  };
  let output = '';
  up = launcher('up');
  for (const stream of [up.stdout, up.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const isReady = await waitUntil(() => output.includes('Ctrl-C stops'), 60_000);
  if (!isReady) throw new Error(`./studyspot up did not get ready:\n${output}`);
}, 90_000);

afterAll(async () => {
  up.kill('SIGINT');
  await new Promise((resolve) => up.once('close', resolve));
  await new Promise((resolve) => launcher('reset', '--yes').once('close', resolve));
  rmSync(dataDir, { recursive: true, force: true });
}, 60_000);

/** The commands of the tour and what each prints, moved to the port and folder of the test. */
function tour(): { script: string; printed: string } {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
  const text = readme.slice(readme.indexOf('## Five minutes'), readme.indexOf('## Configuration'));
  const blocks = (language: string) =>
    [...text.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, block]) => block).join('');
  const script = blocks('sh')
    .replaceAll('http://127.0.0.1:4000', `http://127.0.0.1:${environment.PORT}`)
    .replaceAll('.data/', `${dataDir}/`);
  return { script, printed: blocks('text') };
}

it('the tour of the README prints what it says', async () => {
  const { script, printed } = tour();
  expect(script.match(/curl/g)!.length).toBeGreaterThan(10);
  const { stdout } = await run('bash', ['-c', script], { cwd: root, env: environment, timeout: 60_000 });
  expect(stdout).toBe(printed);
}, 90_000);
