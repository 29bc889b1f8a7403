const colored = process.stdout.isTTY && !process.env.NO_COLOR;
const green = (text: string) => (colored ? `\x1b[32m${text}\x1b[0m` : text);
const red = (text: string) => (colored ? `\x1b[31m${text}\x1b[0m` : text);
const faint = (text: string) => (colored ? `\x1b[2m${text}\x1b[0m` : text);

const CLEAR_LINE = '\r\x1b[K';

export function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** A line that the next one replaces; nothing where no person is watching. */
export function printProgress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`${CLEAR_LINE}  ${text}`);
}

export function formatDuration(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Runs one step and prints a line about it with the time it took. `describe` words the line from the result. */
export async function step<T>(title: string, run: () => Promise<T>, describe?: (result: T) => string): Promise<T> {
  const start = performance.now();
  try {
    const result = await run();
    printStep(green('✓'), describe?.(result) ?? title, performance.now() - start);
    return result;
  } catch (error) {
    printStep(red('✗'), title, performance.now() - start);
    throw error;
  }
}

function printStep(mark: string, text: string, milliseconds: number): void {
  if (process.stdout.isTTY) process.stdout.write(CLEAR_LINE);
  print(`  ${mark} ${text} ${faint(`(${formatDuration(milliseconds)})`)}`);
}

export function printError(error: unknown): void {
  const message = error instanceof Error ? error.message || String(error) : String(error);
  process.stderr.write(`${red('Error:')} ${message}\n`);
}
