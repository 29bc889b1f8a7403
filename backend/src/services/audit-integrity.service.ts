import type { ReadContext } from '../types/context.ts';
import { auditHash, GENESIS_HASH, type AuditRecord } from './audit-chain.service.ts';
import { chainHead, chainNames, links, type ChainHead } from './audit.queries.ts';

type Link = Omit<AuditRecord, 'onBehalfOfId' | 'onBehalfOfName'> & {
  onBehalfOfId?: string | null;
  onBehalfOfName?: string | null;
  previousHash: string;
  hash: string;
};
type Reader = Pick<ReadContext, 'sql'>;

/**
 * Where a chain does not hold: a row was changed, does not follow the one before it, is not there, is not there at
 * the end, or the head, which records where the chain ends, does not agree with its last row.
 */
export type Break = {
  chain: string;
  sequence: number;
  reason: 'altered' | 'unlinked' | 'missing' | 'truncated' | 'head';
};
export type Verdict = { complete: boolean; chains: number; rows: number; breaks: Break[] };

const BATCH = 1000;
/** What one request checks; the nightly job checks everything. */
export const MOST_ROWS_A_REQUEST = 100_000;
/** Nothing comes before 1; where something does, it is to be seen. */
const BEFORE_ALL = -(2 ** 31);

export function breakAt(
  link: Link,
  expected: { sequence: number; previousHash: string },
): Omit<Break, 'chain'> | undefined {
  if (link.sequence > expected.sequence) return { sequence: expected.sequence, reason: 'missing' };
  const { previousHash, hash, onBehalfOfId, onBehalfOfName, ...rest } = link;
  // As it was hashed: without these where nobody acted in another's name.
  const record: AuditRecord = {
    ...rest,
    ...(typeof onBehalfOfId === 'string' && { onBehalfOfId }),
    ...(typeof onBehalfOfName === 'string' && { onBehalfOfName }),
  };
  const { sequence } = link;
  if (sequence < expected.sequence || previousHash !== expected.previousHash) return { sequence, reason: 'unlinked' };
  return auditHash(previousHash, record) === hash ? undefined : { sequence, reason: 'altered' };
}

type Progress = { rows: number; complete: boolean; broken?: Omit<Break, 'chain'> };

/**
 * Recomputes every hash of a chain from `from` to `to` or its end.
 * @param most rows at most
 */
async function verifyChain(
  ctx: Reader,
  chain: string,
  { head, ...range }: { head: ChainHead; from: number; to?: number },
  most: number,
): Promise<Progress> {
  const end = Math.max(1, head.sequence, head.lastSequence);
  const last = Math.min(range.to ?? end, end);
  if (range.from > last) return { rows: 0, complete: true };
  const gapAt = (sequence: number): Progress['broken'] => ({
    sequence,
    reason: sequence > head.lastSequence ? 'truncated' : 'missing',
  });
  const isWhole = range.from === 1;
  const [before] = isWhole ? [] : await ctx.sql.many<Link>(links(chain, range.from - 2, range.from - 1, 1));
  if (!isWhole && !before) return { rows: 0, complete: true, broken: gapAt(range.from - 1) };
  let previousHash = before?.hash ?? GENESIS_HASH;
  let sequence = range.from;
  const rows = () => sequence - range.from;
  while (sequence <= last && rows() < most) {
    const after = sequence === 1 ? BEFORE_ALL : sequence - 1;
    const batch = await ctx.sql.many<Link>(links(chain, after, last, Math.min(BATCH, most - rows())));
    if (batch.length === 0) return { rows: rows(), complete: true, broken: gapAt(sequence) };
    for (const link of batch) {
      const broken = breakAt(link, { sequence, previousHash });
      if (broken) return { rows: rows(), complete: true, broken };
      previousHash = link.hash;
      sequence += 1;
    }
  }
  const headHolds = sequence <= end || (head.sequence === end && head.hash === previousHash);
  return {
    rows: rows(),
    complete: sequence > last,
    ...(!headHolds && { broken: { sequence: end, reason: 'head' as const } }),
  };
}

/**
 * Verifies one chain, or all of them, and names the first broken link of each (rule 10). A chain that was never
 * begun does not count.
 */
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
    const head = await ctx.sql.one<ChainHead>(chainHead(chain));
    if (!head?.known) continue;
    const checked = await verifyChain(ctx, chain, { head, from, to }, mostRows - verdict.rows);
    verdict.chains += 1;
    verdict.rows += checked.rows;
    verdict.complete &&= checked.complete;
    if (checked.broken) verdict.breaks.push({ chain, ...checked.broken });
  }
  return verdict;
}
