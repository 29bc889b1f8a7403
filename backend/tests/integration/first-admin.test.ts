import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../support/server.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

it('creates one super admin, of two at once exactly one, and then no more', async () => {
  const { createFirstAdmin } = await import('../../src/services/first-admin.service.ts');
  const results = await Promise.allSettled([
    createFirstAdmin({ email: 'first@portal.example', name: 'First Admin' }),
    createFirstAdmin({ email: 'second@portal.example', name: 'Second Admin' }),
  ]);
  expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  await expect(createFirstAdmin({ email: 'third@portal.example', name: 'Third Admin' })).rejects.toMatchObject({
    code: 'conflict',
  });

  const admins = await app.query(`select u.email, u.password_hash, r.code from users u
    join role_assignments a on a.user_id = u.id join roles r on r.id = a.role_id where u.type = 'ADMIN_USER'`);
  expect(admins).toHaveLength(1);
  expect(admins[0]).toMatchObject({ password_hash: null, code: 'super_admin' });
  expect(await app.query('select job, payload from outbox_messages')).toEqual([
    { job: 'email.password-reset', payload: { email: admins[0]!.email } },
  ]);
  expect(await app.query(`select action, actor_type from audit_logs`)).toEqual([
    { action: 'admins.create_first', actor_type: 'SYSTEM' },
  ]);
});
