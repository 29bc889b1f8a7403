import type { JobContext, JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { ownersToTell } from '../services/offboarding.queries.ts';
import { sql } from '../utils/sql.ts';
import { portalLink, readableDay, readableRupees, recipientById, type Recipient } from './recipients.ts';

type EndingTrial = {
  tenantId: string;
  tenantName: string;
  tenantEmail: string;
  planName: string;
  /** Of the first period, rupees without tax and before discounts. */
  price: string;
  endsOn: string;
  /** Whether it goes on by itself: somebody can be charged, or gets an invoice. */
  goesOn: boolean;
};

const MOST_OWNERS = 100;

/**
 * Tells the owners of a tenant, or where none can be written to its own address, that a trial is about to end, and what
 * happens then.
 */
export const sendTrialEnding: JobHandler<'email.trial-ending'> = async (ctx, { subscriptionId }) => {
  const trial = await endingTrial(ctx, subscriptionId);
  if (!trial) return ctx.log.info('No trial that is about to end', { subscriptionId });
  const { tenantId, planName, price, endsOn, goesOn } = trial;
  for (const to of await recipientsOf(ctx, trial)) {
    await sendEmail(ctx, {
      jobId: to.id === null ? ctx.job.id : `${ctx.job.id}-${to.id}`,
      template: 'trial-ending',
      to: to.email,
      tenantId,
      signal: ctx.job.signal,
      variables: () => ({
        name: to.name,
        tenantName: trial.tenantName,
        planName,
        price: readableRupees(price),
        endsOn: readableDay(endsOn),
        goesOn,
        link: portalLink('/billing/subscription'),
      }),
    });
  }
};

type To = Pick<Recipient, 'name' | 'email'> & { id: string | null };

async function recipientsOf(ctx: JobContext, { tenantId, tenantName, tenantEmail }: EndingTrial): Promise<To[]> {
  const owners = await ctx.sql.many<{ id: string }>(ownersToTell(tenantId, MOST_OWNERS));
  const found = await Promise.all(owners.map(({ id }) => recipientById(ctx, id)));
  const people = found.filter((one) => one !== undefined);
  return people.length > 0 ? people : [{ id: null, name: tenantName, email: tenantEmail }];
}

const endingTrial = (ctx: JobContext, id: string): Promise<EndingTrial | undefined> =>
  ctx.sql.one<EndingTrial>(sql`
    select s.tenant_id as "tenantId", t.name as "tenantName", t.email as "tenantEmail", p.name as "planName",
           (case s.billing_cycle when 'ANNUAL' then v.annual_price else v.monthly_price end)::text as price,
           to_char(s.trial_ends_on, 'YYYY-MM-DD') as "endsOn",
           s.collection_method = 'SEND_INVOICE' or exists (
             select from payment_methods m where m.tenant_id = s.tenant_id and m.status = 'ACTIVE'
                and (m.id = s.payment_method_id or m.is_default)) as "goesOn"
      from subscriptions s join tenants t on t.id = s.tenant_id join subscription_plans p on p.id = s.plan_id
      join subscription_plan_versions v on v.id = s.plan_version_id
     where s.id = ${id} and s.status = 'TRIAL' and not s.cancel_at_period_end and t.status <> 'PURGED'`);
