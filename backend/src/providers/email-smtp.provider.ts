import { isIP } from 'node:net';
import nodemailer from 'nodemailer';
import { assertHarmless, MailRefused, type EmailProvider, type Mail } from './email.provider.ts';
import { mailServerAddress } from './mail-server-address.ts';

const CONNECT_MS = 10_000;
/** No byte from the server for this long: the connection is given up. */
const SILENCE_MS = 20_000;

/** Delivers through an SMTP server, over connections that are kept and used again. */
export function smtpEmailProvider(url: string): EmailProvider {
  const transport = nodemailer.createTransport({
    url,
    pool: true,
    maxConnections: 5,
    // Trying again is the job's business, which waits longer and is seen in the dead letters.
    maxRequeues: 0,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    dnsTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send(mail, options = {}) {
      assertHarmless(mail);
      try {
        await transport.sendMail({ ...mail, to: { name: '', address: mail.to }, signal: options.signal });
      } catch (error) {
        throw isRefusal(error)
          ? new MailRefused(`The mail server refused it: ${messageOf(error)}`, { cause: error })
          : error;
      }
    },
    close: () => {
      transport.close();
      return Promise.resolve();
    },
  };
}

const PROBE_MS = 8_000;

/**
 * Connects to the mail server, signs in, and sends the mail if there is one. All together at most 15 seconds.
 * @throws MailServerBarred; whatever went wrong, as nodemailer says it
 */
export async function probeSmtpServer(url: string, mail?: Mail): Promise<void> {
  const { hostname, address, port } = await mailServerAddress(url);
  const { protocol, username, password } = new URL(url);
  const transport = nodemailer.createTransport({
    // The address that was checked; the certificate is still that of the name.
    host: address,
    ...(isIP(hostname) === 0 && { servername: hostname, tls: { servername: hostname } }),
    port,
    secure: protocol === 'smtps:',
    ...(username && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout: PROBE_MS,
    greetingTimeout: PROBE_MS,
    socketTimeout: PROBE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const timeOut = Object.assign(new Error('The mail server took too long'), { code: 'ETIMEDOUT' });
    timer = setTimeout(() => reject(timeOut), 15_000);
  });
  const attempt = async () => {
    await transport.verify();
    if (!mail) return;
    assertHarmless(mail);
    await transport.sendMail({ ...mail, to: { name: '', address: mail.to } });
  };
  try {
    await Promise.race([attempt(), late]);
  } finally {
    clearTimeout(timer);
    transport.close();
  }
}

type SmtpError = { code?: string; responseCode?: number };

/** The server said no to this mail for good. A refused sign-in is not about the mail, and an operator can mend it. */
function isRefusal(error: unknown): boolean {
  const { code, responseCode = 0 } = error as SmtpError;
  return (code === 'EENVELOPE' || code === 'EMESSAGE') && (responseCode === 0 || responseCode >= 500);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
