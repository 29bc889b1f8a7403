import type { z } from 'zod';
import { orderBy, sql, where, type Sql } from '../utils/sql.ts';
import type { listCampaignsQuery, listRunsQuery } from '../validators/dunning.validator.ts';

// Reads of dunning for people. Days are text, in India; money is text.

export type RunFilter = z.output<typeof listRunsQuery>;
export type CampaignFilter = z.output<typeof listCampaignsQuery>;

const campaignColumns = sql`
  c.id, c.name, c.status, c.is_default as "isDefault", c.attempt_gaps as "attemptGaps", c.steps,
  c.minimum_amount::text as "minimumAmount", c.version, c.created_at as "createdAt", c.updated_at as "updatedAt",
  (select count(*)::int from dunning_runs r where r.campaign_id = c.id and r.status = 'ACTIVE') as "activeRuns"`;

export const campaignById = (id: string): Sql =>
  sql`select ${campaignColumns} from dunning_campaigns c where c.id = ${id}`;

export const lockCampaign = (id: string): Sql =>
  sql`select id, status, is_default as "isDefault", version from dunning_campaigns where id = ${id} for update`;

export const campaignRows = ({ status, sort, order }: CampaignFilter): { rows: Sql; count: Sql } => {
  const matching = where(status && sql`c.status = ${status}::dunning_campaign_status`);
  const columns = { name: 'c.name', createdAt: 'c.created_at' };
  return {
    rows: sql`select ${campaignColumns} from dunning_campaigns c ${matching} ${orderBy(columns, sort, order, 'c.id')}`,
    count: sql`select count(*)::int as total from dunning_campaigns c ${matching}`,
  };
};

/** @param today a tenant that is paused until a day is paused before that day */
const runColumns = (today: string): Sql => sql`
  r.id, r.subscription_id as "subscriptionId", r.status, to_char(r.started_on, 'YYYY-MM-DD') as "startedOn",
  to_char(r.next_on, 'YYYY-MM-DD') as "nextOn", r.attempts_made as "attemptsMade", r.hard_declined as "hardDeclined",
  to_char(r.promised_on, 'YYYY-MM-DD') as "promisedOn", r.closed_at as "closedAt", r.close_reason as "closeReason",
  r.created_at as "createdAt", jsonb_build_object('id', r.tenant_id, 'name', t.name) as tenant,
  jsonb_build_object('id', c.id, 'name', c.name) as campaign,
  jsonb_build_object('id', i.id, 'number', i.number, 'amountDue', i.amount_due::text, 'dueDate', i.due_date) as invoice,
  coalesce(a.dunning_paused and (a.dunning_paused_till is null or a.dunning_paused_till > ${today}::date), false) as paused`;

const runTables = sql`
  from dunning_runs r join tenants t on t.id = r.tenant_id join dunning_campaigns c on c.id = r.campaign_id
  join invoices i on i.id = r.invoice_id left join billing_accounts a on a.tenant_id = r.tenant_id`;

const runSort = { createdAt: 'r.created_at', nextOn: 'r.next_on' };

export const runRows = ({ status, tenantId, sort, order }: RunFilter, today: string): { rows: Sql; count: Sql } => {
  const matching = where(
    status && sql`r.status = ${status}::dunning_run_status`,
    tenantId && sql`r.tenant_id = ${tenantId}`,
    // Those that have no next day are not in the order by it.
    sort === 'nextOn' && sql`r.next_on is not null`,
  );
  return {
    rows: sql`select ${runColumns(today)} ${runTables} ${matching} ${orderBy(runSort, sort, order, 'r.id')}`,
    count: sql`select count(*)::int as total from dunning_runs r ${matching}`,
  };
};

export const runForPeople = (id: string, today: string): Sql => sql`
  select ${runColumns(today)}, r.plan, r.notice_for as "noticeFor",
         (select coalesce(max(s.number), 0) from dunning_steps s where s.run_id = r.id and s.kind = 'CONSEQUENCE')::int as "stepsTaken"
    ${runTables} where r.id = ${id}`;

export const stepsOf = (runId: string): Sql => sql`
  select kind, number, to_char(due_on, 'YYYY-MM-DD') as "dueOn", outcome, consequence, payment_id as "paymentId", note,
         actor_name as by, created_at as at
    from dunning_steps where run_id = ${runId} order by created_at, id limit 200`;

/** Active runs for which something is due by a day, whether it is held up or not. */
export const dueBy = (day: string, today: string, limit: number): { rows: Sql; count: Sql } => ({
  rows: sql`
    select ${runColumns(today)}, r.plan,
           (select coalesce(max(s.number), 0) from dunning_steps s where s.run_id = r.id and s.kind = 'CONSEQUENCE')::int as "stepsTaken"
      ${runTables} where r.status = 'ACTIVE' and r.next_on <= ${day}::date order by r.next_on, r.id limit ${limit}`,
  count: sql`select count(*)::int as total from dunning_runs where status = 'ACTIVE' and next_on <= ${day}::date`,
});

export const tenantDunning = (tenantId: string): Sql => sql`
  select t.id as "tenantId", coalesce(a.dunning_paused, false) as paused,
         to_char(a.dunning_paused_till, 'YYYY-MM-DD') as "pausedTill", a.dunning_pause_note as reason,
         a.dunning_campaign_id as "campaignId",
         (select count(*)::int from dunning_runs r where r.tenant_id = t.id and r.status = 'ACTIVE') as "openRuns"
    from tenants t left join billing_accounts a on a.tenant_id = t.id
   where t.id = ${tenantId} and t.status <> 'PURGED'`;

/** The next number of a promise, whose rows have keys like those of steps. */
export const nextPromise = (runId: string): Sql => sql`
  select coalesce(max(number), 0)::int + 1 as number from dunning_steps where run_id = ${runId} and kind = 'PROMISE'`;
