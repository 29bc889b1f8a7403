import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { z } from 'zod';
import { environment } from '../config/environment.ts';

const signatureOf = (payload: string, key: Buffer): Buffer => createHmac('sha256', key).update(payload).digest();

/**
 * Tokens that carry what they say, signed by this server: anybody may read one, and nobody else can make one.
 * @param purpose of one kind of token, such as `studyspot links to files`: those of another kind are not taken for it
 */
export function signedTokens<Claims>(purpose: string, claims: z.ZodType<Claims>) {
  let keys: Buffer[] | undefined;
  /** Of the current secret, then of the one before. */
  const allKeys = (): Buffer[] =>
    (keys ??= [environment().JWT_SECRET, environment().JWT_SECRET_PREVIOUS]
      .filter((secret) => secret !== undefined)
      .map((secret) => Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))));
  return {
    sign(said: Claims): string {
      const payload = Buffer.from(JSON.stringify(said)).toString('base64url');
      return `${payload}.${signatureOf(payload, allKeys()[0] as Buffer).toString('base64url')}`;
    },
    /** @returns undefined for what this server did not sign, in the same time for all */
    read(token: string): Claims | undefined {
      const [payload = '', signature = ''] = token.split('.');
      const given = Buffer.from(signature, 'base64url');
      const isGenuine = allKeys()
        .map((key) => signatureOf(payload, key))
        .map((genuine) => genuine.length === given.length && timingSafeEqual(genuine, given))
        .includes(true);
      if (!isGenuine) return undefined;
      return claims.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString())).data;
    },
  };
}
