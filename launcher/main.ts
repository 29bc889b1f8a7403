import { helpText } from './commands/help.ts';
import { UsageError } from './errors.ts';
import { Interrupted } from './interruption.ts';
import { print, printError } from './terminal.ts';

type Command = (args: string[]) => Promise<number>;

/** Loaded when called, so that each starts with no more than it needs. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  up: async () => (await import('./commands/up.ts')).up,
  test: async () => (await import('./commands/test.ts')).test,
  seed: async () => (await import('./commands/seed.ts')).seed,
  migrate: async () => (await import('./commands/migrate.ts')).migrate,
  bench: async () => (await import('./commands/bench.ts')).bench,
  reset: async () => (await import('./commands/reset.ts')).reset,
  prepare: async () => (await import('./commands/prepare.ts')).prepare,
};

/** Runs a command and gives its exit code: 0 fine, 1 failed, 2 called wrongly, 130 interrupted. */
async function main([name = 'help', ...args]: string[]): Promise<number> {
  if (['help', '--help', '-h'].includes(name) || (name !== 'test' && name !== 'bench' && args.includes('--help'))) {
    print(helpText());
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) {
    process.stderr.write(`There is no command "${name}".\n\n${helpText()}\n`);
    return 2;
  }
  try {
    return await (
      await load()
    )(args);
  } catch (error) {
    return exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return 130;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code.startsWith('ERR_PARSE_ARGS')) {
    printError(error);
    process.stderr.write('See ./studyspot help\n');
    return 2;
  }
  if (code === 'EACCES' || code === 'EPERM') {
    printError(`${(error as Error).message}. It may belong to another user, such as root; see ls -l.`);
    return 1;
  }
  printError(process.env.DEBUG && error instanceof Error ? error.stack : error);
  return error instanceof UsageError ? 2 : 1;
}

// Whoever reads the output may go away; what was started must still be stopped in order.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
process.exit(await main(process.argv.slice(2)));
