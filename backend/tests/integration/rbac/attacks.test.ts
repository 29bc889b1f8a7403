import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT_IN_ROLES, permissionCodes, type Permission } from '../../../src/config/permissions.ts';
import { apiKeyOf, keySecretHash, newKeyPrefix, newKeySecret } from '../../../src/utils/api-key.ts';
import { newId } from '../../../src/utils/ids.ts';
import type { Answer } from '../../support/client.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { accessOf, stateOf } from './support.ts';

// Somebody who may manage people and roles, and nothing else, tries to come to more by every way there is (rule 5).

let app: TestApp;
let access: ReturnType<typeof accessOf>;
let superRole: string;
let target: Awaited<ReturnType<TestApp['buildAdmin']>>;
let invited: Awaited<ReturnType<TestApp['buildAdmin']>>;
let inactive: Awaited<ReturnType<TestApp['buildAdmin']>>;
let equal: Awaited<ReturnType<TestApp['buildAdmin']>>;
let sessionId: string;
let strongRole: { id: string; code: string };
let emptyRole: { id: string; code: string };

beforeAll(async () => {
  app = await startTestApp();
  access = accessOf(app);
  superRole = await access.roleId('super_admin');
  target = await app.buildAdmin({ name: 'Asha Menon' });
  await app.buildAdmin();
  invited = await app.buildAdmin({ status: 'PENDING', password: false });
  inactive = await app.buildAdmin({ status: 'INACTIVE' });
  equal = await app.buildAdmin({ role: 'finance' });
  await app.query('delete from role_assignments where user_id = $1', [equal.id]);
  await app.signIn(target);
  const [session] = await app.query<{ id: string }>('select id from sessions where user_id = $1', [target.id]);
  sessionId = session!.id;
  strongRole = await access.buildRole(['settings.update', 'tenants.read']);
  emptyRole = await access.buildRole([]);
});
afterAll(() => app.close());

const managing = permissionCodes.filter((code) => /^(admins|rbac)\./.test(code));
const reason = 'Because I want to';
const grant = (permission: string) => ({ permission, effect: 'GRANT', reason });

type Attack = { name: string; needs: Permission; run: (token: string, self: string) => Promise<Answer> };
const admins = '/api/admin-users';

/** Every one of them would make its caller, or somebody whom they command, more than the caller is. */
const attacks: Attack[] = [
  ...(['super_admin', 'settings.update role'] as const).map((which) => ({
    name: `gives somebody the ${which}`,
    needs: 'rbac.assign' as const,
    run: (token: string) =>
      app.call('POST', '/api/rbac/assignments', {
        token,
        body: { userId: equal.id, role: which === 'super_admin' ? which : strongRole.id },
      }),
  })),
  {
    name: 'gives themselves super_admin',
    needs: 'rbac.assign',
    run: (token, userId) => app.call('POST', '/api/rbac/assignments', { token, body: { userId, role: 'super_admin' } }),
  },
  {
    name: 'gives themselves a role that grants nothing',
    needs: 'rbac.assign',
    run: (token, userId) => app.call('POST', '/api/rbac/assignments', { token, body: { userId, role: emptyRole.id } }),
  },
  {
    name: 'gives a super admin a harmless role',
    needs: 'rbac.assign',
    run: (token) =>
      app.call('POST', '/api/rbac/assignments', { token, body: { userId: target.id, role: emptyRole.id } }),
  },
  {
    name: 'takes super_admin from somebody',
    needs: 'rbac.assign',
    run: async (token) =>
      app.call('DELETE', `/api/rbac/assignments/${await access.assignmentOf(target.id)}`, { token }),
  },
  {
    name: 'creates a role that grants more',
    needs: 'rbac.manage',
    run: (token) =>
      app.call('POST', '/api/rbac/roles', {
        token,
        body: { name: 'Harmless', description: 'Nothing to see', permissions: ['settings.update'] },
      }),
  },
  {
    name: 'creates a role for owners that grants what they do not hold',
    needs: 'rbac.manage',
    run: (token) =>
      app.call('POST', '/api/rbac/roles', {
        token,
        body: { name: 'Harmless', description: 'Nothing', userType: 'PLATFORM_USER', permissions: ['tenants.update'] },
      }),
  },
  {
    name: 'clones super_admin',
    needs: 'rbac.manage',
    run: (token) => app.call('POST', `/api/rbac/roles/${superRole}/clone`, { token, body: { name: 'My own one' } }),
  },
  {
    name: 'adds to a role what they do not hold',
    needs: 'rbac.manage',
    run: (token) =>
      app.call('PUT', `/api/rbac/roles/${emptyRole.id}`, {
        token,
        body: { permissions: ['settings.update'] },
        headers: { 'if-match': '"1"' },
      }),
  },
  {
    name: 'takes from a role what they do not hold',
    needs: 'rbac.manage',
    run: (token) =>
      app.call('PUT', `/api/rbac/roles/${strongRole.id}`, {
        token,
        body: { permissions: [] },
        headers: { 'if-match': '"1"' },
      }),
  },
  {
    name: 'adds to the role that they hold',
    needs: 'rbac.manage',
    run: async (token, self) => {
      const [own] = await app.query<{ id: string }>(
        'select role_id as id from role_assignments a join roles r on r.id = a.role_id where user_id = $1 and not built_in',
        [self],
      );
      return app.call('PUT', `/api/rbac/roles/${own?.id ?? superRole}`, {
        token,
        body: { permissions: [...permissionCodes] },
        headers: { 'if-match': '"1"' },
      });
    },
  },
  {
    name: 'removes a role that grants more',
    needs: 'rbac.manage',
    run: (token) => app.call('DELETE', `/api/rbac/roles/${strongRole.id}?reassignTo=${emptyRole.id}`, { token }),
  },
  {
    name: 'removes a role, so that its members become super admins',
    needs: 'rbac.manage',
    run: async (token) => {
      const { role } = await access.buildAdminWith([]);
      const before = await stateOf(app);
      const answer = await app.call('DELETE', `/api/rbac/roles/${role.id}?reassignTo=${superRole}`, { token });
      expect(await stateOf(app)).toEqual(before);
      return answer;
    },
  },
  {
    name: 'invites a super admin of their own',
    needs: 'admins.create',
    run: (token) =>
      app.call('POST', admins, {
        token,
        body: { email: 'accomplice@studyspot.example', name: 'Accomplice', roles: ['super_admin'] },
      }),
  },
  {
    name: 'sends the invitation of a super admin again',
    needs: 'admins.create',
    run: (token) => app.call('POST', `${admins}/${invited.id}/invite`, { token }),
  },
  {
    name: 'revokes the invitation of a super admin',
    needs: 'admins.create',
    run: (token) => app.call('POST', `${admins}/${invited.id}/invite/revoke`, { token, body: {} }),
  },
  {
    name: "makes a super admin's address their own",
    needs: 'admins.update',
    run: (token) => app.call('PUT', `${admins}/${target.id}`, { token, body: { email: 'mine@studyspot.example' } }),
  },
  {
    name: "resets a super admin's password",
    needs: 'admins.update',
    run: (token) => app.call('POST', `${admins}/${target.id}/reset-password`, { token }),
  },
  {
    name: 'deactivates a super admin',
    needs: 'admins.update',
    run: (token) => app.call('POST', `${admins}/${target.id}/deactivate`, { token, body: { reason } }),
  },
  {
    name: 'activates a super admin who was shut out',
    needs: 'admins.update',
    run: (token) => app.call('POST', `${admins}/${inactive.id}/activate`, { token, body: {} }),
  },
  {
    name: 'removes a super admin',
    needs: 'admins.delete',
    run: (token) => app.call('DELETE', `${admins}/${target.id}`, { token, body: { reason } }),
  },
  {
    name: 'grants somebody what they do not hold',
    needs: 'admins.permissions',
    run: (token) =>
      app.call('PUT', `${admins}/${equal.id}/permissions`, {
        token,
        body: { permissions: [grant('settings.update')] },
      }),
  },
  {
    name: 'grants themselves something',
    needs: 'admins.permissions',
    run: (token, self) =>
      app.call('PUT', `${admins}/${self}/permissions`, { token, body: { permissions: [grant('admins.read')] } }),
  },
  {
    name: 'denies a super admin something',
    needs: 'admins.permissions',
    run: (token) =>
      app.call('PUT', `${admins}/${target.id}/permissions`, {
        token,
        body: { permissions: [{ permission: 'admins.permissions', effect: 'DENY', reason }] },
      }),
  },
  {
    name: "removes a super admin's second factor",
    needs: 'admins.mfa',
    run: (token) => app.call('POST', `${admins}/${target.id}/toggle-mfa`, { token, body: { enabled: false, reason } }),
  },
  {
    name: 'changes their own second factor',
    needs: 'admins.mfa',
    run: (token, self) => app.call('POST', `${admins}/${self}/toggle-mfa`, { token, body: { enabled: false, reason } }),
  },
  {
    name: "ends a super admin's session",
    needs: 'admins.sessions',
    run: (token) => app.call('DELETE', `${admins}/${target.id}/sessions/${sessionId}`, { token }),
  },
];

async function expectRefused({ name, run }: Attack, token: string, self: string): Promise<void> {
  const isAlone = !name.includes('so that its members');
  const before = isAlone ? await stateOf(app) : undefined;
  const answer = await run(token, self);
  // A built-in role is nobody's to change, whoever asks.
  const isBuiltIn = answer.body?.error?.code === 'conflict' && answer.text.includes('Built-in roles');
  if (!isBuiltIn) {
    expect(answer.status, `${name}: ${answer.text}`).toBe(403);
    expect(['exceeds_own_permissions', 'forbidden']).toContain(answer.body.error.code);
  }
  if (isAlone) expect(await stateOf(app), name).toEqual(before);
}

describe('An admin who manages people and roles, and holds nothing else', () => {
  it.each(attacks)('$name: refused, and nothing has changed', async (attack) => {
    const { admin } = await access.buildAdminWith(managing);
    const { token } = await app.signInElevated(admin);
    await expectRefused(attack, token, admin.id);
  });
});

describe('A support admin who was granted one thing', () => {
  it.each(attacks)('$needs, and $name: refused, and nothing has changed', async (attack) => {
    const admin = await app.buildAdmin({ role: 'support' });
    await access.override(admin, attack.needs);
    const { token } = await app.signInElevated(admin);
    await expectRefused(attack, token, admin.id);
  });
});

describe('Nobody', () => {
  it('who is a super admin changes what they themselves may do', async () => {
    const admin = await app.buildAdmin();
    const { token } = await app.signInElevated(admin);
    const self = admin.id;
    for (const [method, path, body] of [
      ['POST', '/api/rbac/assignments', { userId: self, role: 'auditor' }],
      ['DELETE', `/api/rbac/assignments/${await access.assignmentOf(self)}`, undefined],
      ['PUT', `${admins}/${self}/permissions`, { permissions: [] }],
      ['POST', `${admins}/${self}/toggle-mfa`, { enabled: true, reason }],
      ['POST', `${admins}/${self}/deactivate`, { reason }],
      ['DELETE', `${admins}/${self}`, { reason }],
      ['PUT', `${admins}/${self}`, { email: 'another@studyspot.example' }],
    ] as const) {
      const before = await stateOf(app);
      const answer = await app.call(method, path, { token, body });
      expect([answer.status, answer.body.error?.code], `${path}: ${answer.text}`).toEqual([403, 'forbidden']);
      expect(await stateOf(app)).toEqual(before);
    }
  });

  it('changes or removes a role that they hold, even one among others', async () => {
    const admin = await app.buildAdmin();
    const role = await access.buildRole(['tenants.read']);
    await access.give(admin, role.id);
    const { token } = await app.signInElevated(admin);
    const update = { token, body: { name: 'Mine' }, headers: { 'if-match': '"1"' } };
    expect((await app.call('PUT', `/api/rbac/roles/${role.id}`, update)).status).toBe(403);
    const removal = await app.call('DELETE', `/api/rbac/roles/${role.id}?reassignTo=${emptyRole.id}`, { token });
    expect(removal.status).toBe(403);
  });

  it('hands on for good what they hold for a time', async () => {
    const { admin } = await access.buildAdminWith(managing);
    await access.override(admin, 'audit.read', 'GRANT', 3600);
    const { token } = await app.signInElevated(admin);
    const role = await access.buildRole(['audit.read']);
    const assign = (expiresAt?: string) =>
      app.call('POST', '/api/rbac/assignments', { token, body: { userId: equal.id, role: role.id, expiresAt } });
    expect((await assign()).body.error.code).toBe('exceeds_own_permissions');
    expect((await assign(new Date(Date.now() + 7_200_000).toISOString())).status).toBe(403);
    expect((await assign(new Date(Date.now() + 1_800_000).toISOString())).status).toBe(201);
    const created = await app.call('POST', '/api/rbac/roles', {
      token,
      body: { name: 'For good', description: 'For good', permissions: ['audit.read'] },
    });
    expect(created.body.error.code).toBe('exceeds_own_permissions');
    await app.query('delete from role_assignments where user_id = $1', [equal.id]);
  });
});

describe('By an API key', () => {
  async function buildKey(creatorId: string, scopes: readonly string[]) {
    const parts = { prefix: newKeyPrefix(), secret: newKeySecret() };
    await app.query(
      `insert into api_keys (id, name, prefix, secret_hash, scopes, allowed_networks, created_by_id, expires_at)
       values ($1, 'of a test', $2, $3, $4, '{}', $5, now() + interval '1 day')`,
      [newId(), parts.prefix, keySecretHash(parts.secret), scopes, creatorId],
    );
    return apiKeyOf(parts);
  }

  it.each(attacks)('that may no more than manage, of somebody who may no more: $name', async (attack) => {
    const { admin } = await access.buildAdminWith(managing);
    await expectRefused(attack, await buildKey(admin.id, managing), admin.id);
  });

  it('of a super admin, nobody comes to more than the key is for, and its creator to nothing', async () => {
    const creator = await app.buildAdmin();
    const token = await buildKey(creator.id, ['rbac.assign', ...BUILT_IN_ROLES.finance.permissions]);
    const assign = (userId: string, role: string) =>
      app.call('POST', '/api/rbac/assignments', { token, body: { userId, role } });
    expect((await assign(equal.id, 'auditor')).body.error.code).toBe('exceeds_own_permissions');
    expect((await assign(creator.id, 'finance')).body.error.code).toBe('forbidden');
    const given = await assign(equal.id, 'finance');
    expect(given.status, given.text).toBe(201);
    const [row] = await app.query('select assigned_by_id as by from role_assignments where id = $1', [
      given.body.data.id,
    ]);
    expect(row).toEqual({ by: creator.id });
    await app.query('delete from role_assignments where user_id = $1', [equal.id]);
  });
});
