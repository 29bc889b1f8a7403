import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectError } from '../../support/expectations.ts';
import { PASSWORD } from '../../support/factories.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { runJobNow } from '../rbac/run-job-now.ts';
import { base, peopleOf } from './person-calls.ts';

let app: TestApp;
let people: ReturnType<typeof peopleOf>;
let admin: string;
beforeAll(async () => {
  app = await startTestApp();
  people = peopleOf(app);
  admin = await app.adminToken();
});
afterAll(() => app.close());

const reset = (token: string, id: string) => app.call('POST', `${base}/${id}/reset-password`, { token });

it('mails a link for a new password, and tells nothing of it', async () => {
  const { token, tenantId } = await app.ownerWithToken();
  const person = await app.buildUser({ role: 'student', tenantId });
  const answer = await reset(token, person.id);
  expect([answer.status, answer.body.data]).toEqual([202, { message: expect.stringContaining('on its way') }]);
  const [job] = await app.query(`select payload, tenant_id from outbox_messages where job = 'email.password-reset'`);
  expect(job).toEqual({ payload: { email: person.email }, tenant_id: tenantId });
  await runJobNow('email.password-reset', { email: String(person.email) });
  const links = await app.query('select purpose from one_time_tokens where user_id = $1', [person.id]);
  expect(links).toEqual([{ purpose: 'PASSWORD_RESET' }]);
  expect((await app.signIn(person)).token, `${PASSWORD} works until another is chosen`).toBeTruthy();
  expect(await people.auditOf(person.id)).toMatchObject([
    { action: 'users.reset_password', tenant_id: tenantId, changes: { email: person.email } },
  ]);
});

it('mails the welcome again to who was invited', async () => {
  const { token, tenantId } = await app.ownerWithToken();
  const { id } = await app.buildUser({ role: 'library_staff', tenantId, status: 'PENDING', password: false });
  expect((await reset(token, id)).status).toBe(202);
  expect(await people.jobsOf(id)).toEqual(['email.welcome']);
  await runJobNow('email.welcome', { userId: id });
  const links = await app.query('select purpose from one_time_tokens where user_id = $1', [id]);
  expect(links).toEqual([{ purpose: 'WELCOME' }]);
});

it('says why who has no address, or is not active, gets none', async () => {
  const { token, tenantId } = await app.ownerWithToken();
  const byPhone = await app.buildUser({ role: 'student', tenantId, email: null, phone: '+919829054321' });
  const refused = await reset(token, byPhone.id);
  expectError(refused, 409, 'conflict');
  expect(refused.body.error.message).toContain('no email address');
  const out = await app.buildUser({ role: 'student', tenantId, status: 'INACTIVE' });
  expect((await reset(token, out.id)).body.error.message).toContain('Activate');
  expect(await people.jobsOf(out.id)).toEqual([]);
});

it('goes to one person three times an hour at most', async () => {
  const { token, tenantId } = await app.ownerWithToken();
  const person = await app.buildUser({ role: 'student', tenantId });
  for (const _ of [1, 2, 3]) await app.buildOneTimeToken(person);
  expectError(await reset(token, person.id), 429, 'rate_limited');
  await app.query(`update one_time_tokens set created_at = now() - interval '61 minutes' where user_id = $1`, [
    person.id,
  ]);
  expect((await reset(token, person.id)).status).toBe(202);
});

it('is limited for the caller', async () => {
  const { token, tenantId } = await app.ownerWithToken();
  const { id } = await app.buildUser({ role: 'student', tenantId });
  const answers = await Promise.all(Array.from({ length: 31 }, () => reset(token, id)));
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(1);
});

it('is not for the account of who may do more, of another tenant, or of a portal admin', async () => {
  const owner = await app.buildOwner();
  const staff = await app.buildUser({ role: 'library_staff', tenantId: owner.tenantId });
  const { token } = await app.signIn(staff);
  expectError(await reset(token, owner.id), 403, 'exceeds_own_permissions');
  expectError(await reset(await app.adminToken({ role: 'support' }), owner.id), 403, 'exceeds_own_permissions');
  const other = await app.buildUser({ role: 'student' });
  expectError(await reset(token, other.id), 404, 'not_found');
  const portalAdmin = await app.buildAdmin();
  for (const who of [token, admin]) expectError(await reset(who, portalAdmin.id), 404, 'not_found');
  expect(await people.jobsOf(owner.id)).toEqual([]);
  expect(await people.jobsOf(other.id)).toEqual([]);
});
