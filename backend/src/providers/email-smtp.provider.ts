import nodemailer from 'nodemailer';
import { assertHarmless, MailRefused, type EmailProvider } from './email.provider.ts';

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

type SmtpError = { code?: string; responseCode?: number };

/** The server said no to this mail for good. A refused sign-in is not about the mail, and an operator can mend it. */
function isRefusal(error: unknown): boolean {
  const { code, responseCode = 0 } = error as SmtpError;
  return (code === 'EENVELOPE' || code === 'EMESSAGE') && (responseCode === 0 || responseCode >= 500);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
