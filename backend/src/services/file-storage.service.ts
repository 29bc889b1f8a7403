import path from 'node:path';
import { environment } from '../config/environment.ts';
import { localFileStorage } from '../providers/file-storage-local.provider.ts';
import { assertFileKey, type FileStorage } from '../providers/file-storage.provider.ts';

let current: FileStorage | undefined;

/** Where files are kept. Read the row that names a file, under row security, before you hand it out. */
export const fileStorage = (): FileStorage =>
  (current ??= localFileStorage(path.resolve(environment().DATA_DIR, 'files')));

/**
 * The key of a file: those of a tenant lie apart from each other and from the platform's.
 * @throws Error when a part is none, such as `..`
 */
export function fileKey(tenantId: string | null, ...parts: [string, ...string[]]): string {
  const key = [tenantId === null ? 'platform' : `tenants/${tenantId}`, ...parts].join('/');
  assertFileKey(key);
  return key;
}
