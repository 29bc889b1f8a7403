import type { Readable } from 'node:stream';

export type StoredFile = { content: Readable; sizeBytes: number };

export type StoredObject = { key: string; sizeBytes: number; changedAt: Date };

/** How a file is handed out to somebody who follows a link. */
export type LinkedFile = {
  /** What it is called when it is saved. */
  name: string;
  type: string;
  /** Shown by the browser instead of saved; for images that we encoded ourselves alone. */
  inline?: boolean;
};

/**
 * Something that keeps files under keys such as `tenants/ID/exports/x.csv`: what an S3 bucket can do, and no more.
 * Keys come from `fileKey`; anything else is refused. Whatever does not answer in time is `service_unavailable`.
 */
export type FileStorage = {
  /** Keeps what the stream gives; nobody sees a part of it, and what was there before is replaced at once. */
  put(key: string, content: Readable): Promise<{ sizeBytes: number }>;
  /** Undefined when there is none. */
  get(key: string): Promise<StoredFile | undefined>;
  /** Does nothing when there is none. */
  delete(key: string): Promise<void>;
  /**
   * What lies below a folder such as `tenants/ID`, in no order; what is written or removed meanwhile may be in it or
   * not. Never more than a page of it is in memory.
   */
  list(folder: string): AsyncIterable<StoredObject>;
  /** A link that the storage itself answers; undefined where it cannot, and we have to. */
  link?(key: string, seconds: number, file: LinkedFile): Promise<string>;
};

const keyPattern = /^(?:platform|tenants\/c[a-z0-9]{24})(?:\/[a-zA-Z0-9][\w-]*(?:\.[\w-]+)*)+$/;
const folderPattern = /^(?:platform|tenants\/c[a-z0-9]{24})(?:\/[a-zA-Z0-9][\w-]*(?:\.[\w-]+)*)*$/;

/** @throws Error for a key that could lead elsewhere, or into the space of nobody */
export function assertFileKey(key: string): void {
  if (key.length > 400 || !keyPattern.test(key)) throw new Error(`Not a key of the file storage: ${key.slice(0, 100)}`);
}

/** @throws Error for anything but the space of one tenant, the platform's, or a folder in it */
export function assertFolder(folder: string): void {
  if (folder.length > 400 || !folderPattern.test(folder)) {
    throw new Error(`Not a folder of the file storage: ${folder.slice(0, 100)}`);
  }
}
