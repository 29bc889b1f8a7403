import type { TestApp } from '../../../support/server.ts';
import type { Scenario } from './scenario.ts';

const TRIAL = '/api/settings/tenants.trial_days';

/** The version that the setting has now, for If-Match. */
async function seen(app: TestApp, token: string, path = '/api/settings', key = 'tenants.trial_days') {
  const { body } = await app.call('GET', path, { token });
  const { version } = body.data.find((one: { key: string }) => one.key === key);
  return { 'if-match': `"${version}"` };
}

async function setTrialDays(app: TestApp, token: string, value = 30) {
  return app.call('PUT', TRIAL, { token, body: { value }, headers: await seen(app, token) });
}

async function ofTenant(app: TestApp) {
  const token = await app.adminToken();
  const { id } = await app.buildTenant();
  const path = `/api/settings/tenants/${id}`;
  const headers = await seen(app, token, path, 'email.from_name');
  const body = { value: 'Saraswati Hall' };
  return { token, path, set: () => app.call('PUT', `${path}/email.from_name`, { token, body, headers }) };
}

const read =
  (path: string): Scenario =>
  async (app) => ({ answer: await app.call('GET', path, { token: await app.adminToken() }) });

export const settingsScenarios: Record<string, Scenario> = {
  listSettingDefinitions: read('/api/settings/definitions'),
  listSettings: read('/api/settings'),
  listEffectiveSettings: read('/api/settings/effective'),
  changeSetting: async (app) => ({ answer: await setTrialDays(app, await app.adminToken()) }),
  resetSetting: async (app) => {
    const token = await app.adminToken();
    await setTrialDays(app, token);
    return { answer: await app.call('DELETE', TRIAL, { token, headers: await seen(app, token) }) };
  },
  changeSettings: async (app) => {
    const token = await app.adminToken();
    const version = Number((await seen(app, token))['if-match'].replaceAll('"', ''));
    const body = { settings: [{ key: 'tenants.trial_days', value: 21, version }] };
    return { answer: await app.call('POST', '/api/settings/bulk', { token, body }) };
  },
  listSettingHistory: async (app) => {
    const token = await app.adminToken();
    await setTrialDays(app, token);
    return { answer: await app.call('GET', `${TRIAL}/history`, { token }) };
  },
  rollbackSetting: async (app) => {
    const token = await app.adminToken();
    const { body } = await setTrialDays(app, token, 45);
    const { version } = body.data;
    await setTrialDays(app, token, 60);
    const headers = await seen(app, token);
    return { answer: await app.call('POST', `${TRIAL}/rollback`, { token, body: { version }, headers }) };
  },
  testSetting: async (app) => {
    // Nothing listens there: that it does not work is an answer too.
    const body = { value: 'smtp://127.0.0.1:1099' };
    const token = await app.adminToken();
    return { answer: await app.call('POST', '/api/settings/email.smtp_url/test', { token, body }) };
  },
  listTenantSettings: async (app) => {
    const { token, path } = await ofTenant(app);
    return { answer: await app.call('GET', path, { token }) };
  },
  changeTenantSetting: async (app) => ({ answer: await (await ofTenant(app)).set() }),
  resetTenantSetting: async (app) => {
    const { token, path, set } = await ofTenant(app);
    const { body } = await set();
    const headers = { 'if-match': `"${body.data.version}"` };
    return { answer: await app.call('DELETE', `${path}/email.from_name`, { token, headers }) };
  },
};
