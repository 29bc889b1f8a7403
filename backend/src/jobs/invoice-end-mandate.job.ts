import type { JobHandler } from '../queues/job-context.ts';
import { endMandate } from '../services/payment-mandates.service.ts';

/** Ends the mandate of a payment method that was removed. */
export const endMandateAtGateway: JobHandler<'invoice.end-mandate'> = (ctx, { paymentMethodId }) =>
  endMandate(ctx, paymentMethodId);
