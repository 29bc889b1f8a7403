import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileSize, logTail, withLog } from './files.ts';
import { ROOT } from './paths.ts';
import { identifyProcess, type ProcessIdentity } from './processes.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

export interface ApiProcess {
  identity: ProcessIdentity | null;
  /** Its address, once it listens. Rejects when it ends first, or takes longer than a minute. */
  ready: Promise<string>;
  /** Why it ended, once it has. */
  ended: Promise<string>;
  /** Lets it finish what is under way, for 15 seconds at most. */
  stop: () => Promise<void>;
  kill: () => void;
}

export interface ApiOptions {
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** Log to the terminal instead. */
  verbose: boolean;
}

/** Starts the built API. It ends by itself when the channel to this process breaks. */
export function startApi(options: ApiOptions): ApiProcess {
  const logStart = fileSize(options.logFile);
  const child = spawnApi(options);
  const describe = (how: string) => {
    if (options.verbose) return `The API ${how}.`;
    return `The API ${how}. Its log (${options.logFile}) ends with:\n${logTail(options.logFile, 15, logStart)}`;
  };
  let hasEnded = false;
  const ended = new Promise<string>((resolve) => {
    const end = (how: string) => {
      hasEnded = true;
      resolve(describe(how));
    };
    child.once('error', (error) => end(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => end(signal ? `was ended by ${signal}` : `ended with code ${code}`));
  });
  return {
    identity: child.pid ? identifyProcess(child.pid) : null,
    ready: waitForReady(child, ended, describe),
    ended,
    stop: async () => {
      if (hasEnded) return;
      child.kill('SIGTERM');
      const forced = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(forced);
    },
    kill: () => child.kill('SIGKILL'),
  };
}

function spawnApi({ env, logFile, verbose }: ApiOptions): ChildProcess {
  return withLog(logFile, (descriptor) => {
    const output = verbose ? 'inherit' : descriptor;
    return spawn(process.execPath, ['--enable-source-maps', path.join(ROOT, 'backend', 'dist', 'index.js')], {
      cwd: path.join(ROOT, 'backend'),
      env,
      // A session of its own: Ctrl-C in the terminal must reach the launcher alone, which stops things in order.
      detached: true,
      stdio: ['ignore', output, output, 'ipc'],
    });
  });
}

async function waitForReady(
  child: ChildProcess,
  ended: Promise<string>,
  describe: (how: string) => string,
): Promise<string> {
  const late = new AbortController();
  const ready = new Promise<string>((resolve) => {
    child.on('message', (message: { ready?: boolean; url?: string }) => {
      if (message.ready && message.url) resolve(message.url);
    });
  });
  const failed = async (reason: Promise<string>): Promise<never> => {
    throw new Error(await reason);
  };
  const tooLate = async (): Promise<string> => {
    await sleep(START_TIMEOUT_MS, undefined, { signal: late.signal });
    return describe(`did not get ready within ${START_TIMEOUT_MS / 1000} s`);
  };
  try {
    return await Promise.race([ready, failed(ended), failed(tooLate())]);
  } finally {
    late.abort();
  }
}
