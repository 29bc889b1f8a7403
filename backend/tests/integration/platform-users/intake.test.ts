import { afterAll, beforeAll, expect, it } from 'vitest';
import { runInTransaction, type ContextBase } from '../../../src/services/context.service.ts';
import { addPeople, type IntakeOptions } from '../../../src/services/people-intake.service.ts';
import { logWith } from '../../../src/config/logger.ts';
import { personDraft, type PersonDraft } from '../../../src/validators/people.validator.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
beforeAll(async () => void (app = await startTestApp()));
afterAll(() => app.close());

const base = (tenantId: string, scope: ContextBase['scope']): ContextBase => ({
  actor: null,
  scope,
  tenantId: scope.role === 'tenant' ? tenantId : null,
  requestId: 'intake',
  client: { ip: '', userAgent: null },
  cookies: { get: () => undefined, set: () => undefined, clear: () => undefined },
  log: logWith({}),
  now: new Date('2026-11-23T06:00:00Z'),
  system: true,
});

/** Adds people in the tenant's own scope, or in the portal's, which sees everybody. */
const add = (tenantId: string, drafts: object[], options: Partial<IntakeOptions> = {}, portal = false) =>
  runInTransaction(base(tenantId, portal ? { role: 'portal' } : { role: 'tenant', tenantId }), {}, (ctx) =>
    addPeople(
      ctx,
      tenantId,
      drafts.map((draft): PersonDraft => personDraft.parse(draft)),
      { assignedById: null, ...options },
    ),
  );

const student = (fields: object = {}) => ({ kind: 'STUDENT', name: 'Ravi Kumar', phone: '98290 54321', ...fields });

it('adds people with their role, and tells who comes twice in one list', async () => {
  const { id } = await app.buildTenant();
  const [first, second, third] = await add(id, [
    student(),
    student({ name: 'रवि कुमार' }),
    { kind: 'PARENT', name: 'Ravi Kumar', phone: '9829054321' },
  ]);
  expect(first?.issues).toEqual([]);
  expect(second).toMatchObject({ id: null, issues: [{ field: 'phone', message: expect.stringContaining('earlier') }] });
  expect(third?.issues, 'a parent who shares the phone is somebody else').toEqual([]);
  const rows = await app.query(
    `select u.kind, u.status, r.code from users u join role_assignments a on a.user_id = u.id join roles r on r.id = a.role_id
      where u.tenant_id = $1 order by u.kind`,
    [id],
  );
  expect(rows).toEqual([
    { kind: 'STUDENT', status: 'ACTIVE', code: 'student' },
    { kind: 'PARENT', status: 'ACTIVE', code: 'parent' },
  ]);
});

it('finds somebody who is there already by phone and sound of the name, within the tenant alone', async () => {
  const [{ id }, other] = [await app.buildTenant(), await app.buildTenant()];
  const [ravi] = await add(id, [student()]);
  const again = student({ name: 'Ravi  Kumaar' });
  for (const portal of [false, true]) {
    expect(await add(id, [again], {}, portal)).toMatchObject([
      { id: null, issues: [{ field: 'phone', duplicateOf: { id: ravi?.id, name: 'Ravi Kumar' } }] },
    ]);
    expect(
      await add(other.id, [student({ memberNumber: String(portal) })], { allowDuplicates: portal }, portal),
    ).toMatchObject([{ issues: [] }]);
  }
  expect(await add(id, [again], { allowDuplicates: true })).toMatchObject([{ issues: [] }]);
});

it('refuses an email and a number that are taken, and says no more of another tenant', async () => {
  const [{ id }, other] = [await app.buildTenant(), await app.buildTenant()];
  await add(other.id, [student({ email: 'taken@students.example', memberNumber: 'A-1' })]);
  const results = await add(id, [
    student({ email: 'Taken@students.example' }),
    student({ name: 'Asha', memberNumber: 'A-1' }),
    student({ name: 'Vikram', memberNumber: 'A-1' }),
  ]);
  expect(results).toMatchObject([
    { issues: [{ field: 'email', message: 'belongs to another account' }] },
    { issues: [] },
    { issues: [{ field: 'memberNumber', message: 'is the number of somebody else' }] },
  ]);
});

it('asks a guardian of a student under 18, and adds the guardian once for brother and sister', async () => {
  const { id } = await app.buildTenant();
  const mother = { name: 'Sunita Kumar', phone: '+91 98290 54322', relation: 'MOTHER' };
  const results = await add(id, [
    student({ dateOfBirth: '2010-01-01' }),
    student({ name: 'Asha', dateOfBirth: '2010-01-01', guardians: [mother] }),
    student({ name: 'Vikram', dateOfBirth: '2012-01-01', guardians: [mother] }),
    student({ name: 'Mohan', dateOfBirth: '2008-11-23' }),
  ]);
  expect(results).toMatchObject([{ issues: [{ field: 'guardians' }] }, { issues: [] }, { issues: [] }, { issues: [] }]);
  const parents = await app.query(`select name from users where tenant_id = $1 and kind = 'PARENT'`, [id]);
  expect(parents).toEqual([{ name: 'Sunita Kumar' }]);
  const links = await app.query('select relation from guardianships where tenant_id = $1', [id]);
  expect(links).toEqual([{ relation: 'MOTHER' }, { relation: 'MOTHER' }]);
});

it('leaves nothing behind of a student whose guardian cannot be linked', async () => {
  const [{ id }, other] = [await app.buildTenant(), await app.buildTenant()];
  const [stranger] = await add(other.id, [
    { kind: 'PARENT', name: 'Sunita', email: 'sunita@parents.example', phone: '98290 54322' },
  ]);
  for (const portal of [false, true]) {
    const results = await add(
      id,
      [
        student({ name: 'Asha', guardians: [{ id: stranger?.id, relation: 'MOTHER' }] }),
        student({
          name: 'Vikram',
          guardians: [{ name: 'Sunita', email: 'sunita@parents.example', relation: 'MOTHER' }],
        }),
      ],
      {},
      portal,
    );
    expect(results).toMatchObject([{ issues: [{ field: 'guardians' }] }, { issues: [{ field: 'guardians' }] }]);
  }
  expect(await app.query('select id from users where tenant_id = $1', [id])).toEqual([]);
  expect(await app.query('select id from guardianships where tenant_id = $1', [id])).toEqual([]);
});

it('knows a library of the tenant from that of another', async () => {
  const [{ id }, other] = [await app.buildTenant(), await app.buildTenant()];
  const libraryId = 'clibraryofsomebodyelse001';
  await app.query(
    `insert into libraries (id, tenant_id, name, address_line, city, state, pincode, seat_count, updated_at)
     values ($1, $2, 'Kota', 'Talwandi', 'Kota', 'RJ', '324005', 40, now())`,
    [libraryId, other.id],
  );
  for (const portal of [false, true]) {
    expect(await add(id, [student({ libraryId })], {}, portal)).toMatchObject([{ issues: [{ field: 'libraryId' }] }]);
  }
});

it('adds somebody once when two ask at the same time, and one import row once', async () => {
  const { id } = await app.buildTenant();
  const tries = await Promise.all(Array.from({ length: 6 }, () => add(id, [student()])));
  expect(tries.flat().filter(({ issues }) => issues.length === 0)).toHaveLength(1);
  const source = { importId: 'cimportimportimportimport', rows: [2] };
  const once = await add(id, [student({ name: 'Asha' })], { source });
  const twice = await add(id, [student({ name: 'Asha' })], { source, allowDuplicates: true });
  expect(once).toMatchObject([{ issues: [] }]);
  expect(twice).toMatchObject([{ issues: [{ field: 'row', message: 'was imported already' }] }]);
});
