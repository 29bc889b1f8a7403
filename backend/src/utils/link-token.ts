import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { environment } from '../config/environment.ts';

const claims = z.strictObject({
  key: z.string().max(400),
  name: z.string().max(255),
  type: z.string().max(100),
  inline: z.boolean().optional(),
  /** Seconds since 1970. */
  until: z.number().int(),
  /** Whom it is for, and what they must be allowed when they use it. Without: for whoever has it. */
  for: z
    .strictObject({
      userId: z.string(),
      permission: z.string(),
      action: z.string(),
      resource: z.string(),
      resourceId: z.string(),
    })
    .optional(),
});

export type LinkClaims = z.output<typeof claims>;

let keys: Buffer[] | undefined;

/** Of the current secret, then of the one before. */
const allKeys = (): Buffer[] =>
  (keys ??= [environment().JWT_SECRET, environment().JWT_SECRET_PREVIOUS]
    .filter((secret) => secret !== undefined)
    .map((secret) => Buffer.from(hkdfSync('sha256', secret, '', 'studyspot links to files', 32))));

const signatureOf = (payload: string, key: Buffer): Buffer => createHmac('sha256', key).update(payload).digest();

/** What follows `/api/files/` of a link. */
export function signLink(link: LinkClaims): string {
  const payload = Buffer.from(JSON.stringify(link)).toString('base64url');
  return `${payload}.${signatureOf(payload, allKeys()[0] as Buffer).toString('base64url')}`;
}

/** @returns undefined for what this server did not sign, or whose time is over; all alike, in the same time */
export function readLink(token: string, now: Date): LinkClaims | undefined {
  const [payload = '', signature = ''] = token.split('.');
  const given = Buffer.from(signature, 'base64url');
  const isGenuine = allKeys()
    .map((key) => signatureOf(payload, key))
    .map((genuine) => genuine.length === given.length && timingSafeEqual(genuine, given))
    .includes(true);
  if (!isGenuine) return undefined;
  const read = claims.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
  return read.success && read.data.until * 1000 > now.getTime() ? read.data : undefined;
}
