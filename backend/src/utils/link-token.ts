import { z } from 'zod';
import { signedTokens } from './signed-token.ts';

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

const links = signedTokens('studyspot links to files', claims);

/** What follows `/api/files/` of a link. */
export const signLink = (link: LinkClaims): string => links.sign(link);

/** @returns undefined for what this server did not sign, or whose time is over; all alike, in the same time */
export function readLink(token: string, now: Date): LinkClaims | undefined {
  const read = links.read(token);
  return read && read.until * 1000 > now.getTime() ? read : undefined;
}
