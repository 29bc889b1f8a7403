import { afterAll, beforeAll, expect, it } from 'vitest';
import { resetClock } from '../../support/billing.ts';
import { bookFaults, buildMarket, counts, daysFrom, peopleOf, playDay } from '../../support/billing-year.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

// A thousand things that people do, in any order, while two workers bill, collect and dun: whatever happens, the books agree.

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(async () => {
  resetClock();
  await app.close();
});

const OPERATIONS = 1_000;
/** The calendar goes on by this many days at a time, over a year. */
const STRIDE = 9;

it('a thousand operations over a year with two workers leave books that agree', { timeout: 300_000 }, async () => {
  // Another sequence every day: what is found is told by its seed.
  const seed = process.env.BILLING_SEED ?? new Date().toISOString().slice(0, 10);
  console.log(`Random operations: BILLING_SEED=${seed}`);
  const token = await app.adminToken();
  const market = await buildMarket(app, 25, `random-${seed}`);
  const people = peopleOf(app, market, { token, seed });
  const days = daysFrom('2026-02-20', 365).filter((_, index) => index % STRIDE === 0);
  const aDay = Math.ceil(OPERATIONS / days.length);
  for (const day of days) {
    await playDay(day, 2);
    await people.subscribe(3);
    // Two people at once, while a worker is at it.
    const person = async (acts: number) => {
      for (let act = 0; act < acts; act += 1) await people.act(day);
    };
    await Promise.all([person(aDay / 2), person(aDay / 2), playDay(day, 1)]);
    expect(await bookFaults(), `${seed} on ${day}`).toEqual([]);
  }
  const last = days.at(-1) as string;
  await playDay(last, 2);
  const before = await counts(app);
  await playDay(last, 2);
  expect(await counts(app), seed).toEqual(before);
});
