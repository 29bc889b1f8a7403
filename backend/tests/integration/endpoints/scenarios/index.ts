import { adminUsersScenarios } from './admin-users.ts';
import { auditScenarios } from './audit.ts';
import { authScenarios } from './auth.ts';
import { mfaScenarios } from './mfa.ts';
import { monitoringScenarios } from './monitoring.ts';
import { rbacScenarios } from './rbac.ts';
import type { Scenario } from './scenario.ts';
import { securityScenarios } from './security.ts';
import { settingsScenarios } from './settings.ts';
import { tenantsScenarios } from './tenants.ts';

/** For each endpoint one call that succeeds, by operationId: the loops need it to see what an endpoint answers. */
export const scenarios: Record<string, Scenario> = {
  ...authScenarios,
  ...mfaScenarios,
  ...tenantsScenarios,
  ...adminUsersScenarios,
  ...rbacScenarios,
  ...securityScenarios,
  ...auditScenarios,
  ...monitoringScenarios,
  ...settingsScenarios,
};
