import path from 'node:path';
import { environment } from '../config/environment.ts';
import { localEmailProvider } from './email-local.provider.ts';
import { smtpEmailProvider } from './email-smtp.provider.ts';
import type { EmailProvider } from './email.provider.ts';

let current: { provider: EmailProvider; smtpUrl: string | undefined } | undefined;

/**
 * The provider that the configuration names.
 * @param smtpUrl the mail server, where mails go through one; for another than before it is opened anew
 */
export async function emailProvider(smtpUrl?: string): Promise<EmailProvider> {
  if (current && current.smtpUrl !== smtpUrl) await closeEmailProvider();
  current ??= {
    provider: smtpUrl ? smtpEmailProvider(smtpUrl) : localEmailProvider(path.resolve(environment().DATA_DIR, 'outbox')),
    smtpUrl,
  };
  return current.provider;
}

/** Lets go of its connections; the next mail opens them again. */
export async function closeEmailProvider(): Promise<void> {
  const closing = current;
  current = undefined;
  await closing?.provider.close();
}
