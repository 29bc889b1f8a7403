import { z } from 'zod';
import { PLATFORM_TIME_ZONE } from '../config/constants.ts';
import { defineJob } from './define-job.ts';

const nothing = z.strictObject({});

export const invoiceJobs = {
  /** Compares everything that must agree in the books: sums, numbers, balances, the MRR. */
  'invoice.check-books': defineJob({
    queue: 'invoice',
    payload: nothing,
    timeoutSeconds: 900,
    schedule: { pattern: '40 2 * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
  /** Ends trials and pauses, renews and ends subscriptions, as the calendar says. Safe to run twice, late, or in two workers. */
  'invoice.billing-run': defineJob({
    queue: 'invoice',
    payload: nothing,
    timeoutSeconds: 900,
    schedule: { pattern: '*/10 * * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
  /** Charges what is to be charged by now, asks the gateway about payments whose outcome is unknown, and duns what is overdue. */
  'invoice.collection-run': defineJob({
    queue: 'invoice',
    payload: nothing,
    timeoutSeconds: 900,
    schedule: { pattern: '*/5 * * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
  /** Sends a refund to the gateway, which knows it by its id: safe to repeat. */
  'invoice.refund': defineJob({ queue: 'invoice', payload: z.strictObject({ refundId: z.string().min(1) }) }),
  /** Something that the gateway has told, and that was kept as it came. */
  'invoice.gateway-event': defineJob({ queue: 'invoice', payload: z.strictObject({ eventRowId: z.string().min(1) }) }),
  /** Ends the mandate of a payment method that was removed, at the gateway and at the bank. */
  'invoice.end-mandate': defineJob({
    queue: 'invoice',
    payload: z.strictObject({ paymentMethodId: z.string().min(1) }),
  }),
  /** Tells the gateway that nobody is to pay by a link any more. */
  'invoice.cancel-link': defineJob({ queue: 'invoice', payload: z.strictObject({ linkId: z.string().min(1) }) }),
};
