import { measure, type Measured } from './load.ts';
import { ports } from './servers.ts';

// What a search costs beside the cheapest read there is, a look-up by primary key: over all people, over all tenants,
// and within a tenant of ten thousand.

export type SearchRow = { what: string } & Measured;
type Load = { connections: number; seconds: number };

/** @returns the look-up first, then each search */
export async function measureSearches(tenantId: string, token: string, load: Load): Promise<SearchRow[]> {
  const people = (q: string) => `/api/platform-users?limit=20&q=${encodeURIComponent(q)}`;
  const tenants = (q: string) => `/api/tenants?limit=20&q=${encodeURIComponent(q)}`;
  const paths: [what: string, path: string][] = [
    ['a tenant by its key', `/api/tenants/${tenantId}`],
    ['people: a rare part of an address', people('priya.sharma9')],
    ['people: two words', people('sharma priya')],
    ['people: the sound, in Devanagari', people('प्रिया शर्मा')],
    ['people: a phone', people('98290 12345')],
    ['tenants: the sound of a name', tenants('gurukool')],
    ['people of a tenant: two words', `/api/tenants/${tenantId}/users?limit=20&q=sharma%20priya`],
  ];
  const rows: SearchRow[] = [];
  for (const [what, path] of paths) {
    const url = `http://127.0.0.1:${ports.api}${path}`;
    await measure({ url, token, connections: load.connections, seconds: 1 });
    const measured = await measure({ url, token, ...load });
    if (measured.failures > 0 || measured.requestsPerSecond === 0)
      throw new Error(`${what} failed under load: ${JSON.stringify(measured)}`);
    rows.push({ what, ...measured });
  }
  return rows;
}

export function printSearches([byKey, ...searches]: SearchRow[]): void {
  if (!byKey) return;
  console.log('\nSearches beside a look-up by primary key');
  console.log(`  ${'what'.padEnd(40)}    req/s    p50 ms    p99 ms   of the look-up`);
  for (const row of [byKey, ...searches]) {
    const cells = [row.requestsPerSecond.toFixed(0), row.p50.toFixed(2), row.p99.toFixed(2)];
    const ratio = (row.requestsPerSecond / byKey.requestsPerSecond).toFixed(2);
    console.log(`  ${row.what.padEnd(40)}${cells.map((cell) => cell.padStart(10)).join('')}${ratio.padStart(17)}`);
  }
}
