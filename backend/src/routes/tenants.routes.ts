import * as tenants from '../controllers/tenants.controller.ts';
import { pageOf } from '../utils/page.ts';
import * as impersonations from '../validators/impersonations.validator.ts';
import * as v from '../validators/tenants.validator.ts';
import { endpoint, type Module } from './endpoint.ts';
import { tenantBillingEndpoints } from './tenant-billing.routes.ts';
import { tenantBrandingEndpoints } from './tenant-branding.routes.ts';
import { tenantAnalyticsEndpoints } from './tenant-analytics.routes.ts';
import { tenantExportEndpoints } from './tenant-exports.routes.ts';
import { tenantLifecycleEndpoints } from './tenant-lifecycle.routes.ts';
import { tenantPrivacyEndpoints } from './tenant-privacy.routes.ts';
import { tenantLibrariesEndpoints } from './tenant-libraries.routes.ts';
import { tenantNotesEndpoints } from './tenant-notes.routes.ts';
import { tenantProfileEndpoints } from './tenant-profile.routes.ts';

export const tenantsModule: Module = {
  tag: 'Tenants',
  description: 'The library owners who are customers of StudySpot',
  prefix: '/tenants',
  endpoints: [
    endpoint({
      method: 'get',
      path: '/',
      operationId: 'listTenants',
      summary: 'List tenants',
      description: 'With filters, search and sort, page by page.',
      access: { permission: 'tenants.read' },
      query: v.listTenantsQuery,
      response: pageOf(v.tenant),
      handler: tenants.listTenants,
    }),
    endpoint({
      method: 'post',
      path: '/',
      operationId: 'createTenant',
      summary: 'Create a tenant',
      description:
        'With its owner and a trial, in one transaction. The owner gets a mail with a link to set a password. With a plan it is subscribed to it, on trial as long as the tenant; that needs subscriptions.create as well.',
      access: { permission: 'tenants.create' },
      body: v.createTenantBody,
      response: v.tenant,
      status: 201,
      audit: 'tenants.create',
      errors: ['not_found', 'conflict'],
      handler: tenants.createTenant,
    }),
    endpoint({
      method: 'get',
      path: '/:id',
      operationId: 'getTenant',
      summary: 'Get a tenant',
      description: 'Users of a tenant get their own only.',
      access: { permission: 'tenants.read', tenant: 'own' },
      params: v.tenantId,
      response: v.tenant,
      handler: tenants.getTenant,
    }),
    endpoint({
      method: 'put',
      path: '/:id',
      operationId: 'updateTenant',
      summary: 'Change the profile of a tenant',
      description:
        'Only the fields that are sent change. With If-Match the change is refused when somebody else was faster.',
      access: { permission: 'tenants.update', tenant: 'own' },
      params: v.tenantId,
      body: v.updateTenantBody,
      response: v.tenant,
      audit: 'tenants.update',
      ifMatch: true,
      handler: tenants.updateTenant,
    }),
    endpoint({
      method: 'post',
      path: '/:id/suspend',
      operationId: 'suspendTenant',
      summary: 'Suspend a tenant',
      description:
        'Ends the sessions of all its people and shuts them out of everything but payment and export. Its subscription goes on.',
      access: { permission: 'tenants.suspend' },
      params: v.tenantId,
      body: v.suspendTenantBody,
      response: v.tenant,
      audit: 'tenants.suspend',
      errors: ['invalid_transition'],
      handler: tenants.suspendTenant,
    }),
    endpoint({
      method: 'post',
      path: '/:id/activate',
      operationId: 'activateTenant',
      summary: 'Activate a tenant',
      description:
        'Ends a suspension or a trial. A trial that a suspension interrupted goes on for what is left of it.',
      access: { permission: 'tenants.suspend' },
      params: v.tenantId,
      body: v.activateTenantBody,
      response: v.tenant,
      audit: 'tenants.activate',
      errors: ['invalid_transition'],
      handler: tenants.activateTenant,
    }),
    endpoint({
      method: 'get',
      path: '/:id/transitions',
      operationId: 'listTenantTransitions',
      summary: "List a tenant's changes of status",
      description: 'Who changed the status, when and why.',
      access: { permission: 'tenants.read' },
      params: v.tenantId,
      query: v.listTransitionsQuery,
      response: pageOf(v.tenantTransition),
      handler: tenants.listTransitions,
    }),
    endpoint({
      method: 'get',
      path: '/:id/users',
      operationId: 'listTenantUsers',
      summary: 'List the people of a tenant',
      description: 'Owners, staff, students and parents.',
      access: { permission: 'tenants.read', tenant: 'own' },
      params: v.tenantId,
      query: v.listTenantUsersQuery,
      response: pageOf(v.tenantUser),
      handler: tenants.listTenantUsers,
    }),
    endpoint({
      method: 'get',
      path: '/:id/impersonations',
      operationId: 'listTenantImpersonations',
      summary: "List who acted in the name of a tenant's people",
      description: 'Which admin of StudySpot, in whose name, when and why; newest first.',
      access: { permission: 'tenants.read', tenant: 'own' },
      params: v.tenantId,
      query: impersonations.listTenantImpersonationsQuery,
      response: pageOf(impersonations.impersonation),
      handler: tenants.listTenantImpersonations,
    }),
    endpoint({
      method: 'put',
      path: '/:id/support-access',
      operationId: 'setSupportAccess',
      summary: 'Allow or withdraw impersonation by support',
      description:
        'Whether admins of StudySpot may act in the name of the people of the library. Withdrawing ends at once what goes on. Admins can withdraw it, and not allow it.',
      access: { permission: 'tenants.update', tenant: 'own' },
      params: v.tenantId,
      body: impersonations.supportAccessBody,
      response: impersonations.supportAccess,
      audit: 'tenants.support_access',
      errors: ['impersonation_restricted'],
      handler: tenants.setSupportAccess,
    }),
    ...tenantProfileEndpoints,
    ...tenantBillingEndpoints,
    ...tenantBrandingEndpoints,
    ...tenantAnalyticsEndpoints,
    ...tenantLibrariesEndpoints,
    ...tenantNotesEndpoints,
    ...tenantLifecycleEndpoints,
    ...tenantExportEndpoints,
    ...tenantPrivacyEndpoints,
  ],
};
