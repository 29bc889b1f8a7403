import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { environment } from '../config/environment.ts';
import { settingDefinition, type SettingKey } from '../config/settings.ts';
import { probeSmtpServer } from '../providers/email-smtp.provider.ts';
import type { Mail } from '../providers/email.provider.ts';
import { MailServerBarred } from '../providers/mail-server-address.ts';
import type { Actor, ManualContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import type { probeResult, testBody } from '../validators/settings.validator.ts';
import { senderOf, storedMailServer } from './email-settings.service.ts';
import { assertOutsideTenants, knownKey } from './settings-admin.service.ts';
import { checkedValue } from './settings.service.ts';

type ProbeResult = z.input<typeof probeResult>;
type Trial = { url: string; tried: ProbeResult['tried'] };

/**
 * Tries the provider behind a setting, with a value that is not stored yet or with the one that holds. That it does not
 * work is an answer too, in plain words: what a server says itself may hold what is none of the reader's business.
 * @throws AppError not_found; conflict when there is nothing to try; validation_failed
 */
export async function testSetting(
  ctx: ManualContext<Actor>,
  key: string,
  { value, recipient }: z.output<typeof testBody>,
): Promise<ProbeResult> {
  const known = knownKey(key);
  assertOutsideTenants(ctx);
  if (!settingDefinition(known).probe) throw new AppError('conflict', `Behind ${key} there is nothing to try.`);
  const { url, tried } = await trialOf(ctx, known, value);
  const mail = recipient === undefined ? undefined : await testMail(ctx, recipient);
  const began = performance.now();
  const failure = await probeSmtpServer(url, mail).then(
    () => undefined,
    (error: unknown) => error as Error,
  );
  const latencyMs = Math.round(performance.now() - began);
  const message = failure ? inPlainWords(failure) : success(mail);
  await ctx.transact(async (tx) =>
    tx.audit({
      resource: 'setting',
      resourceId: known,
      tenantId: null,
      outcome: failure ? 'FAILURE' : 'SUCCESS',
      details: { tried, host: new URL(url).host, recipient, message },
    }),
  );
  return { ok: !failure, latencyMs, message, tried };
}

async function trialOf(
  ctx: ManualContext<Actor>,
  key: SettingKey,
  given: z.output<typeof testBody>['value'],
): Promise<Trial> {
  if (given !== undefined) return { url: String(checkedValue(key, given)), tried: 'given' };
  const { value, layer } = await storedMailServer(ctx);
  if (value !== null) return { url: value, tried: layer === 'environment' ? 'environment' : 'stored' };
  throw new AppError('conflict', 'There is no mail server yet: send one as the value to try.');
}

async function testMail(ctx: ManualContext<Actor>, recipient: string): Promise<Mail> {
  const text = `This mail was sent by ${ctx.actor.name} to try the mail server of StudySpot. There is nothing to do.`;
  return {
    ...(await senderOf(ctx, null)),
    to: recipient,
    subject: 'Test mail of StudySpot',
    text,
    html: `<p>${text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)}</p>`,
    messageId: `<test-${randomUUID()}@${new URL(environment().PUBLIC_URL).hostname}>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

function success(mail: Mail | undefined): string {
  const done = mail ? 'The server took the test mail.' : 'The server let us sign in.';
  return environment().EMAIL_PROVIDER === 'smtp'
    ? done
    : `${done} Mails are not sent through it yet: EMAIL_PROVIDER is local.`;
}

const plainWords: Record<string, string> = {
  EAUTH: 'The server refused the user name or the password.',
  ENOAUTH: 'The server wants a user name and a password.',
  EENVELOPE: 'The server refused the sender or the recipient of the test mail.',
  EMESSAGE: 'The server refused the test mail.',
  EPROTOCOL: 'What answers there does not speak like a mail server.',
  ETLS: 'The encrypted connection could not be set up. Check the port, and smtp:// or smtps://.',
  EDNS: 'There is no such host.',
  ENOTFOUND: 'There is no such host.',
  EAI_AGAIN: 'The name of the host could not be looked up.',
  ECONNREFUSED: 'Nothing listens at that host and port.',
  ECONNRESET: 'The server closed the connection.',
  EHOSTUNREACH: 'The host cannot be reached.',
  ENETUNREACH: 'The host cannot be reached.',
  ETIMEDOUT: 'The server did not answer in time.',
};

function inPlainWords(error: Error): string {
  if (error instanceof MailServerBarred) return error.message;
  const { code = '', errno, cause } = error as { code?: string; errno?: unknown; cause?: { code?: string } };
  const said = [
    cause?.code,
    /ECONN\w+|E(?:HOST|NET)UNREACH|ETIMEDOUT|ENOTFOUND/.exec(error.message)?.[0],
    String(errno),
  ];
  const exact = said.find((one) => one !== undefined && plainWords[one] !== undefined) ?? code;
  if (plainWords[exact]) return plainWords[exact];
  return /certificate|self.signed|altname|wrong version number|SSL|TLS/i.test(`${code} ${error.message}`)
    ? 'The encrypted connection could not be set up: check the certificate, the port, and smtp:// or smtps://.'
    : 'The mail server could not be used.';
}
