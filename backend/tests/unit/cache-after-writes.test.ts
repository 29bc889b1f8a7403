import { afterEach, expect, it, vi } from 'vitest';
import { staleAfter } from '../../src/services/cache-after-writes.policy.ts';
import { newId } from '../../src/utils/ids.ts';

afterEach(() => vi.useRealTimers());

const at = (time: string) => vi.useFakeTimers({ now: new Date(time) });
const [one, other] = [newId(), newId()];
const keysOf = (written: Parameters<typeof staleAfter>[0]) => staleAfter(written).map(({ path }) => path);

it('a change of people or libraries makes the figures of their tenant stale, once', () => {
  at('2026-08-11T06:30:00Z');
  const written = [
    { resource: 'person', tenantId: one },
    { resource: 'library', tenantId: one },
    { resource: 'people_import', tenantId: other },
  ];
  expect(keysOf(written)).toEqual([`analytics:${one}:2026-08-11:tenant`, `analytics:${other}:2026-08-11:tenant`]);
});

it('what they do not count, or is of no tenant, makes nothing stale', () => {
  expect(keysOf([])).toEqual([]);
  expect(keysOf([{ resource: 'session', tenantId: one }])).toEqual([]);
  expect(keysOf([{ resource: 'user', tenantId: null }])).toEqual([]);
});

it('just before midnight in India those of the next day are stale too: it may commit after it', () => {
  at('2026-08-11T18:29:30Z');
  expect(keysOf([{ resource: 'person', tenantId: one }])).toEqual([
    `analytics:${one}:2026-08-11:tenant`,
    `analytics:${one}:2026-08-12:tenant`,
  ]);
});
