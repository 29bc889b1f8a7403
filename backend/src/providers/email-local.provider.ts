import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import nodemailer from 'nodemailer';
import { assertHarmless, type EmailProvider, type Mail } from './email.provider.ts';

const MOST_KEPT = 500;

/** Keeps mails as files, the newest 500, each as a mail program would show it. Nothing leaves the machine. */
export function localEmailProvider(directory: string): EmailProvider {
  const composer = nodemailer.createTransport({ streamTransport: true, buffer: true, disableFileAccess: true, disableUrlAccess: true });
  return {
    async send(mail) {
      assertHarmless(mail);
      const { message } = await composer.sendMail({ ...mail, to: { name: '', address: mail.to } });
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const file = path.join(directory, fileName(mail));
      const draft = `${file}.${randomBytes(4).toString('hex')}.tmp`;
      // Readable by the owner alone: mails hold links that let somebody in.
      await writeFile(draft, message as Buffer, { mode: 0o600, flag: 'wx' });
      await rename(draft, file);
      await removeOldest(directory);
    },
    close: () => Promise.resolve(),
  };
}

/** Sorts by time: `2026-11-22T18-45-01.123Z_password-reset_asha-example.com.eml`. */
function fileName({ headers, to }: Mail): string {
  const time = new Date().toISOString().replaceAll(':', '-');
  return `${[time, headers?.['X-Template'] ?? 'mail', to].map(plain).join('_')}.eml`;
}

const plain = (text: string): string => text.replace(/[^\w.-]+/g, '-').slice(0, 80);

async function removeOldest(directory: string): Promise<void> {
  const mails = (await readdir(directory)).filter((name) => name.endsWith('.eml')).sort();
  await Promise.all(mails.slice(0, -MOST_KEPT).map((name) => rm(path.join(directory, name), { force: true })));
}
