import type { Readable } from 'node:stream';

export type StoredFile = { content: Readable; sizeBytes: number };

/**
 * Something that keeps files under keys such as `tenants/ID/exports/x.csv`: what an S3 bucket can do, and no more.
 * Keys come from `fileKey`; anything else is refused.
 */
export type FileStorage = {
  /** Keeps what the stream gives; nobody sees a part of it, and what was there before is replaced at once. */
  put(key: string, content: Readable): Promise<{ sizeBytes: number }>;
  /** Undefined when there is none. */
  get(key: string): Promise<StoredFile | undefined>;
  /** Does nothing when there is none. */
  delete(key: string): Promise<void>;
};

const keyPattern = /^(?:platform|tenants\/c[a-z0-9]{24})(?:\/[a-zA-Z0-9][\w-]*(?:\.[\w-]+)*)+$/;

/** @throws Error for a key that could lead elsewhere, or into the space of nobody */
export function assertFileKey(key: string): void {
  if (key.length > 400 || !keyPattern.test(key)) throw new Error(`Not a key of the file storage: ${key.slice(0, 100)}`);
}
