import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** `ssk_PREFIX_SECRET`: the prefix names the key and is shown in lists, the secret proves it and is kept as a hash. */
export type ApiKeyParts = { prefix: string; secret: string };

const pattern = /^ssk_([0-9a-f]{12})_([\w-]{43})$/;

/** By its beginning: whoever sends such a thing means it as a key, right or wrong. */
export const looksLikeApiKey = (token: string): boolean => token.startsWith('ssk_');

export const newKeyPrefix = (): string => randomBytes(6).toString('hex');
export const newKeySecret = (): string => randomBytes(32).toString('base64url');
export const apiKeyOf = ({ prefix, secret }: ApiKeyParts): string => `ssk_${prefix}_${secret}`;

export function parseApiKey(token: string): ApiKeyParts | undefined {
  const [, prefix, secret] = pattern.exec(token) ?? [];
  return prefix && secret ? { prefix, secret } : undefined;
}

/** SHA-256, hex. Enough for 256 random bits: nobody guesses them, however fast the hash. */
export const keySecretHash = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** Whether the secret has this hash. Takes the same time either way; against nothing, too. */
export function isKeySecret(secret: string, hash: string | null | undefined): boolean {
  const expected = Buffer.from(hash ?? keySecretHash(''), 'hex');
  const given = Buffer.from(keySecretHash(secret), 'hex');
  return expected.length === given.length && timingSafeEqual(given, expected) && Boolean(hash);
}
