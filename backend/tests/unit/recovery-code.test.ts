import { afterEach, describe, expect, it, vi } from 'vitest';

const KEY = 'one-key-of-sealed-secrets-0123456789';
const NEXT = 'another-key-of-sealed-secrets-0123456';

async function codesWith(environment: Record<string, string>) {
  vi.resetModules();
  const names = ['DATABASE_URL', 'JWT_SECRET', 'REFRESH_TOKEN_SECRET'] as const;
  for (const name of names) vi.stubEnv(name, `postgres://localhost/${name}-0123456789012345`);
  vi.stubEnv('ENCRYPTION_KEY_PREVIOUS', '');
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  return import('../../src/utils/recovery-code.ts');
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

describe('Recovery codes', () => {
  it('are readable and never the same', async () => {
    const { newRecoveryCode } = await codesWith({ ENCRYPTION_KEY: KEY });
    const codes = Array.from({ length: 2000 }, newRecoveryCode);
    expect(new Set(codes).size).toBe(2000);
    for (const code of codes) expect(code).toMatch(/^[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){2}$/);
    expect(new Set(codes.join('').replaceAll('-', '')).size).toBe(32);
  });

  it('have one hash however they are typed, and another for another person', async () => {
    const { recoveryCodeHashes } = await codesWith({ ENCRYPTION_KEY: KEY });
    const [hash] = recoveryCodeHashes('asha', '7QKM-X2PD-9HTW');
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    for (const typed of ['7qkmx2pd9htw', ' 7QKM X2PD 9HTW ', '7QKM–X2PD–9HTW']) {
      expect(recoveryCodeHashes('asha', typed)[0]).toBe(hash);
    }
    expect(recoveryCodeHashes('meera', '7QKM-X2PD-9HTW')[0]).not.toBe(hash);
    expect(recoveryCodeHashes('asha', '7QKM-X2PD-9HTX')[0]).not.toBe(hash);
  });

  it('outlive a change of the key, while the previous one is known', async () => {
    const [before] = (await codesWith({ ENCRYPTION_KEY: KEY })).recoveryCodeHashes('asha', '7QKM-X2PD-9HTW');
    const rolled = await codesWith({ ENCRYPTION_KEY: NEXT, ENCRYPTION_KEY_PREVIOUS: KEY });
    const hashes = rolled.recoveryCodeHashes('asha', '7QKM-X2PD-9HTW');
    expect(hashes).toHaveLength(2);
    expect(hashes[0]).not.toBe(before);
    expect(hashes[1]).toBe(before);
  });
});
