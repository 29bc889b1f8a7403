import { newId } from '../../../../src/utils/ids.ts';
import { someAddress } from '../../../support/factories.ts';
import type { TestApp } from '../../../support/server.ts';
import type { Scenario } from './scenario.ts';

const read =
  (path: string): Scenario =>
  async (app) => ({ answer: await app.call('GET', `/api/security${path}`, { token: await app.adminToken() }) });

async function buildKey(app: TestApp) {
  const token = await app.elevatedToken();
  const body = { name: 'Nightly export', scopes: ['tenants.read'], allowedNetworks: ['203.0.113.0/24'] };
  const answer = await app.call('POST', '/api/security/api-keys', { token, body });
  return { token, answer, id: answer.body.data?.id as string };
}

async function buildImpersonation(app: TestApp) {
  const token = await app.elevatedToken();
  const owner = await app.buildOwner();
  const body = { userId: owner.id, reason: 'Cannot find her invoices', ticket: 'SUP-1042' };
  const answer = await app.call('POST', '/api/security/impersonations', { token, body });
  return { token, answer, id: answer.body.data?.impersonation.id as string };
}

export const securityScenarios: Record<string, Scenario> = {
  getSecurityOverview: read('/overview'),
  listSecurityPolicies: read('/policies'),
  changeSecurityPolicy: async (app) => {
    const token = await app.elevatedToken();
    const { body } = await app.call('GET', '/api/security/policies', { token });
    const { version } = body.data.find(({ type }: { type: string }) => type === 'LOCKOUT');
    return {
      answer: await app.call('PUT', '/api/security/policies/lockout', {
        token,
        body: { freeTries: 6 },
        headers: { 'if-match': `"${version}"` },
      }),
    };
  },
  listIpRules: async (app) => {
    await app.query(
      `insert into ip_rules (id, effect, audience, network, note) values ($1, 'DENY', 'EVERYONE', '192.0.2.0/24', 'Scans us')
       on conflict do nothing`,
      [newId()],
    );
    return read('/ip-rules')(app);
  },
  createIpRule: async (app) => ({
    answer: await app.call('POST', '/api/security/ip-rules', {
      token: await app.adminToken(),
      body: { effect: 'DENY', audience: 'EVERYONE', network: '198.51.100.0/24', note: 'Scans us' },
    }),
  }),
  testIpRules: async (app) => ({
    answer: await app.call('POST', '/api/security/ip-rules/test', {
      token: await app.adminToken(),
      body: { address: '::ffff:203.0.113.7' },
    }),
  }),
  deleteIpRule: async (app) => {
    const id = newId();
    await app.query(
      `insert into ip_rules (id, effect, audience, network, note) values ($1, 'DENY', 'ADMINS', '192.0.2.0/25', 'Scans us')`,
      [id],
    );
    return { answer: await app.call('DELETE', `/api/security/ip-rules/${id}`, { token: await app.adminToken() }) };
  },
  listLoginAttempts: async (app) => {
    await app.signIn(await app.buildOwner());
    return read('/login-attempts')(app);
  },
  listLockouts: async (app) => {
    await buildLockout(app);
    return read('/lockouts')(app);
  },
  liftLockout: async (app) => {
    const id = await buildLockout(app);
    return { answer: await app.call('DELETE', `/api/security/lockouts/${id}`, { token: await app.adminToken() }) };
  },
  listAllSessions: read('/sessions'),
  revokeSessions: async (app) => {
    const user = await app.buildOwner();
    await app.signIn(user);
    const body = { userId: user.id, reason: 'The laptop was stolen' };
    return { answer: await app.call('POST', '/api/security/sessions/revoke', { token: await app.adminToken(), body }) };
  },
  revokeAnySession: async (app) => {
    const user = await app.buildOwner();
    await app.signIn(user);
    const [session] = await app.query<{ id: string }>('select id from sessions where user_id = $1', [user.id]);
    return {
      answer: await app.call('DELETE', `/api/security/sessions/${session?.id}`, { token: await app.adminToken() }),
    };
  },
  listSecurityEvents: async (app) => {
    await buildEvent(app);
    return read('/events')(app);
  },
  resolveSecurityEvent: async (app) => {
    const id = await buildEvent(app);
    const body = { resolution: 'A test of ours' };
    return {
      answer: await app.call('POST', `/api/security/events/${id}/resolve`, { token: await app.adminToken(), body }),
    };
  },
  listApiKeys: async (app) => {
    await buildKey(app);
    return read('/api-keys')(app);
  },
  createApiKey: async (app) => ({ answer: (await buildKey(app)).answer }),
  rotateApiKey: async (app) => {
    const { token, id } = await buildKey(app);
    return { answer: await app.call('POST', `/api/security/api-keys/${id}/rotate`, { token, body: {} }) };
  },
  revokeApiKey: async (app) => {
    const { token, id } = await buildKey(app);
    return { answer: await app.call('DELETE', `/api/security/api-keys/${id}`, { token }) };
  },
  listImpersonations: async (app) => {
    await buildImpersonation(app);
    return read('/impersonations')(app);
  },
  startImpersonation: async (app) => ({ answer: (await buildImpersonation(app)).answer }),
  endImpersonation: async (app) => {
    const { token, id } = await buildImpersonation(app);
    return { answer: await app.call('DELETE', `/api/security/impersonations/${id}`, { token }) };
  },
};

async function buildLockout(app: TestApp): Promise<string> {
  const id = newId();
  const user = await app.buildOwner();
  await app.query(
    `insert into lockouts (id, tenant_id, user_id, account, kind, network, throttle_key, failures, locked_until)
     values ($1, $2, $3, 'me…mple', 'PASSWORD', $4, $5, 6, now() + interval '10 minutes')`,
    [id, user.tenantId, user.id, someAddress(), `password|${id}|10.0.0.1`],
  );
  return id;
}

async function buildEvent(app: TestApp): Promise<string> {
  const id = newId();
  const user = await app.buildOwner();
  await app.query(
    `insert into security_events (id, tenant_id, type, severity, user_id, details)
     values ($1, $2, 'REFRESH_REUSE', 'HIGH', $3, '{"presented": 1}')`,
    [id, user.tenantId, user.id],
  );
  return id;
}
