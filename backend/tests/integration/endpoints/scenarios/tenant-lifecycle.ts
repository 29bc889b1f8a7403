import type { TestApp } from '../../../support/server.ts';
import { runOutbox } from '../../tenants/support.ts';
import type { Scenario } from './scenario.ts';

const reason = 'The library closes at the end of the month';

const beginOn = async (app: TestApp, method: 'POST' | 'DELETE', suffix: string) => {
  const { tenantId } = await app.buildOwner();
  const token = await app.elevatedToken();
  const answer = await app.call(method, `/api/tenants/${tenantId}${suffix}`, { token, body: { reason } });
  return { tenantId, token, answer };
};

/** An owner who has just proved who they are, and somebody of their library. */
async function libraryOf(app: TestApp) {
  const owner = await app.buildOwner();
  const tenantId = owner.tenantId as string;
  const student = await app.buildUser({ role: 'student', tenantId });
  const { token } = await app.signInElevated(owner);
  return { tenantId, token, student };
}

async function exportOf(app: TestApp) {
  const { tenantId, token } = await libraryOf(app);
  const answer = await app.call('POST', `/api/tenants/${tenantId}/exports`, { token });
  return { answer, token, tenantId, path: `/api/tenants/${tenantId}/exports/${answer.body.data.id}` };
}

async function requestOf(app: TestApp, type: 'ACCESS' | 'CORRECTION') {
  const { tenantId, token, student } = await libraryOf(app);
  const body = { type, subjectId: student.id, details: 'As the law allows me' };
  const answer = await app.call('POST', `/api/tenants/${tenantId}/privacy-requests`, { token, body });
  return { answer, token, tenantId, path: `/api/tenants/${tenantId}/privacy-requests/${answer.body.data.id}` };
}

async function answeredRequest(app: TestApp) {
  const { path, token, tenantId } = await requestOf(app, 'ACCESS');
  const answer = await app.call('PUT', path, { token, body: { status: 'COMPLETED' } });
  return { answer, token, tenantId, path: `${path}/export` };
}

export const tenantLifecycleScenarios: Record<string, Scenario> = {
  deleteTenant: (app) => beginOn(app, 'DELETE', ''),
  offboardTenant: (app) => beginOn(app, 'POST', '/offboard'),
  cancelOffboarding: async (app) => {
    const { tenantId, token } = await beginOn(app, 'POST', '/offboard');
    return { answer: await app.call('POST', `/api/tenants/${tenantId}/offboard/cancel`, { token, body: { reason } }) };
  },
  getOffboarding: async (app) => {
    const { tenantId, token } = await beginOn(app, 'POST', '/offboard');
    return { answer: await app.call('GET', `/api/tenants/${tenantId}/offboarding`, { token }) };
  },
  setLegalHold: async (app) => {
    const { id } = await app.buildTenant();
    const body = { inForce: true, reason: 'Order of the Rajasthan High Court' };
    const token = await app.elevatedToken();
    return { answer: await app.call('PUT', `/api/tenants/${id}/legal-hold`, { token, body }) };
  },
  createTenantExport: exportOf,
  getTenantExport: async (app) => {
    const { path, token } = await exportOf(app);
    return { answer: await app.call('GET', path, { token }) };
  },
  downloadTenantExport: async (app) => {
    const { path, token, tenantId } = await exportOf(app);
    await runOutbox(app, 'report.tenant-export', tenantId);
    return { answer: await app.call('GET', `${path}/download`, { token }) };
  },
  listPrivacyRequests: async (app) => {
    const { token, tenantId } = await requestOf(app, 'ACCESS');
    return { answer: await app.call('GET', `/api/tenants/${tenantId}/privacy-requests`, { token }) };
  },
  createPrivacyRequest: (app) => requestOf(app, 'ACCESS'),
  updatePrivacyRequest: async (app) => {
    const { path, token } = await requestOf(app, 'CORRECTION');
    const body = { status: 'COMPLETED', resolution: 'The phone number was corrected' };
    return { answer: await app.call('PUT', path, { token, body }) };
  },
  getPersonExport: async (app) => {
    const { path, token } = await answeredRequest(app);
    return { answer: await app.call('GET', path, { token }) };
  },
  downloadPersonExport: async (app) => {
    const { path, token, tenantId } = await answeredRequest(app);
    await runOutbox(app, 'report.person-export', tenantId);
    return { answer: await app.call('GET', `${path}/download`, { token }) };
  },
};
