import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../src/config/environment.ts';

const usable = {
  DATABASE_URL: 'postgresql://studyspot_app:pw@db/studyspot',
  JWT_SECRET: 'test-secret-of-access-tokens-0123456789',
  REFRESH_TOKEN_SECRET: 'test-secret-of-refresh-tokens-012345678',
  ENCRYPTION_KEY: 'test-secret-of-sealed-secrets-0123456789',
};
const production = {
  ...usable,
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://portal.studyspot.example',
  EMAIL_PROVIDER: 'smtp',
  SMTP_URL: 'smtps://u:p@mail.example',
  REDIS_URL: 'rediss://redis.example',
  FILE_STORAGE: 's3',
  S3_BUCKET: 'files',
  S3_ACCESS_KEY_ID: 'id',
  S3_SECRET_ACCESS_KEY: 'secret',
  S3_REGION: 'ap-south-1',
};
const razorpay = {
  PAYMENT_GATEWAY: 'razorpay',
  RAZORPAY_KEY_ID: 'rzp_live_key',
  RAZORPAY_KEY_SECRET: 'key-secret',
  RAZORPAY_WEBHOOK_SECRET: 'webhook-secret',
};

describe('The configuration of the payment gateway', () => {
  it('is the sandbox, unless told otherwise', () => {
    expect(readEnvironment(usable)).toMatchObject({
      PAYMENT_GATEWAY: 'sandbox',
      RAZORPAY_API_URL: 'https://api.razorpay.com',
    });
  });

  it('refuses the sandbox in production', () => {
    expect(() => readEnvironment(production)).toThrow(/PAYMENT_GATEWAY: sandbox moves no money/);
    expect(readEnvironment({ ...production, ...razorpay })).toMatchObject({ PAYMENT_GATEWAY: 'razorpay' });
  });

  it('sends the key over https alone in production', () => {
    const RAZORPAY_API_URL = 'http://127.0.0.1:9000';
    expect(() => readEnvironment({ ...production, ...razorpay, RAZORPAY_API_URL })).toThrow(/RAZORPAY_API_URL/);
    expect(readEnvironment({ ...usable, ...razorpay, RAZORPAY_API_URL })).toMatchObject({ RAZORPAY_API_URL });
  });

  it('names everything that Razorpay needs and that is missing', () => {
    const wrong = () => readEnvironment({ ...usable, PAYMENT_GATEWAY: 'razorpay' });
    for (const name of ['RAZORPAY_KEY_ID', 'RAZORPAY_KEY_SECRET', 'RAZORPAY_WEBHOOK_SECRET']) {
      expect(wrong).toThrow(new RegExp(`${name}: is missing, and PAYMENT_GATEWAY is razorpay`));
    }
    expect(() => readEnvironment({ ...usable, PAYMENT_GATEWAY: 'stripe' })).toThrow(/PAYMENT_GATEWAY/);
  });
});
