import type { Answer } from '../../support/client.ts';
import { PASSWORD, someAddress } from '../../support/factories.ts';
import type { TestApp } from '../../support/server.ts';

type Scenario = (app: TestApp) => Promise<{ answer: Answer }>;

const fresh = () => `${process.pid}-${Math.random().toString(36).slice(2, 10)}`;
const from = () => ({ headers: { 'x-forwarded-for': someAddress() } });

/** For each endpoint one call that succeeds, made from nothing: the loops need it to see what an endpoint answers. */
export const scenarios: Record<string, Scenario> = {
  login: async (app) => {
    const user = await app.buildOwner();
    return {
      answer: await app.call('POST', '/api/auth/login', { body: { email: user.email, password: PASSWORD }, ...from() }),
    };
  },
  logout: async (app) => ({ answer: await app.call('POST', '/api/auth/logout', { token: await app.adminToken() }) }),
  refresh: async (app) => {
    const { refreshToken } = await app.signIn(await app.buildOwner());
    return { answer: await app.call('POST', '/api/auth/refresh', { body: { refreshToken }, ...from() }) };
  },
  forgotPassword: async (app) => ({
    answer: await app.call('POST', '/api/auth/forgot-password', {
      body: { email: 'nobody@people.example' },
      ...from(),
    }),
  }),
  resetPassword: async (app) => {
    const user = await app.buildOwner();
    const token = await app.buildOneTimeToken(user);
    return {
      answer: await app.call('POST', '/api/auth/reset-password', {
        body: { token, password: 'a-new-password-1' },
        ...from(),
      }),
    };
  },
  getMe: async (app) => ({
    answer: await app.call('GET', '/api/auth/me', { token: (await app.ownerWithToken()).token }),
  }),
  listSessions: async (app) => ({
    answer: await app.call('GET', '/api/auth/sessions', { token: await app.adminToken() }),
  }),
  revokeSession: async (app) => {
    const user = await app.buildAdmin();
    await app.signIn(user);
    const { token } = await app.signIn(user);
    const { body } = await app.call('GET', '/api/auth/sessions', { token });
    const other = (body.data as { id: string; current: boolean }[]).find(({ current }) => !current);
    return { answer: await app.call('DELETE', `/api/auth/sessions/${other?.id}`, { token }) };
  },
  revokeOtherSessions: async (app) => ({
    answer: await app.call('DELETE', '/api/auth/sessions', { token: await app.adminToken() }),
  }),
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
  listAudit: async (app) => ({ answer: await app.call('GET', '/api/audit', { token: await app.adminToken() }) }),
  checkAuditIntegrity: async (app) => ({
    answer: await app.call('GET', '/api/audit/integrity', { token: await app.adminToken() }),
  }),
  getAuditEntry: async (app) => {
    const token = await app.adminToken();
    const { body } = await app.call('GET', '/api/audit?limit=1', { token });
    return { answer: await app.call('GET', `/api/audit/${body.data[0].id}`, { token }) };
  },
  getLive: async (app) => ({ answer: await app.call('GET', '/api/monitoring/live') }),
  getReady: async (app) => ({ answer: await app.call('GET', '/api/monitoring/ready') }),
};
