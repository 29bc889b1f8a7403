import { readFileSync } from 'node:fs';
import { BlockList, isIPv6 } from 'node:net';
import { Reader, type CountryResponse } from 'mmdb-lib';
import { environment } from '../config/environment.ts';
import { logger } from '../config/logger.ts';

// Where an address lies, without asking anybody: from a file in the format of MaxMind that the operator provides.

const local = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  local.addSubnet(network, prefix, 'ipv4');
}
local.addAddress('::1', 'ipv6');
local.addSubnet('fc00::', 7, 'ipv6');
local.addSubnet('fe80::', 10, 'ipv6');

/** Of a private network, or this machine itself. @param ip as `normalAddress` gives it */
export const isLocalAddress = (ip: string): boolean => ip !== '' && local.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4');

/** Databases name it in one of two ways. */
type Entry = CountryResponse & { country_code?: string };

let database: Reader<Entry> | null | undefined;

/** Read with the first address that is looked up. A file that cannot be read costs the places, not the sign-in. */
function countries(): Reader<Entry> | null {
  if (database !== undefined) return database;
  const file = environment().COUNTRY_DATABASE;
  try {
    database = file ? new Reader<Entry>(readFileSync(file)) : null;
  } catch (error) {
    logger.error('COUNTRY_DATABASE cannot be read: countries stay unknown', { file, error });
    database = null;
  }
  return database;
}

const isCountry = /^[A-Z]{2}$/;

/** ISO 3166-1 alpha-2; null for local networks, and where it is not known. @param ip as `normalAddress` gives it */
export function countryOf(ip: string): string | null {
  if (!ip || isLocalAddress(ip)) return null;
  const entry = countries()?.get(ip);
  const code = entry?.country?.iso_code ?? entry?.country_code;
  return code && isCountry.test(code) ? code : null;
}

const names = new Intl.DisplayNames(['en'], { type: 'region' });

/** `India`, `a local network`, `an unknown place`: for a sentence. */
export function placeName(ip: string): string {
  if (isLocalAddress(ip)) return 'a local network';
  const country = countryOf(ip);
  return country ? (names.of(country) ?? country) : 'an unknown place';
}
