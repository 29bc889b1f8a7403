import type { Scenario } from './scenario.ts';

export const monitoringScenarios: Record<string, Scenario> = {
  getLive: async (app) => ({ answer: await app.call('GET', '/api/monitoring/live') }),
  getMetrics: async (app) => ({
    answer: await app.call('GET', '/api/monitoring/metrics', { token: await app.adminToken({ role: 'operations' }) }),
  }),
  getReady: async (app) => ({ answer: await app.call('GET', '/api/monitoring/ready') }),
};
