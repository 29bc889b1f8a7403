import * as profile from '../controllers/tenant-profile.controller.ts';
import * as v from '../validators/tenant-profile.validator.ts';
import { tenantId } from '../validators/tenants.validator.ts';
import { endpoint } from './endpoint.ts';

/** What a tenant sets up for itself: onboarding, settings and who its invoices go to. */
export const tenantProfileEndpoints = [
  endpoint({
    method: 'get',
    path: '/:id/onboarding',
    operationId: 'getTenantOnboarding',
    summary: 'See how far the onboarding of a tenant is',
    description: 'A checklist, computed from what there is: a step is done by the facts, and undone by them.',
    access: { permission: 'tenants.read', tenant: 'own' },
    params: tenantId,
    response: v.onboarding,
    handler: profile.getOnboarding,
  }),
  endpoint({
    method: 'post',
    path: '/:id/onboarding',
    operationId: 'setTenantOnboardingStep',
    summary: 'Say whether a step of onboarding applies',
    description: 'A business that is not registered for GST has no GSTIN to give. Required steps always apply.',
    access: { permission: 'tenants.update', tenant: 'own' },
    params: tenantId,
    body: v.onboardingBody,
    response: v.onboarding,
    audit: 'tenants.onboarding',
    handler: profile.setOnboardingStep,
  }),
  endpoint({
    method: 'get',
    path: '/:id/settings',
    operationId: 'getTenantSettings',
    summary: 'See the settings of a tenant',
    description: 'What a tenant can set of its own, what holds, and whether that is its own or the platform’s.',
    access: { permission: 'tenants.read', tenant: 'own' },
    params: tenantId,
    response: v.tenantSettings,
    handler: profile.listOwnSettings,
  }),
  endpoint({
    method: 'put',
    path: '/:id/settings',
    operationId: 'changeTenantSettings',
    summary: 'Change settings of a tenant',
    description:
      'Several at once: all of them, or none. Each with the version that you have seen. An admin needs settings.update as well. The consent to support is changed with PUT /:id/support-access.',
    access: { permission: 'tenants.update', tenant: 'own' },
    params: tenantId,
    body: v.tenantSettingsBody,
    response: v.tenantSettings,
    audit: 'tenants.settings',
    errors: ['version_mismatch'],
    handler: profile.changeOwnSettings,
  }),
  endpoint({
    method: 'get',
    path: '/:id/billing-profile',
    operationId: 'getBillingProfile',
    summary: 'See who the invoices of a tenant go to',
    description: 'Open to a suspended tenant too. 404 until there is one.',
    access: { permission: 'revenue.read', tenant: 'own' },
    params: tenantId,
    response: v.billingProfile,
    handler: profile.getBillingProfile,
  }),
  endpoint({
    method: 'put',
    path: '/:id/billing-profile',
    operationId: 'setBillingProfile',
    summary: 'Set who the invoices of a tenant go to',
    description:
      'Creates the profile or replaces it, whole. The first two digits of the GSTIN are the code of the state. Open to a suspended tenant too.',
    access: { permission: 'revenue.update', tenant: 'own' },
    params: tenantId,
    body: v.billingProfileBody,
    response: v.billingProfile,
    audit: 'tenants.billing_profile',
    ifMatch: true,
    handler: profile.setBillingProfile,
  }),
];
