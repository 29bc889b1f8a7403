import { measure, type Measured } from './load.ts';
import { ports } from './servers.ts';
import { median } from './statistics.ts';

export type Load = { seconds: number; rounds: number; connections: number };
export type Side = 'api' | 'bare';
export type Row = Record<Side, Measured[]>;
/** Where each side is asked for the same. */
export type Paths = Record<Side, string>;

/** Both sides in turn, round by round, so that what else the machine does meets both alike. */
export async function compare(paths: Paths, token: string, { seconds, rounds, connections }: Load): Promise<Row> {
  const row: Row = { api: [], bare: [] };
  for (const side of ['bare', 'api'] as const) await run(side, 2);
  for (let round = 0; round < rounds; round += 1) {
    for (const side of ['bare', 'api'] as const) row[side].push(await run(side, seconds));
  }
  return row;

  async function run(side: Side, duration: number): Promise<Measured> {
    const url = `http://127.0.0.1:${ports[side]}${paths[side]}`;
    const measured = await measure({ url, connections, seconds: duration, ...(side === 'api' && { token }) });
    if (measured.failures > 0 || measured.requestsPerSecond === 0)
      throw new Error(`${side} failed under load: ${JSON.stringify(measured)}`);
    return measured;
  }
}

export function printComparison(name: string, row: Row, memory: Record<Side, number>): void {
  const of = (side: Side, key: keyof Measured) => median(row[side].map((measured) => measured[key]));
  const ratio = median(
    row.api.map((measured, round) => measured.requestsPerSecond / (row.bare[round]?.requestsPerSecond ?? 1)),
  );
  console.log(`\n${name}`);
  console.log('            req/s    p50 ms    p99 ms   RSS MiB');
  for (const side of ['bare', 'api'] as const) {
    const cells = [
      of(side, 'requestsPerSecond').toFixed(0),
      of(side, 'p50').toFixed(2),
      of(side, 'p99').toFixed(2),
      String(memory[side]),
    ];
    console.log(`  ${side.padEnd(5)}${cells.map((cell) => cell.padStart(10)).join('')}`);
  }
  console.log(`  ratio api / bare: ${ratio.toFixed(2)} (median of ${row.api.length} rounds)`);
}
