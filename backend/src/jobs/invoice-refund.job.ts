import type { JobHandler } from '../queues/job-context.ts';
import { sendRefund } from '../services/refunds.service.ts';

/** Sends a refund to the gateway. */
export const sendRefundToGateway: JobHandler<'invoice.refund'> = (ctx, { refundId }) => sendRefund(ctx, refundId);
