import type { ReadContext } from '../types/context.ts';
import { auditHash, GENESIS_HASH, type AuditRecord } from './audit-chain.service.ts';
import { chainState, chainStates, firstRewritten, links, type ChainState } from './audit-chains.queries.ts';

/** A row with its hashes, as it is read. */
export type Link = Omit<AuditRecord, 'onBehalfOfId' | 'onBehalfOfName'> & {
  onBehalfOfId?: string | null;
  onBehalfOfName?: string | null;
  previousHash: string;
  hash: string;
};
type Reader = Pick<ReadContext, 'sql'>;

/**
 * Where a chain does not hold: a row was changed, does not follow the one before it, is not there, is not there at
 * the end; the head, which records where the chain ends, does not agree with its last row; the row that was anchored
 * was another one; or nothing is left of a chain that was anchored.
 */
export type Break = {
  chain: string;
  sequence: number;
  reason: 'altered' | 'unlinked' | 'missing' | 'truncated' | 'head' | 'rewritten' | 'vanished';
};
/** `next`: the last row that was checked, where there was more than was to be checked. */
export type Verdict = {
  complete: boolean;
  chains: number;
  rows: number;
  breaks: Break[];
  next: { chain: string; sequence: number } | null;
};

const BATCH = 1000;
const CHAINS_AT_ONCE = 500;
/** What one request checks; the nightly job checks everything. */
export const MOST_ROWS_A_REQUEST = 100_000;
/** Nothing comes before 1; where something does, it is to be seen. */
const BEFORE_ALL = -(2 ** 31);
const AFTER_ALL = 2 ** 31 - 1;

/** What was hashed of a row: without the other's name where nobody acted in one. */
export function recordOfLink(link: Link): AuditRecord {
  const { previousHash: _previousHash, hash: _hash, onBehalfOfId, onBehalfOfName, ...rest } = link;
  return {
    ...rest,
    ...(typeof onBehalfOfId === 'string' && { onBehalfOfId }),
    ...(typeof onBehalfOfName === 'string' && { onBehalfOfName }),
  };
}

type Place = Omit<Break, 'chain'>;

export function breakAt(link: Link, expected: { sequence: number; previousHash: string }): Place | undefined {
  const { sequence, previousHash, hash } = link;
  if (sequence > expected.sequence) return { sequence: expected.sequence, reason: 'missing' };
  if (sequence < expected.sequence || previousHash !== expected.previousHash) return { sequence, reason: 'unlinked' };
  return auditHash(previousHash, recordOfLink(link)) === hash ? undefined : { sequence, reason: 'altered' };
}

type Range = { from: number; to?: number | undefined };

/** How far the check of one chain is. */
type Walk = {
  state: ChainState;
  /** Where reading begins: after this sequence number. */
  after: number;
  expected: { sequence: number; previousHash: string };
  last: number;
  end: number;
  rows: number;
  broken?: Place;
};

const gapAt = ({ lastSequence }: ChainState, sequence: number): Place => ({
  sequence,
  reason: sequence > lastSequence ? 'truncated' : 'missing',
});

/** Begins with the first row of the range; the row before it is taken as it says it is. */
async function beginWalk(ctx: Reader, state: ChainState, { from, to }: Range): Promise<Walk> {
  const { start, head, lastSequence, anchor, known } = state;
  const first = (start?.sequence ?? 0) + 1;
  const end = Math.max(first - 1, 1, head.sequence, lastSequence, anchor?.sequence ?? 0);
  const last = Math.min(to ?? end, end);
  const walk = { state, end, last, rows: 0, after: BEFORE_ALL };
  if (!known && (anchor ?? start)) {
    const sequence = anchor?.sequence ?? start?.sequence ?? 0;
    return { ...walk, last: 0, expected: { sequence: 1, previousHash: '' }, broken: { sequence, reason: 'vanished' } };
  }
  if (from <= first) return { ...walk, expected: { sequence: first, previousHash: start?.hash ?? GENESIS_HASH } };
  const after = from - 1;
  if (from > last) return { ...walk, after, last: after, expected: { sequence: from, previousHash: '' } };
  const chain = { chain: state.chain };
  const before = await ctx.sql.one<Link>(links({ ...chain, sequence: from - 2 }, { ...chain, sequence: after }, 1));
  const expected = { sequence: from, previousHash: before?.hash ?? '' };
  return { ...walk, after, expected, ...(!before && { broken: gapAt(state, after) }) };
}

function takeRow(walk: Walk, link: Link): void {
  const { state, expected } = walk;
  // What was written since the state was read belongs to the next check.
  if (expected.sequence > walk.last) return;
  const broken = breakAt(link, expected);
  if (broken) return void (walk.broken = broken);
  if (state.anchor?.sequence === link.sequence && state.anchor.hash !== link.hash) {
    return void (walk.broken = { sequence: link.sequence, reason: 'rewritten' });
  }
  walk.expected = { sequence: link.sequence + 1, previousHash: link.hash };
  walk.rows += 1;
}

/** Everything that there is has been read. */
function endWalk(walk: Walk): void {
  const { state, expected, last, end } = walk;
  if (walk.broken) return;
  if (expected.sequence <= last) return void (walk.broken = gapAt(state, expected.sequence));
  const wasAtEnd = expected.sequence === end + 1 && expected.previousHash !== '';
  if (!wasAtEnd) return;
  const { head } = state;
  if (head.sequence !== end || head.hash !== expected.previousHash) walk.broken = { sequence: end, reason: 'head' };
}

const isOver = (walk: Walk): boolean => Boolean(walk.broken) || walk.expected.sequence > walk.last;

/**
 * Walks along chains that follow each other in the alphabet, many in one read where they are short.
 * @param most rows at most
 * @returns how many of the walks were finished or begun, and whether there was more than `most`
 */
async function walkAll(ctx: Reader, walks: Walk[], most: number): Promise<{ begun: number; stopped: boolean }> {
  const indexes = new Map(walks.map(({ state }, index) => [state.chain, index]));
  const walkAt = (index: number) => walks[index] as Walk;
  const lastIndex = walks.length - 1;
  const upTo = { chain: walkAt(lastIndex).state.chain, ...(lastIndex === 0 && { sequence: walkAt(0).last }) };
  const passed = (walk: Walk) => ({ chain: walk.state.chain, sequence: AFTER_ALL });
  if (lastIndex === 0 && isOver(walkAt(0)) && walkAt(0).after > BEFORE_ALL) return { begun: 1, stopped: false };
  let place = isOver(walkAt(0)) ? passed(walkAt(0)) : { chain: walkAt(0).state.chain, sequence: walkAt(0).after };
  let index = 0;
  for (let read = 0; ;) {
    if (read >= most) {
      const current = walkAt(index);
      if (isOver(current)) endWalk(current);
      return { begun: index + 1, stopped: index < lastIndex || !isOver(current) };
    }
    const asked = Math.min(BATCH, most - read);
    const batch = await ctx.sql.many<Link>(links(place, upTo, asked));
    for (const link of batch) {
      // A chain that was begun since the states were read is not among them.
      const found = indexes.get(link.chain);
      if (found === undefined) continue;
      while (index < found) endWalk(walkAt(index++));
      if (walkAt(index).broken) continue;
      takeRow(walkAt(index), link);
      read += 1;
    }
    const last = batch.at(-1);
    if (!last || batch.length < asked) break;
    place = isOver(walkAt(index)) ? passed(walkAt(index)) : last;
  }
  for (; index <= lastIndex; index += 1) endWalk(walkAt(index));
  return { begun: walks.length, stopped: false };
}

/**
 * A break that is there for sure: retention may have dropped the month that was being read. And the first row that an
 * anchor knows otherwise, where the last anchor shows that there is one.
 */
async function confirmed(ctx: Reader, { state, broken }: Walk, range: Range): Promise<Place | undefined> {
  const now = await ctx.sql.one<ChainState>(chainState(state.chain));
  if (now && now.start?.sequence !== state.start?.sequence) {
    const again = await beginWalk(ctx, now, range);
    await walkAll(ctx, [again], Number.POSITIVE_INFINITY);
    return again.broken;
  }
  if (broken?.reason !== 'rewritten') return broken;
  const first = await ctx.sql.one<{ sequence: number }>(firstRewritten(state.chain));
  return { ...broken, ...first };
}

export type VerifyOptions = {
  chain?: string | undefined;
  from?: number | undefined;
  to?: number | undefined;
  /** The last row that an earlier check has seen: it goes on from there. */
  after?: { chain: string; sequence: number } | undefined;
  mostRows?: number;
};

/**
 * Verifies one chain, or all of them, and names the first broken link of each (rule 10). A chain that was never
 * written to does not count.
 */
export async function verifyChains(ctx: Reader, options: VerifyOptions): Promise<Verdict> {
  const { chain, from = 1, to, after, mostRows = Number.POSITIVE_INFINITY } = options;
  const verdict: Verdict = { complete: true, chains: 0, rows: 0, breaks: [], next: null };
  const verify = async (states: ChainState[], range: Range): Promise<void> => {
    const there = states.filter(({ known, anchor, start }) => known || anchor || start);
    if (there.length === 0) return;
    const walks: Walk[] = [];
    for (const state of there) walks.push(await beginWalk(ctx, state, range));
    const { begun, stopped } = await walkAll(ctx, walks, mostRows - verdict.rows);
    const done = walks.slice(0, begun);
    verdict.chains += begun;
    for (const walk of done) {
      verdict.rows += walk.rows;
      const broken = walk.broken && (await confirmed(ctx, walk, range));
      if (broken) verdict.breaks.push({ chain: walk.state.chain, ...broken });
    }
    if (!stopped) return;
    const last = done.at(-1) as Walk;
    const sequence = last.broken ? AFTER_ALL : Math.max(last.expected.sequence - 1, 0);
    Object.assign(verdict, { complete: false, next: { chain: last.state.chain, sequence } });
  };
  const first = after?.chain ?? chain;
  if (first) await verify(await ctx.sql.many(chainState(first)), { from: after ? after.sequence + 1 : from, to });
  if (chain) return verdict;
  for (let name = after?.chain ?? ''; verdict.complete;) {
    const states = await ctx.sql.many<ChainState>(chainStates(name, CHAINS_AT_ONCE));
    if (states.length === 0) break;
    await verify(states, { from: 1 });
    name = states.at(-1)?.chain ?? name;
  }
  return verdict;
}
