import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Permission } from '../../../src/config/permissions.ts';
import type { Actor } from '../../../src/types/context.ts';
import { newId } from '../../../src/utils/ids.ts';
import type { LinkClaims } from '../../../src/utils/link-token.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

const dataDirectory = mkdtempSync(path.join(tmpdir(), 'studyspot-links-'));
let app: TestApp;
let links: typeof import('../../../src/services/file-links.service.ts');
let tokens: typeof import('../../../src/utils/link-token.ts');
let storage: typeof import('../../../src/services/file-storage.service.ts');
beforeAll(async () => {
  app = await startTestApp({ DATA_DIR: dataDirectory });
  links = await import('../../../src/services/file-links.service.ts');
  tokens = await import('../../../src/utils/link-token.ts');
  storage = await import('../../../src/services/file-storage.service.ts');
});
afterAll(async () => {
  await app.close();
  rmSync(dataDirectory, { recursive: true, force: true });
});

async function aFile(tenantId: string | null, content = 'name,phone') {
  const key = storage.fileKey(tenantId, 'exports', `${newId()}.csv`);
  await storage.fileStorage().put(key, Readable.from([content]));
  return key;
}
const file = { seconds: 60, name: 'people.csv', type: 'text/csv' };
const follow = (url: string, headers: Record<string, string> = {}) =>
  app.call('GET', new URL(url).pathname, { headers });
const notFound = (answer: Awaited<ReturnType<typeof follow>>) => {
  expectError(answer, 404, 'not_found');
  expect(answer.body.error.message).toBe('There is no such file: the link is not valid, or its time is over.');
};

describe('A link', () => {
  it('hands out the file to whoever has it, to be saved and not shown', async () => {
    const { id } = await app.buildTenant();
    const { url, expiresAt } = await links.linkTo(await aFile(id), file);
    const answer = await follow(url);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text).toBe('name,phone');
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/csv',
      'content-length': '10',
      'content-disposition': 'attachment; filename="people.csv"',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    });
    expect(expiresAt.getTime() - Date.now()).toBeLessThanOrEqual(61_000);
  });

  it.each(['people of March.csv', 'विद्यार्थी "सूची"; x.csv', `naïve'\u2028.csv`])('keeps the name %j', async (name) => {
    const { id } = await app.buildTenant();
    const { url } = await links.linkTo(await aFile(id), { ...file, name });
    const answer = await follow(url);
    const disposition = answer.headers.get('content-disposition') ?? '';
    const [, plain, encoded] =
      /^attachment; filename="?([^";]+)"?(?:; filename\*=UTF-8''(.+))?$/.exec(disposition) ?? [];
    expect(encoded ? decodeURIComponent(encoded) : plain, disposition).toBe(name);
  });

  it('shows a PNG that may be shown, to pages elsewhere too, and nothing else', async () => {
    const { id } = await app.buildTenant();
    const key = await aFile(id);
    const shown = await follow(
      (await links.linkTo(key, { seconds: 60, name: 'logo.png', type: 'image/png', inline: true })).url,
    );
    expect(shown.headers.get('content-disposition')).toBe('inline; filename="logo.png"');
    expect(shown.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    expect(shown.headers.get('x-content-type-options')).toBe('nosniff');
    for (const type of ['text/html', 'image/svg+xml', 'application/pdf']) {
      await expect(links.linkTo(key, { ...file, type, inline: true })).rejects.toThrow(/only saved/);
    }
    const sneaked = tokens.signLink({ key, name: 'x.csv', type: 'text/csv', inline: true, until: 9_999_999_999 });
    expect((await follow(`http://x/api/files/${sneaked}`)).headers.get('content-disposition')).toMatch(/^attachment/);
  });

  it('lives an hour at most, and ends', async () => {
    const { id } = await app.buildTenant();
    const key = await aFile(id);
    for (const seconds of [0, -1, 3601, Number.NaN]) {
      await expect(links.linkTo(key, { ...file, seconds })).rejects.toThrow(/seconds/);
    }
    const { url } = await links.linkTo(key, { ...file, seconds: 1 });
    await vi.waitFor(async () => expect((await follow(url)).status).toBe(404), { timeout: 4_000, interval: 300 });
    notFound(await follow(url));
  });

  it('that is changed in any place, or made with another secret, is the same 404 as one whose file is gone', async () => {
    const { id } = await app.buildTenant();
    const [key, other] = [await aFile(id), await aFile(id)];
    const { url } = await links.linkTo(key, file);
    const [payload = '', signature = ''] = url.split('/').at(-1)!.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as LinkClaims;
    const forged = (changes: object) => Buffer.from(JSON.stringify({ ...claims, ...changes })).toString('base64url');
    const flipped = (text: string, at: number) =>
      text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
    for (const token of [
      `${forged({ key: other })}.${signature}`,
      `${forged({ until: claims.until + 1000 })}.${signature}`,
      `${forged({ type: 'application/pdf' })}.${signature}`,
      ...[0, 10, payload.length - 1].map((at) => `${flipped(payload, at)}.${signature}`),
      ...[0, 20].map((at) => `${payload}.${flipped(signature, at)}`),
      `${payload}.${'A'.repeat(43)}`,
    ]) {
      notFound(await follow(`http://x/api/files/${token}`));
    }
    expect((await follow(url)).status).toBe(200);
    await storage.fileStorage().delete(key);
    notFound(await follow(url));
  });

  it('of the wrong shape names the parameter', async () => {
    for (const token of ['x', 'a.b', `${'a'.repeat(5000)}.${'A'.repeat(43)}`]) {
      expectError(await follow(`http://x/api/files/${token}`), 400, 'validation_failed', 'path token');
    }
  });

  it('leads to a bucket where files lie in one', async () => {
    const link = vi.fn(async () => 'https://bucket.example/x?X-Amz-Signature=1');
    Object.assign(storage.fileStorage(), { link });
    const key = storage.fileKey(null, 'x.csv');
    const { url } = await links.linkTo(key, file).finally(() => delete storage.fileStorage().link);
    expect(url).toBe('https://bucket.example/x?X-Amz-Signature=1');
    expect(link).toHaveBeenCalledWith(key, 60, { name: 'people.csv', type: 'text/csv' });
  });
});

describe('A link for one person', () => {
  const audit = { action: 'users.export_download', resource: 'data_export', resourceId: newId() } as const;
  const linkFor = (id: string, key: string, permission: Permission) => {
    const actor = { id, creator: null, impersonation: null } as unknown as Actor;
    return links.personalLinkTo(actor, key, { ...file, permission, audit }).url;
  };

  it('hands out the file while they may, and each use is in the trail of the tenant, in their name', async () => {
    const { owner, tenantId } = await app.ownerWithToken();
    const url = linkFor(owner.id, await aFile(tenantId), 'users.export');
    expect((await follow(url)).text).toBe('name,phone');
    expect((await follow(url)).status).toBe(200);
    const rows = await app.query(
      `select actor_id, action, tenant_id, resource, changes from audit_logs where resource_id = $1 and tenant_id = $2`,
      [audit.resourceId, tenantId],
    );
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({ actor_id: owner.id, action: 'users.export_download', resource: 'data_export' });
  });

  it.each<[string, (user: { id: string; tenantId: string }) => Promise<unknown>]>([
    ['lost the role', ({ id }) => app.query(`delete from role_assignments where user_id = $1`, [id])],
    ['were suspended', ({ id }) => app.query(`update users set status = 'SUSPENDED' where id = $1`, [id])],
    ['left', ({ id }) => app.query(`update users set deleted_at = now() where id = $1`, [id])],
    [
      'are of a tenant that was purged',
      ({ tenantId }) => app.query(`update tenants set status = 'PURGED' where id = $1`, [tenantId]),
    ],
    [
      'are denied it',
      ({ id, tenantId }) =>
        app.query(
          `insert into permission_overrides (id, user_id, tenant_id, permission_code, effect, reason, granted_by_id)
           values ($1, $2, $3, 'users.export', 'DENY', 'test', $2)`,
          [newId(), id, tenantId],
        ),
    ],
    [
      'come from an address that is shut out',
      () =>
        app.query(
          `insert into ip_rules (id, effect, audience, network, note, created_by_id) values ($1, 'DENY', 'EVERYONE', '203.0.113.9', 'x', $1)`,
          [newId()],
        ),
    ],
  ])('is a 404 once they %s', async (_what, change) => {
    const { owner, tenantId } = await app.ownerWithToken();
    const url = linkFor(owner.id, await aFile(tenantId), 'users.export');
    const from = { 'x-forwarded-for': '203.0.113.9' };
    expect((await follow(url, from)).status).toBe(200);
    await change({ id: owner.id, tenantId });
    notFound(await follow(url, from));
  });

  it('stays open while their tenant is suspended, as exports do', async () => {
    const { owner, tenantId } = await app.ownerWithToken();
    const url = linkFor(owner.id, await aFile(tenantId), 'users.export');
    await app.query(`update tenants set status = 'SUSPENDED' where id = $1`, [tenantId]);
    expect((await follow(url)).status).toBe(200);
  });

  it("is worth nothing for the file of another tenant, or the platform's, unless they are an admin", async () => {
    const { owner } = await app.ownerWithToken();
    const other = await app.buildTenant();
    const admin = await app.buildAdmin();
    for (const key of [await aFile(other.id), await aFile(null)]) {
      notFound(await follow(linkFor(owner.id, key, 'users.export')));
      expect((await follow(linkFor(admin.id, key, 'users.export'))).status).toBe(200);
    }
  });
});
