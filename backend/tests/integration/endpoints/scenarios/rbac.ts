import { accessOf } from '../../rbac/support.ts';
import { fresh, type Scenario } from './scenario.ts';

const code = () => `role_${fresh().replaceAll('-', '_')}`;

export const rbacScenarios: Record<string, Scenario> = {
  listPermissions: async (app) => ({
    answer: await app.call('GET', '/api/rbac/permissions', { token: await app.adminToken({ role: 'auditor' }) }),
  }),
  getAccessMatrix: async (app) => ({
    answer: await app.call('GET', '/api/rbac/matrix', { token: await app.adminToken({ role: 'auditor' }) }),
  }),
  listRoles: async (app) => ({
    answer: await app.call('GET', '/api/rbac/roles?builtIn=true', { token: await app.adminToken() }),
  }),
  createRole: async (app) => {
    const body = { code: code(), name: 'Night support', description: 'At night', permissions: ['tenants.read'] };
    return { answer: await app.call('POST', '/api/rbac/roles', { token: await app.adminToken(), body }) };
  },
  getRole: async (app) => {
    const { id } = await accessOf(app).buildRole(['tenants.read']);
    return { answer: await app.call('GET', `/api/rbac/roles/${id}`, { token: await app.adminToken() }) };
  },
  updateRole: async (app) => {
    const { id } = await accessOf(app).buildRole(['tenants.read']);
    const body = { permissions: ['tenants.read', 'audit.read'] };
    const headers = { 'if-match': '"1"' };
    return {
      answer: await app.call('PUT', `/api/rbac/roles/${id}`, { token: await app.elevatedToken(), body, headers }),
    };
  },
  deleteRole: async (app) => {
    const { id } = await accessOf(app).buildRole(['tenants.read']);
    return { answer: await app.call('DELETE', `/api/rbac/roles/${id}`, { token: await app.adminToken() }) };
  },
  cloneRole: async (app) => {
    const id = await accessOf(app).roleId('support');
    const body = { code: code(), name: 'Support by night' };
    return { answer: await app.call('POST', `/api/rbac/roles/${id}/clone`, { token: await app.adminToken(), body }) };
  },
  getRoleImpact: async (app) => {
    const access = accessOf(app);
    const { role } = await access.buildAdminWith(['tenants.read']);
    const body = { permissions: ['audit.read'] };
    const token = await app.adminToken();
    return { answer: await app.call('POST', `/api/rbac/roles/${role.id}/impact`, { token, body }) };
  },
  listRoleMembers: async (app) => {
    const id = await accessOf(app).roleId('super_admin');
    return { answer: await app.call('GET', `/api/rbac/roles/${id}/members`, { token: await app.adminToken() }) };
  },
  assignRole: async (app) => {
    const { id } = await app.buildAdmin({ role: 'finance' });
    const body = { userId: id, role: 'support', expiresAt: '2999-01-31' };
    return { answer: await app.call('POST', '/api/rbac/assignments', { token: await app.adminToken(), body }) };
  },
  unassignRole: async (app) => {
    const { id } = await app.buildAdmin({ role: 'finance' });
    const assignment = await accessOf(app).assignmentOf(id);
    const token = await app.adminToken();
    return { answer: await app.call('DELETE', `/api/rbac/assignments/${assignment}`, { token }) };
  },
  getEffectivePermissions: async (app) => {
    const admin = await app.buildAdmin({ role: 'support' });
    await accessOf(app).override(admin, 'tenants.read', 'DENY', 3600);
    const token = await app.adminToken();
    return { answer: await app.call('GET', `/api/rbac/users/${admin.id}/effective`, { token }) };
  },
  simulateAccess: async (app) => {
    const { id, tenantId } = await app.buildOwner();
    const body = { userId: id, permission: 'tenants.read', tenantId };
    return { answer: await app.call('POST', '/api/rbac/simulate', { token: await app.adminToken(), body }) };
  },
};
