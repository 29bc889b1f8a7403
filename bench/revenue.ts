import type { Paths } from './compare.ts';
import type { BenchDatabase } from './database.ts';
import { ports } from './servers.ts';
import { median } from './statistics.ts';

// Revenue: the list of half a million invoices, and the dashboard computed anew.

/** What finance reads of all invoices, of those of one tenant, and of those that are to be paid. */
export function revenueCases({ tenantId }: BenchDatabase): Record<string, Paths> {
  const list = '/api/revenue/invoices?limit=20';
  return Object.fromEntries(
    [list, `${list}&tenantId=${tenantId}`, `${list}&status=OPEN`].map((path) => [
      `GET ${path.replace(tenantId, ':id')}`,
      { api: path, bare: path },
    ]),
  );
}

const ROUNDS = 15;

/** How long the dashboard takes that nobody has asked for before, one at a time, in milliseconds. */
export async function measureDashboard(token: string): Promise<number[]> {
  const milliseconds: number[] = [];
  for (let round = -2; round < ROUNDS; round += 1) {
    const began = performance.now();
    const answer = await fetch(`http://127.0.0.1:${ports.api}/api/revenue/dashboard?refresh=true`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`The dashboard failed: ${text}`);
    if (round >= 0) milliseconds.push(performance.now() - began);
  }
  return milliseconds;
}

/** How PostgreSQL answers one statement of it. */
export type PlanSummary = {
  statement: string;
  milliseconds: number;
  /** Pages of 8 KiB that were looked at. */
  pages: number;
  /** How each table is read, and how many rows come out of that. */
  reads: string[];
};

export function printDashboard(milliseconds: readonly number[], plans: readonly PlanSummary[]): void {
  console.log('\nGET /api/revenue/dashboard?refresh=true, one at a time');
  console.log(`  p50 ${median([...milliseconds]).toFixed(0)} ms, most ${Math.max(...milliseconds).toFixed(0)} ms`);
  for (const { statement, milliseconds: took, pages, reads } of plans.toSorted(
    (a, b) => b.milliseconds - a.milliseconds,
  )) {
    console.log(`  ${took.toFixed(1).padStart(8)} ms ${String(pages).padStart(7)} pages  ${statement}`);
    for (const read of reads) console.log(`${' '.repeat(30)}${read}`);
  }
}
