import { z } from 'zod';
import { signedTokens } from './signed-token.ts';

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

const quotes = signedTokens('studyspot quotes of changes', claims);

export const signQuote = (quote: QuoteClaims): string => quotes.sign(quote);

/** @returns undefined for what this server did not sign; whether its time is over is for the caller to see */
export const readQuote = (token: string): QuoteClaims | undefined => quotes.read(token);
