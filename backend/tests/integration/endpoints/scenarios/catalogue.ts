import { buildAddOn, buildPlan } from '../../../support/billing.ts';
import type { TestApp } from '../../../support/server.ts';
import { fresh, type Scenario } from './scenario.ts';

const prices = { monthlyPrice: '2499.00', annualPrice: '24990.00' };
const plans = '/api/revenue/plans';

const buildCoupon = async (app: TestApp, token: string): Promise<string> => {
  const body = { code: `S-${fresh()}`, name: 'Diwali offer', kind: 'PERCENT', percent: '10', duration: 'FOREVER' };
  return (await app.call('POST', '/api/revenue/coupons', { token, body })).body.data.id;
};

export const catalogueScenarios: Record<string, Scenario> = {
  listPlans: async (app) => {
    await buildPlan(app);
    return { answer: await app.call('GET', plans, { token: await app.adminToken() }) };
  },
  createPlan: async (app) => {
    const body = { name: `Growth ${fresh()}`, ...prices, limits: { libraries: 2 }, features: ['Two reading rooms'] };
    return { answer: await app.call('POST', plans, { token: await app.adminToken(), body }) };
  },
  getPlan: async (app) => {
    const { id } = await buildPlan(app);
    return { answer: await app.call('GET', `${plans}/${id}`, { token: await app.adminToken() }) };
  },
  updatePlan: async (app) => {
    const { id } = await buildPlan(app);
    const body = { monthlyPrice: '1099.00' };
    return { answer: await app.call('PUT', `${plans}/${id}`, { token: await app.adminToken(), body }) };
  },
  deletePlan: async (app) => {
    const { id } = await buildPlan(app);
    return { answer: await app.call('DELETE', `${plans}/${id}`, { token: await app.adminToken() }) };
  },
  listPlanVersions: async (app) => {
    const { id } = await buildPlan(app);
    const token = await app.adminToken();
    await app.call('PUT', `${plans}/${id}`, { token, body: { monthlyPrice: '1099.00' } });
    return { answer: await app.call('GET', `${plans}/${id}/versions`, { token }) };
  },
  clonePlan: async (app) => {
    const { id } = await buildPlan(app);
    const body = { name: `Growth Plus ${fresh()}` };
    return { answer: await app.call('POST', `${plans}/${id}/clone`, { token: await app.adminToken(), body }) };
  },
  listAddOns: async (app) => {
    await buildAddOn(app, { libraries: 1 });
    return { answer: await app.call('GET', '/api/revenue/add-ons', { token: await app.adminToken() }) };
  },
  createAddOn: async (app) => {
    const body = { name: `Another library ${fresh()}`, ...prices, limits: { libraries: 1 } };
    return { answer: await app.call('POST', '/api/revenue/add-ons', { token: await app.adminToken(), body }) };
  },
  updateAddOn: async (app) => {
    const { id } = await buildAddOn(app);
    const body = { status: 'ARCHIVED' };
    return { answer: await app.call('PUT', `/api/revenue/add-ons/${id}`, { token: await app.adminToken(), body }) };
  },
  listCoupons: async (app) => {
    const token = await app.adminToken();
    await buildCoupon(app, token);
    return { answer: await app.call('GET', '/api/revenue/coupons', { token }) };
  },
  createCoupon: async (app) => {
    const body = { code: `D-${fresh()}`, name: 'Welcome', kind: 'FIXED', amount: '250.00', duration: 'ONCE' };
    return { answer: await app.call('POST', '/api/revenue/coupons', { token: await app.adminToken(), body }) };
  },
  updateCoupon: async (app) => {
    const token = await app.adminToken();
    const id = await buildCoupon(app, token);
    const body = { maxRedemptions: 100, redeemBy: '2999-12-31' };
    return { answer: await app.call('PUT', `/api/revenue/coupons/${id}`, { token, body }) };
  },
  deactivateCoupon: async (app) => {
    const token = await app.adminToken();
    const id = await buildCoupon(app, token);
    return { answer: await app.call('POST', `/api/revenue/coupons/${id}/deactivate`, { token }) };
  },
  listTaxes: async (app) => ({
    answer: await app.call('GET', '/api/revenue/taxes', { token: await app.adminToken() }),
  }),
  setTaxes: async (app) => {
    const rate = { sacCode: '9973', description: 'Leasing services', rate: '18', effectiveFrom: '2999-04-01' };
    return {
      answer: await app.call('PUT', '/api/revenue/taxes', { token: await app.adminToken(), body: { rates: [rate] } }),
    };
  },
};
