import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { countryDatabase } from '../support/country-database.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'studyspot-places-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function placesWith(content?: Buffer | string) {
  vi.resetModules();
  const file = path.join(folder, 'countries.mmdb');
  if (content !== undefined) writeFileSync(file, content);
  Object.assign(process.env, {
    DATABASE_URL: 'postgresql://localhost/none',
    JWT_SECRET: 'test-secret-of-access-tokens-0123456789',
    REFRESH_TOKEN_SECRET: 'test-secret-of-refresh-tokens-012345678',
    ENCRYPTION_KEY: 'test-secret-of-sealed-secrets-0123456789',
    COUNTRY_DATABASE: content === undefined ? '' : file,
    LOG_LEVEL: 'error',
  });
  return import('../../src/services/place.service.ts');
}

describe('The place of an address', () => {
  it('is the country that the file tells, and nothing where it tells none', async () => {
    const { countryOf, placeName } = await placesWith(
      countryDatabase([
        { network: '203.0.113.0', bits: 24, country: 'IN' },
        { network: '198.51.0.0', bits: 16, country: 'NO' },
        { network: '8.0.0.0', bits: 8, country: 'toolong' },
      ]),
    );
    expect(['203.0.113.255', '203.0.114.0', '198.51.7.7', '8.8.8.8', ''].map(countryOf)).toEqual([
      'IN',
      null,
      'NO',
      null,
      null,
    ]);
    expect(['203.0.113.7', '192.0.2.1', '10.1.2.3'].map(placeName)).toEqual([
      'India',
      'an unknown place',
      'a local network',
    ]);
  });

  it('is local in private networks', async () => {
    const { isLocalAddress } = await placesWith();
    const local = ['10.0.0.1', '127.0.0.1', '172.16.0.1', '192.168.1.1', '100.64.0.1', '::1', 'fe80::1', 'fd00::1'];
    expect(local.filter((ip) => !isLocalAddress(ip))).toEqual([]);
    const outside = ['8.8.8.8', '172.32.0.1', '2001:db8::1', ''];
    expect(outside.filter(isLocalAddress)).toEqual([]);
  });

  it.each([
    ['no file', undefined],
    ['a file that is none', 'this is no database'],
    ['an empty file', ''],
  ])('is unknown with %s, and nothing fails', async (_what, content) => {
    const { countryOf, placeName } = await placesWith(content);
    expect(countryOf('203.0.113.7')).toBeNull();
    expect(countryOf('2001:db8::1')).toBeNull();
    expect(placeName('203.0.113.7')).toBe('an unknown place');
  });
});
