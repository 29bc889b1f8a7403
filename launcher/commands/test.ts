import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readJson } from '../files.ts';
import { ROOT } from '../paths.ts';
import { provisionPdfToText } from '../poppler-packages.ts';
import { readSettings } from '../settings.ts';
import { provisionSwift } from '../swift-packages.ts';
import { print, step } from '../terminal.ts';

interface Check {
  title: string;
  command: string;
  args: string[];
}

const CHECKS: Check[] = [
  { title: 'Format (prettier)', command: 'prettier', args: ['--check', '--log-level=warn', '.'] },
  { title: 'Lint (oxlint)', command: 'oxlint', args: ['--type-aware'] },
  { title: 'Types (tsc)', command: 'tsc', args: ['--noEmit'] },
  { title: 'Layers (dependency-cruiser)', command: 'depcruise', args: ['--output-type=err', 'backend/src'] },
];

/** What vitest writes with its JSON reporter, as far as it is read here. */
interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { status: string; assertionResults: unknown[] }[];
}

/** Static checks, then the tests. All of them run, whatever fails; the last line sums the tests up. */
export async function test(args: string[]): Promise<number> {
  readSettings();
  const failed: string[] = [];
  for (const check of CHECKS) if (!(await runCheck(check))) failed.push(check.title);
  if (args.includes('--all'))
    await step('OpenStack Swift', provisionSwift, (why) => why ?? 'OpenStack Swift, for the tests of S3');
  await step('pdftotext', provisionPdfToText, (why) => why ?? 'pdftotext, for the tests of invoices');
  const result = await runVitest(args);
  if (result.code !== 0) failed.push('Tests (vitest)');
  print();
  if (failed.length > 0) print(`Failed: ${failed.join(', ')}`);
  print(`${result.passed} passed, ${result.failed} failed`);
  return failed.length > 0 ? 1 : 0;
}

async function runCheck({ title, command, args }: Check): Promise<boolean> {
  let output = '';
  try {
    await step(title, async () => {
      const result = await runTool(command, args, { cwd: ROOT, capture: true });
      output = result.output;
      if (result.code !== 0) throw new Error(output);
    });
    return true;
  } catch {
    print(output.trimEnd());
    return false;
  }
}

/** `--all` is ours, for tests that take minutes; everything else is vitest's. */
async function runVitest(args: string[]): Promise<{ code: number; passed: number; failed: number }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'studyspot-test-'));
  const reportFile = path.join(folder, 'report.json');
  const own = args.filter((argument) => argument !== '--all');
  const env = args.includes('--all') ? { ...process.env, TEST_ALL: 'true' } : process.env;
  try {
    const { code } = await runTool(
      'vitest',
      ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`, ...own],
      { cwd: path.join(ROOT, 'backend'), env },
    );
    return { code, ...countTests(readJson<VitestReport>(reportFile), code) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that fails before its first test, or a run without a report, counts as one failed test. */
function countTests(report: VitestReport | undefined, code: number): { passed: number; failed: number } {
  if (!report) return { passed: 0, failed: code === 0 ? 0 : 1 };
  const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length };
}

interface ToolOptions {
  cwd: string;
  env?: NodeJS.ProcessEnv;
  /** Keep the output instead of showing it. */
  capture?: boolean;
}

async function runTool(name: string, args: string[], options: ToolOptions): Promise<{ code: number; output: string }> {
  const { cwd, env = process.env, capture = false } = options;
  const child = spawn(path.join(ROOT, 'node_modules', '.bin', name), args, {
    cwd,
    env,
    stdio: capture ? ['ignore', 'pipe', 'pipe'] : 'inherit',
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  // Ctrl-C reaches the tool too: it ends first, and stops the servers that it started.
  const wait = () => {};
  process.on('SIGINT', wait);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code: code ?? (signal === 'SIGINT' ? 130 : 1), output }));
    });
  } finally {
    process.off('SIGINT', wait);
  }
}
