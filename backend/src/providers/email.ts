import path from 'node:path';
import { environment } from '../config/environment.ts';
import { localEmailProvider } from './email-local.provider.ts';
import { smtpEmailProvider } from './email-smtp.provider.ts';
import type { EmailProvider } from './email.provider.ts';

let current: EmailProvider | undefined;

/** The provider that the configuration names. */
export function emailProvider(): EmailProvider {
  const { EMAIL_PROVIDER, SMTP_URL, DATA_DIR } = environment();
  current ??=
    EMAIL_PROVIDER === 'smtp' && SMTP_URL
      ? smtpEmailProvider(SMTP_URL)
      : localEmailProvider(path.resolve(DATA_DIR, 'outbox'));
  return current;
}

/** Lets go of its connections; the next mail opens them again. */
export async function closeEmailProvider(): Promise<void> {
  await current?.close();
  current = undefined;
}
