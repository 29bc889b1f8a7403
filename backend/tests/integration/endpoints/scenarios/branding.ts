import { onePixel } from '../../../support/example-request.ts';
import type { TestApp } from '../../../support/server.ts';
import type { Scenario } from './scenario.ts';

/** An owner whose library has a logo. */
async function withLogo(app: TestApp) {
  const { token, tenantId } = await app.ownerWithToken();
  const path = `/api/tenants/${tenantId}/branding`;
  const form = { file: { name: 'logo.png', content: onePixel, type: 'image/png' } };
  return { token, path, answer: await app.call('POST', `${path}/logo`, { token, form }) };
}

export const brandingScenarios: Record<string, Scenario> = {
  getTenantBranding: async (app) => {
    const { token, path } = await withLogo(app);
    return { answer: await app.call('GET', path, { token }) };
  },
  updateTenantBranding: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    const body = { displayName: 'Saraswati', colors: { primary: '#1B5E20' } };
    return { answer: await app.call('PUT', `/api/tenants/${tenantId}/branding`, { token, body }) };
  },
  setTenantLogo: async (app) => withLogo(app),
  removeTenantLogo: async (app) => {
    const { token, path } = await withLogo(app);
    return { answer: await app.call('DELETE', `${path}/logo`, { token }) };
  },
};
