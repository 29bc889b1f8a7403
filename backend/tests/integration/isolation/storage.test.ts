import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as provider from '../../../src/providers/file-storage.provider.ts';
import { newId } from '../../../src/utils/ids.ts';
import type { LinkClaims } from '../../../src/utils/link-token.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { png } from '../files/image-samples.ts';

// The layer of the storage: files of tenants lie apart, no key leads from one to another, and no link says more than was
// signed. Each attack is tried once more with the layer taken away, where it has to succeed: else the test proves nothing.

const dataDirectory = mkdtempSync(path.join(tmpdir(), 'studyspot-apart-'));
let app: TestApp;
let storage: typeof import('../../../src/services/file-storage.service.ts');
let links: typeof import('../../../src/services/file-links.service.ts');
let tokens: typeof import('../../../src/utils/link-token.ts');
let mine: { tenantId: string; token: string };
let theirs: { tenantId: string; token: string; key: string };
beforeAll(async () => {
  app = await startTestApp({ DATA_DIR: dataDirectory });
  storage = await import('../../../src/services/file-storage.service.ts');
  links = await import('../../../src/services/file-links.service.ts');
  tokens = await import('../../../src/utils/link-token.ts');
  mine = await app.ownerWithToken();
  const other = await app.ownerWithToken();
  theirs = { ...other, key: storage.fileKey(other.tenantId, 'exports', 'people.csv') };
  await storage.fileStorage().put(theirs.key, Readable.from(['their people']));
  writeFileSync(path.join(dataDirectory, 'secret.txt'), 'of the machine');
});
afterAll(async () => {
  await app.close();
  rmSync(dataDirectory, { recursive: true, force: true });
});

const follow = (token: string) => app.call('GET', `/api/files/${token}`);
const tokenOf = (url: string) => new URL(url).pathname.split('/').at(-1) ?? '';
const file = { seconds: 60, name: 'x.csv', type: 'text/csv' };
const claim = (key: string): LinkClaims => ({ key, name: 'x.csv', type: 'text/csv', until: 4_000_000_000 });

/** The disk, asked for whatever is asked: what would be left if keys were not checked. */
const unchecked = (key: string): string => path.join(dataDirectory, 'files', ...key.split('/'));

describe('Keys', () => {
  it('of a tenant lie in a space of its own', () => {
    expect(theirs.key).toBe(`tenants/${theirs.tenantId}/exports/people.csv`);
    expect(existsSync(unchecked(theirs.key))).toBe(true);
  });

  const ways = (tenantId: string, key: string): Record<string, string> => ({
    'up and down again': `tenants/${tenantId}/../${key.slice('tenants/'.length)}`,
    'up and down again, deeper': `tenants/${tenantId}/exports/../../${key.slice('tenants/'.length)}`,
    'out of the storage': `tenants/${tenantId}/../../../secret.txt`,
    'from the root': path.join(dataDirectory, 'secret.txt'),
  });

  it.each(['up and down again', 'up and down again, deeper', 'out of the storage', 'from the root'])(
    'that lead elsewhere are refused: %s; on the bare disk they would lead there',
    async (way) => {
      mkdirSync(unchecked(`tenants/${mine.tenantId}/exports`), { recursive: true });
      const key = ways(mine.tenantId, theirs.key)[way] ?? '';
      await expect(storage.fileStorage().get(key)).rejects.toThrow(/Not a key/);
      await expect(storage.fileStorage().put(key, Readable.from(['x']))).rejects.toThrow(/Not a key/);
      await expect(storage.fileStorage().delete(key)).rejects.toThrow(/Not a key/);
      expect(existsSync(way === 'from the root' ? key : unchecked(key)), 'else this attack is none').toBe(true);
    },
  );

  it.each(['%2e%2e', '..%2f..', '..\\..', '\u2025', '．．', '.', '', 'a\0b', 'a/../b'])(
    'have no part that is written like %j',
    (part) => {
      expect(() => storage.fileKey(mine.tenantId, part, 'people.csv')).toThrow(/Not a key/);
      expect(() => storage.fileKey(mine.tenantId, 'exports', `${part}/people.csv`)).toThrow(/Not a key/);
    },
  );

  it('are made for a tenant or the platform, and for nobody else', () => {
    for (const tenantId of ['', '..', `${mine.tenantId}/../${theirs.tenantId}`, 'x', `${mine.tenantId}/`]) {
      expect(() => storage.fileKey(tenantId, 'x.csv'), tenantId).toThrow(/Not a key/);
    }
  });

  it('of a folder do not reach what lies beside it', async () => {
    const listed: string[] = [];
    for await (const { key } of storage.fileStorage().list(`tenants/${theirs.tenantId}`)) listed.push(key);
    expect(listed).toEqual([theirs.key]);
    for (const folder of [
      `tenants/${mine.tenantId}/../${theirs.tenantId}`,
      'tenants',
      '..',
      `tenants/${theirs.tenantId.slice(0, 20)}`,
    ]) {
      await expect(storage.deleteFilesBelow(folder)).rejects.toThrow(/Not a folder/);
    }
    expect(existsSync(unchecked(theirs.key))).toBe(true);
  });
});

describe('Links', () => {
  it('that were altered to another file are a 404; signed for it, they would give it', async () => {
    const own = storage.fileKey(mine.tenantId, 'mine.csv');
    await storage.fileStorage().put(own, Readable.from(['mine']));
    const token = tokenOf((await links.linkTo(own, file)).url);
    expect((await follow(token)).text).toBe('mine');
    const [payload = '', signature = ''] = token.split('.');
    const altered = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), key: theirs.key } as LinkClaims;
    const forged = `${Buffer.from(JSON.stringify(altered)).toString('base64url')}.${signature}`;
    expectError(await follow(forged), 404, 'not_found');
    // Without the signature, which is the layer, nothing would stand in the way.
    expect((await follow(tokens.signLink(altered))).text).toBe('their people');
  });

  it('that we signed ourselves do not lead out of the storage either; with the check of keys taken out they would', async () => {
    mkdirSync(unchecked(`tenants/${mine.tenantId}`), { recursive: true });
    for (const key of [
      `tenants/${mine.tenantId}/../../../secret.txt`,
      `tenants/${mine.tenantId}/../${theirs.tenantId}/exports/people.csv`,
      '/etc/passwd',
    ]) {
      await expect(links.linkTo(key, file), key).rejects.toThrow(/Not a key/);
      expectError(await follow(tokens.signLink(claim(key))), 404, 'not_found');
    }
    const check = vi.spyOn(guard, 'assertFileKey').mockImplementation(() => {});
    vi.resetModules();
    vi.doMock('../../../src/providers/file-storage.provider.ts', () => guard);
    const { localFileStorage } = await import('../../../src/providers/file-storage-local.provider.ts');
    vi.doUnmock('../../../src/providers/file-storage.provider.ts');
    const open = await localFileStorage(path.join(dataDirectory, 'files')).get(
      `tenants/${mine.tenantId}/../../../secret.txt`,
    );
    expect(check).toHaveBeenCalled();
    expect(await text(open!.content)).toBe('of the machine');
  });

  it('to what belongs to another tenant are not made by the API: it has no such row', async () => {
    const form = { file: { name: 'logo.png', content: await png() } };
    const logo = await app.call('POST', `/api/tenants/${theirs.tenantId}/branding/logo`, { token: theirs.token, form });
    expect(logo.status, logo.text).toBe(200);
    const answer = await app.call('GET', `/api/tenants/${theirs.tenantId}/branding`, { token: mine.token });
    expectError(answer, 404, 'not_found');
    expect(answer.text).not.toContain('/api/files/');
    // Who may read the row gets the link: row security is what stands between.
    const admin = await app.call('GET', `/api/tenants/${theirs.tenantId}/branding`, { token: await app.adminToken() });
    expect(admin.body.data.logo.url).toContain('/api/files/');
  });

  it('for one person lead to the files of their own tenant alone, whatever was signed', async () => {
    const [{ id }] = (await app.query<{ id: string }>(`select id from users where tenant_id = $1`, [
      mine.tenantId,
    ])) as [{ id: string }];
    const held = {
      userId: id,
      permission: 'users.export',
      action: 'users.export_download',
      resource: 'data_export',
      resourceId: newId(),
    };
    expectError(await follow(tokens.signLink({ ...claim(theirs.key), for: held })), 404, 'not_found');
    const own = storage.fileKey(mine.tenantId, 'exports', 'mine.csv');
    await storage.fileStorage().put(own, Readable.from(['my people']));
    expect((await follow(tokens.signLink({ ...claim(own), for: held }))).text).toBe('my people');
    // Without the check of whose it is, the signature alone would have been enough.
    expect((await follow(tokens.signLink(claim(theirs.key)))).text).toBe('their people');
  });
});

/** The check of keys as something that can be taken out. */
const guard = { ...provider };
