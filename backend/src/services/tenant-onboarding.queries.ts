import type { OnboardingStep } from '../generated/prisma/enums.ts';
import { join, sql, type Sql } from '../utils/sql.ts';
import { onboardingSteps } from './onboarding-steps.policy.ts';

export type StepRow = {
  step: OnboardingStep;
  done: boolean;
  doneAt: Date | null;
  skipReason: string | null;
  skippedById: string | null;
  skippedByName: string | null;
  skippedAt: Date | null;
};

const facts = Object.entries(onboardingSteps).map(([step, { fact }]) =>
  'since' in fact
    ? sql`(${step}::onboarding_step, null::boolean, ${fact.since})`
    : sql`(${step}::onboarding_step, ${fact.holds}, null::timestamptz)`,
);

/** Every step with whether it is done and who left it out; no row where there is no such tenant. */
export const stepRows = (tenantId: string): Sql => sql`
  select s.step, coalesce(s.holds, s.since is not null) as done, s.since as "doneAt", k.reason as "skipReason",
         k.skipped_by_id as "skippedById", k.skipped_by_name as "skippedByName", k.created_at as "skippedAt"
    from tenants t
    left join tenant_branding b on b.tenant_id = t.id
    left join billing_profiles p on p.tenant_id = t.id
   cross join lateral (values ${join(facts)}) as s(step, holds, since)
    left join onboarding_skips k on k.tenant_id = t.id and k.step = s.step
   where t.id = ${tenantId} and t.status <> 'PURGED'`;
