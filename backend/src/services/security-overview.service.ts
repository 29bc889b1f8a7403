import type { ReadContext } from '../types/context.ts';
import { sealingKeyId } from '../utils/secret-box.ts';
import { assertOutsideTenants } from './platform-space.policy.ts';
import { securityFacts, type Facts } from './security-overview.queries.ts';
import { policyFrom, storedPolicies, type StoredPolicy } from './security-policies.service.ts';
import { CHECKS, judgePosture } from './security-posture.policy.ts';

/** How safe the platform is set up, and what to do about it. */
export async function getSecurityOverview(ctx: ReadContext) {
  assertOutsideTenants(ctx);
  const [[facts], stored] = await ctx.sql.batch<[Facts[], StoredPolicy[]]>(
    securityFacts(sealingKeyId()),
    storedPolicies('PASSWORD', 'MFA'),
  );
  const policies = { password: policyFrom('PASSWORD', stored), mfa: policyFrom('MFA', stored) };
  const judged = judgePosture({ ...(facts as Facts), ...policies });
  return { ...judged, checks: Object.keys(CHECKS).length, checkedAt: ctx.now };
}
