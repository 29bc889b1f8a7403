import { createHash } from 'node:crypto';
import { DateTime } from 'luxon';
import { PLATFORM_TIME_ZONE } from '../../src/config/constants.ts';

/** A source of numbers that gives the same ones for the same text, on every machine. */
export type Random = {
  /** 0 ≤ x < 1 */
  next(): number;
  /** Both ends included. */
  integer(least: number, most: number): number;
  /** @param probability 0 … 1 */
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
};

/** Mulberry32, started from a hash of the text. Good enough for demo data, and nothing else. */
export function createRandom(text: string): Random {
  let state = createHash('sha256').update(text).digest().readUInt32LE();
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    pick: <Item>(items: readonly Item[]) => items[integer(0, items.length - 1)] as Item,
  };
}

/**
 * An id in the shape of a cuid, the same for the same input. Like real ones, ids of rows that are made together stand
 * together in an index: random ones make a large seed half as fast.
 */
export const stableId = (series: string, number = 0): string =>
  `c${createHash('sha256').update(series).digest('hex').slice(0, 16)}${number.toString(36).padStart(8, '0')}`;

/** 00:00 in India of the day that the moment falls on there. */
export const startOfIndianDay = (moment: Date): Date =>
  DateTime.fromJSDate(moment, { zone: PLATFORM_TIME_ZONE }).startOf('day').toJSDate();

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * So many whole days before a day, at a time of that day, as ISO 8601 in UTC. Plain arithmetic does: India has one
 * time zone, and its clocks never change.
 * @param day 00:00 in India
 * @param minute of the day there
 */
export const daysBefore = (day: Date, days: number, minute = 0): string =>
  new Date(day.getTime() - days * DAY_MS + minute * MINUTE_MS).toISOString();

const INDIA_AHEAD_MS = 330 * MINUTE_MS;

/** The day that a moment falls on in India, as `YYYY-MM-DD`. */
export const indianDate = (moment: string): string =>
  new Date(Date.parse(moment) + INDIA_AHEAD_MS).toISOString().slice(0, 10);
