import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { startMailServer } from './mail-server.ts';
import { settingsAs, type Settings } from './support.ts';

let app: TestApp;
let admin: Settings;
let configured: Awaited<ReturnType<typeof startMailServer>>;
let stored: Awaited<ReturnType<typeof startMailServer>>;
beforeAll(async () => {
  [configured, stored] = await Promise.all([startMailServer('one'), startMailServer('two')]);
  app = await startTestApp({ EMAIL_PROVIDER: 'smtp', SMTP_URL: configured.url() });
  admin = settingsAs(app, { token: await app.elevatedToken() });
});
afterAll(async () => {
  await (await import('../../../src/providers/email.ts')).closeEmailProvider();
  await app.close();
  await Promise.all([configured.close(), stored.close()]);
});
beforeEach(async () => {
  await app.query('truncate settings, setting_revisions');
  (await import('../../../src/services/email-settings.service.ts')).forgetMailServer();
  configured.received.length = stored.received.length = 0;
});

/** Sends a mail as a job does: within the tenant whose mail it is. */
async function send(tenantId: string | null): Promise<void> {
  const { sendEmail } = await import('../../../src/services/email.service.ts');
  const { manualContext } = await import('../../../src/services/context.service.ts');
  const { logWith } = await import('../../../src/config/logger.ts');
  const ctx = manualContext<null>(
    {
      requestId: 'test',
      client: { ip: '', userAgent: null },
      now: new Date(),
      tenantId,
      actor: null,
      cookies: { get: () => undefined, set: () => undefined, clear: () => undefined },
      log: logWith({}),
      scope: tenantId ? { role: 'tenant', tenantId } : { role: 'portal' },
      system: true,
    },
    { action: 'email.password-changed' },
  );
  const variables = () => ({ name: 'Meera', link: 'https://portal.example', changedAt: 'today' });
  await sendEmail(ctx, { jobId: newId(), template: 'password-changed', to: 'meera@hall.example', tenantId, variables });
}

describe('A mail', () => {
  it('comes from whom the configuration names while nobody has set anything', async () => {
    await send(null);
    expect(configured.received[0]?.from?.text).toBe('"StudySpot" <no-reply@studyspot.example>');
    expect(configured.received[0]?.replyTo).toBeUndefined();
  });

  it('comes from and is answered to whom the platform has set, and the tenant before', async () => {
    const { id } = await app.buildTenant();
    await admin.set('email.from_name', 'StudySpot, Kota', 0);
    await admin.set('email.reply_to', 'help@studyspot.example', 0);
    await admin.setFor(id, 'email.from_name', 'सरस्वती Hall', 0);
    await send(null);
    await send(id);
    const [ours, theirs] = configured.received;
    expect(ours?.from?.value).toEqual([{ name: 'StudySpot, Kota', address: 'no-reply@studyspot.example' }]);
    expect(theirs?.from?.value).toEqual([{ name: 'सरस्वती Hall', address: 'no-reply@studyspot.example' }]);
    expect([ours?.replyTo?.text, theirs?.replyTo?.text]).toEqual(Array(2).fill('help@studyspot.example'));
  });

  it('goes through the stored mail server, also that of a tenant, and back when it is put back', async () => {
    const { id } = await app.buildTenant();
    const { forgetMailServer } = await import('../../../src/services/email-settings.service.ts');
    await send(id);
    await admin.set('email.smtp_url', stored.url(), 0);
    forgetMailServer();
    await send(id);
    await admin.reset('email.smtp_url', 1);
    forgetMailServer();
    await send(null);
    expect([configured.received.length, stored.received.length]).toEqual([2, 1]);
  });

  it('does not go to an address that no mail server has', async () => {
    await admin.set('email.smtp_url', 'smtp://169.254.169.254:587', 0);
    await expect(send(null)).rejects.toThrow('an address that no mail server has');
    expect(configured.received).toEqual([]);
  });
});
