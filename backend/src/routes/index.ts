import { adminUsersModule } from './admin-users.routes.ts';
import { apiKeysModule } from './api-keys.routes.ts';
import { auditModule } from './audit.routes.ts';
import { authModule } from './auth.routes.ts';
import type { Module } from './endpoint.ts';
import { filesModule } from './files.routes.ts';
import { impersonationsModule } from './impersonations.routes.ts';
import { mfaModule } from './mfa.routes.ts';
import { monitoringModule } from './monitoring.routes.ts';
import { paymentsModule } from './payments.routes.ts';
import { passkeysModule } from './passkeys.routes.ts';
import { platformUsersModule } from './platform-users.routes.ts';
import { rbacModule } from './rbac.routes.ts';
import { securityModule } from './security.routes.ts';
import { revenueModule } from './revenue.routes.ts';
import { settingsModule } from './settings.routes.ts';
import { subscriptionsModule } from './subscriptions.routes.ts';
import { tenantsModule } from './tenants.routes.ts';
import { testModule } from './test.routes.ts';

/** Every module of the API: the router, the document and the tests over all endpoints read this list. */
export const modules: readonly Module[] = [
  authModule,
  mfaModule,
  passkeysModule,
  tenantsModule,
  platformUsersModule,
  adminUsersModule,
  rbacModule,
  securityModule,
  apiKeysModule,
  impersonationsModule,
  auditModule,
  subscriptionsModule,
  revenueModule,
  paymentsModule,
  filesModule,
  monitoringModule,
  settingsModule,
];

/** What is there outside production alone; the document does not speak of it. */
export const modulesOutsideProduction: readonly Module[] = [testModule];
