import { addDays } from '../../../../src/utils/india-day.ts';
import { dayInIndia } from '../../../../src/utils/india-time.ts';
import { freshKey } from '../../../support/billing.ts';
import { buildDunningRun } from '../../../support/dunning.ts';
import { fresh, type Scenario } from './scenario.ts';

const campaigns = '/api/revenue/dunning/campaigns';
const body = () => ({
  name: `Gentle ${fresh()}`,
  attemptGaps: [2, 5],
  steps: [{ day: 3, consequence: 'REMINDER', channels: ['EMAIL'] }],
});

export const dunningScenarios: Record<string, Scenario> = {
  listDunningRuns: async (app) => {
    await buildDunningRun(app);
    return { answer: await app.call('GET', '/api/revenue/dunning', { token: await app.adminToken() }) };
  },
  previewDunning: async (app) => {
    await buildDunningRun(app);
    return { answer: await app.call('GET', '/api/revenue/dunning/dry-run', { token: await app.adminToken() }) };
  },
  listDunningCampaigns: async (app) => ({
    answer: await app.call('GET', campaigns, { token: await app.adminToken() }),
  }),
  createDunningCampaign: async (app) => ({
    answer: await app.call('POST', campaigns, { token: await app.adminToken(), body: body() }),
  }),
  getDunningCampaign: async (app) => {
    const token = await app.adminToken();
    const made = await app.call('POST', campaigns, { token, body: body() });
    return { answer: await app.call('GET', `${campaigns}/${made.body.data.id}`, { token }) };
  },
  updateDunningCampaign: async (app) => {
    const token = await app.adminToken();
    const made = await app.call('POST', campaigns, { token, body: body() });
    return {
      answer: await app.call('PUT', `${campaigns}/${made.body.data.id}`, { token, body: { attemptGaps: [1, 2, 3] } }),
    };
  },
  getDunningRun: async (app) => {
    const { runId } = await buildDunningRun(app);
    return {
      answer: await app.call('GET', `/api/revenue/dunning/runs/${runId}`, { token: await app.adminToken() }),
    };
  },
  stepDunningRun: async (app) => {
    const { runId } = await buildDunningRun(app);
    return {
      answer: await app.call('POST', `/api/revenue/dunning/runs/${runId}/step`, {
        token: await app.adminToken(),
        headers: freshKey(),
        body: { action: 'PROMISE', promisedOn: addDays(dayInIndia(new Date()), 5), note: 'On the phone' },
      }),
    };
  },
  pauseTenantDunning: async (app) => {
    const { id } = await app.buildTenant();
    return {
      answer: await app.call('POST', `/api/revenue/dunning/tenants/${id}/pause`, {
        token: await app.adminToken(),
        body: { reason: 'Their bank account is being changed' },
      }),
    };
  },
  resumeTenantDunning: async (app) => {
    const { id } = await app.buildTenant();
    return {
      answer: await app.call('POST', `/api/revenue/dunning/tenants/${id}/resume`, { token: await app.adminToken() }),
    };
  },
  setTenantDunning: async (app) => {
    const { id } = await app.buildTenant();
    return {
      answer: await app.call('PUT', `/api/revenue/dunning/tenants/${id}`, {
        token: await app.adminToken(),
        body: { campaignId: null },
      }),
    };
  },
  listBookChecks: async (app) => ({
    answer: await app.call('GET', '/api/revenue/book-checks', { token: await app.adminToken() }),
  }),
};
