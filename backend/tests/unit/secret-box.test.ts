import { afterEach, describe, expect, it, vi } from 'vitest';

const KEY = 'a-key-that-seals-secrets-for-this-test-1';
const NEXT_KEY = 'a-key-that-seals-secrets-for-this-test-2';

/** The module as a process with these keys has it. */
async function boxWith(key: string, previous?: string) {
  vi.resetModules();
  vi.stubEnv('DATABASE_URL', 'postgres://studyspot_app@localhost/x');
  vi.stubEnv('JWT_SECRET', 'test-secret-of-access-tokens-0123456789');
  vi.stubEnv('REFRESH_TOKEN_SECRET', 'test-secret-of-refresh-tokens-012345678');
  vi.stubEnv('ENCRYPTION_KEY', key);
  vi.stubEnv('ENCRYPTION_KEY_PREVIOUS', previous ?? '');
  return import('../../src/utils/secret-box.ts');
}
afterEach(() => vi.unstubAllEnvs());

describe('A sealed secret', () => {
  it.each(['JBSWY3DPEHPK3PXP', '', 'क, é and 🙏', 'x'.repeat(10_000)])('opens for its purpose: %#', async (secret) => {
    const { seal, unseal } = await boxWith(KEY);
    expect(unseal(seal(secret, 'totp:a'), 'totp:a')).toBe(secret);
  });

  it('shows nothing, and looks different each time', async () => {
    const { seal } = await boxWith(KEY);
    const boxes = [seal('JBSWY3DPEHPK3PXP', 'totp:a'), seal('JBSWY3DPEHPK3PXP', 'totp:a')];
    expect(boxes[0]).not.toBe(boxes[1]);
    for (const box of boxes) {
      expect(box).toMatch(/^v1\.[0-9a-f]{8}\.[\w-]{16}\.[\w-]+$/);
      expect(Buffer.from(box.split('.')[3]!, 'base64url').toString('latin1')).not.toContain('JBSWY3DP');
    }
  });

  it('does not open for anything else: it cannot be moved to another row', async () => {
    const { seal, unseal } = await boxWith(KEY);
    const box = seal('secret', 'totp:a');
    expect(() => unseal(box, 'totp:b')).toThrow();
    expect(() => unseal(box, 'setting:a')).toThrow();
  });

  it('does not open when any part of it was changed', async () => {
    const { seal, unseal } = await boxWith(KEY);
    const parts = seal('secret', 'totp:a').split('.');
    for (const [index, part] of parts.entries()) {
      const middle = Math.floor(part.length / 2);
      const changed = part.slice(0, middle) + (part[middle] === 'A' ? 'B' : 'A') + part.slice(middle + 1);
      expect(() => unseal(parts.with(index, changed).join('.'), 'totp:a'), `part ${index}`).toThrow();
      expect(() => unseal(parts.with(index, '').join('.'), 'totp:a'), `part ${index}`).toThrow();
    }
    expect(() => unseal('', 'totp:a')).toThrow();
    // A shorter tag is easier to guess.
    const short = Buffer.from(parts[3]!, 'base64url').subarray(0, -8).toString('base64url');
    expect(() => unseal(parts.with(3, short).join('.'), 'totp:a')).toThrow();
  });

  it('opens with the key before, and then should be sealed anew', async () => {
    const old = await boxWith(KEY);
    const box = old.seal('secret', 'totp:a');
    expect(old.isSealedWithOldKey(box)).toBe(false);
    const { unseal, seal, isSealedWithOldKey } = await boxWith(NEXT_KEY, KEY);
    expect(unseal(box, 'totp:a')).toBe('secret');
    expect(isSealedWithOldKey(box)).toBe(true);
    expect(isSealedWithOldKey(seal('secret', 'totp:a'))).toBe(false);
  });

  it('says what to do when its key is gone', async () => {
    const box = (await boxWith(KEY)).seal('secret', 'totp:a');
    const { unseal } = await boxWith(NEXT_KEY);
    expect(() => unseal(box, 'totp:a')).toThrow('ENCRYPTION_KEY_PREVIOUS');
  });
});
