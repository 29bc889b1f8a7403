import type { TestApp } from '../../../support/server.ts';
import { buildOpenInvoice, fillBilling } from '../../tenants/billed-tenant.ts';
import { fresh, type Scenario } from './scenario.ts';

const library = () => ({
  name: `Hall ${fresh()}`,
  addressLine: '12 Talwandi Road',
  city: 'Kota',
  state: 'RJ',
  pincode: '324005',
  seatCount: 120,
});
const billing = {
  legalName: 'Saraswati Reading Hall Private Limited',
  email: 'accounts@saraswati.example',
  addressLine: '12 Talwandi Road',
  city: 'Kota',
  state: 'RJ',
  pincode: '324005',
};

async function libraryOf(app: TestApp) {
  const { token, tenantId } = await app.ownerWithToken();
  const path = `/api/tenants/${tenantId}/libraries`;
  const { body } = await app.call('POST', path, { token, body: library() });
  return { token, path: `${path}/${body.data.id}` };
}

export const tenantProfileScenarios: Record<string, Scenario> = {
  getTenantOnboarding: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    return { answer: await app.call('GET', `/api/tenants/${tenantId}/onboarding`, { token }) };
  },
  setTenantOnboardingStep: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    const body = { step: 'GSTIN', applies: false, reason: 'Below the threshold' };
    return { answer: await app.call('POST', `/api/tenants/${tenantId}/onboarding`, { token, body }) };
  },
  listTenantInvoices: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    await buildOpenInvoice(app, tenantId);
    return { answer: await app.call('GET', `/api/tenants/${tenantId}/invoices`, { token }) };
  },
  listTenantPayments: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    await fillBilling(app, tenantId);
    return { answer: await app.call('GET', `/api/tenants/${tenantId}/payments`, { token }) };
  },
  getTenantSettings: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    return { answer: await app.call('GET', `/api/tenants/${tenantId}/settings`, { token }) };
  },
  changeTenantSettings: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    const body = { settings: [{ key: 'email.from_name', value: 'Saraswati', version: 0 }] };
    return { answer: await app.call('PUT', `/api/tenants/${tenantId}/settings`, { token, body }) };
  },
  getBillingProfile: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    const path = `/api/tenants/${tenantId}/billing-profile`;
    await app.call('PUT', path, { token, body: billing });
    return { answer: await app.call('GET', path, { token }) };
  },
  setBillingProfile: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    return { answer: await app.call('PUT', `/api/tenants/${tenantId}/billing-profile`, { token, body: billing }) };
  },
  listLibraries: async (app) => {
    const { token, path } = await libraryOf(app);
    return { answer: await app.call('GET', path.replace(/\/[^/]+$/, ''), { token }) };
  },
  createLibrary: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    return { answer: await app.call('POST', `/api/tenants/${tenantId}/libraries`, { token, body: library() }) };
  },
  updateLibrary: async (app) => {
    const { token, path } = await libraryOf(app);
    return { answer: await app.call('PUT', path, { token, body: { seatCount: 80 } }) };
  },
  deleteLibrary: async (app) => {
    const { token, path } = await libraryOf(app);
    return { answer: await app.call('DELETE', path, { token }) };
  },
  listTenantNotes: async (app) => {
    const { id } = await app.buildTenant();
    const token = await app.adminToken();
    await app.call('POST', `/api/tenants/${id}/notes`, { token, body: { text: 'Wants a second hall.' } });
    return { answer: await app.call('GET', `/api/tenants/${id}/notes`, { token }) };
  },
  createTenantNote: async (app) => {
    const { id } = await app.buildTenant();
    const token = await app.adminToken();
    return { answer: await app.call('POST', `/api/tenants/${id}/notes`, { token, body: { text: 'A second hall.' } }) };
  },
  getTenantTimeline: async (app) => {
    const { id } = await app.buildTenant();
    const token = await app.adminToken();
    await app.call('POST', `/api/tenants/${id}/notes`, { token, body: { text: 'Wants a second hall.' } });
    return { answer: await app.call('GET', `/api/tenants/${id}/timeline`, { token }) };
  },
};
