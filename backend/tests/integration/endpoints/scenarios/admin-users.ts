import { accessOf } from '../../rbac/support.ts';
import { fresh, type Scenario } from './scenario.ts';

const base = '/api/admin-users';
const reason = 'Has left the company';

export const adminUsersScenarios: Record<string, Scenario> = {
  listAdmins: async (app) => {
    await app.buildAdmin({ role: 'support' });
    return { answer: await app.call('GET', `${base}?role=support`, { token: await app.adminToken() }) };
  },
  getAdminAnalytics: async (app) => ({
    answer: await app.call('GET', `${base}/analytics`, { token: await app.adminToken() }),
  }),
  listAdminPermissions: async (app) => ({
    answer: await app.call('GET', `${base}/permissions`, { token: await app.adminToken() }),
  }),
  getAdmin: async (app) => {
    const admin = await app.buildAdmin({ role: 'support' });
    await accessOf(app).override(admin, 'audit.read');
    return { answer: await app.call('GET', `${base}/${admin.id}`, { token: await app.adminToken() }) };
  },
  listAdminActivity: async (app) => {
    const admin = await app.buildAdmin({ role: 'support' });
    await app.signIn(admin);
    return { answer: await app.call('GET', `${base}/${admin.id}/activity`, { token: await app.adminToken() }) };
  },
  createAdmin: async (app) => {
    const body = { email: `new-${fresh()}@studyspot.example`, name: 'Ravi Kumar', roles: ['support'] };
    return { answer: await app.call('POST', base, { token: await app.adminToken(), body }) };
  },
  updateAdmin: async (app) => {
    const { id } = await app.buildAdmin({ role: 'support' });
    const body = { phone: '98290 12345' };
    return { answer: await app.call('PUT', `${base}/${id}`, { token: await app.adminToken(), body }) };
  },
  deleteAdmin: async (app) => {
    const { id } = await app.buildAdmin({ role: 'support' });
    const token = await app.elevatedToken();
    return { answer: await app.call('DELETE', `${base}/${id}`, { token, body: { reason } }) };
  },
  activateAdmin: async (app) => {
    const { id } = await app.buildAdmin({ role: 'support', status: 'INACTIVE' });
    return { answer: await app.call('POST', `${base}/${id}/activate`, { token: await app.adminToken(), body: {} }) };
  },
  deactivateAdmin: async (app) => {
    const { id } = await app.buildAdmin({ role: 'support' });
    const token = await app.adminToken();
    return { answer: await app.call('POST', `${base}/${id}/deactivate`, { token, body: { reason } }) };
  },
  replaceAdminPermissions: async (app) => {
    const { id } = await app.buildAdmin({ role: 'support' });
    const permissions = [{ permission: 'audit.read', effect: 'GRANT', reason: 'Covers for Asha' }];
    const token = await app.elevatedToken();
    return { answer: await app.call('PUT', `${base}/${id}/permissions`, { token, body: { permissions } }) };
  },
  sendAdminInvite: async (app) => {
    const { id } = await app.buildAdmin({ role: 'support', status: 'PENDING', password: false });
    return { answer: await app.call('POST', `${base}/${id}/invite`, { token: await app.adminToken() }) };
  },
  revokeAdminInvite: async (app) => {
    const { id } = await app.buildAdmin({ role: 'support', status: 'PENDING', password: false });
    const token = await app.adminToken();
    return { answer: await app.call('POST', `${base}/${id}/invite/revoke`, { token, body: { reason } }) };
  },
  resetAdminPassword: async (app) => {
    const { id } = await app.buildAdmin({ role: 'support' });
    return { answer: await app.call('POST', `${base}/${id}/reset-password`, { token: await app.elevatedToken() }) };
  },
  toggleAdminMfa: async (app) => {
    const { id } = await app.buildAdmin({ role: 'support' });
    const token = await app.elevatedToken();
    const body = { enabled: true, reason: 'Works from abroad' };
    return { answer: await app.call('POST', `${base}/${id}/toggle-mfa`, { token, body }) };
  },
  listAdminSessions: async (app) => {
    const admin = await app.buildAdmin({ role: 'support' });
    await app.signIn(admin);
    return { answer: await app.call('GET', `${base}/${admin.id}/sessions`, { token: await app.adminToken() }) };
  },
  revokeAdminSession: async (app) => {
    const admin = await app.buildAdmin({ role: 'support' });
    await app.signIn(admin);
    const [session] = await app.query<{ id: string }>('select id from sessions where user_id = $1', [admin.id]);
    const token = await app.adminToken();
    return { answer: await app.call('DELETE', `${base}/${admin.id}/sessions/${session!.id}`, { token }) };
  },
};
