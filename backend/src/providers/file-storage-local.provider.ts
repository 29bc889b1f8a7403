import { randomBytes } from 'node:crypto';
import { mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { assertFileKey, assertFolder, type FileStorage, type StoredObject } from './file-storage.provider.ts';

/** Of a file that is being written, after its name. */
const draftPattern = /\.[0-9a-f]{12}\.tmp$/;
/** By then whoever wrote it has died. */
const LEFT_BEHIND_MS = 3_600_000;

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
      const handle = await open(fileOf(key), 'r').catch(undefinedIfGone);
      if (!handle) return undefined;
      const found = await handle.stat();
      if (!found.isFile()) {
        await handle.close();
        return undefined;
      }
      return { content: handle.createReadStream(), sizeBytes: found.size };
    },
    async delete(key) {
      await rm(fileOf(key), { force: true });
    },
    async *list(folder) {
      assertFolder(folder);
      yield* filesBelow(directory, folder);
    },
  };
}

/** Not what is being written; but what a process that died left of it, which whoever empties a folder wants gone too. */
async function* filesBelow(directory: string, folder: string): AsyncGenerator<StoredObject> {
  const opened = await opendir(path.join(directory, ...folder.split('/'))).catch(undefinedIfGone);
  if (!opened) return;
  for await (const entry of opened) {
    const key = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(directory, key);
    if (!entry.isFile()) continue;
    const found = await stat(path.join(directory, ...key.split('/'))).catch(undefinedIfGone);
    const isDraft = draftPattern.test(key) && found && Date.now() - found.mtimeMs < LEFT_BEHIND_MS;
    if (found && !isDraft) yield { key, sizeBytes: found.size, changedAt: found.mtime };
  }
}

function undefinedIfGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}
