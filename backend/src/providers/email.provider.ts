/** A file that goes along. */
export type MailAttachment = {
  /** Letters, digits, `-`, `_` and `.` alone. */
  filename: string;
  content: Buffer;
  contentType: string;
};

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
  attachments?: MailAttachment[];
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

const plainFileName = /^[A-Za-z0-9][\w.-]{0,119}$/;
const plainContentType = /^[\w.+-]+\/[\w.+-]+$/;

/** @throws MailRefused when a part of the mail would add headers or recipients to it, or lead out of a folder */
export function assertHarmless(mail: Mail): void {
  if (!plainAddress.test(mail.to)) throw new MailRefused('The recipient is not one plain email address');
  const headers = Object.entries(mail.headers ?? {}).flat();
  if (mail.replyTo !== undefined && !plainAddress.test(mail.replyTo)) {
    throw new MailRefused('The address for answers is not one plain email address');
  }
  if ([mail.from, mail.subject, mail.messageId, ...headers].some((text) => breaksHeader.test(text))) {
    throw new MailRefused('A header of the mail holds a line break');
  }
  for (const { filename, contentType } of mail.attachments ?? []) {
    if (!plainFileName.test(filename) || !plainContentType.test(contentType)) {
      throw new MailRefused('A file of the mail has no plain name or type');
    }
  }
}
