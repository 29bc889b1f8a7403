import { z } from 'zod';

export const provider = z.strictObject({
  provider: z.enum(['razorpay', 'sandbox']).meta({ description: 'The payment gateway', example: 'razorpay' }),
});

export const webhookTaken = z
  .object({ received: z.literal(true).meta({ description: 'It is kept, now or since an earlier delivery' }) })
  .meta({ id: 'WebhookTaken' });
