import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import * as samples from '../files/image-samples.ts';
import { runJobNow } from '../rbac/run-job-now.ts';

const dataDirectory = mkdtempSync(path.join(tmpdir(), 'studyspot-branding-'));
let app: TestApp;
let fileStorage: typeof import('../../../src/services/file-storage.service.ts').fileStorage;
beforeAll(async () => {
  app = await startTestApp({ DATA_DIR: dataDirectory });
  ({ fileStorage } = await import('../../../src/services/file-storage.service.ts'));
});
afterAll(async () => {
  await app.close();
  rmSync(dataDirectory, { recursive: true, force: true });
});

type Options = Parameters<typeof app.call>[2];
/** An owner, and calls of theirs. */
async function anOwner() {
  const { token, tenantId, owner } = await app.ownerWithToken();
  const call = (method: string, below = '', options: Options = {}) =>
    app.call(method, `/api/tenants/${tenantId}/branding${below}`, { token, ...options });
  return {
    tenantId,
    owner,
    get: () => call('GET'),
    put: (body: object, version?: number) =>
      call('PUT', '', { body, headers: version === undefined ? {} : { 'if-match': `"${version}"` } }),
    upload: (content: Uint8Array, name = 'logo.png', headers = {}) =>
      call('POST', '/logo', { form: { file: { name, content } }, headers }),
    remove: () => call('DELETE', '/logo'),
  };
}
const folderOf = (tenantId: string) => path.join(dataDirectory, 'files', 'tenants', tenantId, 'branding');
const filesOf = (tenantId: string) => (existsSync(folderOf(tenantId)) ? readdirSync(folderOf(tenantId)) : []);
const keyOf = async (tenantId: string) =>
  (
    await app.query<{ logo_key: string | null }>(`select logo_key from tenant_branding where tenant_id = $1`, [
      tenantId,
    ])
  )[0]?.logo_key ?? null;
const noUploadsLeft = () =>
  vi.waitFor(() =>
    expect(
      existsSync(path.join(dataDirectory, 'uploads')) ? readdirSync(path.join(dataDirectory, 'uploads')) : [],
    ).toEqual([]),
  );
/** The file of the logo as whoever sees the page gets it. */
const fetchLogo = async (url: string) => {
  const answer = await fetch(`${app.url}${new URL(url).pathname}`);
  return { answer, content: Buffer.from(await answer.arrayBuffer()) };
};

describe('How a space looks', () => {
  it('is that of the product, under the name of the tenant, until something is set', async () => {
    const { tenantId, get } = await anOwner();
    const [tenant] = await app.query<{ name: string }>(`select name from tenants where id = $1`, [tenantId]);
    const answer = await get();
    expectSuccess(answer);
    expect(answer.body.data).toEqual({
      displayName: tenant?.name,
      tagline: null,
      colors: { primary: null, accent: null },
      logo: null,
      version: 0,
      updatedAt: null,
    });
    expect(answer.headers.get('etag')).toBe('"0"');
  });

  it('changes field by field, and goes back', async () => {
    const { tenantId, put, get } = await anOwner();
    const first = await put({ displayName: 'सरस्वती', colors: { primary: '#1B5E20' } });
    expect(first.body.data).toMatchObject({
      displayName: 'सरस्वती',
      colors: { primary: '#1b5e20', accent: null },
      version: 1,
    });
    const second = await put({ tagline: 'A quiet seat', colors: { accent: '#ffffff' } });
    expect(second.body.data).toMatchObject({
      displayName: 'सरस्वती',
      tagline: 'A quiet seat',
      version: 2,
      colors: { primary: '#1b5e20', accent: '#ffffff' },
    });
    const back = await put({ displayName: null, tagline: null, colors: { primary: null } });
    const [tenant] = await app.query<{ name: string }>(`select name from tenants where id = $1`, [tenantId]);
    expect(back.body.data).toMatchObject({
      displayName: tenant?.name,
      tagline: null,
      colors: { primary: null, accent: '#ffffff' },
    });
    expect((await get()).body.data).toEqual(back.body.data);
  });

  it('is not changed by somebody who has not seen the last change; of two at once one is told', async () => {
    const { put } = await anOwner();
    const answers = await Promise.all([put({ tagline: 'one' }, 0), put({ tagline: 'two' }, 0)]);
    expect(statusesOf(answers)).toEqual([200, 412]);
    expectError(await put({ tagline: 'three' }, 0), 412, 'version_mismatch');
    expectSuccess(await put({ tagline: 'three' }, 1));
  });

  it.each([
    [{ colors: { primary: 'red' } }, 'body colors.primary'],
    [{ colors: { primary: '#12345' } }, 'body colors.primary'],
    [{ colors: { accent: '#1b5e20;background:url(//x)' } }, 'body colors.accent'],
    [{ displayName: '' }, 'body displayName'],
    [{ displayName: 'x'.repeat(81) }, 'body displayName'],
    [{ tagline: 'a\u0000b' }, 'body tagline'],
    [{ logoKey: 'platform/x' }, 'body logoKey'],
  ])('refuses %j', async (body, field) => {
    const { put } = await anOwner();
    expectError(await put(body), 400, 'validation_failed', field);
  });
});

describe('A logo', () => {
  it('is encoded anew, and shown by a link that needs no token', async () => {
    const { tenantId, upload, get } = await anOwner();
    const answer = await upload(await samples.jpeg(1024, 512), '../../logo.svg');
    expectSuccess(answer);
    expect(answer.body.data.logo).toEqual({ url: expect.stringMatching(/\/api\/files\//), width: 512, height: 256 });
    const { answer: shown, content } = await fetchLogo((await get()).body.data.logo.url);
    expect(Object.fromEntries(shown.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-disposition': 'inline; filename="logo.png"',
      'x-content-type-options': 'nosniff',
    });
    expect(await sharp(content).metadata()).toMatchObject({ format: 'png', width: 512, height: 256 });
    expect(filesOf(tenantId)).toHaveLength(1);
    await noUploadsLeft();
    const rows = await app.query(
      `select row_to_json(a) as row from audit_logs a where action = 'tenants.logo' and tenant_id = $1`,
      [tenantId],
    );
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).toContain('logo.svg');
  });

  it('that follows another takes its place, and the file of the other is gone', async () => {
    const { tenantId, upload } = await anOwner();
    await upload(await samples.png());
    const [first] = filesOf(tenantId);
    expectSuccess(await upload(await samples.webp()));
    const files = filesOf(tenantId);
    expect(files).toHaveLength(1);
    expect(files[0]).not.toBe(first);
    expect(await keyOf(tenantId)).toBe(`tenants/${tenantId}/branding/${files[0]}`);
  });

  it('of several at once is one of them, and one file is left', async () => {
    const { tenantId, upload, get } = await anOwner();
    const contents = await Promise.all([40, 41, 42, 43].map((width) => samples.png(width, 40)));
    const answers = await Promise.all(contents.map((content) => upload(content)));
    expect(statusesOf(answers)).toEqual([200, 200, 200, 200]);
    const files = filesOf(tenantId);
    expect(files).toEqual([path.basename((await keyOf(tenantId)) ?? '')]);
    const { logo } = (await get()).body.data;
    expect((await sharp((await fetchLogo(logo.url)).content).metadata()).width).toBe(logo.width);
  });

  it('sent again under the same key is stored once', async () => {
    const { tenantId, upload } = await anOwner();
    const headers = { 'idempotency-key': newId() };
    const content = await samples.png();
    await upload(content, 'logo.png', headers);
    const key = await keyOf(tenantId);
    const again = await upload(content, 'logo.png', headers);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await keyOf(tenantId)).toBe(key);
    expectError(await upload(await samples.jpeg(), 'logo.png', headers), 422, 'idempotency_key_reused');
  });

  it('that is removed is gone: row, file and link', async () => {
    const { tenantId, upload, remove } = await anOwner();
    const { url } = (await upload(await samples.png())).body.data.logo;
    const answer = await remove();
    expectSuccess(answer);
    expect(answer.body.data).toMatchObject({ logo: null, version: 2 });
    expect(filesOf(tenantId)).toEqual([]);
    expect((await fetchLogo(url)).answer.status).toBe(404);
    expectError(await remove(), 404, 'not_found');
  });

  it.each<[string, () => Buffer | Promise<Buffer>]>([
    ['an SVG with a script', samples.svg],
    ['a page', () => Buffer.from('<script>alert(1)</script>')],
    ['a GIF', samples.gif],
    ['half a picture', async () => (await samples.png(600, 400)).subarray(0, 300)],
    ['a bomb', () => samples.pngBomb(50_000, 50_000)],
  ])('that is %s is a 400 that names the file, and leaves nothing', async (_what, sample) => {
    const { tenantId, upload, get } = await anOwner();
    const answer = await upload(await sample());
    expectError(answer, 400, 'validation_failed', 'body file');
    expect(filesOf(tenantId)).toEqual([]);
    await noUploadsLeft();
    expect((await get()).body.data).toMatchObject({ logo: null, version: 0 });
  });

  it('of more than 2 MiB is a 413', async () => {
    const { upload } = await anOwner();
    expectError(await upload(new Uint8Array(2 * 1024 * 1024 + 1)), 413, 'payload_too_large');
  });

  it('of another tenant is out of reach: nothing is read, written or removed', async () => {
    const [{ tenantId, upload, get }, { owner }] = [await anOwner(), await anOwner()];
    await upload(await samples.png());
    const { token } = await app.signIn(owner);
    const form = { file: { name: 'x.png', content: await samples.png() } };
    const other = `/api/tenants/${tenantId}/branding`;
    expectError(await app.call('GET', other, { token }), 404, 'not_found');
    expectError(await app.call('PUT', other, { token, body: { tagline: 'mine' } }), 404, 'not_found');
    expectError(await app.call('POST', `${other}/logo`, { token, form }), 404, 'not_found');
    expectError(await app.call('DELETE', `${other}/logo`, { token }), 404, 'not_found');
    expect(filesOf(tenantId)).toHaveLength(1);
    expect((await get()).body.data).toMatchObject({ tagline: null, version: 1 });
  });
});

describe('What goes wrong with a logo', () => {
  const cleanUp = (tenantId: string) => runJobNow('cleanup.logos', { tenantId });
  const age = (tenantId: string, minutes: number) => {
    for (const name of filesOf(tenantId)) {
      utimesSync(path.join(folderOf(tenantId), name), new Date(), new Date(Date.now() - minutes * 60_000));
    }
  };
  const jobsOf = (tenantId: string) =>
    app.query<{ late: boolean }>(
      `select available_at > now() + interval '50 minutes' as late from outbox_messages where job = 'cleanup.logos' and tenant_id = $1`,
      [tenantId],
    );

  it('a storage that does not answer is a 503, and the logo of before stays', async () => {
    const { tenantId, upload } = await anOwner();
    await upload(await samples.png());
    const key = await keyOf(tenantId);
    const { AppError } = await import('../../../src/utils/errors.ts');
    vi.spyOn(fileStorage(), 'put').mockRejectedValue(
      new AppError('service_unavailable', 'The storage does not answer.'),
    );
    expectError(await upload(await samples.jpeg()), 503, 'service_unavailable');
    expect(await keyOf(tenantId)).toBe(key);
    expect(filesOf(tenantId)).toHaveLength(1);
  });

  it('a tenant that is purged while the file is written gets none, and no file is left', async () => {
    const { tenantId, upload } = await anOwner();
    const put = fileStorage().put.bind(fileStorage());
    vi.spyOn(fileStorage(), 'put').mockImplementation(async (key, content) => {
      const done = await put(key, content);
      await app.query(`update tenants set status = 'PURGED' where id = $1`, [tenantId]);
      return done;
    });
    expectError(await upload(await samples.png()), 404, 'not_found');
    expect(filesOf(tenantId)).toEqual([]);
  });

  it('a crash between file and row leaves a file that the job, handed over before, finds', async () => {
    const { tenantId, upload } = await anOwner();
    await upload(await samples.png());
    const key = await keyOf(tenantId);
    // As it stands when the process died: the file is there, the row still names the one before.
    await fileStorage().put(`tenants/${tenantId}/branding/${newId()}.png`, Readable.from(['x']));
    expect(await jobsOf(tenantId)).toContainEqual({ late: true });
    await cleanUp(tenantId);
    expect(filesOf(tenantId), 'somebody may be about to name it').toHaveLength(2);
    age(tenantId, 31);
    await cleanUp(tenantId);
    await cleanUp(tenantId);
    expect(filesOf(tenantId)).toEqual([path.basename(key ?? '')]);
  });

  it('a file that could not be removed after the change is found by the job as well', async () => {
    const { tenantId, upload, remove } = await anOwner();
    await upload(await samples.png());
    vi.spyOn(fileStorage(), 'delete').mockRejectedValueOnce(new Error('not now'));
    expectSuccess(await remove());
    expect(filesOf(tenantId)).toHaveLength(1);
    expect(await jobsOf(tenantId)).toHaveLength(2);
    age(tenantId, 31);
    await cleanUp(tenantId);
    expect(filesOf(tenantId)).toEqual([]);
  });
});
