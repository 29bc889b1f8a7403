import { auditModule } from './audit.routes.ts';
import { authModule } from './auth.routes.ts';
import type { Module } from './endpoint.ts';
import { monitoringModule } from './monitoring.routes.ts';
import { tenantsModule } from './tenants.routes.ts';

/** Every module of the API: the router, the document and the tests over all endpoints read this list. */
export const modules: readonly Module[] = [authModule, tenantsModule, auditModule, monitoringModule];
