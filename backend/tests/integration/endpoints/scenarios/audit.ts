import type { Scenario } from './scenario.ts';

export const auditScenarios: Record<string, Scenario> = {
  listAudit: async (app) => ({ answer: await app.call('GET', '/api/audit', { token: await app.adminToken() }) }),
  checkAuditIntegrity: async (app) => ({
    answer: await app.call('GET', '/api/audit/integrity', { token: await app.adminToken() }),
  }),
  getAuditEntry: async (app) => {
    const token = await app.adminToken();
    const { body } = await app.call('GET', '/api/audit?limit=1', { token });
    return { answer: await app.call('GET', `/api/audit/${body.data[0].id}`, { token }) };
  },
};
