/** What becomes of a charge. Each has a token of its own that always exists, for every customer: `token_declined`. */
export const sandboxOutcomes = [
  /** Captured at once. */
  'success',
  /** Authorised, and has to be captured. */
  'authorized',
  /** Stays CREATED, as mandates do for a day, until `finishPayment`. */
  'pending',
  /** Declined by the bank; it may pay later (soft). */
  'declined',
  /** Not enough money; it may pay later (soft). */
  'insufficient',
  /** The card has expired (hard). */
  'expired_card',
  /** The payer has cancelled the mandate in the UPI app (hard). */
  'mandate_revoked',
  /** The first two charges of a customer are declined (soft), those after them are captured. */
  'fails_twice',
  /** No answer comes, and the payment was captured. */
  'timeout_captured',
  /** No answer comes, and the payment has failed. */
  'timeout_failed',
  /** No answer comes, and no payment was ever made. */
  'timeout_lost',
] as const;

export type SandboxOutcome = (typeof sandboxOutcomes)[number];

/** What a payment is when nobody does anything more to it. */
export type Verdict = { status: 'created' | 'authorized' | 'captured' } | { status: 'failed'; error: SandboxError };

export type SandboxError = { code: string; description: string; source: string; step: string; reason: string };

const failed = (code: string, source: string, reason: string, description: string): Verdict => ({
  status: 'failed',
  error: { code, source, step: 'payment_authorization', reason, description },
});

const declined = failed('GATEWAY_ERROR', 'bank', 'payment_declined', 'The payment was declined by the bank.');
const captured: Verdict = { status: 'captured' };
const badRequest = 'BAD_REQUEST_ERROR';

const verdicts: Record<SandboxOutcome, Verdict> = {
  success: captured,
  authorized: { status: 'authorized' },
  pending: { status: 'created' },
  declined,
  insufficient: failed(badRequest, 'customer', 'insufficient_funds', 'Transaction failed due to insufficient funds.'),
  expired_card: failed(badRequest, 'customer', 'card_expired', 'The card has expired.'),
  mandate_revoked: failed(badRequest, 'customer', 'mandate_cancelled', 'The mandate has been cancelled by the user.'),
  fails_twice: captured,
  timeout_captured: captured,
  timeout_failed: failed('GATEWAY_ERROR', 'bank', 'payment_timed_out', 'The bank did not answer in time.'),
  timeout_lost: declined,
};

/** @param chargesBefore how often the customer was charged with this outcome before */
export const verdictOf = (outcome: SandboxOutcome, chargesBefore: number): Verdict =>
  outcome === 'fails_twice' && chargesBefore < 2 ? declined : verdicts[outcome];

/** How a mandate says no that the payer has paused or cancelled. */
export const mandateVerdicts: Record<string, Verdict> = {
  paused: failed(badRequest, 'customer', 'mandate_paused', 'The mandate is paused by the user.'),
  cancelled: verdicts.mandate_revoked,
  rejected: failed(badRequest, 'customer', 'mandate_not_active', 'The mandate is not active.'),
  initiated: failed(badRequest, 'bank', 'payment_mandate_not_active', 'The mandate is not yet active at the bank.'),
};
