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
  PAYMENT_GATEWAY: 'razorpay',
  RAZORPAY_KEY_ID: 'rzp_live_key',
  RAZORPAY_KEY_SECRET: 'key-secret',
  RAZORPAY_WEBHOOK_SECRET: 'webhook-secret',
};
const bucket = { FILE_STORAGE: 's3', S3_BUCKET: 'files', S3_ACCESS_KEY_ID: 'id', S3_SECRET_ACCESS_KEY: 'secret' };

describe('The configuration of the file storage', () => {
  it('is the disk of this machine, unless told otherwise', () => {
    expect(readEnvironment(usable)).toMatchObject({ FILE_STORAGE: 'local', S3_FORCE_PATH_STYLE: false });
  });

  it('refuses the disk in production', () => {
    expect(() => readEnvironment(production)).toThrow(/FILE_STORAGE: local keeps files on this machine/);
    const S3_ENDPOINT = 'https://account.r2.cloudflarestorage.com';
    expect(readEnvironment({ ...production, ...bucket, S3_ENDPOINT })).toMatchObject({ S3_REGION: 'auto' });
  });

  it('names everything that a bucket needs and that is missing', () => {
    const wrong = () => readEnvironment({ ...usable, FILE_STORAGE: 's3' });
    for (const name of ['S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY', 'S3_REGION']) {
      expect(wrong).toThrow(new RegExp(`${name}: is missing`));
    }
    expect(() => readEnvironment({ ...usable, ...bucket, S3_ENDPOINT: 'minio' })).toThrow(/S3_ENDPOINT/);
    expect(readEnvironment({ ...usable, ...bucket, S3_REGION: 'ap-south-1' }).S3_ENDPOINT).toBeUndefined();
  });
});
