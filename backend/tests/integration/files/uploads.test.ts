import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { toOpenApi } from '../../../src/routes/openapi.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { rawRequestTo } from '../../support/raw-request.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { seen, startUploadApp } from './upload-app.ts';

const MAX_BYTES = 100_000;
const dataDirectory = mkdtempSync(path.join(tmpdir(), 'studyspot-uploads-'));
const uploads = path.join(dataDirectory, 'uploads');

let app: TestApp;
let server: Awaited<ReturnType<typeof startUploadApp>>;
let token: string;
beforeAll(async () => {
  app = await startTestApp({ DATA_DIR: dataDirectory });
  server = await startUploadApp(MAX_BYTES);
  token = await app.adminToken();
});
afterEach(async () => {
  Object.assign(seen, { uploads: [], failure: undefined, wait: undefined });
  await vi.waitFor(() => expect(readdirSync(uploads)).toEqual([]));
});
afterAll(async () => {
  await server.close();
  await app.close();
  rmSync(dataDirectory, { recursive: true, force: true });
});

type Form = NonNullable<Parameters<typeof server.call>[2]>['form'];
const send = (form: Form, headers: Record<string, string> = {}) =>
  server.call('POST', '/api/files', { token, form, headers });
const file = (content: string | Uint8Array, name = 'people.csv') => ({ name, content, type: 'text/csv' });
const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');

/** A form as its bytes, for what FormData would not write. */
const sendRaw = (parts: string, headers: Record<string, string> = {}) =>
  rawRequestTo(server.url)({
    method: 'POST',
    path: '/api/files',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'multipart/form-data; boundary=b',
      'content-length': String(Buffer.byteLength(parts)),
      ...headers,
    },
    body: [Buffer.from(parts)],
  });
const part = (disposition: string, content: string, type = 'text/csv') =>
  `--b\r\nContent-Disposition: form-data; ${disposition}\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`;
const filePart = part('name="file"; filename="a.csv"', 'name\r\nRavi');

describe('A file that is sent', () => {
  it('lies on disk for the handler, readable by the owner of the process alone, and is gone afterwards', async () => {
    const answer = await send({ title: 'March', file: file('name,phone\nRavi,98290') });
    expectSuccess(answer, 201);
    expect(answer.body.data).toEqual({
      name: 'people.csv',
      sizeBytes: 21,
      sha256: sha256('name,phone\nRavi,98290'),
      mode: '600',
      text: 'name,phone\nRavi,98290',
    });
    const where = seen.uploads[0]?.path ?? '';
    expect(where).toMatch(/\/uploads\/[0-9a-f]{32}\.upload$/);
    expect(existsSync(where)).toBe(false);
  });

  it('may come before the fields, be empty, or be just as large as allowed', async () => {
    expectSuccess(await send({ file: file('x'), title: 'March' }), 201);
    const empty = await send({ file: file('') });
    expect(empty.body.data).toMatchObject({ sizeBytes: 0, sha256: sha256('') });
    const full = new Uint8Array(MAX_BYTES).fill(120);
    expect((await send({ file: file(full) })).body.data).toMatchObject({ sizeBytes: MAX_BYTES, sha256: sha256(full) });
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\temp\\people.csv', 'people.csv'],
    ['..', 'file'],
    ['a\u202egnp.exe', 'agnp.exe'],
    ['विद्यार्थी सूची.csv', 'विद्यार्थी सूची.csv'],
    ['क्\u200dष.csv', 'क्\u200dष.csv'],
    [`${'ल'.repeat(300)}.csv`, 'ल'.repeat(200)],
    [`😀`.repeat(250), '😀'.repeat(200)],
  ])('called %j is called %j, and never lies under a name of its sender', async (name, told) => {
    const answer = await send({ file: file('x', name) });
    expect(answer.body.data?.name, answer.text).toBe(told);
    expect(path.basename(seen.uploads[0]!.path)).toMatch(/^[0-9a-f]{32}\.upload$/);
  });

  it('is removed when the handler fails', async () => {
    seen.failure = new Error('broke');
    expectError(await send({ file: file('x') }), 500, 'internal_error');
    expect(seen.uploads).toHaveLength(1);
    expect(existsSync(seen.uploads[0]!.path)).toBe(false);
  });

  it('is removed when a field is wrong, and the handler is not called', async () => {
    expectError(await send({ dryRun: 'maybe', file: file('x') }), 400, 'validation_failed', 'body dryRun');
    expectError(await send({ nonsense: '1', file: file('x') }), 400, 'validation_failed', 'body nonsense');
    expectError(await send({ __proto__: '1', ['constructor']: 'x', file: file('x') }), 400, 'validation_failed');
    expect(seen.uploads).toEqual([]);
  });

  it('of a size that does not matter is not read from somebody who may not send it', async () => {
    const answer = await server.call('POST', '/api/files', { form: { file: file('x') } });
    expectError(answer, 401, 'unauthenticated');
    expect(seen.uploads).toEqual([]);
  });
});

describe('A form that is not right', () => {
  it('without the file, with a text in its place, or empty names the field', async () => {
    expectError(await send({ title: 'March' }), 400, 'validation_failed', 'body file');
    expectError(await send({ file: 'text' }), 400, 'validation_failed', 'body file');
    expectError(await sendRaw('--b--\r\n'), 400, 'validation_failed', 'body file');
    expectError(await server.call('POST', '/api/files', { token }), 400, 'validation_failed', 'body file');
  });

  it('tells all that is wrong at once', async () => {
    const answer = await send({ title: 'x'.repeat(51), dryRun: 'maybe' });
    for (const field of ['file', 'title', 'dryRun']) expectError(answer, 400, 'validation_failed', `body ${field}`);
  });

  it('with two files, or a file in another field, is refused by name', async () => {
    expectError(await sendRaw(`${filePart}${filePart}--b--\r\n`), 400, 'validation_failed', 'body file');
    expectError(await send({ title: file('x') }), 400, 'validation_failed', 'body title');
    expectError(await send({ avatar: file('x'), file: file('x') }), 400, 'validation_failed', 'body avatar');
  });

  it('with a field twice is refused by name', async () => {
    const twice = part('name="title"', 'a', 'text/plain').repeat(2);
    expectError(await sendRaw(`${twice}${filePart}--b--\r\n`), 400, 'validation_failed', 'body title');
  });

  it('with too many fields, too long ones or huge heads is refused', async () => {
    const many = Array.from({ length: 30 }, (_, index) => part(`name="f${index}"`, 'x', 'text/plain')).join('');
    expectError(await sendRaw(`${many}${filePart}--b--\r\n`), 413, 'payload_too_large');
    expectError(await send({ title: 'x'.repeat(20_000), file: file('x') }), 400, 'validation_failed', 'body title');
    const head = `--b\r\nContent-Disposition: form-data; name="title"\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\nx\r\n`;
    const answer = await sendRaw(`${head}${filePart}--b--\r\n`);
    expect([201, 400], 'what is too long of a head is not kept').toContain(answer.status);
  });

  it.each([
    ['JSON', '{"title":"March"}', { 'content-type': 'application/json' }],
    ['a form of the other kind', 'title=March', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['something else', filePart, { 'content-type': 'multipart/mixed; boundary=b' }],
    ['something compressed', filePart, { 'content-encoding': 'gzip' }],
  ])('but %s is a 415', async (_what, body, headers) => {
    expectError(await sendRaw(body, headers), 415, 'unsupported_media_type');
  });

  it.each([
    ['without its end', filePart],
    ['that breaks off in a head', '--b\r\nContent-Disposition: form-da'],
    ['that breaks off in the file', '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc'],
    ['of anything', 'hello'],
  ])('%s is a 400', async (_what, body) => {
    expectError(await sendRaw(body), 400, 'malformed_request');
  });

  it('whose boundary is not told is a 400', async () => {
    const headers = { 'content-type': 'multipart/form-data' };
    expectError(await sendRaw(filePart, headers), 400, 'malformed_request');
  });

  it('however it is garbled, is answered, and leaves no file', async () => {
    const whole = `${part('name="title"', 'March', 'text/plain')}${filePart}--b--\r\n`;
    const rounds = process.env.TEST_ALL ? 2_000 : 150;
    for (let round = 0; round < rounds; round += 1) {
      const bytes = Buffer.from(whole);
      for (let change = 0; change <= round % 4; change += 1) {
        bytes[Math.floor(Math.random() * bytes.length)] = Math.floor(Math.random() * 256);
      }
      const garbled = bytes.subarray(0, round % 5 === 0 ? Math.floor(Math.random() * bytes.length) + 1 : undefined);
      const answer = await rawRequestTo(server.url)({
        method: 'POST',
        path: '/api/files',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'multipart/form-data; boundary=b',
          'content-length': String(garbled.length),
        },
        body: [garbled],
      });
      expect([201, 400], `${garbled.toString('hex')}: ${answer.text}`).toContain(answer.status);
    }
  }, 60_000);
});

describe('A file that is too large', () => {
  it('is a 413 that tells the limit, by one byte', async () => {
    const answer = await send({ file: file(new Uint8Array(MAX_BYTES + 1)) });
    expectError(answer, 413, 'payload_too_large');
    expect(answer.body.error.message).toContain('97 KiB');
    expect(seen.uploads).toEqual([]);
  });

  it('by its announced length is a 413 before a byte of it is read', async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write(
      `POST /api/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
        'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000000000\r\n\r\n',
    );
    const text = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
    expect(text).toContain('HTTP/1.1 413');
    socket.destroy();
  });

  it('and sent without end is a 413 at once; who goes on sending is cut off', async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    let text = '';
    socket.on('data', (data) => (text += data.toString())).on('error', () => {});
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const started = Date.now();
    socket.write(
      `POST /api/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
        'Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const chunk = (content: string) => `${Buffer.byteLength(content).toString(16)}\r\n${content}\r\n`;
    socket.write(chunk('--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'));
    let answeredAfter = 0;
    while (!socket.destroyed && Date.now() - started < 15_000) {
      socket.write(chunk('x'.repeat(20_000)));
      if (!answeredAfter && text.includes('413')) answeredAfter = Date.now() - started;
      await sleep(20);
    }
    await closed;
    expect(text).toContain('payload_too_large');
    expect(answeredAfter).toBeLessThan(2_000);
    expect(Date.now() - started).toBeLessThan(10_000);
  });
});

describe('What goes wrong on the way', () => {
  it('a sender who goes away in the middle leaves nothing', async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write(
      `POST /api/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
        'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 50000\r\n\r\n' +
        `--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n${'x'.repeat(20_000)}`,
    );
    await vi.waitFor(() => expect(readdirSync(uploads)).toHaveLength(1));
    socket.destroy();
    await vi.waitFor(() => expect(readdirSync(uploads)).toHaveLength(0));
    expect(seen.uploads).toEqual([]);
  });

  it('a sender who goes away while the handler works leaves nothing', async () => {
    let finish = (): void => {};
    seen.wait = new Promise((resolve) => (finish = resolve));
    const sent = fetch(`${server.url}/api/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=b' },
      body: `${filePart}--b--\r\n`,
      signal: AbortSignal.timeout(300),
    });
    await expect(sent).rejects.toThrow();
    expect(readdirSync(uploads)).toHaveLength(1);
    finish();
  });

  it('what a killed process left behind is swept after an hour, and nothing younger', async () => {
    const { removeLeftBehind } = await import('../../../src/middleware/upload.middleware.ts');
    mkdirSync(uploads, { recursive: true });
    const [old, young] = ['old.upload', 'young.upload'].map((name) => path.join(uploads, name)) as [string, string];
    for (const name of [old, young]) writeFileSync(name, 'x');
    utimesSync(old, new Date(), new Date(Date.now() - 3_700_000));
    expect(await removeLeftBehind()).toBe(1);
    expect(readdirSync(uploads)).toEqual(['young.upload']);
    rmSync(young);
  });

  it('forty at once do not get in the way of each other', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => send({ file: file(`content ${index}`) })),
    );
    expect(answers.map(({ body }) => body.data?.text)).toEqual(
      Array.from({ length: 40 }, (_, index) => `content ${index}`),
    );
  });
});

describe('An Idempotency-Key', () => {
  it('gives the first answer again for the same file, and refuses another file or name under the same key', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    expectSuccess(await send({ title: 'March', file: file('a') }, headers), 201);
    const again = await send({ title: 'March', file: file('a') }, headers);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body.data.sha256).toBe(sha256('a'));
    expect(seen.uploads).toHaveLength(1);
    for (const other of [file('b'), file('a', 'other.csv')]) {
      expectError(await send({ title: 'March', file: other }, headers), 422, 'idempotency_key_reused');
    }
    expectError(await send({ title: 'April', file: file('a') }, headers), 422, 'idempotency_key_reused');
  });
});

describe('The document', () => {
  it('tells of a form with a file, and of what goes wrong with one', () => {
    const operation = toOpenApi([server.module]).paths?.['/api/files']?.post;
    expect(operation?.requestBody).toMatchObject({
      required: true,
      content: {
        'multipart/form-data': {
          schema: {
            type: 'object',
            properties: {
              file: { type: 'string', format: 'binary', description: `A text. At most ${MAX_BYTES} bytes.` },
              title: { type: 'string' },
            },
            required: ['file'],
            additionalProperties: false,
          },
          example: { title: 'March', dryRun: 'true', file: '(the file)' },
        },
      },
    });
    expect(Object.keys(operation?.responses ?? {})).toEqual(expect.arrayContaining(['400', '408', '413', '415']));
  });
});
