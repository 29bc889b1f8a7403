import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { verifyWebhookSignature } from '../../src/services/payment-gateway.service.ts';

const body = Buffer.from('{"event":"payment.captured","payload":{"name":"आशा"}}');
const sign = (bytes: Buffer, secret: string) => createHmac('sha256', secret).update(bytes).digest('hex');

describe('The signature of a webhook', () => {
  it('is HMAC with SHA-256, as RFC 4231 has it in its second test case', () => {
    const signature = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
    const message = Buffer.from('what do ya want for nothing?');
    expect(verifyWebhookSignature(message, signature, ['Jefe'])).toBe(true);
    expect(verifyWebhookSignature(message, signature.toUpperCase(), ['Jefe'])).toBe(true);
  });

  it('is that of any of the secrets, while one is replaced', () => {
    expect(verifyWebhookSignature(body, sign(body, 'old'), ['new', 'old'])).toBe(true);
    expect(verifyWebhookSignature(body, sign(body, 'new'), ['new', 'old'])).toBe(true);
    expect(verifyWebhookSignature(body, sign(body, 'older'), ['new', 'old'])).toBe(false);
  });

  it('is over the bytes that came, not over what they mean', () => {
    const spaced = Buffer.from(JSON.stringify(JSON.parse(body.toString()), null, 1));
    expect(verifyWebhookSignature(spaced, sign(body, 's'), ['s'])).toBe(false);
    const bytes = Buffer.from([0x22, 0xff, 0xfe, 0x22]);
    expect(verifyWebhookSignature(bytes, sign(bytes, 's'), ['s'])).toBe(true);
    expect(verifyWebhookSignature(Buffer.from(bytes.toString()), sign(bytes, 's'), ['s'])).toBe(false);
  });

  it.each([
    ['none', ''],
    ['one that is cut off', sign(body, 's').slice(0, -2)],
    ['one with more after it', `${sign(body, 's')}00`],
    ['one with a line break after it', `${sign(body, 's')}\n`],
    ['one in base64', createHmac('sha256', 's').update(body).digest('base64')],
    ['no hex', 'z'.repeat(64)],
    ['zeros', '0'.repeat(64)],
    ['that of another body', sign(Buffer.from('{}'), 's')],
  ])('is refused when it is %s', (_, signature) => {
    expect(verifyWebhookSignature(body, signature, ['s'])).toBe(false);
  });

  it('is refused where there is no secret, which anybody could sign with', () => {
    expect(verifyWebhookSignature(body, sign(body, ''), [''])).toBe(false);
    expect(verifyWebhookSignature(body, sign(body, ''), [])).toBe(false);
  });
});

describe('The secrets of webhooks', () => {
  afterEach(() => vi.resetModules());

  const secretsWith = async (environment: Record<string, string>) => {
    vi.resetModules();
    for (const [name, value] of Object.entries({ ...usable, ...environment })) vi.stubEnv(name, value);
    const { webhookSecrets, paymentSandbox } = await import('../../src/services/payment-gateway.service.ts');
    return { secrets: webhookSecrets(), isSandbox: Boolean(paymentSandbox()) };
  };
  const usable = {
    DATABASE_URL: 'postgresql://nobody@localhost/nothing',
    JWT_SECRET: 'test-secret-of-access-tokens-0123456789',
    REFRESH_TOKEN_SECRET: 'test-secret-of-refresh-tokens-012345678',
    ENCRYPTION_KEY: 'test-secret-of-sealed-secrets-0123456789',
  };
  const razorpay = {
    PAYMENT_GATEWAY: 'razorpay',
    RAZORPAY_KEY_ID: 'id',
    RAZORPAY_KEY_SECRET: 'secret',
    RAZORPAY_WEBHOOK_SECRET: 'current',
  };

  it('are what the operator has set, with the one before', async () => {
    expect(await secretsWith(razorpay)).toEqual({ secrets: ['current'], isSandbox: false });
    const replaced = { ...razorpay, RAZORPAY_WEBHOOK_SECRET_PREVIOUS: 'before' };
    expect((await secretsWith(replaced)).secrets).toEqual(['current', 'before']);
  });

  it('come from the key of this installation in the sandbox, which signs with the current one', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'studyspot-secrets-'));
    const installation = { DATA_DIR: directory, ENCRYPTION_KEY_PREVIOUS: 'test-secret-of-sealed-secrets-of-yesterday' };
    const { secrets, isSandbox } = await secretsWith(installation);
    expect(isSandbox).toBe(true);
    expect(secrets.map((secret) => secret.length)).toEqual([64, 64]);
    expect(secrets[0]).not.toBe(secrets[1]);
    expect(secrets).not.toContain(usable.ENCRYPTION_KEY);
    expect((await secretsWith(installation)).secrets).toEqual(secrets);
    const { paymentGateway, paymentSandbox } = await import('../../src/services/payment-gateway.service.ts');
    expect(paymentGateway()).toBe(paymentSandbox());
    const order = { amountPaise: 10_000, currency: 'INR', receipt: 'r', notes: {} } as const;
    const { id: orderId } = await paymentGateway().createOrder(order);
    const payer = { customerId: 'c', tokenId: 'token_success', email: 'a@b.example' };
    await paymentGateway().charge({ ...payer, orderId, amountPaise: 10_000, description: 'x', receipt: 'r' });
    const [webhook] = paymentSandbox()?.takeWebhooks(1) ?? [];
    expect(verifyWebhookSignature(webhook!.body, webhook!.signature, [secrets[0] as string])).toBe(true);
    rmSync(directory, { recursive: true, force: true });
  });
});
