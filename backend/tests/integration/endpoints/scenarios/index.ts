import { auditScenarios } from './audit.ts';
import { authScenarios } from './auth.ts';
import { monitoringScenarios } from './monitoring.ts';
import type { Scenario } from './scenario.ts';
import { tenantsScenarios } from './tenants.ts';

/** For each endpoint one call that succeeds, by operationId: the loops need it to see what an endpoint answers. */
export const scenarios: Record<string, Scenario> = {
  ...authScenarios,
  ...tenantsScenarios,
  ...auditScenarios,
  ...monitoringScenarios,
};
