import { PLATFORM_TIME_ZONE } from '../config/constants.ts';
import { environment } from '../config/environment.ts';
import type { JobContext } from '../queues/job-context.ts';
import { formatIndian } from '../utils/indian-number.ts';
import { sql } from '../utils/sql.ts';

/** Somebody with an account, as far as mails need to know them. */
export type Recipient = {
  id: string;
  tenantId: string | null;
  tenantName: string | null;
  name: string;
  email: string;
  status: string;
};

const columns = sql`u.id, u.tenant_id as "tenantId", t.name as "tenantName", u.name, u.email, u.status`;

/** Nobody when the account is gone, closed or without an address. */
export const recipientById = (ctx: JobContext, userId: string): Promise<Recipient | undefined> =>
  ctx.sql.one<Recipient>(sql`
    select ${columns} from users u left join tenants t on t.id = u.tenant_id
     where u.id = ${userId} and u.email is not null and u.status in ('ACTIVE', 'PENDING')`);

/**
 * Somebody who has not chosen a password yet counts: their welcome mail may be lost. Not so an admin who is invited: that
 * link has a time of its own, and may have been revoked.
 */
export const recipientByEmail = (ctx: JobContext, email: string): Promise<Recipient | undefined> =>
  ctx.sql.one<Recipient>(sql`
    select ${columns} from users u left join tenants t on t.id = u.tenant_id
     where u.email = ${email.trim().toLowerCase()}
       and (u.status = 'ACTIVE' or (u.status = 'PENDING' and u.type = 'PLATFORM_USER'))`);

/** Nobody when several share the phone, as parents and children do: it is not known who asked. */
export async function recipientByPhone(ctx: JobContext, phone: string): Promise<Recipient | undefined> {
  const found = await ctx.sql.many<Recipient>(sql`
    select ${columns} from users u left join tenants t on t.id = u.tenant_id
     where u.phone = ${phone} and u.email is not null and u.status = 'ACTIVE'
     limit 2`);
  return found.length === 1 ? found[0] : undefined;
}

/** An address of the portal. */
export const portalLink = (path: string, query: Record<string, string> = {}): string => {
  const url = new URL(path, `${environment().PUBLIC_URL}/`);
  url.search = new URLSearchParams(query).toString();
  return url.href;
};

const dateAndTime = new Intl.DateTimeFormat('en-IN', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: PLATFORM_TIME_ZONE,
});

/** `22 November 2026 at 6:45 pm (India time)` */
export const readableTime = (time: Date): string => `${dateAndTime.format(time)} (India time)`;

const dateAlone = new Intl.DateTimeFormat('en-IN', { dateStyle: 'long', timeZone: 'UTC' });

/** `22 November 2026`, of a day as text. */
export const readableDay = (day: string): string => dateAlone.format(new Date(`${day}T00:00:00Z`));

/** `₹2,49,900.00`, of rupees as text. */
export const readableRupees = (amount: string): string => `₹${formatIndian(amount)}`;
