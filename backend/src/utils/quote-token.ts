import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { environment } from '../config/environment.ts';

const claims = z.strictObject({
  subscriptionId: z.string(),
  /** Of the subscription when it was quoted. */
  version: z.number().int(),
  planVersionId: z.string(),
  billingCycle: z.enum(['MONTHLY', 'ANNUAL']),
  when: z.enum(['NOW', 'PERIOD_END']),
  /** The day in India from which it would hold. */
  on: z.string(),
  /** Rupees, as text; null where nothing is prorated. */
  credit: z.string().nullable(),
  charge: z.string().nullable(),
  total: z.string(),
  /** Seconds since 1970. */
  until: z.number().int(),
});

/** What a preview has promised. */
export type QuoteClaims = z.output<typeof claims>;

let keys: Buffer[] | undefined;

/** Of the current secret, then of the one before. */
const allKeys = (): Buffer[] =>
  (keys ??= [environment().JWT_SECRET, environment().JWT_SECRET_PREVIOUS]
    .filter((secret) => secret !== undefined)
    .map((secret) => Buffer.from(hkdfSync('sha256', secret, '', 'studyspot quotes of changes', 32))));

const signatureOf = (payload: string, key: Buffer): Buffer => createHmac('sha256', key).update(payload).digest();

export function signQuote(quote: QuoteClaims): string {
  const payload = Buffer.from(JSON.stringify(quote)).toString('base64url');
  return `${payload}.${signatureOf(payload, allKeys()[0] as Buffer).toString('base64url')}`;
}

/** @returns undefined for what this server did not sign; whether its time is over is for the caller to see */
export function readQuote(token: string): QuoteClaims | undefined {
  const [payload = '', signature = ''] = token.split('.');
  const given = Buffer.from(signature, 'base64url');
  const isGenuine = allKeys()
    .map((key) => signatureOf(payload, key))
    .map((genuine) => genuine.length === given.length && timingSafeEqual(genuine, given))
    .includes(true);
  if (!isGenuine) return undefined;
  return claims.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString())).data;
}
