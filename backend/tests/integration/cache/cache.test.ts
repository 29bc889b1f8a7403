import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cacheKey, namesOf, PLATFORM_SPACE } from '../../../src/utils/cache-key.ts';
import { newId } from '../../../src/utils/ids.ts';
import { hasRedis } from '../../support/processes.ts';
import { anotherProcess, commit, ctx, gate, logged, startOwnRedis, type Process } from './support.ts';

const environment = {
  DATABASE_URL: 'postgresql://studyspot_app@127.0.0.1:1/none',
  JWT_SECRET: 'test-secret-of-access-tokens-0123456789',
  REFRESH_TOKEN_SECRET: 'test-secret-of-refresh-tokens-012345678',
  ENCRYPTION_KEY: 'test-secret-of-sealed-secrets-0123456789',
};

describe.runIf(hasRedis)('The cache', () => {
  let own: Awaited<ReturnType<typeof startOwnRedis>>;
  let one: Process;
  let other: Process;
  beforeAll(async () => {
    own = await startOwnRedis();
    Object.assign(process.env, environment, { REDIS_URL: own.url });
    [one, other] = [await anotherProcess(), await anotherProcess()];
  });
  afterAll(async () => {
    await Promise.all([one?.close(), other?.close()]);
    await own?.close();
  });

  let tenantId: string;
  let loads: number;
  let truth: string;
  beforeEach(() => {
    tenantId = newId();
    loads = 0;
    truth = 'old';
    logged.length = 0;
  });
  const key = () => cacheKey.tenant(tenantId);
  /** As a query does: what it finds is what was there when it began. */
  const load = async () => {
    loads += 1;
    const found = truth;
    await sleep(20);
    return found;
  };
  const change = async (by: Process, value: string) => {
    truth = value;
    await commit((tx) => by.forget(tx, key()));
  };

  it('keeps a value for all processes, for as long as its family says', async () => {
    expect(await one.cached(ctx, key(), load)).toBe('old');
    expect(await other.cached(ctx, key(), load)).toBe('old');
    expect(loads).toBe(1);
    const milliseconds = await own.redis.pttl(namesOf(key()).value);
    expect(milliseconds).toBeGreaterThan(590_000);
    expect(milliseconds).toBeLessThanOrEqual(600_000);
    expect(await own.redis.pttl(namesOf(key()).generation)).toBeGreaterThan(6 * 3_600_000);
  });

  it('gives what was loaded and what was kept in the same shape, and to each their own', async () => {
    const value = { list: [1, null, 'अ'], nested: { yes: true, missing: undefined } };
    const first = await one.cached(ctx, key(), () => Promise.resolve(value));
    const second = await one.cached(ctx, key(), () => Promise.resolve(value));
    expect(first).toStrictEqual({ list: [1, null, 'अ'], nested: { yes: true } });
    expect(second).toStrictEqual(first);
    first.list.push(2);
    expect(value.list).toHaveLength(3);
    expect(await one.cached(ctx, key(), () => Promise.resolve(value))).toStrictEqual(second);
  });

  it('forgets after the commit, everywhere, and not before', async () => {
    await one.cached(ctx, key(), load);
    let afterwards: (() => Promise<void>) | undefined;
    one.forget({ afterCommit: (work) => void (afterwards = work) }, key());
    expect(await other.cached(ctx, key(), load)).toBe('old');
    truth = 'new';
    await afterwards?.();
    expect(await other.cached(ctx, key(), load)).toBe('new');
    expect(loads).toBe(2);
  });

  it('does not take back what somebody read before the change', async () => {
    const { open, opened } = gate();
    const slow = one.cached(ctx, key(), async () => {
      const found = await load();
      await opened;
      return found;
    });
    await sleep(60);
    await change(other, 'new');
    expect(await other.cached(ctx, key(), load)).toBe('new');
    open();
    expect(await slow).toBe('old');
    expect(await one.cached(ctx, key(), load)).toBe('new');
    expect(await other.cached(ctx, key(), load)).toBe('new');
    expect(loads).toBe(2);
  });

  it('does not let anybody share a load that began before a change that they know of', async () => {
    const { open, opened } = gate();
    const slow = one.cached(ctx, key(), async () => {
      const found = await load();
      await opened;
      return found;
    });
    await sleep(60);
    await change(one, 'new');
    expect(await one.cached(ctx, key(), load)).toBe('new');
    open();
    expect(await slow).toBe('old');
  });

  it('never shows anybody less than they know, whoever reads and writes at once', async () => {
    // What is in the database, and what whoever asks has been told of.
    let [committed, version] = [0, 0];
    let reading = true;
    const writer = async () => {
      for (let next = 1; reading; next += 1) {
        committed = next;
        await commit((tx) => one.forget(tx, key()));
        version = next;
        await sleep(Math.random() * 10);
      }
    };
    const readers = [one, other, one, other, one, other].map((process) =>
      (async () => {
        for (let round = 0; round < 40; round += 1) {
          const known = version;
          const seen = await process.cached(ctx, key(), async () => {
            const found = committed;
            await sleep(Math.random() * 8);
            return found;
          });
          expect(seen).toBeGreaterThanOrEqual(known);
          await sleep(Math.random() * 4);
        }
      })(),
    );
    const writing = writer();
    await Promise.all(readers).finally(() => (reading = false));
    await writing;
    expect(version).toBeGreaterThan(10);
  });

  it('lets one load a value that a hundred ask for at once, in two processes', async () => {
    const before = [await one.counts(), await other.counts()];
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => (index % 2 ? one : other).cached(ctx, key(), load)),
    );
    expect(new Set(answers)).toEqual(new Set(['old']));
    expect(loads).toBe(1);
    const after = [await one.counts(), await other.counts()];
    const more = (result: string) =>
      after.reduce((sum, counts, index) => sum + (counts[result] ?? 0) - (before[index]?.[result] ?? 0), 0);
    expect(more('miss')).toBe(1);
    expect(more('joined')).toBeGreaterThan(10);
    expect(more('waited')).toBeGreaterThan(10);
    expect(['miss', 'joined', 'waited', 'hit'].reduce((sum, result) => sum + more(result), 0)).toBe(100);
  });

  it('does not wait for long for a process that died while it loaded', async () => {
    const { generation, lease } = namesOf(key());
    await own.redis.set(generation, 'generation-16-by');
    await own.redis.set(lease, 'generation-16-by:somebody who died', 'PX', 5000);
    const began = Date.now();
    const answers = await Promise.all(Array.from({ length: 10 }, () => one.cached(ctx, key(), load)));
    expect(answers).toEqual(Array.from({ length: 10 }, () => 'old'));
    expect(Date.now() - began).toBeLessThan(3000);
    expect(loads).toBeLessThan(8);
  });

  it('gives the failure of a load to all who shared it, and loads again for the next', async () => {
    const fail = async () => {
      loads += 1;
      await sleep(20);
      throw new Error('The database is away');
    };
    const answers = await Promise.allSettled([1, 2, 3].map(() => one.cached(ctx, key(), fail)));
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(loads).toBe(1);
    expect(await other.cached(ctx, key(), load)).toBe('old');
    expect(await one.cached(ctx, key(), load)).toBe('old');
    expect(loads).toBe(2);
  });

  it('answers what is too large to be kept, and does not keep it', async () => {
    const large = 'x'.repeat(300 * 1024);
    for (const process of [one, other]) {
      expect(await process.cached(ctx, key(), () => Promise.resolve(large))).toBe(large);
    }
    expect(await own.redis.exists(...Object.values(namesOf(key())).slice(1))).toBe(0);
  });

  it('drops everything of one tenant, and removes it from Redis', async () => {
    const kept = cacheKey.tenant(newId());
    const keys = [key(), cacheKey.users(tenantId, newId()), cacheKey.report(tenantId, { date: '2026-08-11', of: 'x' })];
    for (const each of [...keys, kept]) await one.cached(ctx, each, load);
    const { open, opened } = gate();
    const slow = one.cached(ctx, cacheKey.credits(tenantId), async () => {
      await opened;
      return 'read before';
    });
    await sleep(30);
    await other.dropCacheOf(tenantId);
    open();
    await slow;
    const left = (await own.redis.keys('*')).filter((name) => name.includes(tenantId) && !name.includes(':lease:'));
    expect(left).toEqual([]);
    truth = 'new';
    for (const each of keys) expect(await one.cached(ctx, each, load)).toBe('new');
    expect(await one.cached(ctx, cacheKey.credits(tenantId), load)).toBe('new');
    expect(await one.cached(ctx, kept, load)).toBe('old');
    await commit((tx) => one.forgetTenant(tx, tenantId));
    truth = 'newest';
    expect(await other.cached(ctx, key(), load)).toBe('newest');
  });

  it('remembers of a tenant only the keys that hold something', async () => {
    const { keys, value } = namesOf(key());
    await own.redis.zadd(keys, Date.now() - 1000, `${value}:gone`);
    await one.cached(ctx, key(), load);
    expect(await own.redis.zrange(keys, 0, -1)).toEqual([value]);
    expect(await own.redis.pttl(keys)).toBeGreaterThan(6 * 3_600_000);
  });

  it.each(['', 'nonsense', '{"space":', 'null', '{"space":"x","path":"y","value":"theirs"}'])(
    'does not take what somebody else wrote there: %j',
    async (written) => {
      await one.cached(ctx, key(), load);
      const { value, generation } = namesOf(key());
      await own.redis.set(value, `${await own.redis.get(generation)}${written}`);
      truth = 'new';
      expect(await one.cached(ctx, key(), load)).toBe('new');
      expect(logged).toContain('A cached value is not the one of its key');
      expect(await other.cached(ctx, key(), load)).toBe('new');
    },
  );

  it('lies in the space of the platform for what is of no tenant', async () => {
    const ofPlatform = cacheKey.analytics(PLATFORM_SPACE, { date: '2026-08-11', of: newId() });
    await one.cached(ctx, ofPlatform, load);
    expect(await own.redis.exists(namesOf(ofPlatform).value)).toBe(1);
    await other.dropCacheOf(tenantId);
    expect(await own.redis.exists(namesOf(ofPlatform).value)).toBe(1);
  });

  // From here on Redis fails; each waits until it is asked again.
  const until = async (process: Process, result: string) => {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const before = (await process.counts())[result] ?? 0;
      await process.cached(ctx, cacheKey.tenant(PLATFORM_SPACE, newId()), load);
      if (((await process.counts())[result] ?? 0) > before) return;
      if (Date.now() > deadline) throw new Error(`The cache never came to ${result}`);
      await sleep(50);
    }
  };

  it('costs one request half a second while Redis hangs, and the others nothing; what changes meanwhile is seen after', async () => {
    await one.cached(ctx, key(), load);
    await other.cached(ctx, key(), load);
    own.hang();
    try {
      const began = Date.now();
      expect(await one.cached(ctx, key(), load)).toBe('old');
      expect(Date.now() - began).toBeLessThan(1000);
      const rest = Date.now();
      for (let index = 0; index < 20; index += 1) await one.cached(ctx, key(), () => Promise.resolve(truth));
      await change(one, 'new');
      expect(await one.cached(ctx, key(), () => Promise.resolve(truth))).toBe('new');
      expect(Date.now() - rest).toBeLessThan(400);
      // The other one has noticed too.
      await other.cached(ctx, cacheKey.credits(tenantId), load);
    } finally {
      own.goOn();
    }
    for (let index = 0; index < 10; index += 1) {
      expect(await one.cached(ctx, key(), load)).toBe('new');
      expect(await other.cached(ctx, key(), load)).toBe('new');
      await sleep(20);
    }
    await until(one, 'miss');
    await until(other, 'miss');
    for (const process of [one, other]) expect(await process.cached(ctx, key(), load)).toBe('new');
  });

  it('works without Redis while it is down, and with it again afterwards', async () => {
    await one.cached(ctx, key(), load);
    await own.stop();
    const began = Date.now();
    await Promise.all(Array.from({ length: 20 }, () => one.cached(ctx, key(), load)));
    expect(loads).toBeLessThanOrEqual(4);
    await change(one, 'new');
    expect(await one.cached(ctx, key(), load)).toBe('new');
    expect(Date.now() - began).toBeLessThan(1500);
    await own.start();
    await until(one, 'miss');
    await until(other, 'miss');
    expect(await other.cached(ctx, key(), load)).toBe('new');
    expect(await one.cached(ctx, key(), load)).toBe('new');
  });
});

describe('Without Redis', () => {
  let alone: Process;
  beforeAll(async () => {
    delete process.env.REDIS_URL;
    Object.assign(process.env, environment);
    alone = await anotherProcess();
  });
  const key = cacheKey.tenant(newId());

  it('nothing is kept, and one load serves those who came while the one before was under way', async () => {
    let loads = 0;
    const load = async () => {
      loads += 1;
      await sleep(20);
      return loads;
    };
    const answers = await Promise.all(Array.from({ length: 50 }, () => alone.cached(ctx, key, load)));
    expect(loads).toBe(2);
    expect(answers.filter((answer) => answer === 1)).toHaveLength(1);
    expect(await alone.cached(ctx, key, load)).toBe(3);
    expect((await alone.counts()).off).toBe(51);
  });

  it('who comes after a change does not share a load from before it', async () => {
    let truth = 'old';
    const { open, opened } = gate();
    const before = alone.cached(ctx, key, async () => {
      const found = truth;
      await opened;
      return found;
    });
    truth = 'new';
    await commit((tx) => alone.forget(tx, key));
    const after = alone.cached(ctx, key, () => Promise.resolve(truth));
    open();
    expect(await Promise.all([before, after])).toEqual(['old', 'new']);
  });

  it('a load that fails does not stop the next', async () => {
    const failing = alone.cached(ctx, key, () => Promise.reject(new Error('away')));
    const next = alone.cached(ctx, key, () => Promise.resolve('there'));
    await expect(failing).rejects.toThrow('away');
    expect(await next).toBe('there');
    await commit((tx) => alone.forgetTenant(tx, key.space));
    await alone.dropCacheOf(key.space);
  });
});
