import { spawn, spawnSync } from 'node:child_process';
import autocannon from 'autocannon';

export type Load = { url: string; token?: string; connections: number; seconds: number };

/** What one run measured. Times in milliseconds. */
export type Measured = { requestsPerSecond: number; p50: number; p99: number; failures: number };

const hasWrk = spawnSync('wrk', ['-v']).error === undefined;

/** Which program makes the load: wrk costs the machine least; autocannon is there without it. */
export const loadProgram = hasWrk ? 'wrk' : 'autocannon';

export const measure = (load: Load): Promise<Measured> => (hasWrk ? withWrk(load) : withAutocannon(load));

async function withWrk({ url, token, connections, seconds }: Load): Promise<Measured> {
  const header = token ? ['-H', `authorization: Bearer ${token}`] : [];
  const child = spawn('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', ...header, url]);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  const number = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0);
  return {
    requestsPerSecond: number(/Requests\/sec:\s+([\d.]+)/),
    p50: milliseconds(/50%\s+([\d.]+\w+)/.exec(output)?.[1]),
    p99: milliseconds(/99%\s+([\d.]+\w+)/.exec(output)?.[1]),
    failures: number(/Non-2xx or 3xx responses: (\d+)/) + number(/Socket errors:.*timeout (\d+)/),
  };
}

function milliseconds(text = '0ms'): number {
  const value = Number.parseFloat(text);
  if (text.endsWith('us')) return value / 1000;
  return text.endsWith('ms') ? value : value * 1000;
}

async function withAutocannon({ url, token, connections, seconds }: Load): Promise<Measured> {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const result = await autocannon({ url, connections, duration: seconds, headers });
  const { requests, latency, non2xx, errors } = result;
  return { requestsPerSecond: requests.average, p50: latency.p50, p99: latency.p99, failures: non2xx + errors };
}
