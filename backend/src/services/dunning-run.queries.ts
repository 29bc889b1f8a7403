import type { DunningRunStatus } from '../generated/prisma/enums.ts';
import { sql, type Sql } from '../utils/sql.ts';
import type { DunningPlan } from './dunning-schedule.policy.ts';

// What the run of dunning looks for. Days are text, in India.

/** A tenant that somebody has paused is left alone until the day that was said, or until it is resumed. */
const isPaused = (tenant: Sql, today: string): Sql => sql`
  exists (select from billing_accounts a where a.tenant_id = ${tenant} and a.dunning_paused
             and (a.dunning_paused_till is null or a.dunning_paused_till > ${today}::date))`;

export type Place = { day: string; id: string };

/** Runs that are due, after a place in the order of their days. */
export const dueRuns = (today: string, after: Place | undefined, limit: number): Sql => sql`
  select r.id, to_char(r.next_on, 'YYYY-MM-DD') as day, r.invoice_id as "invoiceId"
    from dunning_runs r
   where r.status = 'ACTIVE' and r.next_on <= ${today}::date
     and (r.next_on, r.id) > (${after?.day ?? '1900-01-01'}::date, ${after?.id ?? ''})
     and (r.promised_on is null or r.promised_on < ${today}::date) and not ${isPaused(sql`r.tenant_id`, today)}
   order by r.next_on, r.id limit ${limit}`;

/** Invoices that are overdue, are not charged by themselves, and were never dunned for. */
export const overdueInvoices = (today: string, after: Place | undefined, limit: number): Sql => sql`
  select i.id, to_char(i.due_date, 'YYYY-MM-DD') as day from invoices i
   where i.status = 'OPEN' and i.due_date < ${today}::date and i.collect_after is null
     and (i.due_date, i.id) > (${after?.day ?? '1900-01-01'}::date, ${after?.id ?? ''})
     and not exists (select from dunning_runs r where r.invoice_id = i.id)
     and not exists (select from payments p where p.invoice_id = i.id and p.status in ('CREATED', 'AUTHORIZED', 'UNKNOWN'))
     and not ${isPaused(sql`i.tenant_id`, today)}
   order by i.due_date, i.id limit ${limit}`;

export type RunRow = {
  id: string;
  tenantId: string;
  invoiceId: string;
  subscriptionId: string | null;
  plan: DunningPlan;
  status: DunningRunStatus;
  startedOn: string;
  hardDeclined: boolean;
  attemptsMade: number;
  /** Rungs of the ladder that were taken. */
  stepsTaken: number;
  noticeFor: number;
  noticeAt: Date | null;
  promisedOn: string | null;
  /** The number of an attempt that was begun, and whose end is not known. */
  openAttempt: number | null;
};

/** Charging is over once the bank has said no for good, also where that was learnt later; until there is another method. */
const hardDeclined = sql`
  (select (r.hard_declined or max(p.created_at) is not null)
          and not exists (select from payment_methods m where m.tenant_id = r.tenant_id and m.status = 'ACTIVE'
                             and m.created_at > coalesce(max(p.created_at), r.created_at))
     from payments p where p.invoice_id = r.invoice_id and p.status = 'FAILED' and p.decline = 'HARD')`;

const runColumns = sql`
  r.id, r.tenant_id as "tenantId", r.invoice_id as "invoiceId", r.subscription_id as "subscriptionId", r.plan, r.status,
  to_char(r.started_on, 'YYYY-MM-DD') as "startedOn", ${hardDeclined} as "hardDeclined",
  r.attempts_made as "attemptsMade", r.notice_for as "noticeFor", r.notice_at as "noticeAt",
  to_char(r.promised_on, 'YYYY-MM-DD') as "promisedOn",
  (select coalesce(max(s.number), 0) from dunning_steps s where s.run_id = r.id and s.kind = 'CONSEQUENCE')::int as "stepsTaken",
  (select s.number from dunning_steps s where s.run_id = r.id and s.kind = 'ATTEMPT' and s.outcome = 'STARTED' limit 1) as "openAttempt"`;

export const runById = (id: string): Sql => sql`select ${runColumns} from dunning_runs r where r.id = ${id}`;

/** The same, which nobody else changes until the end of the transaction. Lock its invoice before. */
export const lockRun = (id: string): Sql => sql`${runById(id)} for update of r`;

/** What came of an attempt that a crash has left without an end. */
export const paymentOfAttempt = (invoiceId: string, attempt: number): Sql => sql`
  select id, status, decline from payments
   where invoice_id = ${invoiceId} and initiated_by = 'DUNNING' and attempt_number = ${attempt}
   order by created_at desc limit 1`;
