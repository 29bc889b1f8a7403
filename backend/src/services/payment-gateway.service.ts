import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import path from 'node:path';
import { clockNow } from '../config/clock.ts';
import { environment } from '../config/environment.ts';
import { razorpayGateway } from '../providers/payment-gateway-razorpay.provider.ts';
import { sandboxGateway, type SandboxGateway } from '../providers/payment-gateway-sandbox.provider.ts';
import type { PaymentGateway } from '../providers/payment-gateway.provider.ts';

let current: PaymentGateway | undefined;
let sandbox: SandboxGateway | undefined;

/**
 * What moves money: Razorpay or the sandbox, as `PAYMENT_GATEWAY` says. It is called over the network: never within a
 * transaction.
 */
export const paymentGateway = (): PaymentGateway => (current ??= paymentSandbox() ?? razorpayOfEnvironment());

/** What payers and banks do in the sandbox; undefined where the gateway is a real one. */
export function paymentSandbox(): SandboxGateway | undefined {
  const { PAYMENT_GATEWAY, DATA_DIR } = environment();
  if (PAYMENT_GATEWAY !== 'sandbox') return undefined;
  sandbox ??= sandboxGateway(path.resolve(DATA_DIR, 'gateway'), webhookSecrets()[0] as string, clockNow);
  return sandbox;
}

function razorpayOfEnvironment(): PaymentGateway {
  const env = environment();
  return razorpayGateway({
    apiUrl: env.RAZORPAY_API_URL,
    keyId: env.RAZORPAY_KEY_ID ?? '',
    keySecret: env.RAZORPAY_KEY_SECRET ?? '',
  });
}

const sandboxSecretOf = (encryptionKey: string): string =>
  Buffer.from(hkdfSync('sha256', encryptionKey, '', 'studyspot sandbox webhooks', 32)).toString('hex');

/** Of the webhooks that come in: the current secret, then the one before. */
export function webhookSecrets(): string[] {
  const env = environment();
  if (env.RAZORPAY_WEBHOOK_SECRET) {
    return [env.RAZORPAY_WEBHOOK_SECRET, env.RAZORPAY_WEBHOOK_SECRET_PREVIOUS].filter((secret) => secret !== undefined);
  }
  // The sandbox alone does without: a real gateway is not configured then.
  return [env.ENCRYPTION_KEY, env.ENCRYPTION_KEY_PREVIOUS]
    .filter((key) => key !== undefined)
    .map((key) => sandboxSecretOf(key));
}

/**
 * Whether the gateway has sent these bytes (rule 23). Takes the same time whatever is wrong.
 * @param rawBody as it came: parsing it and writing it again makes other bytes
 * @param signature of the header `x-razorpay-signature`
 * @param secrets any of them will do
 */
export function verifyWebhookSignature(rawBody: Buffer, signature: string, secrets: string[]): boolean {
  const isHex = /^[0-9a-f]{64}$/i.test(signature);
  const given = Buffer.from(isHex ? signature : '0'.repeat(64), 'hex');
  const matches = secrets
    // Anybody could sign with no secret at all.
    .filter((secret) => secret !== '')
    .map((secret) => timingSafeEqual(createHmac('sha256', secret).update(rawBody).digest(), given));
  return isHex && matches.includes(true);
}
