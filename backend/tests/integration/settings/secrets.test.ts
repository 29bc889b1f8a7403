import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Answer } from '../../support/client.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { auditOfSetting, settingsAs, type Settings } from './support.ts';

const SMTP = 'email.smtp_url';
const PASSWORD = 'hush-hush-1';
const url = (host = 'mail.example.com', password = PASSWORD) => `smtps://mailer:${password}@${host}:465`;

let app: TestApp;
let admin: Settings;
beforeAll(async () => {
  app = await startTestApp();
  admin = settingsAs(app, { token: await app.elevatedToken() });
});
afterAll(() => app.close());
beforeEach(() => app.query('truncate settings, setting_revisions'));

function expectNoSecret(answer: Answer): void {
  expect(answer.text).not.toContain(PASSWORD);
  expect(answer.text).not.toContain('mail.example.com');
  expect(answer.text).not.toMatch(/v1\.[0-9a-f]{8}\./);
}

const sealedNow = async () => (await app.query<{ value: string }>('select value from settings'))[0]?.value ?? '';

describe('A secret', () => {
  it('is written and never shown: not in an answer, a list, the history, the database or the audit trail', async () => {
    const answers = [
      await admin.set(SMTP, url(), 0),
      await admin.set(SMTP, url('mail2.example.com'), 1),
      await admin.call('GET', ''),
      await admin.call('GET', '/effective'),
      await admin.call('GET', `/${SMTP}/history`),
      await admin.rollback(SMTP, 1, 2),
      await admin.reset(SMTP, 3),
    ];
    for (const answer of answers) {
      expectSuccess(answer);
      expectNoSecret(answer);
    }
    expect(answers[0]?.body.data).toMatchObject({ value: { set: true }, version: 1 });
    expect(answers[4]?.body.data).toEqual([
      expect.objectContaining({ version: 2, before: { set: true }, after: { set: true } }),
      expect.objectContaining({ version: 1, before: { set: false }, after: { set: true } }),
    ]);
    expect(answers[6]?.body.data).toMatchObject({ value: { set: false }, stored: false });
    const kept = await app.query('select value::text from setting_revisions');
    expect(JSON.stringify([kept, await auditOfSetting(app, SMTP)])).not.toMatch(/hush|mail\.example|mailer/);
    expect(await auditOfSetting(app, SMTP)).toContainEqual(
      expect.objectContaining({ action: 'settings.rollback', changes: { secret: '[redacted]' } }),
    );
  });

  it('is not told by a refusal either', async () => {
    for (const wrong of [`http://mailer:${PASSWORD}@mail.example.com`, `${url()}?proxy=http://evil.example`]) {
      const answer = await admin.set(SMTP, wrong, 0);
      expectError(answer, 400, 'validation_failed', 'body value');
      expectNoSecret(answer);
    }
  });

  it('comes back by a rollback as it was', async () => {
    await admin.set(SMTP, url(), 0);
    await admin.set(SMTP, url('other.example.com'), 1);
    await admin.rollback(SMTP, 1, 2);
    expect(await effective()).toBe(url());
  });

  it('is changed by somebody who has just proved who they are', async () => {
    const usual = settingsAs(app, { token: await app.adminToken() });
    expectError(await usual.set(SMTP, url(), 0), 403, 'step_up_required');
    expectError(await usual.reset(SMTP, 0), 403, 'step_up_required');
    expectError(await usual.rollback(SMTP, 1, 0), 403, 'step_up_required');
    const bulk = { settings: [{ key: SMTP, value: url(), version: 0 }] };
    expectError(await usual.call('POST', '/bulk', bulk), 403, 'step_up_required');
    expect(await sealedNow()).toBe('');
  });

  it('that carries the mails of super admins is set by nobody who is less', async () => {
    const { id, email } = await app.buildAdmin({ role: 'operations' });
    await app.query(
      `insert into permission_overrides (id, user_id, permission_code, effect, reason, granted_by_id)
       values ('o1', $1, 'settings.update', 'GRANT', 'For a test', $1)`,
      [id],
    );
    const less = settingsAs(app, { token: (await app.signInElevated({ email })).token });
    expectSuccess(await less.set('tenants.trial_days', 20, 0));
    expectError(await less.set(SMTP, url('evil.example'), 0), 403, 'exceeds_own_permissions');
    expectError(await less.reset(SMTP, 0), 403, 'exceeds_own_permissions');
  });
});

/** The value as the mails get it. */
async function effective(): Promise<unknown> {
  const { settingOf } = await import('../../../src/services/settings.service.ts');
  const { scopedReader } = await import('../../../src/config/scope.ts');
  return settingOf({ sql: scopedReader({ role: 'portal' }), tenantId: null, log: silent }, SMTP);
}
const warn = vi.fn<() => void>();
const silent = { debug: vi.fn<() => void>(), info: vi.fn<() => void>(), warn, error: vi.fn<() => void>() };

describe('A sealed value', () => {
  it('opens in its own place only', async () => {
    const { unseal } = await import('../../../src/utils/secret-box.ts');
    await admin.set(SMTP, url(), 0);
    const sealed = await sealedNow();
    expect(JSON.parse(unseal(sealed, `setting:platform:${SMTP}`))).toBe(url());
    const elsewhere = [`setting:cm3k8v1x40000qp2h9d7f5a6b:${SMTP}`, 'setting:platform:email.reply_to', `totp:${SMTP}`];
    for (const purpose of elsewhere) expect(() => unseal(sealed, purpose)).toThrow();
  });

  it('is not seen within a tenant', async () => {
    const { scopedReader } = await import('../../../src/config/scope.ts');
    const { sql } = await import('../../../src/utils/sql.ts');
    await admin.set(SMTP, url(), 0);
    await admin.set('tenants.trial_days', 20, 0);
    const { id } = await app.buildTenant();
    const seen = await scopedReader({ role: 'tenant', tenantId: id }).many(sql`select key from settings`);
    expect(seen).toEqual([{ key: 'tenants.trial_days' }]);
  });

  it('that nobody can open any more counts as not set, and cannot be rolled back to', async () => {
    await admin.set(SMTP, url(), 0);
    await admin.set(SMTP, url('other.example.com'), 1);
    const lost = 'v1.00000000.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
    await app.query(`update setting_revisions set value = to_jsonb($1::text) where version = 1`, [lost]);
    expectError(await admin.rollback(SMTP, 1, 2), 409, 'conflict');
    expect(await effective()).toBe(url('other.example.com'));
    await app.query(`update settings set value = to_jsonb($1::text)`, [lost]);
    expect(await effective()).toBeNull();
    expect(warn).toHaveBeenCalledWith(expect.any(String), { key: SMTP, tenantId: null });
  });

  it('opens with the key before, and is sealed with the new one when it is rolled back to', async () => {
    await admin.set(SMTP, url(), 0);
    const before = await sealedNow();
    const previous = process.env.ENCRYPTION_KEY ?? '';
    vi.resetModules();
    Object.assign(process.env, {
      ENCRYPTION_KEY: 'another-secret-of-sealed-secrets-012345',
      ENCRYPTION_KEY_PREVIOUS: previous,
    });
    try {
      const { settingOf, setSetting } = await import('../../../src/services/settings.service.ts');
      const { scopedReader } = await import('../../../src/config/scope.ts');
      const { runInTransaction } = await import('../../../src/services/context.service.ts');
      const base = {
        requestId: 'test',
        client: { ip: '', userAgent: null },
        now: new Date(),
        tenantId: null,
        actor: null,
        cookies: { get: () => undefined, set: () => undefined, clear: () => undefined },
        log: silent,
        scope: { role: 'portal' as const },
        system: true,
      };
      const found = await settingOf({ ...base, sql: scopedReader(base.scope) }, SMTP);
      expect(found).toBe(url());
      await runInTransaction(base, { action: 'settings.update' }, (ctx) =>
        setSetting(ctx, SMTP, found ?? '', { tenantId: null, seenVersion: 1 }),
      );
      const after = await sealedNow();
      expect(after.split('.')[1]).not.toBe(before.split('.')[1]);
      await (await import('../../../src/config/database.ts')).closeDatabase();
    } finally {
      Object.assign(process.env, { ENCRYPTION_KEY: previous });
      delete process.env.ENCRYPTION_KEY_PREVIOUS;
    }
  });
});
