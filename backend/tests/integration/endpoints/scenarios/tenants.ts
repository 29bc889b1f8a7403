import { fresh, type Scenario } from './scenario.ts';

export const tenantsScenarios: Record<string, Scenario> = {
  listTenants: async (app) => {
    await app.buildOwner();
    return { answer: await app.call('GET', '/api/tenants', { token: await app.adminToken() }) };
  },
  createTenant: async (app) => {
    const body = {
      name: 'New Hall',
      slug: `new-hall-${fresh()}`,
      email: 'office@new.example',
      owner: { name: 'Meera', email: `m-${fresh()}@new.example` },
    };
    return { answer: await app.call('POST', '/api/tenants', { token: await app.adminToken(), body }) };
  },
  getTenant: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    return { answer: await app.call('GET', `/api/tenants/${tenantId}`, { token }) };
  },
  updateTenant: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    return { answer: await app.call('PUT', `/api/tenants/${tenantId}`, { token, body: { city: 'Sikar' } }) };
  },
  suspendTenant: async (app) => {
    const { id } = await app.buildTenant();
    return {
      answer: await app.call('POST', `/api/tenants/${id}/suspend`, {
        token: await app.adminToken(),
        body: { reason: 'Unpaid since June' },
      }),
    };
  },
  activateTenant: async (app) => {
    const { id } = await app.buildTenant({ status: 'SUSPENDED' });
    return {
      answer: await app.call('POST', `/api/tenants/${id}/activate`, { token: await app.adminToken(), body: {} }),
    };
  },
  listTenantTransitions: async (app) => {
    const { id } = await app.buildTenant();
    const token = await app.adminToken();
    await app.call('POST', `/api/tenants/${id}/suspend`, { token, body: { reason: 'Unpaid since June' } });
    return { answer: await app.call('GET', `/api/tenants/${id}/transitions`, { token }) };
  },
  listTenantUsers: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    return { answer: await app.call('GET', `/api/tenants/${tenantId}/users`, { token }) };
  },
  listTenantImpersonations: async (app) => {
    const { owner, token, tenantId } = await app.ownerWithToken();
    const body = { userId: owner.id, reason: 'Cannot find her invoices', ticket: 'SUP-1042' };
    await app.call('POST', '/api/security/impersonations', { token: await app.elevatedToken(), body });
    return { answer: await app.call('GET', `/api/tenants/${tenantId}/impersonations`, { token }) };
  },
  setSupportAccess: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    return {
      answer: await app.call('PUT', `/api/tenants/${tenantId}/support-access`, { token, body: { allowed: false } }),
    };
  },
};
