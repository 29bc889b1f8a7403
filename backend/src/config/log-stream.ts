import { writeSync } from 'node:fs';
import { Writable } from 'node:stream';

const FLUSH_MS = 50;
const FLUSH_BYTES = 64 * 1024;
const STDOUT = 1;

/**
 * Standard output, some lines at a time: a write for each request would cost more than the rest of logging. What is
 * waiting goes out within 50 ms, and at the end of the process however it ends, kill -9 excepted.
 */
export function logStream(): Writable {
  let waiting = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const text = waiting;
    waiting = '';
    if (text) writeAll(text);
  };
  process.on('exit', flush);
  return new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      waiting += line;
      if (waiting.length >= FLUSH_BYTES) flush();
      else timer ??= setTimeout(flush, FLUSH_MS);
      done();
    },
  });
}

/** A pipe may be full for a moment; one that nobody reads any more is no reason to end. */
function writeAll(text: string): void {
  let rest = Buffer.from(text);
  for (let tries = 0; rest.length > 0 && tries < 1000; tries += 1) {
    try {
      rest = rest.subarray(writeSync(STDOUT, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));
