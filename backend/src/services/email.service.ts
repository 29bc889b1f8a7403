import { environment } from '../config/environment.ts';
import { emailProvider } from '../providers/email.ts';
import { MailRefused, type Mail, type MailAttachment } from '../providers/email.provider.ts';
import { safeErrorText } from '../queues/dead-letters.ts';
import { PermanentError } from '../queues/permanent-error.ts';
import { renderEmail, type EmailTemplate, type EmailVariables, type RenderedEmail } from '../templates/email/render.ts';
import type { ManualContext } from '../types/context.ts';
import { sql } from '../utils/sql.ts';
import { mailServer, senderOf, type Sender } from './email-settings.service.ts';

export type EmailOrder<Template extends EmailTemplate> = {
  /** One mail a job: it is sent once however often the job runs. */
  jobId: string;
  template: Template;
  /** One plain address. */
  to: string;
  /** Whose mail it is; null for people of the platform. */
  tenantId: string | null;
  /** Called only if the mail is to be sent: the place to make a one-time token, which nothing else may hold. */
  variables: () => EmailVariables[Template] | Promise<EmailVariables[Template]>;
  /** Called only if the mail is to be sent: files that go along. */
  attachments?: () => Promise<MailAttachment[]>;
  signal?: AbortSignal;
};

/**
 * Sends a mail, unless its job has sent it already. When a try ends between sending and noting it, the next one sends
 * again, with the same Message-ID.
 * @throws PermanentError when it can never be sent: a missing variable, a refused recipient
 */
export async function sendEmail<Template extends EmailTemplate>(
  ctx: ManualContext<null>,
  order: EmailOrder<Template>,
): Promise<void> {
  if (await isSent(ctx, order.jobId)) return;
  const rendered = await render(order.template, await order.variables());
  const attachments = await order.attachments?.();
  const sender = await senderOf(ctx, order.tenantId);
  const mail = { ...mailOf(order, rendered, sender), ...(attachments && { attachments }) };
  await noteSending(ctx, order, mail);
  try {
    const provider = await emailProvider(await mailServer(ctx));
    await provider.send(mail, { signal: order.signal });
  } catch (error) {
    await noteFailure(ctx, order.jobId, error);
    throw error instanceof MailRefused ? new PermanentError(error.message, { cause: error }) : error;
  }
  const sent = { status: 'SENT', sentAt: new Date(), error: null } as const;
  await ctx.transact(({ db }) => db.emailDelivery.update({ where: { jobId: order.jobId }, data: sent }));
  ctx.log.info('Mail sent', { template: order.template, messageId: mail.messageId });
}

const isSent = async (ctx: ManualContext<null>, jobId: string): Promise<boolean> =>
  Boolean(await ctx.sql.one(sql`select id from email_deliveries where job_id = ${jobId} and status = 'SENT'`));

async function render<Template extends EmailTemplate>(
  template: Template,
  variables: EmailVariables[Template],
): Promise<RenderedEmail> {
  try {
    return await renderEmail(template, variables);
  } catch (error) {
    throw new PermanentError(`The mail ${template} cannot be rendered: ${safeErrorText(error)}`);
  }
}

const mailOf = ({ jobId, template, to }: EmailOrder<EmailTemplate>, rendered: RenderedEmail, sender: Sender): Mail => ({
  ...sender,
  to,
  ...rendered,
  messageId: messageIdOf(jobId),
  // So that no out-of-office answers it.
  headers: { 'Auto-Submitted': 'auto-generated', 'X-Template': template },
});

const messageIdOf = (jobId: string): string =>
  `<${jobId.replace(/[^\w.~%+-]/g, '-')}@${new URL(environment().PUBLIC_URL).hostname}>`;

async function noteSending(ctx: ManualContext<null>, order: EmailOrder<EmailTemplate>, mail: Mail): Promise<void> {
  const { jobId, template, tenantId } = order;
  const fields = { recipient: mail.to, subject: mail.subject, status: 'SENDING', messageId: mail.messageId } as const;
  await ctx.transact(({ db }) =>
    db.emailDelivery.upsert({ where: { jobId }, create: { jobId, template, tenantId, ...fields }, update: fields }),
  );
}

/** Only the refusal of the server is what the job failed of: that this could not be noted is just logged. */
async function noteFailure(ctx: ManualContext<null>, jobId: string, error: unknown): Promise<void> {
  const status = error instanceof MailRefused ? 'FAILED' : 'SENDING';
  const data = { status, error: safeErrorText(error) } as const;
  await ctx
    .transact(({ db }) => db.emailDelivery.update({ where: { jobId }, data }))
    .catch((unwritten: unknown) => ctx.log.warn('The failure of a mail could not be noted', { error: unwritten }));
}
