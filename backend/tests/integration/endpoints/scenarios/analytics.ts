import type { Scenario } from './scenario.ts';

export const analyticsScenarios: Record<string, Scenario> = {
  getTenantAnalytics: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    await app.buildUser({ role: 'student', tenantId });
    return { answer: await app.call('GET', `/api/tenants/${tenantId}/analytics`, { token }) };
  },
};
