import type { SignedRequest } from '../routes/endpoint.ts';
import { receiveWebhook } from '../services/gateway-webhook.service.ts';
import type { WriteContext } from '../types/context.ts';

type Sent = { params: { provider: string }; signed: SignedRequest };

export async function takeGatewayWebhook(ctx: WriteContext<null>, { params, signed }: Sent) {
  const { rawBody, header } = signed;
  const [signature, eventId] = [header('x-razorpay-signature'), header('x-razorpay-event-id')];
  await receiveWebhook(ctx, params.provider, { rawBody, signature, eventId });
  return { received: true as const };
}
