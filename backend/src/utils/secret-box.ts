import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { environment } from '../config/environment.ts';

// Secrets that have to be read again, such as that of an authenticator app: AES-256-GCM, with the id of the key beside
// them, so that a key can be replaced (rule 37).

const VERSION = 'v1';

type Key = { id: string; key: Buffer };

const keyOf = (secret: string): Key => ({
  id: createHash('sha256').update(`seal:${secret}`).digest('hex').slice(0, 8),
  key: Buffer.from(hkdfSync('sha256', secret, '', 'studyspot secret box', 32)),
});

let keys: Key[] | undefined;

/** The current key, then the one before. */
const allKeys = (): Key[] =>
  (keys ??= [environment().ENCRYPTION_KEY, environment().ENCRYPTION_KEY_PREVIOUS]
    .filter((secret) => secret !== undefined)
    .map(keyOf));

/**
 * Seals a secret.
 * @param purpose what it belongs to, such as `totp:USER_ID`; it opens for the same purpose only, so that a sealed text
 *   that is copied to another row is worth nothing
 */
export function seal(secret: string, purpose: string): string {
  const [current] = allKeys() as [Key];
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', current.key, nonce).setAAD(Buffer.from(purpose));
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return [VERSION, current.id, nonce.toString('base64url'), sealed.toString('base64url')].join('.');
}

/**
 * Opens what `seal` made for the same purpose.
 * @throws Error when it was changed, belongs to something else, or its key is neither the current nor the previous one
 */
export function unseal(box: string, purpose: string): string {
  const [version, keyId, nonce = '', sealed = ''] = box.split('.');
  const found = allKeys().find(({ id }) => id === keyId);
  if (version !== VERSION || !found) {
    throw new Error(
      'A secret was sealed with a key that this process does not have: set ENCRYPTION_KEY_PREVIOUS to it',
    );
  }
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', found.key, Buffer.from(nonce, 'base64url'), { authTagLength: 16 })
    .setAAD(Buffer.from(purpose))
    .setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8');
}

/** Whether it should be sealed again, with the current key. */
export const isSealedWithOldKey = (box: string): boolean => box.split('.')[1] !== allKeys()[0]?.id;

/** Names the key that seals today, as it stands in what it has sealed. */
export const sealingKeyId = (): string => (allKeys()[0] as Key).id;
