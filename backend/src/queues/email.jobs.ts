import { z } from 'zod';
import { defineJob } from './define-job.ts';

const userId = z.strictObject({ userId: z.string().min(1) });

export const emailJobs = {
  /** Who asked is looked up by the job: the API never tells whether there is such an account. */
  'email.password-reset': defineJob({
    queue: 'email',
    payload: z
      .strictObject({
        email: z.string().optional(),
        phone: z.string().optional(),
        /** The address from which it was asked for; the mail tells it. */
        askedFrom: z.string().optional(),
      })
      .refine(
        ({ email, phone }) => (email === undefined) !== (phone === undefined),
        'needs either an email or a phone',
      ),
  }),
  /** A new owner chooses a password by a link. */
  'email.welcome': defineJob({ queue: 'email', payload: userId, whenShutOut: 'wait' }),
  /** Somebody new among the portal admins accepts by a link. */
  'email.invite': defineJob({ queue: 'email', payload: userId }),
  'email.password-changed': defineJob({ queue: 'email', payload: userId }),
  /** Somebody has signed in on a device on which they never did before. */
  'email.new-sign-in': defineJob({
    queue: 'email',
    payload: userId.extend({
      device: z.string(),
      place: z.string(),
      address: z.string().nullable(),
    }),
  }),
  /** A link by which an address is confirmed: the new one that somebody wants, or the one that they have. */
  'email.verify-email': defineJob({ queue: 'email', payload: userId }),
  /** To the address that somebody is about to give up, which they may have changed by the time the mail goes out. */
  'email.address-changing': defineJob({ queue: 'email', payload: userId.extend({ to: z.string() }) }),
  /** Somebody's second factors are others than before. */
  'email.mfa-changed': defineJob({
    queue: 'email',
    payload: userId.extend({
      change: z.enum(['TOTP_ON', 'TOTP_OFF', 'PASSKEY_ADDED', 'PASSKEY_REMOVED', 'RECOVERY_CODES_RENEWED', 'RESET']),
    }),
  }),
  /** Support begins to act in the name of a library's people: its owner is told. */
  'email.impersonation-started': defineJob({
    queue: 'email',
    payload: z.strictObject({ impersonationId: z.string().min(1) }),
  }),
  /** An owner, or without one the tenant's own address, learns that an off-boarding begins, is near its end, or is called off. */
  'email.offboarding': defineJob({
    queue: 'email',
    payload: z.strictObject({
      offboardingId: z.string().min(1),
      what: z.enum(['BEGUN', 'NOTICE', 'CANCELLED']),
      userId: z.string().min(1).optional(),
    }),
  }),
  /** After the purge, to the address that the tenant had. It is of no tenant: whatever is of that one is gone. */
  'email.offboarding-certificate': defineJob({
    queue: 'email',
    payload: z.strictObject({ offboardingId: z.string().min(1) }),
  }),
  /** Tells a tenant of a rung of the ladder that was taken. */
  'email.dunning': defineJob({
    queue: 'email',
    payload: z.strictObject({ runId: z.string().min(1), number: z.number().int() }),
  }),
  /** An invoice with its PDF, to where invoices of the tenant go or to another address. Billing notices go out always. */
  'email.invoice': defineJob({
    queue: 'email',
    payload: z.strictObject({ invoiceId: z.string().min(1), to: z.string().optional() }),
    whenShutOut: 'run',
  }),
  /** What will be charged to a mandate, a day ahead. The law asks for it. */
  'email.debit-notice': defineJob({
    queue: 'email',
    payload: z.strictObject({ invoiceId: z.string().min(1) }),
    whenShutOut: 'run',
  }),
  /** A receipt for money that came. */
  'email.payment-received': defineJob({
    queue: 'email',
    payload: z.strictObject({ paymentId: z.string().min(1) }),
    whenShutOut: 'run',
  }),
  /** A credit note with its PDF. */
  'email.credit-note': defineJob({
    queue: 'email',
    payload: z.strictObject({ creditNoteId: z.string().min(1) }),
    whenShutOut: 'run',
  }),
  /** The owners of a tenant, that a trial ends in three days. */
  'email.trial-ending': defineJob({ queue: 'email', payload: z.strictObject({ subscriptionId: z.string().min(1) }) }),
  'email.recovery-codes-low': defineJob({ queue: 'email', payload: userId.extend({ left: z.number().int() }) }),
};
