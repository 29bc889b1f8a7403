import type { z } from 'zod';
import { OnboardingStep } from '../generated/prisma/enums.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { invalidField, orNotFound } from '../utils/errors.ts';
import type { onboarding, onboardingBody } from '../validators/tenant-profile.validator.ts';
import { onboardingSteps } from './onboarding-steps.policy.ts';
import { stepRows, type StepRow } from './tenant-onboarding.queries.ts';
import { lockTenant } from './tenants.queries.ts';

type Onboarding = z.input<typeof onboarding>;

/**
 * What a tenant has done of what a new one does, by the facts.
 * @throws AppError not_found
 */
export async function getOnboarding(ctx: Pick<ReadContext, 'sql'>, tenantId: string): Promise<Onboarding> {
  const rows = await ctx.sql.many<StepRow>(stepRows(tenantId));
  orNotFound(rows[0], 'tenant');
  const byStep = new Map(rows.map((row) => [row.step, row]));
  const steps = Object.values(OnboardingStep).flatMap((step) => {
    const row = byStep.get(step);
    return row ? [stepView(row)] : [];
  });
  const done = steps.filter((step) => step.done).length;
  const skipped = steps.filter((step) => !step.done && step.skipped).length;
  const total = steps.length;
  return { steps, progress: { done, skipped, total }, complete: done + skipped === total };
}

function stepView(row: StepRow): Onboarding['steps'][number] {
  const { title, required, hint, endpoint } = onboardingSteps[row.step];
  const { skipReason: reason, skippedById: id, skippedByName: name, skippedAt: at } = row;
  const skipped =
    reason !== null && id !== null && name !== null && at !== null ? { reason, by: { id, name }, at } : null;
  return { step: row.step, title, done: row.done, doneAt: row.doneAt, required, skipped, hint, endpoint };
}

/**
 * Says that a step does not apply to the tenant, or that it does again. Said twice it is the same, with the newer
 * reason.
 * @throws AppError not_found; validation_failed for a step that always applies
 */
export async function setOnboardingStep(
  ctx: WriteContext<Actor>,
  tenantId: string,
  { step, applies, reason = '' }: z.output<typeof onboardingBody>,
): Promise<Onboarding> {
  // Two at once say one after the other what they say.
  orNotFound(await ctx.sql.one(lockTenant(tenantId)), 'tenant');
  if (!applies && onboardingSteps[step].required) {
    throw invalidField('step', 'applies to every tenant and cannot be left out');
  }
  const where = { tenantId_step: { tenantId, step } };
  const before = await ctx.db.onboardingSkip.findUnique({ where, select: { reason: true } });
  if (applies) await ctx.db.onboardingSkip.deleteMany({ where: { tenantId, step } });
  else {
    const { impersonation, id, name } = ctx.actor;
    const skip = {
      reason,
      skippedById: impersonation?.adminId ?? id,
      skippedByName: impersonation?.adminName ?? name,
      createdAt: ctx.now,
    };
    await ctx.db.onboardingSkip.upsert({ where, create: { tenantId, step, ...skip }, update: skip });
  }
  ctx.audit({
    resource: 'tenant',
    resourceId: tenantId,
    tenantId,
    before: { applies: before === null },
    after: { applies },
    details: { step, ...(applies ? {} : { reason }) },
  });
  return getOnboarding(ctx, tenantId);
}
