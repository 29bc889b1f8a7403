import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { sendPeople } from '../../support/people-import.ts';
import { importerOf, runImportJobs, runJobOf } from './import-support.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'studyspot-imports-'));
let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ DATA_DIR: directory });
});
afterAll(async () => {
  await app.close();
  rmSync(directory, { recursive: true, force: true });
});

const importer = async () => {
  const { token, tenantId, owner } = await app.ownerWithToken();
  return { ...importerOf(app, token), token, tenantId, owner };
};

const people = (tenantId: string) =>
  app.query<{ id: string; name: string; kind: string; phone: string | null; importRow: number | null }>(
    `select id, name, kind, phone, import_row as "importRow" from users where tenant_id = $1 and kind <> 'OWNER' order by import_row nulls last, name`,
    [tenantId],
  );

const CSV = `Name,Mobile,Email,DOB,Father's Name,Father Phone
Ravi Kumar,98290 12345,,17/04/2000,,
Asha Verma,9829012346,,2012-01-31,Mohan Verma,98290 99999
Vikram,,,,,
`;

describe('An import', () => {
  it('tries every row and creates nobody, then creates those of the good rows, and removes them again', async () => {
    const { send, get, act, rows, tenantId, call } = await importer();
    const sent = await send(CSV);
    expect(sent.status, sent.text).toBe(202);
    expect(sent.body.data).toMatchObject({
      status: 'VALIDATING',
      tenantId,
      format: 'CSV',
      totalRows: 3,
      percent: 0,
      mapping: {
        Name: 'name',
        Mobile: 'phone',
        Email: 'email',
        DOB: 'dateOfBirth',
        "Father's Name": 'fatherName',
        'Father Phone': 'fatherPhone',
      },
    });
    const { id } = sent.body.data;
    await runImportJobs(app, id);
    expect(await get(id)).toMatchObject({
      status: 'VALIDATED',
      readRows: 3,
      checkedRows: 3,
      validRows: 2,
      invalidRows: 1,
      percent: 100,
    });
    expect(await people(tenantId)).toEqual([]);
    const [bad] = await rows(id, '&status=INVALID');
    expect(bad).toMatchObject({
      number: 4,
      cells: { Name: 'Vikram', Mobile: '' },
      errors: [{ column: 'Mobile', message: 'is missing: give an email address or a phone number' }],
    });

    expect(await act(id, 'commit')).toMatchObject({ status: 'COMPLETED', createdRows: 2, validRows: 2, percent: 100 });
    expect(await people(tenantId)).toMatchObject([
      { name: 'Ravi Kumar', kind: 'STUDENT', phone: '+919829012345', importRow: 2 },
      { name: 'Asha Verma', kind: 'STUDENT', importRow: 3 },
      { name: 'Mohan Verma', kind: 'PARENT', importRow: null },
    ]);
    const trail = await app.query(
      `select action, changes from audit_logs where tenant_id = $1 and resource = 'people_import' order by sequence`,
      [tenantId],
    );
    expect(trail).toMatchObject([
      { action: 'users.import', changes: { fileName: 'people.csv', totalRows: 3 } },
      { action: 'users.import_commit' },
      { action: 'import.commit', changes: { firstRow: 2, lastRow: 3, created: 2, refused: 0 } },
    ]);

    expect(await act(id, 'undo')).toMatchObject({ status: 'UNDONE', undoneRows: 2, keptRows: 0 });
    expect(await people(tenantId)).toEqual([]);
    expectError(await call('POST', `/imports/${id}/undo`), 409, 'invalid_transition');
  });

  it('is committed once, however many ask at once', async () => {
    const { check, call, tenantId } = await importer();
    const { id } = await check(CSV);
    const answers = await Promise.all([1, 2, 3].map(() => call('POST', `/imports/${id}/commit`)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 409, 409]);
    await runImportJobs(app, id);
    expect(await people(tenantId)).toHaveLength(3);
  });

  it('stops when it is cancelled; who was created stays, and is removed by an undo', async () => {
    const { check, call, get, act, tenantId } = await importer();
    const lines = Array.from({ length: 2_000 }, (_, index) => `Student ${index},${9_829_100_000 + index}`);
    const { id } = await check(['Name,Phone', ...lines].join('\n'));
    await call('POST', `/imports/${id}/commit`);
    const payload = { importId: id, committedById: (await get(id)).requestedBy.id };
    const stop = new AbortController();
    const running = runJobOf({ job: 'import.commit', payload, tenantId }, { signal: stop.signal });
    while ((await get(id)).createdRows === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const cancelled = await call('POST', `/imports/${id}/cancel`);
    await running;
    expect(cancelled.body.data.status).toBe('CANCELLED');
    const { createdRows, status } = await get(id);
    expect({ createdRows, status }).toEqual({ createdRows: cancelled.body.data.createdRows, status: 'CANCELLED' });
    expect(createdRows).toBeGreaterThan(0);
    expect(createdRows).toBeLessThan(2_000);
    expect(await people(tenantId)).toHaveLength(createdRows);
    expectError(await call('POST', `/imports/${id}/cancel`), 409, 'invalid_transition');
    expectError(await call('POST', `/imports/${id}/commit`), 409, 'invalid_transition');
    expect(await act(id, 'undo')).toMatchObject({ status: 'UNDONE', undoneRows: createdRows });
    expect(await people(tenantId)).toHaveLength(0);
  });

  it('gives the same result when several workers are at it, and when one is taken away between batches', async () => {
    const { check, call, get, tenantId, owner } = await importer();
    const lines = Array.from({ length: 700 }, (_, index) => `Student ${index},${9_829_200_000 + index}`);
    const { id } = await check(['Name,Phone', ...lines, 'Bad,'].join('\n'));
    await call('POST', `/imports/${id}/commit`);
    const job = { job: 'import.commit', payload: { importId: id, committedById: owner.id }, tenantId } as const;
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 60);
    await Promise.allSettled([runJobOf(job, { signal: stop.signal }), runJobOf(job)]);
    await runJobOf(job);
    expect(await get(id)).toMatchObject({ status: 'COMPLETED', createdRows: 700, validRows: 700, invalidRows: 1 });
    expect(await people(tenantId)).toHaveLength(700);
    const [rows] = await app.query(
      `select count(distinct user_id)::int as people from people_import_rows where import_id = $1`,
      [id],
    );
    expect(rows).toEqual({ people: 700 });
  });

  it('says at the end what a commit could not create any more', async () => {
    const { check, act, rows, call } = await importer();
    const { id } = await check('Name,Phone,Email\nRavi,9829012345,ravi@x.example\nAsha,9829012346,\n');
    const body = { kind: 'STUDENT', name: 'Somebody', email: 'ravi@x.example' };
    expect((await call('POST', '/', { body })).status).toBe(201);
    expect(await act(id, 'commit')).toMatchObject({
      status: 'COMPLETED',
      createdRows: 1,
      validRows: 1,
      invalidRows: 1,
    });
    expect(await rows(id, '&status=INVALID')).toMatchObject([
      { number: 2, errors: [{ column: 'Email', message: 'belongs to another account' }] },
    ]);
  });

  it('warns of the same file, and of columns that it leaves out', async () => {
    const { check } = await importer();
    const file = 'Name,Phone,Remarks,Mother\nRavi,9829012345,good,Sunita\n';
    const first = await check(file);
    expect(first.warnings).toEqual([
      expect.stringContaining('“Remarks” is not imported'),
      expect.stringContaining('“Mother” is not imported: a guardian needs'),
    ]);
    const second = await check(file);
    expect(second.warnings[0]).toMatch(/^The very same file was given by Person .* is VALIDATED\.$/);
  });

  it('takes the mapping, the kind and the library that the sender names', async () => {
    const { check, send, act, tenantId } = await importer();
    const [library] = await app.query<{ id: string }>(
      `insert into libraries (id, tenant_id, name, address_line, city, state, pincode, seat_count, updated_at)
       values ('clib' || substr(md5(random()::text), 1, 21), $1, 'Main Hall', '1 Road', 'Kota', 'RJ', '324005', 40, now()) returning id`,
      [tenantId],
    );
    const mapping = JSON.stringify({ Who: 'name', Number: 'phone', Email: null });
    const file = 'Who,Number,Email\nRavi,9829012345,nonsense\n';
    const { id } = await check(file, { mapping, kind: 'STAFF', libraryId: library?.id });
    await act(id, 'commit');
    expect(
      await app.query(`select kind, library_id, email from users where tenant_id = $1 and kind <> 'OWNER'`, [tenantId]),
    ).toEqual([{ kind: 'STAFF', library_id: library?.id, email: null }]);
    for (const [fields, field] of [
      [{ mapping: '{' }, 'mapping'],
      [{ mapping: '{"Who":"password"}' }, 'mapping'],
      [{ mapping: '{"Nobody":"name"}' }, 'mapping'],
      [{ mapping: '{"Who":"name","Number":"name"}' }, 'mapping'],
      [{ kind: 'OWNER' }, 'kind'],
      [{ libraryId: 'c'.padEnd(25, '0'), mapping }, 'libraryId'],
    ] as const) {
      const answer = await send(file, fields);
      expect(answer.status, JSON.stringify(fields)).toBe(400);
      expect(answer.body.error.details.issues[0].field).toBe(field);
    }
  });

  it('gives back the bad rows in a file that can be corrected and sent again', async () => {
    const { check, act, errors, tenantId } = await importer();
    const file = 'Name;Phone;"Remarks; ""own"""\n=HYPERLINK(1);12;"a\nb"\nरवि कुमार;+91 98290 12345;@x\n';
    const { id } = await check(file);
    const text = await errors(id);
    expect(text.charCodeAt(0)).not.toBe(0xfeff); // fetch takes it off
    expect(text).toBe(
      `"Name","Phone","Remarks; ""own""","What is wrong"\r\n"'=HYPERLINK(1)","12","a\nb","Phone must be a phone number, such as 98290 12345 or +91 98290 12345"\r\n`,
    );
    const corrected = `\uFEFF${text.replace('"12"', `"'+91 98290 54321"`)}`;
    const again = await check(corrected);
    expect(again).toMatchObject({ columns: ['Name', 'Phone', 'Remarks; "own"'], validRows: 1, invalidRows: 0 });
    await act(again.id, 'commit');
    expect(await people(tenantId)).toMatchObject([{ name: '=HYPERLINK(1)', phone: '+919829054321' }]);
  });

  it('hands out templates that it can read itself', async () => {
    const { check, token } = await importer();
    for (const format of ['csv', 'xlsx']) {
      const answer = await fetch(`${app.url}/api/platform-users/import-template?format=${format}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="people.${format}"`);
      const result = await check(new Uint8Array(await answer.arrayBuffer()));
      expect(result).toMatchObject({ format: format.toUpperCase(), totalRows: 1, validRows: 1, warnings: [] });
      expect(Object.keys(result.mapping)).toHaveLength(15);
    }
  });
});

describe('An undo', () => {
  it('leaves whom somebody has touched since, with those whom they need', async () => {
    const { check, act, call, get, tenantId } = await importer();
    const guardian = (name: string) => `${name} Senior,98290888${name.length + 30}`;
    const names = ['Changed', 'Signed', 'Linked', 'Shared', 'Untouched', 'Removed', 'Roled'];
    const lines = names.map((name, index) => `${name},98290777${10 + index},${guardian(name + 'x'.repeat(index))}`);
    const { id } = await check(['Name,Phone,Guardian name,Guardian phone', ...lines, 'Alone,9829066666,,'].join('\n'));
    expect(await act(id, 'commit')).toMatchObject({ createdRows: 8 });
    const idOf = async (name: string) =>
      (await app.query<{ id: string }>(`select id from users where tenant_id = $1 and name = $2`, [tenantId, name]))[0]
        ?.id;
    expect((await call('PUT', `/${await idOf('Changed')}`, { body: { course: 'NEET' } })).status).toBe(200);
    await app.query(
      `insert into sessions (id, tenant_id, user_id, refresh_seed, expires_at) values ('s1', $1, $2, 'x', now())`,
      [tenantId, await idOf('Signed')],
    );
    const link = { guardian: { name: 'Uncle', phone: '9829055555', relation: 'OTHER' } };
    const linked = await call('POST', `/${await idOf('Linked')}/guardians`, { body: link.guardian });
    expect(linked.status, linked.text).toBeLessThan(300);
    // Somebody who came later is a ward of a guardian whom the import brought.
    const [sharedGuardian] = await app.query<{ id: string }>(
      `select g.guardian_id as id from guardianships g where g.student_id = $1`,
      [await idOf('Shared')],
    );
    const later = {
      kind: 'STUDENT',
      name: 'Later',
      phone: '9829044444',
      guardians: [{ id: sharedGuardian?.id, relation: 'FATHER' }],
    };
    expect((await call('POST', '/', { body: later })).status).toBe(201);
    expect((await call('DELETE', `/${await idOf('Removed')}`)).status).toBeLessThan(300);
    await app.query(
      `insert into role_assignments (id, tenant_id, user_id, role_id) select 'ra1', $1, $2, id from roles where code = 'parent'`,
      [tenantId, await idOf('Roled')],
    );

    expect(await act(id, 'undo')).toMatchObject({ status: 'UNDONE', undoneRows: 3, keptRows: 5 });
    const left = await people(tenantId);
    expect(left.map(({ name }) => name).toSorted()).toEqual(
      [
        'Changed',
        'Changed Senior',
        'Later',
        'Linked',
        'Linkedxx Senior',
        'Removed',
        'Roled',
        'Roledxxxxxx Senior',
        'Sharedxxx Senior',
        'Signed',
        'Signedx Senior',
        'Uncle',
      ].toSorted(),
    );
    const rows = await app.query(
      `select cells->>0 as name, status from people_import_rows where import_id = $1 order by number`,
      [id],
    );
    expect(rows.filter(({ status }) => status === 'UNDONE').map(({ name }) => name)).toEqual([
      'Shared',
      'Untouched',
      'Alone',
    ]);
    expect((await get(id)).percent).toBe(100);
  });
});

describe('Others', () => {
  it('do not see an import of another tenant, nor import without the permission', async () => {
    const { check } = await importer();
    const { id } = await check(CSV);
    const stranger = await importer();
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/rows'],
      ['GET', '/errors'],
      ['POST', '/commit'],
      ['POST', '/cancel'],
      ['POST', '/undo'],
    ] as const) {
      expectError(await stranger.call(method, `/imports/${id}${path}`), 404, 'not_found');
    }
    expect((await stranger.call('GET', '/imports')).body.data).toEqual([]);
    const staff = await app.signIn(await app.buildUser({ role: 'library_staff', tenantId: stranger.tenantId }));
    expect((await sendPeople(app.call, staff.token, CSV)).status).toBe(403);
    expectError(await app.call('GET', '/api/platform-users/imports', { token: staff.token }), 403, 'forbidden');
  });

  it('import for a tenant that they name, as portal admins', async () => {
    const { id: tenantId } = await app.buildTenant();
    const admin = importerOf(app, await app.adminToken());
    expect((await admin.send(CSV)).body.error.details.issues[0].field).toBe('tenantId');
    expectError(await admin.send(CSV, { tenantId: 'c'.padEnd(25, '0') }), 404, 'not_found');
    const { id } = await admin.check(CSV, { tenantId });
    expect(await admin.act(id, 'commit')).toMatchObject({ status: 'COMPLETED', createdRows: 2, tenantId });
    expect(await people(tenantId)).toHaveLength(3);
    expect((await admin.call('GET', `/imports?tenantId=${tenantId}&status=COMPLETED`)).body).toMatchObject({
      data: [{ id }],
      meta: { total: 1 },
    });
    expect(readdirSync(path.join(directory, 'uploads'))).toEqual([]);
  });
});
