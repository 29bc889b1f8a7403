import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { base, peopleOf } from './person-calls.ts';

// Support acts in the name of an owner: it may do the owner's work, and comes to no account by it (rules 5 and 9).

let app: TestApp;
let people: ReturnType<typeof peopleOf>;
beforeAll(async () => {
  app = await startTestApp();
  people = peopleOf(app);
});
afterAll(() => app.close());

it('adds and changes people, and leaves no account behind that support could use', async () => {
  const owner = await app.buildOwner();
  const tenantId = String(owner.tenantId);
  const student = await app.buildUser({ role: 'student', tenantId });
  const { token } = await app.signInElevated(await app.buildAdmin());
  const started = await app.call('POST', '/api/security/impersonations', {
    token,
    body: { userId: owner.id, reason: 'She asked for help', ticket: 'SUP-1042', mode: 'READ_WRITE' },
  });
  const as = started.body.data.accessToken as string;
  const added = await people.create(as, { kind: 'STUDENT', name: 'Asha', phone: '98290 54321' });
  expect(added.status, added.text).toBe(201);
  expect((await people.update(as, student.id, { course: 'NEET' })).status).toBe(200);
  const refused = [
    await people.create(as, { kind: 'OWNER', name: 'Backdoor', email: 'mine@support.example' }),
    await people.create(as, { kind: 'STAFF', name: 'Backdoor', email: 'mine@support.example' }),
    await people.update(as, student.id, { email: 'mine@support.example' }),
    await people.update(as, owner.id, { email: 'mine@support.example' }),
    await people.update(as, owner.id, { phone: '98290 54399' }),
    await app.call('POST', `${base}/${student.id}/reset-password`, { token: as }),
  ];
  for (const answer of refused) expectError(answer, 403, 'impersonation_restricted');
  expect(await people.rowOf(student.id)).toMatchObject({ email: student.email, course: 'NEET' });
  expect(await app.query(`select id from users where email = 'mine@support.example'`)).toEqual([]);
});
