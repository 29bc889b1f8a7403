import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { startMailServer, startStranger } from './mail-server.ts';
import { auditOfSetting, settingsAs, type Settings } from './support.ts';

const SMTP = 'email.smtp_url';
const PASSWORD = 'pass word-1';

let app: TestApp;
let admin: Settings;
let server: Awaited<ReturnType<typeof startMailServer>>;
beforeAll(async () => {
  app = await startTestApp();
  server = await startMailServer(PASSWORD);
});
afterAll(async () => {
  await app.close();
  await server.close();
});
beforeEach(async () => {
  await app.query('truncate settings, setting_revisions');
  // A person of one's own: tries are limited.
  admin = settingsAs(app, { token: await app.elevatedToken() });
  server.received.length = 0;
});

const test = (body: object) => admin.call('POST', `/${SMTP}/test`, body);

async function tried(body: object) {
  const answer = await test(body);
  expectSuccess(answer);
  expect(answer.text).not.toMatch(/pass word|pass%20|wrong-one|mailer|127\.0\.0\.1|who\?|SSH|redis/i);
  expect(answer.body.data.latencyMs).toBeGreaterThanOrEqual(0);
  return answer.body.data as { ok: boolean; message: string; tried: string };
}

describe('Trying the mail server', () => {
  it('signs in with the value that is given, which is not stored', async () => {
    expect(await tried({ value: server.url() })).toMatchObject({ ok: true, tried: 'given' });
    expect(server.received).toEqual([]);
    expect(await app.query('select 1 from settings')).toEqual([]);
    const rows = await auditOfSetting(app, SMTP);
    expect(rows.at(-1)).toMatchObject({ action: 'settings.test', outcome: 'SUCCESS', changes: { tried: 'given' } });
    expect(JSON.stringify(rows)).not.toContain('pass');
  });

  it('signs in with the stored value, and sends a mail to whom it is told', async () => {
    await admin.set(SMTP, server.url(), 0);
    expect(await tried({ recipient: 'asha@studyspot.example' })).toMatchObject({ ok: true, tried: 'stored' });
    expect(server.received).toHaveLength(1);
    expect(server.received[0]?.subject).toBe('Test mail of StudySpot');
    expect(server.received[0]?.to).toMatchObject({ text: 'asha@studyspot.example' });
  });

  it.each([
    ['a wrong password', () => ({ value: server.url('wrong-one') }), /refused the user name or the password/],
    ['a recipient it refuses', () => ({ value: server.url(), recipient: 'nobody@x.example' }), /the recipient/],
    ['nothing that listens', () => ({ value: 'smtp://127.0.0.1:1099' }), /Nothing listens/],
    ['a host that is not there', () => ({ value: 'smtp://nothing.invalid:587' }), /no such host|not be looked up/],
    ['TLS where there is none', () => ({ value: server.url().replace('smtp:', 'smtps:') }), /encrypted connection/],
  ] as const)('tells of %s in plain words', async (_, body, message) => {
    expect(await tried(body())).toMatchObject({ ok: false, message: expect.stringMatching(message) });
    expect((await auditOfSetting(app, SMTP)).at(-1)).toMatchObject({ action: 'settings.test', outcome: 'FAILURE' });
  });

  it.each(['SSH-2.0-OpenSSH_9.6\r\n', '-ERR unknown redis command\r\n', ''])(
    'does not tell what answers instead of it: %j',
    async (greeting) => {
      const stranger = await startStranger(greeting);
      const { ok, message } = await tried({ value: `smtp://127.0.0.1:${stranger.port}` });
      expect(ok).toBe(false);
      expect(message).toMatch(/^(What answers|The server closed|The mail server could not)/);
      await stranger.close();
    },
  );

  it.each([
    'smtp://169.254.169.254:587',
    'smtp://[::ffff:169.254.169.254]:587',
    'smtp://[fe80::1]:587',
    'smtp://[fd00:ec2::254]:25',
    'smtp://0.0.0.0:587',
    'smtp://[::]:587',
    'smtp://2852039166:587',
    'smtp://0xa9fea9fe:587',
    'smtp://168.63.129.16:25',
    'smtp://100.100.100.200:25',
    'smtp://[64:ff9b::a9fe:a9fe]:25',
    'smtp://255.255.255.255:25',
    'smtp://127.0.0.1:22',
    'smtp://127.0.0.1:80',
    'smtps://127.0.0.1:443',
  ])('does not go to %s', async (value) => {
    expect(await tried({ value })).toMatchObject({
      ok: false,
      message: expect.stringMatching(/at an address that no mail server has|belongs to another service/),
    });
  });

  it('with a value that is none is refused, and with none at all too', async () => {
    const wrong = [
      'http://x',
      'smtp://',
      'file:///etc/passwd',
      7,
      'smtp://a/?secure=false',
      'smtp://a/#x',
      'smtp://a/b',
    ];
    for (const value of wrong) expectError(await test({ value }), 400, 'validation_failed', 'body value');
    expectError(await test({}), 409, 'conflict');
    expectError(await test({ value: server.url(), recipient: 'a@b.example, c@d.example' }), 400, 'validation_failed');
  });

  it('is not possible for a setting behind which there is nothing', async () => {
    expectError(await admin.call('POST', '/tenants.trial_days/test', {}), 409, 'conflict');
  });

  it('is limited: it is no way to search the network', async () => {
    const answers = [];
    for (let count = 0; count < 21; count += 1) answers.push(await test({ value: 'smtp://127.0.0.1:22' }));
    expectError(answers.at(-1)!, 429, 'rate_limited');
  });
});
