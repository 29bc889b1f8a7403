import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redact } from '../../src/config/logger.ts';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJ1c2VySWQiOiJjbTNrIn0.c2lnbmF0dXJl';

describe('What is written down', () => {
  it.each([
    'password',
    'currentPassword',
    'passphrase',
    'PASSWORD_HASH',
    'passwordHash',
    'tokenHash',
    'token',
    'accessToken',
    'refresh_token',
    'refreshSeed',
    'authorization',
    'Cookie',
    'set-cookie',
    'apiKey',
    'api_key',
    'x-api-key',
    'clientSecret',
    'JWT_SECRET',
    'otp',
  ])('has no value of %s', (name) => {
    for (const value of ['hunter2', 7, ['hunter2'], { inner: 'hunter2' }]) {
      expect(redact({ user: { [name]: value } })).toEqual({ user: { [name]: '[redacted]' } });
    }
  });

  it('keeps what is no secret, also that there was none', () => {
    const harmless = { account: 'cm3k', passwordChanged: true, token: null, status: 'ACTIVE', tries: 3, note: 'hash' };
    expect(redact(harmless)).toEqual(harmless);
  });

  it.each([
    ['Authorization: Bearer abc.def-ghi', 'Authorization: Bearer [redacted]'],
    ['sent basic dXNlcjpwYXNz to them', 'sent basic [redacted] to them'],
    [`the token ${JWT} has expired`, 'the token [redacted] has expired'],
    ['postgresql://app:s3cret@db:5432/x', 'postgresql://app:[redacted]@db:5432/x'],
    ['redis://:s3cret@127.0.0.1:6379', 'redis://:[redacted]@127.0.0.1:6379'],
    ['smtp://a%40b.co:p%40ss@mail:25 failed', 'smtp://a%40b.co:[redacted]@mail:25 failed'],
    ['https://studyspot.example/api/tenants?page=2', 'https://studyspot.example/api/tenants?page=2'],
  ])('%j becomes %j', (text, written) => {
    expect(redact(text)).toBe(written);
    expect(redact({ message: [text] })).toEqual({ message: [written] });
  });

  it('tells of an error its name, message, code, stack and cause, without secrets', () => {
    const cause = Object.assign(new Error('connect postgresql://app:s3cret@db/x'), { code: 'ECONNREFUSED' });
    const written = redact({ error: new Error(`refused ${JWT}`, { cause }) }) as { error: Record<string, unknown> };
    expect(written.error).toMatchObject({ name: 'Error', message: 'refused [redacted]', stack: expect.any(String) });
    expect(written.error.cause).toMatchObject({
      code: 'ECONNREFUSED',
      message: 'connect postgresql://app:[redacted]@db/x',
    });
    expect(JSON.stringify(written)).not.toMatch(/s3cret|eyJ/);
  });

  it('ends, for what holds itself', () => {
    const loop: Record<string, unknown> = { name: 'loop' };
    loop.self = loop;
    loop.list = [loop];
    expect(JSON.stringify(redact(loop))).toContain('[too deep]');
  });

  it('can be written as JSON, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.anything({ withDate: true, withBigInt: true, withNullPrototype: true, withMap: true }),
        (value) => {
          expect(() => JSON.stringify({ value: redact(value) })).not.toThrow();
        },
      ),
    );
  });

  it('never has the value of a secret field, however deep and beside whatever it lies', () => {
    const secretName = fc.constantFrom('password', 'refreshToken', 'API-KEY', 'cookie', 'passwordHash', 'clientSecret');
    const tree = fc.letrec((tie) => ({
      leaf: fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
      secret: fc.tuple(secretName, fc.constant('hunter2')).map(([name, value]) => ({ [name]: value })),
      node: fc.oneof(
        tie('leaf'),
        tie('secret'),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie('node'), { maxKeys: 3 }),
      ),
    })).node;
    fc.assert(
      fc.property(tree, (value) => {
        expect(JSON.stringify(redact(value)) ?? '').not.toContain('hunter2');
      }),
    );
  });
});
