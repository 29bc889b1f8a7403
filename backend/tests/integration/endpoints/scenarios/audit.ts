import type { TestApp } from '../../../support/server.ts';
import { runExports } from '../../audit/support.ts';
import type { Scenario } from './scenario.ts';

const call =
  (method: string, path: string, body?: object): Scenario =>
  async (app) => ({ answer: await app.call(method, path, { token: await app.adminToken(), body }) });

async function anExport(app: TestApp, format = 'JSONL') {
  const token = await app.elevatedToken();
  const answer = await app.call('POST', '/api/audit/exports', { token, body: { format } });
  return { token, answer, path: `/api/audit/exports/${answer.body.data.id}` };
}

export const auditScenarios: Record<string, Scenario> = {
  listAudit: call('GET', '/api/audit'),
  checkAuditIntegrity: call('GET', '/api/audit/integrity'),
  listAuditActions: call('GET', '/api/audit/actions'),
  listRecordHistory: async (app) => {
    const token = await app.adminToken();
    const { id } = await app.buildTenant();
    await app.call('PUT', `/api/tenants/${id}`, { token, body: { city: 'Sikar' } });
    return { answer: await app.call('GET', `/api/audit/resources/tenant/${id}`, { token }) };
  },
  getAuditEntry: async (app) => {
    const token = await app.adminToken();
    const { body } = await app.call('GET', '/api/audit?limit=1', { token });
    return { answer: await app.call('GET', `/api/audit/${body.data[0].id}`, { token }) };
  },
  getAuditRetention: call('GET', '/api/audit/retention'),
  updateAuditRetention: call('PUT', '/api/audit/retention', { months: 48 }),
  listAuditStreams: call('GET', '/api/audit/streams'),
  putAuditStream: call('PUT', '/api/audit/streams/siem', {
    url: 'https://siem.example/audit',
    secret: 'kX2bq8Jm5vTz0wLr7hNc4yGd1sPf9aQe',
    enabled: false,
  }),
  createAuditExport: (app) => anExport(app),
  getAuditExport: async (app) => {
    const { token, path } = await anExport(app);
    return { answer: await app.call('GET', path, { token }) };
  },
  downloadAuditExport: async (app) => {
    const { token, path } = await anExport(app);
    await runExports(app);
    return { answer: await app.call('GET', `${path}/download`, { token }) };
  },
};
