import type { TestApp } from '../../../support/server.ts';
import { runPeopleExports } from '../../platform-users/support.ts';
import type { Scenario } from './scenario.ts';

async function studentWithParent(app: TestApp) {
  const { token, tenantId } = await app.ownerWithToken();
  const student = await app.buildUser({ role: 'student', tenantId, password: false });
  const parent = await app.buildUser({ role: 'parent', tenantId, password: false });
  const path = `/api/platform-users/${student.id}/guardians`;
  const answer = await app.call('POST', path, { token, body: { id: parent.id, relation: 'MOTHER' } });
  return { token, answer, path: `${path}/${parent.id}` };
}

async function anExport(app: TestApp) {
  const owner = await app.buildOwner();
  const { token } = await app.signInElevated(owner);
  const answer = await app.call('POST', '/api/platform-users/bulk-export', { token, body: { format: 'CSV' } });
  return { token, answer, path: `/api/platform-users/exports/${answer.body.data.id}` };
}

export const platformUsersExtrasScenarios: Record<string, Scenario> = {
  getPeopleAnalytics: async (app) => {
    const { token } = await app.ownerWithToken();
    return { answer: await app.call('GET', '/api/platform-users/analytics', { token }) };
  },
  listPersonActivity: async (app) => {
    const { token, owner } = await app.ownerWithToken();
    return { answer: await app.call('GET', `/api/platform-users/${owner.id}/activity`, { token }) };
  },
  addGuardian: (app) => studentWithParent(app),
  removeGuardian: async (app) => {
    const { token, path } = await studentWithParent(app);
    return { answer: await app.call('DELETE', path, { token }) };
  },
  createPeopleExport: (app) => anExport(app),
  getPeopleExport: async (app) => {
    const { token, path } = await anExport(app);
    return { answer: await app.call('GET', path, { token }) };
  },
  downloadPeopleExport: async (app) => {
    const { token, path } = await anExport(app);
    await runPeopleExports(app);
    return { answer: await app.call('GET', `${path}/download`, { token }) };
  },
};
