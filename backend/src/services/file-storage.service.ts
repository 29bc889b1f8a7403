import path from 'node:path';
import { environment } from '../config/environment.ts';
import { localFileStorage } from '../providers/file-storage-local.provider.ts';
import { s3FileStorage } from '../providers/file-storage-s3.provider.ts';
import { assertFileKey, type FileStorage } from '../providers/file-storage.provider.ts';

let current: FileStorage | undefined;

const DELETED_AT_ONCE = 16;

/**
 * Where files are kept: on the disk of this machine or in a bucket, as `FILE_STORAGE` says. Read the row that names a
 * file, under row security, before you hand it out.
 */
export const fileStorage = (): FileStorage => (current ??= storageOfEnvironment());

function storageOfEnvironment(): FileStorage {
  const env = environment();
  if (env.FILE_STORAGE === 'local') return localFileStorage(path.resolve(env.DATA_DIR, 'files'));
  return s3FileStorage({
    endpoint: env.S3_ENDPOINT,
    region: env.S3_REGION,
    bucket: env.S3_BUCKET ?? '',
    accessKeyId: env.S3_ACCESS_KEY_ID ?? '',
    secretAccessKey: env.S3_SECRET_ACCESS_KEY ?? '',
    forcePathStyle: env.S3_FORCE_PATH_STYLE,
  });
}

/**
 * The key of a file: those of a tenant lie apart from each other and from the platform's.
 * @throws Error when a part is none, such as `..`
 */
export function fileKey(tenantId: string | null, ...parts: [string, ...string[]]): string {
  const key = [tenantId === null ? 'platform' : `tenants/${tenantId}`, ...parts].join('/');
  assertFileKey(key);
  return key;
}

/**
 * Removes all files below a folder such as `tenants/ID`. It may be called again after a failure, and goes on.
 * @param options `signal` ends it with its reason; only files that were last changed before `olderThan` go
 * @returns how many files it removed
 * @throws AppError service_unavailable
 */
export async function deleteFilesBelow(
  folder: string,
  { signal, olderThan, keep }: { signal?: AbortSignal; olderThan?: Date; keep?: (key: string) => boolean } = {},
): Promise<number> {
  let removed = 0;
  let batch: string[] = [];
  const removeBatch = async (): Promise<void> => {
    signal?.throwIfAborted();
    await Promise.all(batch.map((key) => fileStorage().delete(key)));
    removed += batch.length;
    batch = [];
  };
  for await (const { key, changedAt } of fileStorage().list(folder)) {
    if ((olderThan && changedAt >= olderThan) || keep?.(key)) continue;
    batch.push(key);
    if (batch.length >= DELETED_AT_ONCE) await removeBatch();
  }
  await removeBatch();
  return removed;
}
