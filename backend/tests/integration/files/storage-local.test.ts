import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { localFileStorage } from '../../../src/providers/file-storage-local.provider.ts';
import { newId } from '../../../src/utils/ids.ts';
import { storageContract } from './storage-contract.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'studyspot-files-'));
const storage = localFileStorage(directory);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('Files on the disk', () => {
  storageContract(() => storage);

  it('are readable by the owner of the process alone', async () => {
    const folder = `tenants/${newId()}`;
    await storage.put(`${folder}/a/x.txt`, Readable.from(['x']));
    const modeOf = (name: string) => (statSync(path.join(directory, name)).mode & 0o777).toString(8);
    expect([modeOf(`${folder}/a/x.txt`), modeOf(`${folder}/a`)]).toEqual(['600', '700']);
  });

  it('are not listed while they are written; what a killed process left of one is, after an hour', async () => {
    const folder = `tenants/${newId()}`;
    await storage.put(`${folder}/x.txt`, Readable.from(['x']));
    const draft = path.join(directory, folder, 'y.txt.0123456789ab.tmp');
    writeFileSync(draft, 'half');
    const listed = async () => {
      const keys: string[] = [];
      for await (const { key } of storage.list(folder)) keys.push(key);
      return keys.toSorted();
    };
    expect(await listed()).toEqual([`${folder}/x.txt`]);
    utimesSync(draft, new Date(), new Date(Date.now() - 3_700_000));
    expect(await listed()).toEqual([`${folder}/x.txt`, `${folder}/y.txt.0123456789ab.tmp`]);
    for (const key of await listed()) await storage.delete(key);
    expect(readdirSync(path.join(directory, folder))).toEqual([]);
  });
});
