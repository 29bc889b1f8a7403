import type { DunningConsequence } from '../generated/prisma/enums.ts';
import type { JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { formatIndian } from '../utils/indian-number.ts';
import { sql } from '../utils/sql.ts';
import { portalLink } from './recipients.ts';

type Told = {
  tenantId: string;
  tenantName: string;
  email: string;
  invoiceId: string;
  number: string;
  amountDue: string;
  dueOn: string;
  consequence: DunningConsequence;
  isActive: boolean;
};

const told = (runId: string, number: number) => sql`
  select r.tenant_id as "tenantId", t.name as "tenantName", coalesce(p.email, t.email) as email, i.id as "invoiceId",
         i.number, i.amount_due::text as "amountDue", to_char(i.due_date, 'DD Mon YYYY') as "dueOn", s.consequence,
         i.status in ('OPEN', 'UNCOLLECTIBLE') as "isActive"
    from dunning_runs r join dunning_steps s on s.run_id = r.id and s.kind = 'CONSEQUENCE' and s.number = ${number}
    join invoices i on i.id = r.invoice_id join tenants t on t.id = r.tenant_id
    left join billing_profiles p on p.tenant_id = t.id
   where r.id = ${runId} and t.status <> 'PURGED'`;

const texts: Record<DunningConsequence, { headline: string; text: string }> = {
  REMINDER: {
    headline: 'A payment is still open',
    text: 'We could not collect the invoice below. Please pay it, or check that your payment method works.',
  },
  WARNING: {
    headline: 'Your library is about to be suspended',
    text: 'The invoice below is overdue. If it stays unpaid, your library will be suspended and, a week later, your subscription cancelled.',
  },
  BLOCK: {
    headline: 'Your library is suspended',
    text: 'The invoice below was not paid. Nobody of your library can work now, but you can sign in and pay: everything is open again at once.',
  },
  CANCEL: {
    headline: 'Your subscription is cancelled',
    text: 'The invoice below was not paid. Your data is kept; pay and choose a plan to go on.',
  },
};

/** Tells a tenant of a step of dunning, unless it has paid since. A billing notice: it goes out whatever they opted out of. */
export const sendDunning: JobHandler<'email.dunning'> = async (ctx, { runId, number }) => {
  const step = await ctx.sql.one<Told>(told(runId, number));
  if (!step?.isActive) return ctx.log.info('Nothing to dun for any more', { runId, number });
  const { headline, text } = texts[step.consequence];
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'dunning',
    to: step.email,
    tenantId: step.tenantId,
    signal: ctx.job.signal,
    variables: () => ({
      tenantName: step.tenantName,
      headline,
      text,
      number: step.number,
      amountDue: `₹${formatIndian(step.amountDue)}`,
      dueOn: step.dueOn,
      link: portalLink('/billing/invoices', { id: step.invoiceId }),
    }),
  });
};
