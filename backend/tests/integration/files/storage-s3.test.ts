import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { s3FileStorage } from '../../../src/providers/file-storage-s3.provider.ts';
import type { FileStorage } from '../../../src/providers/file-storage.provider.ts';
import { newId } from '../../../src/utils/ids.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { missingOfSwift, startSwift, type SwiftServer } from '../../support/swift-server.ts';
import { runExports } from '../audit/support.ts';
import { png } from './image-samples.ts';
import { storageContract } from './storage-contract.ts';

const missing = missingOfSwift();
const why =
  missing.length > 0 ? ` (skipped: ${missing.join(', ')} not installed; ./studyspot test --all installs it)` : '';

describe.skipIf(missing.length > 0)(`Files in a bucket${why}`, () => {
  let server: SwiftServer;
  let storage: FileStorage;
  beforeAll(async () => {
    server = await startSwift();
    storage = s3FileStorage(server);
  }, 120_000);
  afterAll(() => server.close());

  storageContract(() => storage);

  it('are not handed out, listed, kept or removed with a wrong secret or key', async () => {
    const key = `tenants/${newId()}/x.txt`;
    await storage.put(key, Readable.from(['x']));
    for (const wrong of [{ secretAccessKey: 'wrong' }, { accessKeyId: 'test:nobody' }]) {
      const stranger = s3FileStorage({ ...server, ...wrong });
      const refused = { code: 'service_unavailable', cause: expect.objectContaining({ $metadata: expect.anything() }) };
      await expect(stranger.get(key)).rejects.toMatchObject(refused);
      await expect(stranger.put(key, Readable.from(['y']))).rejects.toMatchObject(refused);
      await expect(stranger.delete(key)).rejects.toMatchObject(refused);
      await expect(stranger.list('platform')[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused);
    }
    expect((await fetch(`${server.endpoint}/${server.bucket}/${key}`)).status).toBeGreaterThanOrEqual(400);
    expect(await text((await storage.get(key))!.content)).toBe('x');
  });

  it('a bucket that is not there is an outage, not a file that is missing', async () => {
    const lost = s3FileStorage({ ...server, bucket: 'nowhere' });
    await expect(lost.get(`tenants/${newId()}/x`)).rejects.toMatchObject({ code: 'service_unavailable' });
  });

  it('that break off leave no parts of an upload behind', async () => {
    const { endpoint, region, accessKeyId, secretAccessKey } = server;
    const client = new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: server.bucket }));
    expect(Uploads).toEqual([]);
  });

  describe('A link', () => {
    const names = ['people.csv', 'people of March.csv', 'विद्यार्थी "सूची"; x.csv', 'naïve\r\nSet-Cookie: a=b.csv'];
    it.each(names)('hands the file out, to be saved as %j', async (name) => {
      const key = `tenants/${newId()}/x.csv`;
      await storage.put(key, Readable.from(['a,b']));
      const answer = await fetch((await storage.link?.(key, 60, { name, type: 'text/csv' })) ?? '');
      expect(answer.status).toBe(200);
      expect(await answer.text()).toBe('a,b');
      expect(answer.headers.get('content-type')).toMatch(/^text\/csv/);
      const disposition = answer.headers.get('content-disposition') ?? '';
      expect(disposition).toMatch(/^attachment; filename=/);
      const told = /filename\*=UTF-8''([^;]+)/.exec(disposition)?.[1];
      if (told) expect(decodeURIComponent(told)).toBe(name);
      else expect(disposition).toContain(`"${name}"`);
      expect(answer.headers.get('set-cookie')).toBeNull();
    });

    it('is worth nothing for another file, another name or a longer time', async () => {
      const folder = `tenants/${newId()}`;
      for (const name of ['x.csv', 'y.csv']) await storage.put(`${folder}/${name}`, Readable.from([name]));
      const url = (await storage.link?.(`${folder}/x.csv`, 60, { name: 'x.csv', type: 'text/csv' })) ?? '';
      expect((await fetch(url)).status).toBe(200);
      for (const changed of [
        url.replace('/x.csv?', '/y.csv?'),
        url.replace('text%2Fcsv', 'text%2Fhtml'),
        url.replace('attachment', 'inline'),
        url.replace('X-Amz-Expires=60', 'X-Amz-Expires=6000'),
        url.replace(/X-Amz-Signature=./, 'X-Amz-Signature=g'),
        url.slice(0, url.indexOf('?')),
      ]) {
        expect(changed).not.toBe(url);
        expect((await fetch(changed)).status, changed).toBeGreaterThanOrEqual(400);
      }
    });

    it('ends', async () => {
      const key = `tenants/${newId()}/x.csv`;
      await storage.put(key, Readable.from(['x']));
      const url = (await storage.link?.(key, 1, { name: 'x.csv', type: 'text/csv' })) ?? '';
      await sleep(2_200);
      expect((await fetch(url)).status).toBe(403);
    });
  });

  describe('are those of the API: it', () => {
    let app: TestApp;
    beforeAll(async () => {
      app = await startTestApp({
        FILE_STORAGE: 's3',
        S3_ENDPOINT: server.endpoint,
        S3_REGION: server.region,
        S3_BUCKET: server.bucket,
        S3_ACCESS_KEY_ID: server.accessKeyId,
        S3_SECRET_ACCESS_KEY: server.secretAccessKey,
        S3_FORCE_PATH_STYLE: 'true',
      });
    }, 120_000);
    afterAll(() => app.close());

    it('keeps a logo there, whose link leads to the bucket, and removes it', async () => {
      const { token, tenantId } = await app.ownerWithToken();
      const path = `/api/tenants/${tenantId}/branding/logo`;
      const form = { file: { name: 'logo.png', content: await png() } };
      const { body } = await app.call('POST', path, { token, form });
      expect(body.data.logo.url).toContain(`${server.endpoint}/files/tenants/${tenantId}/branding/`);
      const shown = await fetch(body.data.logo.url);
      expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'image/png']);
      expect(shown.headers.get('content-disposition')).toBe('inline; filename="logo.png"');
      expect((await app.call('DELETE', path, { token })).status).toBe(200);
      expect((await fetch(body.data.logo.url)).status).toBe(404);
    });

    it('writes an export of the audit trail there, and hands it out', async () => {
      const token = await app.elevatedToken();
      const made = await app.call('POST', '/api/audit/exports', { token, body: { format: 'JSONL' } });
      await runExports(app);
      const { id } = made.body.data;
      const answer = await app.call('GET', `/api/audit/exports/${id}/download`, { token });
      expect(answer.status, answer.text).toBe(200);
      expect(answer.text.trim().split('\n').at(-1)).toContain('"trailer"');
    });

    it('empties the space of a tenant, and no other', async () => {
      const { deleteFilesBelow, fileStorage } = await import('../../../src/services/file-storage.service.ts');
      const [one, other] = [`tenants/${newId()}`, `tenants/${newId()}`];
      for (let index = 0; index < 40; index += 1) await fileStorage().put(`${one}/${index}.txt`, Readable.from(['x']));
      await fileStorage().put(`${other}/x.txt`, Readable.from(['x']));
      expect(await deleteFilesBelow(one, { keep: (key) => key.endsWith('/7.txt') })).toBe(39);
      expect(await deleteFilesBelow(one)).toBe(1);
      expect(await deleteFilesBelow(one)).toBe(0);
      expect(await deleteFilesBelow(other)).toBe(1);
      const signal = AbortSignal.abort(new Error('time is up'));
      await expect(deleteFilesBelow(other, { signal })).rejects.toThrow('time is up');
    });
  });
});

describe('A storage that does not answer', () => {
  const waits = { connectMs: 300, answerMs: 300, stallMs: 500 };
  const options = {
    region: 'auto',
    bucket: 'files',
    accessKeyId: 'a',
    secretAccessKey: 'b',
    forcePathStyle: true,
    waits,
  };
  const key = `tenants/${newId()}/x.txt`;
  const refused = { code: 'service_unavailable' };
  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
  const everything = async (storage: FileStorage) => {
    const began = Date.now();
    await Promise.all([
      expect(storage.get(key)).rejects.toMatchObject(refused),
      expect(storage.put(key, Readable.from(['x']))).rejects.toMatchObject(refused),
      expect(storage.delete(key)).rejects.toMatchObject(refused),
      expect(storage.list('platform')[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused),
    ]);
    expect(Date.now() - began).toBeLessThan(8_000);
  };

  it('because nobody listens is told as unavailable', async () => {
    await everything(s3FileStorage({ ...options, endpoint: 'http://127.0.0.1:1' }));
  });

  it('because it hangs is given up', async () => {
    const server = createTcpServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await everything(s3FileStorage({ ...options, endpoint: `http://127.0.0.1:${portOf(server)}` }));
    server.close();
  });

  it('in the middle of a file breaks the stream off', async () => {
    const server: Server = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('x'.repeat(10));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const storage = s3FileStorage({ ...options, endpoint: `http://127.0.0.1:${portOf(server)}` });
    const found = await storage.get(key);
    expect(found?.sizeBytes).toBe(1000);
    await expect(text(found!.content)).rejects.toThrow();
    server.closeAllConnections();
    server.close();
  });
});
