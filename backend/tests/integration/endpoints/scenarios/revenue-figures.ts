import { runJob } from '../../../support/billing.ts';
import type { TestApp } from '../../../support/server.ts';
import type { Scenario } from './scenario.ts';

const read =
  (path: string): Scenario =>
  async (app) => ({ answer: await app.call('GET', `/api/revenue/${path}`, { token: await app.adminToken() }) });

async function aReport(app: TestApp) {
  const token = await app.elevatedToken();
  const body = { type: 'AGEING', format: 'CSV' };
  const answer = await app.call('POST', '/api/revenue/reports', { token, body });
  return { token, answer, id: answer.body.data.id as string };
}

export const revenueFiguresScenarios: Record<string, Scenario> = {
  getRevenueDashboard: read('dashboard'),
  getRevenueMetrics: read('metrics'),
  getRevenueAnalytics: read('analytics'),
  getMrrMovements: read('metrics/mrr-movements'),
  getRevenueCohorts: read('metrics/cohorts'),
  getRevenueChurn: read('metrics/churn'),
  createRevenueReport: (app) => aReport(app),
  listRevenueReports: async (app) => {
    const { token } = await aReport(app);
    return { answer: await app.call('GET', '/api/revenue/reports', { token }) };
  },
  getRevenueReport: async (app) => {
    const { token, id } = await aReport(app);
    return { answer: await app.call('GET', `/api/revenue/reports/${id}`, { token }) };
  },
  downloadRevenueReport: async (app) => {
    const { token, id } = await aReport(app);
    await runJob('report.revenue', { reportId: id });
    return { answer: await app.call('GET', `/api/revenue/reports/${id}/download`, { token }) };
  },
};
