import type { JobHandler } from '../queues/job-context.ts';
import { deliverSandboxWebhooks } from '../services/sandbox-payments.service.ts';

/** Sends what the sandbox gateway has to tell. Nothing of that where money is real. */
export const deliverSandboxGateway: JobHandler<'webhook.sandbox-gateway'> = async (ctx) => {
  const delivered = await deliverSandboxWebhooks(ctx);
  if (delivered > 0) ctx.log.info('Webhooks of the sandbox gateway delivered', { delivered });
};
