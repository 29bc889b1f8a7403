import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { localFileStorage } from '../../src/providers/file-storage-local.provider.ts';
import { assertFileKey } from '../../src/providers/file-storage.provider.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'studyspot-files-'));
const storage = localFileStorage(directory);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('The local file storage', () => {
  it('gives back what was put, and forgets what was deleted', async () => {
    const key = 'platform/exports/a.csv';
    expect(await storage.put(key, Readable.from(['नमस्ते ', 'all']))).toEqual({ sizeBytes: 22 });
    const found = await storage.get(key);
    expect(found?.sizeBytes).toBe(22);
    expect(await text(found!.content)).toBe('नमस्ते all');
    await storage.delete(key);
    await storage.delete(key);
    expect(await storage.get(key)).toBeUndefined();
  });

  it('replaces a file as a whole, also while somebody reads it', async () => {
    const key = 'tenants/cm3k8v1x40000qp2h9d7f5a6b/x.txt';
    await storage.put(key, Readable.from(['first']));
    const reading = await storage.get(key);
    await storage.put(key, Readable.from(['the second']));
    expect(await text(reading!.content)).toBe('first');
    expect(await text((await storage.get(key))!.content)).toBe('the second');
  });

  it('keeps nothing of what broke off', async () => {
    const broken = Readable.from(
      (async function* () {
        yield await Promise.resolve('half');
        throw new Error('broke off');
      })(),
    );
    await expect(storage.put('platform/broken/x', broken)).rejects.toThrow('broke off');
    expect(readdirSync(path.join(directory, 'platform', 'broken'))).toEqual([]);
  });

  it.each([
    '../x',
    'platform/../x',
    'platform/..',
    'platform/./x',
    'platform//x',
    'platform/',
    'platform',
    'platform/.hidden',
    'platform/a\\..\\x',
    'platform/x\0',
    'platform/a/b..c/d/../../../../etc/passwd',
    '/etc/passwd',
    'tenants/x',
    'tenants/not-an-id/x',
    'tenants/cm3k8v1x40000qp2h9d7f5a6b',
    'somewhere/x',
    `platform/${'x'.repeat(400)}`,
    'platform/é',
  ])('refuses the key %j', async (key) => {
    expect(() => assertFileKey(key)).toThrow(/Not a key/);
    await expect(storage.put(key, Readable.from(['x']))).rejects.toThrow(/Not a key/);
    await expect(storage.get(key)).rejects.toThrow(/Not a key/);
    await expect(storage.delete(key)).rejects.toThrow(/Not a key/);
    expect(readFileSync('/etc/passwd', 'utf8')).not.toBe('x');
  });
});
