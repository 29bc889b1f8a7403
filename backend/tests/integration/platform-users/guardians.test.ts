import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
let token: string;
let tenantId: string;
beforeAll(async () => {
  app = await startTestApp();
  ({ token, tenantId } = await app.ownerWithToken());
});
afterAll(() => app.close());

const aChild = '2015-03-01';
let phones = 98_290_10_000;
const somePhone = () => `+91${(phones += 1)}`;

async function student(dateOfBirth: string | null = aChild, of = tenantId) {
  const { id } = await app.buildUser({ role: 'student', tenantId: of, password: false });
  await app.query(`update users set date_of_birth = $2 where id = $1`, [id, dateOfBirth]);
  return id;
}
const parent = (of = tenantId) => app.buildUser({ role: 'parent', tenantId: of, password: false, phone: somePhone() });

const add = (studentId: string, body: object, who = token) =>
  app.call('POST', `/api/platform-users/${studentId}/guardians`, { token: who, body });
const remove = (studentId: string, guardianId: string, who = token) =>
  app.call('DELETE', `/api/platform-users/${studentId}/guardians/${guardianId}`, { token: who });
const statusesOf = (answers: { status: number }[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b);
const linksOf = async (studentId: string) =>
  (await app.query(`select guardian_id from guardianships where student_id = $1 order by created_at`, [studentId])).map(
    (row) => row.guardian_id as string,
  );

it('links a parent who is there, and leaves an audit row', async () => {
  const [child, mother] = [await student(), await parent()];
  const answer = await add(child, { id: mother.id, relation: 'MOTHER' });
  expectSuccess(answer);
  expect(answer.body.data).toMatchObject({
    studentId: child,
    minor: true,
    guardians: [{ id: mother.id, relation: 'MOTHER', name: mother.name, phone: mother.phone }],
  });
  const [row] = await app.query(`select action, tenant_id, changes from audit_logs where resource_id = $1`, [child]);
  expect(row).toMatchObject({
    action: 'users.guardian_add',
    tenant_id: tenantId,
    changes: { guardian: { id: mother.id, relation: 'MOTHER' } },
  });
});

it('adds a parent who is not there yet, once for two students at the same moment', async () => {
  const [first, second] = [await student(), await student()];
  const sunita = { name: 'Sunita Kumar', phone: somePhone(), relation: 'MOTHER' };
  const answers = await Promise.all([add(first, sunita), add(second, { ...sunita, name: 'Suneeta Kumar' })]);
  for (const answer of answers) expectSuccess(answer);
  const people = await app.query(`select id, kind from users where phone = $1`, [sunita.phone]);
  expect(people).toEqual([{ id: (await linksOf(first))[0], kind: 'PARENT' }]);
  expect(await linksOf(second)).toEqual(await linksOf(first));
});

it('refuses the same guardian twice, also at once and however they are named', async () => {
  const [child, mother] = [await student(), await parent()];
  const answers = await Promise.all(Array.from({ length: 3 }, () => add(child, { id: mother.id, relation: 'MOTHER' })));
  expect(statusesOf(answers)).toEqual([200, 409, 409]);
  expectError(await add(child, { name: mother.name, phone: mother.phone, relation: 'OTHER' }), 409, 'conflict');
  expect(await linksOf(child)).toEqual([mother.id]);
});

it('takes four guardians and no fifth, also at once', async () => {
  const child = await student();
  const wanted = Array.from({ length: 6 }, (_, index) => ({
    name: `Guardian ${'ABCDEF'[index]}`,
    phone: somePhone(),
    relation: 'GUARDIAN',
  }));
  const answers = await Promise.all(wanted.map((one) => add(child, one)));
  expect(statusesOf(answers)).toEqual([200, 200, 200, 200, 409, 409]);
  expect(await linksOf(child)).toHaveLength(4);
  const added = await app.query(`select id from users where tenant_id = $1 and name like 'Guardian %'`, [tenantId]);
  expect(added, 'a refused guardian is not left behind').toHaveLength(4);
});

it('tells what is wrong with a guardian', async () => {
  const child = await student();
  const other = await app.buildOwner();
  const stranger = await parent(other.tenantId as string);
  const staff = await app.buildUser({ role: 'library_staff', tenantId, password: false });
  for (const id of [stranger.id, staff.id, child, newId()]) {
    expectError(await add(child, { id, relation: 'MOTHER' }), 400, 'validation_failed', 'body id');
  }
  const taken = { name: 'Somebody Else', email: other.email, relation: 'MOTHER' };
  expectError(await add(child, taken), 400, 'validation_failed', 'body email');
  expectError(await add(staff.id, { id: stranger.id, relation: 'MOTHER' }), 409, 'conflict');
  expect(await linksOf(child)).toEqual([]);
});

it('knows no student of another tenant, and nobody who has left', async () => {
  const other = await app.ownerWithToken();
  const [child, mother] = [await student(aChild, other.tenantId), await parent(other.tenantId)];
  expectSuccess(await add(child, { id: mother.id, relation: 'MOTHER' }, other.token));
  expectError(await add(child, { id: mother.id, relation: 'MOTHER' }), 404, 'not_found');
  expectError(await remove(child, mother.id), 404, 'not_found');
  const gone = await student();
  await app.query(`update users set deleted_at = now() where id = $1`, [gone]);
  expectError(await add(gone, { id: (await parent()).id, relation: 'MOTHER' }), 404, 'not_found');
  expect(await linksOf(child)).toEqual([mother.id]);
});

it('lets a portal admin link within the tenant of the student, and nobody of another one', async () => {
  const admin = await app.adminToken({ role: 'operations' });
  const child = await student();
  const stranger = await parent((await app.buildTenant()).id);
  expectError(await add(child, { id: stranger.id, relation: 'MOTHER' }, admin), 400, 'validation_failed', 'body id');
  const named = { name: stranger.name, phone: stranger.phone, relation: 'MOTHER' };
  const { body } = await add(child, named, admin);
  expect(body.data.guardians[0].id).not.toBe(stranger.id);
  const [added] = await app.query(`select tenant_id from users where id = $1`, [body.data.guardians[0].id]);
  expect(added?.tenant_id).toBe(tenantId);
});

it('unlinks a guardian, who stays, and leaves an audit row', async () => {
  const [child, mother, father] = [await student(), await parent(), await parent()];
  await add(child, { id: mother.id, relation: 'MOTHER' });
  await add(child, { id: father.id, relation: 'FATHER' });
  const answer = await remove(child, mother.id);
  expectSuccess(answer);
  expect(answer.body.data.guardians).toMatchObject([{ id: father.id }]);
  expectError(await remove(child, mother.id), 404, 'not_found');
  expectError(await remove(child, newId()), 404, 'not_found');
  expect(await app.query(`select 1 from users where id = $1 and deleted_at is null`, [mother.id])).toHaveLength(1);
  const rows = await app.query(`select changes from audit_logs where resource_id = $1 and action = $2`, [
    child,
    'users.guardian_remove',
  ]);
  expect(rows).toMatchObject([{ changes: { guardian: { id: mother.id } } }]);
});

it('keeps the last guardian of a minor, also when two are removed at once', async () => {
  const child = await student();
  const parents = [await parent(), await parent()];
  for (const { id } of parents) await add(child, { id, relation: 'OTHER' });
  const answers = await Promise.all(parents.map(({ id }) => remove(child, id)));
  expect(statusesOf(answers)).toEqual([200, 409]);
  const [left] = await linksOf(child);
  expectError(await remove(child, left ?? ''), 409, 'conflict');
  // One who has left answers for nobody.
  const gone = await parent();
  await add(child, { id: gone.id, relation: 'OTHER' });
  await app.query(`update users set deleted_at = now() where id = $1`, [gone.id]);
  expectError(await remove(child, left ?? ''), 409, 'conflict');
});

it.each([
  ['of age', '1999-01-01'],
  ['whose date of birth nobody knows', null],
])('lets the last guardian of a student %s go', async (_, dateOfBirth) => {
  const [child, mother] = [await student(dateOfBirth), await parent()];
  await add(child, { id: mother.id, relation: 'MOTHER' });
  const answer = await remove(child, mother.id);
  expect(answer.body.data).toEqual({ studentId: child, minor: false, guardians: [] });
});
