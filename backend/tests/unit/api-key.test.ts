import { describe, expect, it } from 'vitest';
import {
  apiKeyOf,
  isKeySecret,
  keySecretHash,
  looksLikeApiKey,
  newKeyPrefix,
  newKeySecret,
  parseApiKey,
} from '../../src/utils/api-key.ts';

describe('An API key', () => {
  it('is put together and taken apart again, whatever signs its secret has', () => {
    for (let index = 0; index < 200; index += 1) {
      const parts = { prefix: newKeyPrefix(), secret: newKeySecret() };
      const key = apiKeyOf(parts);
      expect(key).toHaveLength(60);
      expect(looksLikeApiKey(key)).toBe(true);
      expect(parseApiKey(key)).toEqual(parts);
    }
  });

  it.each([
    '',
    'ssk_',
    `ssk_0123456789ab_${'x'.repeat(42)}`,
    `ssk_0123456789ab_${'x'.repeat(44)}`,
    `ssk_0123456789AB_${'x'.repeat(43)}`,
    `ssk_0123456789ab_${'x'.repeat(42)}\n`,
    ` ssk_0123456789ab_${'x'.repeat(43)}`,
    `ssk_0123456789ab_${'x'.repeat(42)}é`,
  ])('is not %j', (text) => {
    expect(parseApiKey(text)).toBeUndefined();
  });

  it('is proved by its secret alone, and nothing proves a key that is not there', () => {
    const secret = newKeySecret();
    expect(isKeySecret(secret, keySecretHash(secret))).toBe(true);
    expect(isKeySecret(secret, keySecretHash(newKeySecret()))).toBe(false);
    expect(isKeySecret('', null)).toBe(false);
    expect(isKeySecret('', undefined)).toBe(false);
    expect(isKeySecret(secret, '')).toBe(false);
    expect(isKeySecret(secret, 'abc')).toBe(false);
  });
});
