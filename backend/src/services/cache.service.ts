import { setTimeout as sleep } from 'node:timers/promises';
import {
  dropFromCache,
  forgetInCache,
  giveBackLease,
  hasCache,
  putIntoCache,
  takeFromCache,
} from '../config/cache-store.ts';
import { cacheRefusals, cacheRequests } from '../config/metrics.ts';
import { scopedReader } from '../config/scope.ts';
import type { ReadContext, Reader, Scope, WriteContext } from '../types/context.ts';
import { PLATFORM_SPACE, type CacheKey } from '../utils/cache-key.ts';

/** What JSON carries as it is. A date is ISO text before it gets here: it would come out as text. */
export type Cacheable =
  string | number | boolean | null | readonly Cacheable[] | { readonly [name: string]: Cacheable | undefined };

/** Larger ones are answered and not kept, in bytes. */
const LARGEST_VALUE = 256 * 1024;
/** How long another process may be at loading a value before this one asks the database itself. */
const PATIENCE_MS = 1_500;

/** Not within a transaction: it sees what is not committed yet, and would wait for a second connection. */
type Reading = Pick<ReadContext, 'log'> & { db?: never };
type Load<Value> = (sql: Reader) => Promise<Value>;
type Result = 'hit' | 'miss' | 'joined' | 'waited' | 'gave_up' | 'off' | 'unavailable' | 'foreign';

/**
 * The value of a key: kept from before, or loaded now and kept. Whoever calls this has made sure already that the one
 * who asks may see it: there is no question of permission behind this point.
 * @param load gets a reader of its own, which sees the tenant of the key and no other (everybody's for the platform).
 *   What it gives is the same for whoever asks, and is not changed by them.
 */
export async function cached<Value extends Cacheable>(ctx: Reading, key: CacheKey, load: Load<Value>): Promise<Value> {
  const [text, result] = await find(ctx, key, async () => enclosed(key, await load(scopedReader(scopeOf(key)))));
  cacheRequests.inc({ family: key.family, result });
  // Each gets a copy, and the same whether it was kept or loaded.
  return (JSON.parse(text) as Kept<Value>).value;
}

/** Forgets values once the transaction has committed: whoever is told of the change sees nothing older. */
export const forget = (ctx: Pick<WriteContext, 'afterCommit'>, ...keys: readonly CacheKey[]): void =>
  ctx.afterCommit(() => forgetInCache(keys));

/** Forgets a value now: for whoever asks to have it computed anew. */
export const forgetNow = (...keys: readonly CacheKey[]): Promise<void> => forgetInCache(keys);

/** Forgets everything of a tenant once the transaction has committed. */
export const forgetTenant = (ctx: Pick<WriteContext, 'afterCommit'>, tenantId: string): void =>
  ctx.afterCommit(() => dropFromCache(tenantId));

/** Removes everything of a tenant from the cache now: for what is no transaction. */
export const dropCacheOf = (tenantId: string): Promise<void> => dropFromCache(tenantId);

const scopeOf = ({ space }: CacheKey): Scope =>
  space === PLATFORM_SPACE ? { role: 'portal' } : { role: 'tenant', tenantId: space };

/** A value as it is kept: with whose it is. */
type Kept<Value> = { value: Value };

const headOf = ({ space, path }: CacheKey): string => `${JSON.stringify({ space, path }).slice(0, -1)},"value":`;

const enclosed = (key: CacheKey, value: Cacheable): string => `${headOf(key)}${JSON.stringify(value)}}`;

/** Whether it is what was kept under this key, and nothing that somebody or something else wrote there. */
function isOf(key: CacheKey, text: string): boolean {
  if (!text.startsWith(headOf(key))) return false;
  try {
    return 'value' in (JSON.parse(text) as object);
  } catch {
    return false;
  }
}

/** What is being loaded by this process, by its lease. */
const flights = new Map<string, Promise<string>>();

async function find(ctx: Reading, key: CacheKey, load: () => Promise<string>): Promise<[string, Result]> {
  if (!hasCache()) return [await inTurn(key, load), 'off'];
  const deadline = Date.now() + PATIENCE_MS;
  for (let pause = 10; ; pause = Math.min(pause * 2, 100)) {
    const taken = await takeFromCache(key);
    if (!taken) return [await inTurn(key, load), 'unavailable'];
    if (taken.state === 'lease') return [await loadAndKeep(key, taken.text, load), 'miss'];
    if (taken.state === 'hit') {
      if (isOf(key, taken.text)) return [taken.text, pause === 10 ? 'hit' : 'waited'];
      ctx.log.error('A cached value is not the one of its key', { space: key.space, key: key.path });
      await forgetInCache([key]);
      return [await inTurn(key, load), 'foreign'];
    }
    const flight = flights.get(taken.text);
    if (flight) return [await flight, 'joined'];
    if (Date.now() > deadline) return [await inTurn(key, load), 'gave_up'];
    await sleep(pause);
  }
}

/** Whoever finds the lease taken while this goes on began after it did, and after all that was forgotten before. */
async function loadAndKeep(key: CacheKey, lease: string, load: () => Promise<string>): Promise<string> {
  const flight = load();
  flights.set(lease, flight);
  try {
    const text = await flight;
    if (Buffer.byteLength(text) <= LARGEST_VALUE) {
      await putIntoCache(key, lease, text);
      return text;
    }
    cacheRefusals.inc({ family: key.family });
    await giveBackLease(key, lease);
    return text;
  } catch (error) {
    await giveBackLease(key, lease);
    throw error;
  } finally {
    flights.delete(lease);
  }
}

type Turn = { running: Promise<string>; next?: Promise<string> };
const turns = new Map<string, Turn>();

/**
 * Without Redis: one load at a time. Who comes while one is under way shares the next, since the one under way may
 * have begun before a change that they know of.
 */
function inTurn(key: CacheKey, load: () => Promise<string>): Promise<string> {
  const name = `${key.space} ${key.path}`;
  const turn = turns.get(name);
  if (!turn) return begin(name, load);
  turn.next ??= turn.running.then(
    () => begin(name, load),
    () => begin(name, load),
  );
  return turn.next;
}

function begin(name: string, load: () => Promise<string>): Promise<string> {
  const turn: Turn = { running: load() };
  turns.set(name, turn);
  const end = () => {
    if (!turn.next && turns.get(name) === turn) turns.delete(name);
  };
  turn.running.then(end, end);
  return turn.running;
}
