import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { turnstile } from '../../src/utils/turnstile.ts';

describe('A turnstile', () => {
  it('lets so many through at a time, in order, and nobody waits for ever, whatever fails', async () => {
    const pass = turnstile(2);
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const works = Array.from({ length: 20 }, (_, index) =>
      pass(async () => {
        running += 1;
        most = Math.max(most, running);
        order.push(index);
        await nextTurn();
        running -= 1;
        if (index % 3 === 0) throw new Error(`work ${index}`);
        return index;
      }),
    );
    const results = await Promise.allSettled(works);
    expect(most).toBe(2);
    expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(7);
    expect(await pass(async () => 'again')).toBe('again');
  });
});
