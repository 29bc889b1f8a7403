import { adminUsersScenarios } from './admin-users.ts';
import { analyticsScenarios } from './analytics.ts';
import { auditScenarios } from './audit.ts';
import { authScenarios } from './auth.ts';
import { brandingScenarios } from './branding.ts';
import { catalogueScenarios } from './catalogue.ts';
import { dunningScenarios } from './dunning.ts';
import { filesScenarios } from './files.ts';
import { invoicesScenarios } from './invoices.ts';
import { mfaScenarios } from './mfa.ts';
import { monitoringScenarios } from './monitoring.ts';
import { paymentsScenarios } from './payments.ts';
import { peopleImportsScenarios } from './people-imports.ts';
import { platformUsersExtrasScenarios } from './platform-users-extras.ts';
import { platformUsersScenarios } from './platform-users.ts';
import { rbacScenarios } from './rbac.ts';
import { revenueFiguresScenarios } from './revenue-figures.ts';
import type { Scenario } from './scenario.ts';
import { securityScenarios } from './security.ts';
import { settingsScenarios } from './settings.ts';
import { subscriptionsScenarios } from './subscriptions.ts';
import { tenantProfileScenarios } from './tenant-profile.ts';
import { tenantLifecycleScenarios } from './tenant-lifecycle.ts';
import { tenantsScenarios } from './tenants.ts';

/** For each endpoint one call that succeeds, by operationId: the loops need it to see what an endpoint answers. */
export const scenarios: Record<string, Scenario> = {
  ...authScenarios,
  ...brandingScenarios,
  ...catalogueScenarios,
  ...dunningScenarios,
  ...filesScenarios,
  ...mfaScenarios,
  ...tenantsScenarios,
  ...tenantLifecycleScenarios,
  ...analyticsScenarios,
  ...tenantProfileScenarios,
  ...adminUsersScenarios,
  ...platformUsersScenarios,
  ...platformUsersExtrasScenarios,
  ...paymentsScenarios,
  ...peopleImportsScenarios,
  ...rbacScenarios,
  ...revenueFiguresScenarios,
  ...securityScenarios,
  ...auditScenarios,
  ...monitoringScenarios,
  ...settingsScenarios,
  ...subscriptionsScenarios,
  ...invoicesScenarios,
};
