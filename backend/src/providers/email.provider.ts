/** One mail, rendered. */
export type Mail = {
  /** `Name <address>` */
  from: string;
  /** One plain address: where answers go, if not to the sender. */
  replyTo?: string;
  /** One plain address. */
  to: string;
  subject: string;
  html: string;
  text: string;
  /** With its angle brackets; the same for each try of the same mail. */
  messageId: string;
  headers?: Record<string, string>;
};

/** Something that delivers mails. */
export type EmailProvider = {
  /**
   * Resolves when the mail was taken over for delivery.
   * @throws MailRefused when it never will be; any other error: it may work later
   */
  send(mail: Mail, options?: { signal?: AbortSignal }): Promise<void>;
  close(): Promise<void>;
};

/** The mail cannot be delivered, now or later: a wrong recipient, a message that the server does not want. */
export class MailRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MailRefused';
  }
}

const breaksHeader = /[\r\n\0]/;
// No comma, quote or angle bracket: what is given as one recipient must be one.
const plainAddress = /^[^\s@,;:<>()[\]"\\]+@[^\s@,;:<>()[\]"\\]+$/;

/** @throws MailRefused when a part of the mail would add headers or recipients to it */
export function assertHarmless(mail: Mail): void {
  if (!plainAddress.test(mail.to)) throw new MailRefused('The recipient is not one plain email address');
  const headers = Object.entries(mail.headers ?? {}).flat();
  if (mail.replyTo !== undefined && !plainAddress.test(mail.replyTo)) {
    throw new MailRefused('The address for answers is not one plain email address');
  }
  if ([mail.from, mail.subject, mail.messageId, ...headers].some((text) => breaksHeader.test(text))) {
    throw new MailRefused('A header of the mail holds a line break');
  }
}
