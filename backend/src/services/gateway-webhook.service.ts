import { GatewayRefused, type PaymentGateway } from '../providers/payment-gateway.provider.ts';
import type { WriteContext } from '../types/context.ts';
import { sha256 } from '../utils/canonical-json.ts';
import { AppError } from '../utils/errors.ts';
import { newId } from '../utils/ids.ts';
import { sql } from '../utils/sql.ts';
import { paymentGateway, verifyWebhookSignature, webhookSecrets } from './payment-gateway.service.ts';

// What the gateway tells us, kept as it came before anything is done with it (rule 23).

export type Webhook = {
  rawBody: Buffer;
  signature: string | undefined;
  /** The same for each delivery of the same event. */
  eventId: string | undefined;
};

/** A reason not to keep it: nobody will read a payload that never ends. */
const LONGEST_ID = 200;

/**
 * Keeps an event, once however often it is delivered, and hands it to a job.
 * @throws AppError not_found for a gateway that is not in use; unauthenticated when it was not signed by the gateway, and
 *   then nothing is kept; malformed_request for what is no event
 */
export async function receiveWebhook(ctx: WriteContext, provider: string, webhook: Webhook): Promise<void> {
  const gateway = paymentGateway();
  if (provider !== gateway.name) throw new AppError('not_found', 'There is no such payment gateway in use.');
  const { rawBody, signature = '' } = webhook;
  if (!verifyWebhookSignature(rawBody, signature, webhookSecrets())) {
    throw new AppError('unauthenticated', 'The signature is not that of the payment gateway.');
  }
  const payload = payloadOf(rawBody);
  const eventId = (webhook.eventId || sha256(rawBody.toString('base64'))).slice(0, LONGEST_ID);
  const type = typeOf(gateway, rawBody, eventId);
  const kept = await ctx.sql.one<{ id: string }>(sql`
    insert into gateway_events (id, gateway, event_id, type, payload, received_at)
    values (${newId()}, ${gateway.name}, ${eventId}, ${type}, ${JSON.stringify(payload)}::jsonb, ${ctx.now})
    on conflict (gateway, event_id) do nothing returning id`);
  if (!kept) return;
  ctx.enqueue(
    'invoice.gateway-event',
    { eventRowId: kept.id },
    { tenantId: null, dedupeKey: `gateway-event-${kept.id}` },
  );
}

function payloadOf(rawBody: Buffer): unknown {
  try {
    return JSON.parse(rawBody.toString('utf8'));
  } catch (cause) {
    throw new AppError('malformed_request', 'The body is not JSON.', undefined, { cause });
  }
}

/** What cannot be read is kept as well: a person may. */
function typeOf(gateway: PaymentGateway, rawBody: Buffer, eventId: string): string {
  try {
    return gateway.parseWebhook(rawBody, eventId).type.slice(0, 100);
  } catch (error) {
    if (error instanceof GatewayRefused) return UNREADABLE;
    throw error;
  }
}

export const UNREADABLE = 'unreadable';
