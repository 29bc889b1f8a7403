import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { accessOf } from './support.ts';

let app: TestApp;
let access: ReturnType<typeof accessOf>;
let managers: string[];
beforeAll(async () => {
  app = await startTestApp();
  access = accessOf(app);
  // They hold everything, and are no super admins: nothing but the last guard stands in their way.
  const everything = (await app.query<{ code: string }>('select code from permissions')).map(({ code }) => code);
  const people = await Promise.all([access.buildAdminWith(everything), access.buildAdminWith(everything)]);
  managers = await Promise.all(people.map(async ({ admin }) => (await app.signInElevated(admin)).token));
});
afterAll(() => app.close());
beforeEach(async () => {
  await app.query(`delete from role_assignments a using roles r where r.id = a.role_id and r.code = 'super_admin'`);
});

const reason = 'Of a test';
const admins = '/api/admin-users';
const ways = {
  deactivate: (id: string, token: string) =>
    app.call('POST', `${admins}/${id}/deactivate`, { token, body: { reason } }),
  remove: (id: string, token: string) => app.call('DELETE', `${admins}/${id}`, { token, body: { reason } }),
  unassign: async (id: string, token: string) =>
    app.call('DELETE', `/api/rbac/assignments/${await access.assignmentOf(id)}`, { token }),
  deny: (id: string, token: string) =>
    app.call('PUT', `${admins}/${id}/permissions`, {
      token,
      body: { permissions: [{ permission: 'rbac.assign', effect: 'DENY', reason }] },
    }),
};
type Way = keyof typeof ways;
const names = Object.keys(ways) as Way[];

const full = async () =>
  (
    await app.query(
      `select u.id from users u join role_assignments a on a.user_id = u.id join roles r on r.id = a.role_id
        where r.code = 'super_admin' and u.status = 'ACTIVE' and u.deleted_at is null and a.expires_at is null
          and not exists (select from permission_overrides o where o.user_id = u.id and o.effect = 'DENY')`,
    )
  ).length;

describe('The last super admin', () => {
  it.each(names)('survives: %s', async (way) => {
    const last = await app.buildAdmin();
    expectError(await ways[way](last.id, managers[0]!), 409, 'last_super_admin');
    expect(await full()).toBe(1);
  });

  it.each(names)('is not the last while there is another: %s', async (way) => {
    const [one] = [await app.buildAdmin(), await app.buildAdmin()];
    expectSuccess(await ways[way](one.id, managers[0]!));
    expect(await full()).toBe(1);
  });

  it.each([
    ['is inactive', async () => void (await app.buildAdmin({ status: 'INACTIVE' }))],
    ['has yet to accept', async () => void (await app.buildAdmin({ status: 'PENDING', password: false }))],
    [
      'is one for a time only',
      async () => {
        const admin = await app.buildAdmin({ role: 'finance' });
        await access.give(admin, await access.roleId('super_admin'), 86_400);
      },
    ],
    ['is denied something', async () => access.override(await app.buildAdmin(), 'rbac.assign', 'DENY')],
  ])('is the last though there is another who %s', async (_, build) => {
    const last = await app.buildAdmin();
    await build();
    for (const way of names) expectError(await ways[way](last.id, managers[0]!), 409, 'last_super_admin');
  });

  it('is the last though somebody gave the role until a date', async () => {
    const last = await app.buildAdmin();
    const other = await app.buildAdmin({ role: 'finance' });
    const body = { userId: other.id, role: 'super_admin', expiresAt: '2999-01-01' };
    expectSuccess(await app.call('POST', '/api/rbac/assignments', { token: managers[0], body }), 201);
    expectError(await ways.unassign(last.id, managers[0]!), 409, 'last_super_admin');
  });
});

describe('Two parallel removals of the last two', () => {
  const pairs = names.flatMap((first) => names.map((second) => [first, second] as const));

  it.each(pairs)('by %s and %s leave exactly one', async (first, second) => {
    for (let round = 0; round < 3; round += 1) {
      await app.query(`delete from role_assignments a using roles r where r.id = a.role_id and r.code = 'super_admin'`);
      const [one, other] = [await app.buildAdmin(), await app.buildAdmin()];
      const answers = await Promise.all([ways[first](one.id, managers[0]!), ways[second](other.id, managers[1]!)]);
      expect(statusesOf(answers), answers.map(({ text }) => text).join('\n')).toEqual([200, 409]);
      expectError(
        answers.find(({ status }) => status === 409)!,
        409,
        'last_super_admin',
      );
      expect(await full()).toBe(1);
    }
  });

  it('who remove each other leave exactly one', async () => {
    for (let round = 0; round < 5; round += 1) {
      await app.query(`delete from role_assignments a using roles r where r.id = a.role_id and r.code = 'super_admin'`);
      const [one, other] = [await app.buildAdmin(), await app.buildAdmin()];
      const [mine, theirs] = [await app.signInElevated(one), await app.signInElevated(other)];
      const answers = await Promise.all([ways.remove(other.id, mine.token), ways.deactivate(one.id, theirs.token)]);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.every(({ status }) => status < 500)).toBe(true);
      expect(await full()).toBe(1);
    }
  });
});
