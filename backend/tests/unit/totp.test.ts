import { describe, expect, it } from 'vitest';
import { newTotpSecret, totpStep, totpUri } from '../../src/utils/totp.ts';

/** RFC 6238, appendix B, SHA-1: the last six digits of what it lists, for the secret 12345678901234567890. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const listed: [number, string][] = [
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
];

describe('Codes of authenticator apps', () => {
  it.each(listed)('at %d seconds are those of RFC 6238', async (seconds, code) => {
    expect(await totpStep(SECRET, code, new Date(seconds * 1000))).toBe(Math.floor(seconds / 30));
  });

  it('hold one step to either side, wherever in the step one is', async () => {
    const code = '005924';
    const step = Math.floor(1_234_567_890 / 30);
    for (const within of [0, 1, 15, 29, 29.999]) {
      const at = (steps: number) => new Date(((step + steps) * 30 + within) * 1000);
      expect(await totpStep(SECRET, code, at(-2))).toBeUndefined();
      expect(await totpStep(SECRET, code, at(-1))).toBe(step);
      expect(await totpStep(SECRET, code, at(0))).toBe(step);
      expect(await totpStep(SECRET, code, at(1))).toBe(step);
      expect(await totpStep(SECRET, code, at(2))).toBeUndefined();
    }
  });

  it('come from 160 random bits, which the link carries', () => {
    const secret = newTotpSecret();
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(newTotpSecret()).not.toBe(secret);
    const link = new URL(totpUri(secret, 'asha@studyspot.example'));
    expect(link.searchParams.get('secret')).toBe(secret);
    expect(link.searchParams.get('issuer')).toBe('StudySpot');
  });
});
