import type { JobHandler } from '../queues/job-context.ts';
import { cancelLink } from '../services/payment-links.service.ts';

/** Tells the gateway that nobody is to pay by a link any more. */
export const cancelPaymentLink: JobHandler<'invoice.cancel-link'> = (ctx, { linkId }) => cancelLink(ctx, linkId);
