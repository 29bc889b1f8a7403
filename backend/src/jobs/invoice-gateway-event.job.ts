import type { JobHandler } from '../queues/job-context.ts';
import { workOnEvent } from '../services/gateway-events.service.ts';

/** Does what follows from something that the gateway has told. */
export const workOnGatewayEvent: JobHandler<'invoice.gateway-event'> = (ctx, { eventRowId }) =>
  workOnEvent(ctx, eventRowId);
