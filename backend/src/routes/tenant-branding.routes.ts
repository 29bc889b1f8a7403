import * as tenants from '../controllers/tenant-branding.controller.ts';
import * as v from '../validators/tenant-branding.validator.ts';
import { tenantId } from '../validators/tenants.validator.ts';
import { endpoint } from './endpoint.ts';

/** How the space of a tenant looks. */
export const tenantBrandingEndpoints = [
  endpoint({
    method: 'get',
    path: '/:id/branding',
    operationId: 'getTenantBranding',
    summary: "Get how a tenant's space looks",
    description: 'Name, tagline, colours and logo, with what holds where nothing was set.',
    access: { permission: 'tenants.read', tenant: 'own' },
    params: tenantId,
    response: v.branding,
    handler: tenants.getBranding,
  }),
  endpoint({
    method: 'put',
    path: '/:id/branding',
    operationId: 'updateTenantBranding',
    summary: "Change how a tenant's space looks",
    description: 'Only the fields that are sent change; null goes back to what holds for everybody.',
    access: { permission: 'tenants.update', tenant: 'own' },
    params: tenantId,
    body: v.brandingBody,
    response: v.branding,
    audit: 'tenants.branding',
    ifMatch: true,
    handler: tenants.updateBranding,
  }),
  endpoint({
    method: 'post',
    path: '/:id/branding/logo',
    operationId: 'setTenantLogo',
    summary: 'Upload the logo of a tenant',
    description:
      'A PNG, JPEG or WebP, recognised by its content. It is encoded anew as a PNG of at most 512 by 512 pixels, without anything that stood beside the pixels, and replaces the one before.',
    access: { permission: 'tenants.update', tenant: 'own' },
    params: tenantId,
    upload: { field: 'file', maxBytes: 2 * 1024 * 1024, description: 'A PNG, JPEG or WebP.' },
    response: v.branding,
    audit: 'tenants.logo',
    transaction: 'manual',
    rateLimit: { points: 60, seconds: 3600 },
    handler: tenants.setLogo,
  }),
  endpoint({
    method: 'delete',
    path: '/:id/branding/logo',
    operationId: 'removeTenantLogo',
    summary: 'Remove the logo of a tenant',
    description: 'The file is removed for good.',
    access: { permission: 'tenants.update', tenant: 'own' },
    params: tenantId,
    response: v.branding,
    audit: 'tenants.logo_remove',
    handler: tenants.removeLogo,
  }),
];
