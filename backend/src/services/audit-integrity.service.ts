import type { ReadContext } from '../types/context.ts';
import { auditHash, GENESIS_HASH, type AuditRecord } from './audit-chain.service.ts';
import { chainHead, chainNames, links, type ChainHead } from './audit.queries.ts';

type Link = AuditRecord & { previousHash: string; hash: string };
type Reader = Pick<ReadContext, 'sql'>;

/** Where a chain does not hold: a row was changed, does not follow the one before it, is not there, or the end was cut off. */
export type Break = { chain: string; sequence: number; reason: 'altered' | 'unlinked' | 'missing' | 'truncated' };
export type Verdict = { complete: boolean; chains: number; rows: number; breaks: Break[] };

const BATCH = 1000;
/** What one request checks; the nightly job checks everything. */
export const MOST_ROWS_A_REQUEST = 100_000;

export function breakAt(link: Link, expected: { sequence: number; previousHash: string }): Break['reason'] | undefined {
  if (link.sequence !== expected.sequence) return 'missing';
  if (link.previousHash !== expected.previousHash) return 'unlinked';
  const { previousHash, hash, ...record } = link;
  return auditHash(previousHash, record) === hash ? undefined : 'altered';
}

/**
 * Recomputes every hash of a chain from `from` to `to` or its end.
 * @param most rows at most
 */
async function verifyChain(ctx: Reader, chain: string, range: { from: number; to?: number }, most: number) {
  const head = await ctx.sql.one<ChainHead>(chainHead(chain));
  const end = Math.max(head?.sequence ?? 0, head?.lastSequence ?? 0);
  const last = Math.min(range.to ?? end, end);
  const [before] = range.from > 1 ? await ctx.sql.many<Link>(links(chain, range.from - 2, range.from - 1, 1)) : [];
  let previousHash = before?.hash ?? GENESIS_HASH;
  let sequence = range.from;
  if (range.from > 1 && !before && range.from <= end)
    return { rows: 0, complete: true, broken: { chain, sequence: range.from - 1, reason: 'missing' as const } };
  while (sequence <= last && sequence - range.from < most) {
    const batch = await ctx.sql.many<Link>(
      links(chain, sequence - 1, last, Math.min(BATCH, most - (sequence - range.from))),
    );
    const rows = sequence - range.from;
    if (batch.length === 0) return { rows, complete: true, broken: { chain, sequence, reason: 'truncated' as const } };
    for (const link of batch) {
      const reason = breakAt(link, { sequence, previousHash });
      if (reason) return { rows: sequence - range.from, complete: true, broken: { chain, sequence, reason } };
      previousHash = link.hash;
      sequence += 1;
    }
  }
  const reachedEnd = last === end && sequence > end;
  const headHolds = !reachedEnd || end === 0 || (head?.sequence === end && head.hash === previousHash);
  const broken = headHolds ? undefined : { chain, sequence: end, reason: 'truncated' as const };
  return { rows: Math.max(0, sequence - range.from), complete: sequence > last, broken };
}

/** Verifies one chain, or all of them, and names the first broken link of each (rule 10). */
export async function verifyChains(
  ctx: Reader,
  options: { chain?: string; from?: number; to?: number; mostRows?: number },
): Promise<Verdict> {
  const { from = 1, to, mostRows = Number.POSITIVE_INFINITY } = options;
  const chains = options.chain
    ? [options.chain]
    : (await ctx.sql.many<{ chain: string }>(chainNames())).map((row) => row.chain);
  const verdict: Verdict = { complete: true, chains: 0, rows: 0, breaks: [] };
  for (const chain of chains) {
    if (verdict.rows >= mostRows) return { ...verdict, complete: false };
    const checked = await verifyChain(ctx, chain, { from, to }, mostRows - verdict.rows);
    verdict.chains += 1;
    verdict.rows += checked.rows;
    verdict.complete &&= checked.complete;
    if (checked.broken) verdict.breaks.push(checked.broken);
  }
  return verdict;
}
