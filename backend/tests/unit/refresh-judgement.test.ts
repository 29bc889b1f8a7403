import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeRefresh } from '../../src/services/refresh.service.ts';

const START = Date.UTC(2026, 7, 11);
const at = (seconds: number) => new Date(START + seconds * 1000);

/** A session that has rotated at these moments, in seconds, as the service keeps it: the last ten of them. */
const rotatedAt = (...seconds: number[]) => ({
  refreshGeneration: seconds.length,
  rotations: seconds.slice(-10).map(at),
});

describe('What an old refresh token means', () => {
  it('the active one is rotated, however old it is', () => {
    expect(judgeRefresh(rotatedAt(), 0, at(0))).toBe('rotate');
    expect(judgeRefresh(rotatedAt(1, 2, 3), 3, at(29 * 86_400))).toBe('rotate');
  });

  it('its direct parent gets it again, however late', () => {
    expect(judgeRefresh(rotatedAt(0, 100), 1, at(100))).toBe('repeat');
    expect(judgeRefresh(rotatedAt(0, 100), 1, at(29 * 86_400))).toBe('repeat');
  });

  it('a grandparent gets it again up to 10 s after it was replaced, not a millisecond longer', () => {
    const session = rotatedAt(0, 5);
    expect(judgeRefresh(session, 0, at(9.999))).toBe('repeat');
    expect(judgeRefresh(session, 0, at(10))).toBe('repeat');
    expect(judgeRefresh(session, 0, at(10.001))).toBe('reuse');
  });

  it('counts from when that very token was replaced, not from the latest rotation', () => {
    const session = rotatedAt(0, 8, 12);
    expect(judgeRefresh(session, 0, at(12))).toBe('reuse');
    expect(judgeRefresh(session, 1, at(12))).toBe('repeat');
  });

  it('a token of a rotation that has not happened is a forgery', () => {
    expect(judgeRefresh(rotatedAt(0), 2, at(1))).toBe('reuse');
  });

  it('a token whose replacement is no longer known is too old', () => {
    const session = rotatedAt(...Array.from({ length: 12 }, (_, second) => second / 10));
    expect(judgeRefresh(session, 2, at(2))).toBe('repeat');
    expect(judgeRefresh(session, 1, at(2))).toBe('reuse');
  });
});

/**
 * The machine as a whole: tabs keep tokens and present them at random moments. `history` knows what the session only
 * keeps a part of.
 */
type Step = { waitMs: number; age: number };
const steps = fc.array(
  fc.record({
    waitMs: fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 9_990, max: 10_010 }), fc.nat(100_000)),
    age: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(4), fc.nat(14)),
  }),
  { maxLength: 60 },
);

function* play(script: Step[]) {
  const replacedAt: number[] = [];
  let session = { refreshGeneration: 0, rotations: [] as Date[] };
  let now = START;
  for (const { waitMs, age } of script) {
    now += waitMs;
    const generation = Math.max(0, session.refreshGeneration - age);
    const verdict = judgeRefresh(session, generation, new Date(now));
    yield {
      verdict,
      generation,
      active: session.refreshGeneration,
      sinceReplaced: now - (replacedAt[generation] ?? now),
    };
    if (verdict === 'reuse') return;
    if (verdict === 'repeat') continue;
    replacedAt.push(now);
    const rotations = [...session.rotations, new Date(now)].slice(-10);
    session = { refreshGeneration: session.refreshGeneration + 1, rotations };
  }
}

describe('A session whose tokens come back in any order', () => {
  it('rotates for the active token only', () => {
    fc.assert(
      fc.property(steps, (script) => {
        for (const { verdict, generation, active } of play(script)) {
          expect(verdict === 'rotate').toBe(generation === active);
        }
      }),
    );
  });

  it('repeats for the parent, and for what was replaced in the last 10 s; anything else is a theft', () => {
    fc.assert(
      fc.property(steps, (script) => {
        for (const { verdict, generation, active, sinceReplaced } of play(script)) {
          const age = active - generation;
          if (age === 0) continue;
          // More than ten rotations within 10 s are no browser: what lies before them counts as old.
          const isHarmless = age === 1 || (age <= 10 && sinceReplaced <= 10_000);
          expect(verdict).toBe(isHarmless ? 'repeat' : 'reuse');
        }
      }),
    );
  });
});
