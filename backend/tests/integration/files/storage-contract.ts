import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { FileStorage } from '../../../src/providers/file-storage.provider.ts';
import { newId } from '../../../src/utils/ids.ts';

const MEBIBYTE = 1024 * 1024;

/** Bytes that no two places of a file have in common, piece by piece. */
function* bytesOf(size: number): Generator<Buffer> {
  for (let at = 0; at < size; at += 64 * 1024) {
    const piece = Buffer.alloc(Math.min(64 * 1024, size - at), at % 251);
    if (piece.length >= 8) piece.writeDoubleLE(at);
    yield piece;
  }
}

async function hashOf(content: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of content) hash.update(piece);
  return hash.digest('hex');
}

const keysOf = async (storage: FileStorage, folder: string): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of storage.list(folder)) keys.push(key);
  return keys.toSorted();
};

/** What holds for files wherever they are kept. */
export function storageContract(storageNow: () => FileStorage): void {
  const tenant = () => `tenants/${newId()}`;
  const put = (key: string, content: string) => storageNow().put(key, Readable.from([content]));
  const read = async (key: string) => {
    const found = await storageNow().get(key);
    return found && text(found.content);
  };

  describe('A file', () => {
    it.each([0, 1, 5 * MEBIBYTE + 1, 30 * MEBIBYTE])(
      'of %d bytes comes back as it was put',
      async (size) => {
        const key = `${tenant()}/f.bin`;
        const source = Readable.from(bytesOf(size), { objectMode: false });
        expect(await storageNow().put(key, source)).toEqual({ sizeBytes: size });
        const found = await storageNow().get(key);
        expect(found?.sizeBytes).toBe(size);
        expect(await hashOf(found!.content as AsyncIterable<Buffer>)).toBe(await hashOf(bytesOf(size)));
      },
      60_000,
    );

    it('of text is kept as UTF-8, its size told in bytes', async () => {
      const key = `${tenant()}/a.csv`;
      expect(await storageNow().put(key, Readable.from(['नमस्ते ', 'all']))).toEqual({ sizeBytes: 22 });
      expect(await read(key)).toBe('नमस्ते all');
    });

    it('that is not there is undefined; deleting it does nothing, also twice', async () => {
      const key = `${tenant()}/deep/a.txt`;
      expect(await storageNow().get(key)).toBeUndefined();
      await storageNow().delete(key);
      await put(key, 'x');
      await storageNow().delete(key);
      await storageNow().delete(key);
      expect(await storageNow().get(key)).toBeUndefined();
      expect(await storageNow().get(key.replace('/a.txt', ''))).toBeUndefined();
    });

    it('is replaced as a whole, also while somebody reads it', async () => {
      const key = `${tenant()}/x.bin`;
      await storageNow().put(key, Readable.from(bytesOf(MEBIBYTE), { objectMode: false }));
      const reading = await storageNow().get(key);
      await put(key, 'the second');
      expect(await hashOf(reading!.content as AsyncIterable<Buffer>)).toBe(await hashOf(bytesOf(MEBIBYTE)));
      expect(await read(key)).toBe('the second');
    });

    it('written by several at once is one of theirs, whole', async () => {
      const key = `${tenant()}/x.txt`;
      const contents = Array.from({ length: 5 }, (_, index) => String(index).repeat(10_000));
      await Promise.all(contents.map((content) => put(key, content)));
      expect(contents).toContain(await read(key));
    });

    it.each([0, 100, 12 * MEBIBYTE])(
      'whose source breaks off after %d bytes leaves nothing, and what was there before stays',
      async (size) => {
        const folder = tenant();
        await put(`${folder}/x.bin`, 'before');
        const broken = (): Readable =>
          Readable.from(
            (async function* () {
              for (const piece of bytesOf(size)) yield piece;
              await Promise.resolve();
              throw new Error('broke off');
            })(),
            { objectMode: false },
          );
        for (const name of ['x.bin', 'y.bin']) {
          await expect(storageNow().put(`${folder}/${name}`, broken())).rejects.toThrow('broke off');
        }
        expect(await read(`${folder}/x.bin`)).toBe('before');
        expect(await keysOf(storageNow(), folder)).toEqual([`${folder}/x.bin`]);
      },
      60_000,
    );
  });

  describe('A folder', () => {
    it('lists what lies in it, however deep, with size and time', async () => {
      const folder = tenant();
      const keys = [`${folder}/a.txt`, `${folder}/exports/b.csv`, `${folder}/exports/2026/c.csv`];
      for (const key of keys) await put(key, 'abc');
      expect(await keysOf(storageNow(), folder)).toEqual(keys.toSorted());
      expect(await keysOf(storageNow(), `${folder}/exports`)).toEqual(keys.slice(1).toSorted());
      for await (const { sizeBytes, changedAt } of storageNow().list(folder)) {
        expect(sizeBytes).toBe(3);
        expect(Math.abs(Date.now() - changedAt.getTime())).toBeLessThan(60_000);
      }
    });

    it('is empty where nothing is', async () => {
      expect(await keysOf(storageNow(), tenant())).toEqual([]);
    });

    it('does not reach into one whose name goes on', async () => {
      const folder = tenant();
      await put(`${folder}/logo/a.png`, 'x');
      await put(`${folder}/logo-old/a.png`, 'x');
      expect(await keysOf(storageNow(), `${folder}/logo`)).toEqual([`${folder}/logo/a.png`]);
      for (const shorter of [folder.slice(0, -1), 'tenants', 'tenants/', `${folder}/`, `${folder}/logo/..`, '']) {
        await expect(keysOf(storageNow(), shorter), shorter).rejects.toThrow(/Not a folder/);
      }
    });

    it('of more than a page is listed whole, also while it is emptied', async () => {
      const folder = tenant();
      const count = process.env.TEST_ALL ? 1_100 : 60;
      const names = Array.from({ length: count }, (_, index) => `${folder}/f${index}.txt`);
      for (let at = 0; at < count; at += 20) {
        await Promise.all(names.slice(at, at + 20).map((key) => put(key, 'x')));
      }
      let seen = 0;
      for await (const { key } of storageNow().list(folder)) {
        seen += 1;
        await storageNow().delete(key);
      }
      expect(seen).toBe(count);
      expect(await keysOf(storageNow(), folder)).toEqual([]);
    }, 120_000);
  });

  it.each(['../x', 'platform/../x', 'platform//x', '/etc/passwd', 'tenants/x/y', 'platform/a\\..\\x', 'platform/é'])(
    'The key %j is refused by everything',
    async (key) => {
      await expect(put(key, 'x')).rejects.toThrow(/Not a key/);
      await expect(storageNow().get(key)).rejects.toThrow(/Not a key/);
      await expect(storageNow().delete(key)).rejects.toThrow(/Not a key/);
      const link = storageNow().link?.(key, 60, { name: 'x', type: 'text/csv' });
      if (link) await expect(link).rejects.toThrow(/Not a key/);
    },
  );
}
