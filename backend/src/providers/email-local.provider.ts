import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import nodemailer from 'nodemailer';
import { assertHarmless, type EmailProvider, type Mail } from './email.provider.ts';

const MOST_KEPT = 500;

/**
 * Keeps the newest 500 mails as files, each twice: `.eml` as it would be sent, for a mail program, and `.txt` to read
 * as it is. Nothing leaves the machine.
 */
export function localEmailProvider(directory: string): EmailProvider {
  const composer = nodemailer.createTransport({
    streamTransport: true,
    buffer: true,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send(mail) {
      assertHarmless(mail);
      const { message } = await composer.sendMail({ ...mail, to: { name: '', address: mail.to } });
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const file = path.join(directory, fileName(mail));
      const files = mail.attachments?.map(
        ({ filename, content }) => `Attached: ${filename}, ${content.length} bytes\n`,
      );
      const head = `To: ${mail.to}\nSubject: ${mail.subject}\n${files?.join('') ?? ''}`;
      await writeWhole(`${file}.txt`, `${head}\n${mail.text}\n`);
      await writeWhole(`${file}.eml`, message as Buffer);
      await removeOldest(directory);
    },
    close: () => Promise.resolve(),
  };
}

/** Nobody sees half a file. Readable by the owner alone: mails hold links that let somebody in. */
async function writeWhole(file: string, content: string | Buffer): Promise<void> {
  const draft = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  await writeFile(draft, content, { mode: 0o600, flag: 'wx' });
  await rename(draft, file);
}

/** Sorts by time: `2026-11-22T18-45-01.123Z_password-reset_asha-example.com`, and the ending. */
function fileName({ headers, to }: Mail): string {
  const time = new Date().toISOString().replaceAll(':', '-');
  return [time, headers?.['X-Template'] ?? 'mail', to].map(plain).join('_');
}

const plain = (text: string): string => text.replace(/[^\w.-]+/g, '-').slice(0, 80);

async function removeOldest(directory: string): Promise<void> {
  const files = (await readdir(directory)).filter((name) => /\.(eml|txt)$/.test(name)).toSorted();
  await Promise.all(files.slice(0, -2 * MOST_KEPT).map((name) => rm(path.join(directory, name), { force: true })));
}
