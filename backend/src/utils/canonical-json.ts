import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** The one JSON text of a value (RFC 8785): equal values give equal bytes, whatever the order of their keys. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('Only what JSON can express has a canonical form');
  return text;
}

/** SHA-256, hex. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
