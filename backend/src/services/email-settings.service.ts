import { environment } from '../config/environment.ts';
import { mailServerAddress } from '../providers/mail-server-address.ts';
import type { ReadContext } from '../types/context.ts';
import { readContext } from './context.service.ts';
import { storedFor, type StoredSetting } from './settings.queries.ts';
import { effectiveValue } from './settings.service.ts';

export type Sender = { from: string; replyTo?: string };

/** Who a mail comes from and whom it is answered to: as the tenant has set it, else the platform, else EMAIL_FROM. */
export async function senderOf(ctx: Pick<ReadContext, 'sql' | 'log'>, tenantId: string | null): Promise<Sender> {
  const stored = await ctx.sql.many<StoredSetting>(storedFor(['email.from_name', 'email.reply_to'], tenantId));
  const { value: name, layer } = effectiveValue(ctx, 'email.from_name', stored);
  const { value: replyTo } = effectiveValue(ctx, 'email.reply_to', stored);
  const { EMAIL_FROM } = environment();
  const address = /<([^>]*)>/.exec(EMAIL_FROM)?.[1] ?? EMAIL_FROM;
  return {
    from: name === null || layer === 'environment' ? EMAIL_FROM : `"${String(name)}" <${address}>`,
    ...(replyTo !== null && { replyTo: String(replyTo) }),
  };
}

const KNOWN_MS = 10_000;
let known: { url: string | undefined; until: number } | undefined;

/**
 * The address of the mail server, with its password; undefined where mails stay on this machine. Asked for at most
 * every ten seconds.
 * @throws MailServerBarred
 */
export async function mailServer(ctx: ReadContext): Promise<string | undefined> {
  if (environment().EMAIL_PROVIDER !== 'smtp') return undefined;
  if (known && known.until > Date.now()) return known.url;
  const { value, layer } = await storedMailServer(ctx);
  if (value !== null && layer === 'platform') await mailServerAddress(value);
  known = { url: value ?? undefined, until: Date.now() + KNOWN_MS };
  return known.url;
}

/** The mail server that holds, and where it comes from. It is the platform's also while a tenant's mail is sent. */
export async function storedMailServer(ctx: ReadContext): Promise<{ value: string | null; layer: string }> {
  const platform = readContext({ ...ctx, scope: { role: 'portal' }, tenantId: null });
  const stored = await platform.sql.many<StoredSetting>(storedFor(['email.smtp_url'], null));
  const { value, layer } = effectiveValue(ctx, 'email.smtp_url', stored);
  return { value: value === null ? null : String(value), layer };
}

/** The next mail asks anew. */
export function forgetMailServer(): void {
  known = undefined;
}
