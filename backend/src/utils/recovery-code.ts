import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { environment } from '../config/environment.ts';

/** Without 0, O, 1 and I. */
const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
const LENGTH = 12;

/** A new code: 60 random bits, such as `7QKM-X2PD-9HTW`. */
export function newRecoveryCode(): string {
  const signs = [...randomBytes(LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
  return signs.replace(/(.{4})(?=.)/g, '$1-');
}

/** As people type it: small letters, spaces and other dashes are no mistake. */
const plain = (typed: string): string => typed.toUpperCase().replace(/[^A-Z0-9]/g, '');

/**
 * What is stored of a code: useless without the server's key, and for another person.
 * @returns the hash under the current key first, then under the previous one, which codes from before it still have
 */
export const recoveryCodeHashes = (userId: string, code: string): [string, ...string[]] => {
  const { ENCRYPTION_KEY, ENCRYPTION_KEY_PREVIOUS } = environment();
  const hash = (secret: string) =>
    createHmac('sha256', Buffer.from(hkdfSync('sha256', secret, '', 'studyspot recovery codes', 32)))
      .update(`${userId}:${plain(code)}`)
      .digest('hex');
  return [hash(ENCRYPTION_KEY), ...(ENCRYPTION_KEY_PREVIOUS ? [hash(ENCRYPTION_KEY_PREVIOUS)] : [])];
};
