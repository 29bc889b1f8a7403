import { describe, expect, it } from 'vitest';
import { isMinor, mayBeMarketedTo } from '../../src/services/minor.policy.ts';
import { dayInIndia } from '../../src/utils/india-time.ts';

/** In India midnight comes at 18:30 UTC of the day before. */
const lastSecondOf = (day: string) => new Date(`${day}T18:29:59Z`);
const firstSecondAfter = (day: string) => new Date(`${day}T18:30:00Z`);

describe('The day in India', () => {
  it('begins at 18:30 UTC', () => {
    expect(dayInIndia(lastSecondOf('2026-03-31'))).toBe('2026-03-31');
    expect(dayInIndia(firstSecondAfter('2026-03-31'))).toBe('2026-04-01');
  });
});

describe('A minor', () => {
  it('comes of age as the 18th birthday begins in India', () => {
    expect(isMinor('2008-11-24', lastSecondOf('2026-11-23'))).toBe(true);
    expect(isMinor('2008-11-24', firstSecondAfter('2026-11-23'))).toBe(false);
  });

  it('born on 29 February comes of age on 1 March', () => {
    expect(isMinor('2008-02-29', lastSecondOf('2026-02-28'))).toBe(true);
    expect(isMinor('2008-02-29', firstSecondAfter('2026-02-28'))).toBe(false);
  });

  it.each([null, undefined])('is nobody whose date of birth is %s', (dateOfBirth) => {
    expect(isMinor(dateOfBirth, new Date())).toBe(false);
  });
});

describe('Marketing', () => {
  const now = new Date('2026-11-23T06:00:00Z');
  it.each([
    [true, '1990-01-01', true],
    [true, null, true],
    [false, '1990-01-01', false],
    [true, '2012-01-01', false],
  ])('with consent %s, born %s: %s', (marketingConsent, dateOfBirth, allowed) => {
    expect(mayBeMarketedTo({ marketingConsent, dateOfBirth }, now)).toBe(allowed);
  });
});
