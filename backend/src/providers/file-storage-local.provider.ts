import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { assertFileKey, type FileStorage } from './file-storage.provider.ts';

/** Keeps files in a directory, readable by the owner of the process alone. */
export function localFileStorage(directory: string): FileStorage {
  const fileOf = (key: string) => {
    assertFileKey(key);
    return path.join(directory, ...key.split('/'));
  };
  return {
    async put(key, content) {
      const file = fileOf(key);
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`;
      // Opened before anything can fail: a stream that opens by itself may do so after the draft was removed.
      const handle = await open(draft, 'wx', 0o600);
      try {
        const written = handle.createWriteStream({ flush: true });
        await pipeline(content, written);
        await rename(draft, file);
        return { sizeBytes: written.bytesWritten };
      } catch (error) {
        await handle.close().catch(() => {});
        await rm(draft, { force: true });
        throw error;
      }
    },
    async get(key) {
      // Opened once, so that size and content are of the same file even if it is replaced meanwhile.
      const handle = await open(fileOf(key), 'r').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (!handle) return undefined;
      const { size } = await handle.stat();
      return { content: handle.createReadStream(), sizeBytes: size };
    },
    async delete(key) {
      await rm(fileOf(key), { force: true });
    },
  };
}
