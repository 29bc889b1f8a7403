import { createHash } from 'node:crypto';
import type { ReadContext } from '../types/context.ts';
import { GENESIS_HASH } from './audit-chain.service.ts';
import { chainState, chainStates, type ChainState } from './audit-chains.queries.ts';
import { matchingRange, rowsOfExport } from './audit-export.queries.ts';
import type { ChainStart, ExportFormat, ExportHeader, ExportLine } from './audit-export-format.ts';
import { recordOfLink, type Link } from './audit-integrity.service.ts';
import type { AuditFilter } from './audit.queries.ts';

const CHAINS_AT_ONCE = 200;
const ROWS_AT_ONCE = 500;

type Reader = Pick<ReadContext, 'sql'>;
type Range = { chain: string; first: number; last: number };
export type ExportScope = { filter: AuditFilter; chain?: string | undefined };

type Found = { range: Range; state: ChainState };

/** In each chain the rows from the first to the last that the filter lets pass. */
async function rangesOf(ctx: Reader, { filter, chain }: ExportScope): Promise<Found[]> {
  if (chain) return rangesIn(ctx, await ctx.sql.many(chainState(chain)), filter);
  const found: Found[] = [];
  for (let after = ''; ;) {
    const states = await ctx.sql.many<ChainState>(chainStates(after, CHAINS_AT_ONCE));
    if (states.length === 0) return found;
    after = states.at(-1)?.chain ?? after;
    found.push(...(await rangesIn(ctx, states, filter)));
  }
}

async function rangesIn(ctx: Reader, states: ChainState[], filter: AuditFilter): Promise<Found[]> {
  const stateOf = new Map(states.map((state) => [state.chain, state]));
  const ranges = await ctx.sql.many<Range>(matchingRange([...stateOf.keys()], filter));
  return ranges.map((range) => ({ range, state: stateOf.get(range.chain) as ChainState }));
}

async function startOf(ctx: Reader, { range, state }: Found): Promise<ChainStart> {
  const { start } = state;
  if (start?.sequence === range.first - 1) return { kind: 'anchor', ...start };
  if (range.first === 1) return { kind: 'genesis', sequence: 0, hash: GENESIS_HASH };
  const [first] = await ctx.sql.many<Link>(rowsOfExport(range.chain, range.first - 1, range.first, {}, 1));
  // As the first row says: the row before it is not in the file.
  return { kind: 'row', sequence: range.first - 1, hash: first?.previousHash ?? '' };
}

/**
 * The text of an export, piece by piece: never more than some hundred rows are in memory.
 * @param told how many rows are written so far, after each piece
 */
export async function* exportText(
  ctx: Reader,
  head: Omit<ExportHeader, 'type' | 'format' | 'version' | 'chains'>,
  { scope, format, signal }: { scope: ExportScope; format: ExportFormat; signal: AbortSignal },
  told: (rows: number) => Promise<void>,
): AsyncGenerator<string> {
  const hash = createHash('sha256');
  const progress = { rows: 0, stubs: 0 };
  const counted = (text: string): string => {
    hash.update(text);
    return text;
  };
  const written = (lines: ExportLine[]): string => counted(lines.map(format.line).join(''));
  const ranges = await rangesOf(ctx, scope);
  const chains: ExportHeader['chains'] = [];
  for (const found of ranges) {
    chains.push({ chain: found.range.chain, start: await startOf(ctx, found), last: found.range.last });
  }
  yield (
    counted(format.preamble) + written([{ type: 'header', format: 'studyspot-audit', version: 1, ...head, chains }])
  );
  for (const { range } of ranges) {
    for (let after = range.first - 1; after < range.last;) {
      signal.throwIfAborted();
      const batch = await ctx.sql.many<Link & { passes: boolean }>(
        rowsOfExport(range.chain, after, range.last, scope.filter, ROWS_AT_ONCE),
      );
      if (batch.length === 0) break;
      after = batch.at(-1)?.sequence ?? range.last;
      const lines = batch.map(lineOf);
      progress.rows += lines.filter(({ type }) => type === 'row').length;
      progress.stubs += lines.filter(({ type }) => type === 'stub').length;
      yield written(lines);
      await told(progress.rows);
    }
  }
  yield format.line({ type: 'trailer', ...progress, sha256: hash.digest('hex') });
}

function lineOf({ passes, ...link }: Link & { passes: boolean }): ExportLine {
  const { chain, sequence, previousHash, hash } = link;
  if (!passes) return { type: 'stub', chain, sequence, previousHash, hash };
  return { type: 'row', record: recordOfLink(link), previousHash, hash };
}
