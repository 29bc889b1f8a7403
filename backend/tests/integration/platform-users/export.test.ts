import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportColumns } from '../../../src/services/people-export-columns.ts';
import { newId } from '../../../src/utils/ids.ts';
import { queryString } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import { startExportTests, type ExportTests } from './export-calls.ts';

let tests: ExportTests;
let app: ExportTests['app'];
let owner: ExportTests['owner'];
let elevatedOwner: ExportTests['elevatedOwner'];
let ownerOf: ExportTests['ownerOf'];
let addPeople: ExportTests['addPeople'];
let asked: ExportTests['asked'];
let contentOf: ExportTests['contentOf'];
let tableOf: ExportTests['tableOf'];
let sheetOf: ExportTests['sheetOf'];
let exported: ExportTests['exported'];
beforeAll(async () => {
  tests = await startExportTests();
  ({ app, owner, elevatedOwner, ownerOf, addPeople, asked, contentOf, tableOf, sheetOf, exported } = tests);
});
afterAll(() => tests.close());

describe('An export of people', () => {
  it('tells everything of them, in the order in which they were added', async () => {
    const library = newId();
    await app.query(
      `insert into libraries (id, tenant_id, name, address_line, city, state, pincode, seat_count, updated_at)
       values ($1, $2, 'Main Hall', '1 Station Road', 'Kota', 'RJ', '324005', 80, now())`,
      [library, owner.tenantId],
    );
    const [ravi = '', sunita = '', anil = ''] = await addPeople(owner.tenantId, [
      {
        name: 'रवि कुमार',
        email: 'ravi@students.example',
        phone: '+919829054321',
        status: 'PENDING',
        born: '2015-04-17',
        library,
        number: 'KOTA-0187',
        joined: '2026-07-01',
        course: 'NEET, "dropper"',
        created: '2026-01-31T18:29:59Z',
      },
      { kind: 'PARENT', name: 'Sunita Kumar', phone: '+919829054322', created: '2026-01-31T18:30:00Z' },
      { kind: 'PARENT', name: 'Anil Kumar', created: '2026-02-01T00:00:00Z' },
      { kind: 'STAFF', name: 'Meera', job: 'Front desk', created: '2026-02-02T00:00:00Z' },
      { name: 'Who Left', deleted: '2026-02-02T00:00:00Z', created: '2026-02-03T00:00:00Z' },
    ]);
    for (const [index, guardian] of [sunita, anil].entries()) {
      await app.query(
        `insert into guardianships (id, tenant_id, student_id, guardian_id, relation, created_at) values ($1, $2, $3, $4, 'OTHER', $5)`,
        [newId(), owner.tenantId, ravi, guardian, new Date(index)],
      );
    }
    const rows = await exported({ createdTo: '2026-03-01' });
    expect(rows.map(({ Name }) => Name)).toEqual(['रवि कुमार', 'Sunita Kumar', 'Anil Kumar', 'Meera']);
    const [tenant] = await app.query<{ name: string }>(`select name from tenants where id = $1`, [owner.tenantId]);
    expect(rows[0]).toEqual({
      Tenant: tenant?.name,
      Kind: 'STUDENT',
      Name: 'रवि कुमार',
      Email: 'ravi@students.example',
      Phone: `'+919829054321`,
      Status: 'PENDING',
      Library: 'Main Hall',
      'Member number': 'KOTA-0187',
      'Joined on': '2026-07-01',
      'Date of birth': '2015-04-17',
      Course: 'NEET, "dropper"',
      'Job title': '',
      Guardians: 'Sunita Kumar +919829054322; Anil Kumar',
      'Created at (IST)': '2026-01-31 23:59',
    });
    expect(rows[1]).toMatchObject({ Kind: 'PARENT', 'Created at (IST)': '2026-02-01 00:00' });
    expect(rows[3]).toMatchObject({ 'Job title': 'Front desk', Guardians: '' });
  });

  it('holds the columns that were asked for, in that order', async () => {
    const content = await contentOf(
      await asked({ columns: ['phone', 'name'], createdTo: '2026-03-01', kind: 'STUDENT' }),
    );
    expect(content.toString()).toBe(`\uFEFF"Phone","Name"\r\n"'+919829054321","रवि कुमार"\r\n`);
  });

  it('of nobody has headings alone', async () => {
    const filter = { createdTo: '2001-01-01' };
    expect(tableOf(await contentOf(await asked(filter)))).toEqual([Object.values(exportColumns)]);
    const rows = await sheetOf(await contentOf(await asked({ ...filter, format: 'XLSX' })));
    expect(rows).toEqual([Object.values(exportColumns)]);
  });

  it('goes on over batches, people of one moment included, and nobody twice', async () => {
    const { tenantId } = await elevatedOwner();
    const created = '2026-05-01T00:00:00Z';
    await addPeople(
      tenantId,
      Array.from({ length: 2_345 }, (_, index) => ({ name: `Person ${index}`, created })),
    );
    const rows = await exported(
      { kind: 'STUDENT', columns: ['name'] },
      { ...owner, tenantId },
      (await ownerOf(tenantId)).token,
    );
    expect(new Set(rows.map(({ Name }) => Name)).size).toBe(2_345);
    expect(rows).toHaveLength(2_345);
  });
});

const dangerous = [
  '=HYPERLINK("http://evil.example","Open")',
  "=cmd|' /C calc'!A0",
  '+1+1',
  '-1+1',
  '@SUM(1+1)',
  '\tx',
  '\rx',
  '＝1+1',
  'two\r\nlines, "quoted"; and _x0041_ <b>&amp;</b>',
];

describe('What a spreadsheet would run', () => {
  let tenantId: string;
  let token: string;
  beforeAll(async () => {
    ({ tenantId, token } = await elevatedOwner());
    await addPeople(
      tenantId,
      dangerous.map((name, index) => ({ name, created: `2026-05-01T00:00:0${index}Z` })),
    );
  });

  it('has an apostrophe in front in CSV, in every column', async () => {
    await app.query(`update tenants set name = '=1+1' where id = $1`, [tenantId]);
    const id = await asked({ kind: 'STUDENT', columns: ['tenant', 'name'] }, owner, token);
    const rows = tableOf(await contentOf(id, token)).slice(1);
    expect(rows).toEqual(dangerous.map((name, index) => [`'=1+1`, index < 8 ? `'${name}` : name]));
  });

  it('is text in XLSX, as it is', async () => {
    const id = await asked({ format: 'XLSX', kind: 'STUDENT', columns: ['name'] }, owner, token);
    const content = await contentOf(id, token);
    // The reader takes off spaces around, as an import does.
    const read = (await sheetOf(content)).slice(1).map(([name]) => name);
    expect(read.map((name) => name?.replaceAll(/\s+/g, ' '))).toEqual(
      dangerous.map((name) => name.trim().replaceAll(/\s+/g, ' ')),
    );
    expect(content.includes('<f>')).toBe(false);
  });
});

describe('The filters are those of the list:', () => {
  let tenantId: string;
  let token: string;
  let library: string;
  beforeAll(async () => {
    ({ tenantId, token } = await elevatedOwner());
    library = newId();
    await app.query(
      `insert into libraries (id, tenant_id, name, address_line, city, state, pincode, seat_count, updated_at)
       values ($1, $2, 'East Hall', '1 Station Road', 'Kota', 'RJ', '324005', 80, now())`,
      [library, tenantId],
    );
    await addPeople(
      tenantId,
      Array.from({ length: 40 }, (_, index) => ({
        name: ['Meera Sharma', 'Ravi Kumar', 'Mira Sharma'][index % 3],
        kind: ['STUDENT', 'PARENT', 'STAFF', 'STUDENT'][index % 4],
        status: ['ACTIVE', 'PENDING', 'INACTIVE'][index % 3],
        born: index % 5 ? `20${10 + (index % 10)}-01-01` : '1990-01-01',
        library: index % 2 ? library : null,
        course: index % 4 === 0 ? 'NEET' : null,
        created: `2026-0${1 + (index % 6)}-01T00:00:00Z`,
      })),
    );
  });

  it.each<Record<string, unknown>>([
    {},
    { kind: 'STUDENT' },
    { status: 'PENDING' },
    { course: 'neet' },
    { minor: true },
    { minor: false, kind: 'STUDENT' },
    { createdFrom: '2026-02-01', createdTo: '2026-04-01' },
    { q: 'meera' },
    { q: 'sharma', status: 'ACTIVE' },
    { libraryId: 'of the test' },
  ])('%j', async (given) => {
    const filter = given.libraryId ? { libraryId: library } : given;
    const rows = await exported(
      { ...filter, columns: ['email'] },
      { ...owner, tenantId, token },
      (await ownerOf(tenantId)).token,
    );
    const query = queryString({ ...(filter as Record<string, string>), limit: 100, sort: 'createdAt', order: 'asc' });
    const { body } = await app.call('GET', `/api/platform-users${query}`, { token });
    const listed = body.data.map(({ email }: { email: string }) => email) as string[];
    // Owners who asked for exports join the tenant while this goes on.
    const fixed = (all: (string | undefined)[]) => all.filter((email) => !email?.startsWith('person-'));
    expect(fixed(listed).length).toBeGreaterThan(0);
    expect(fixed(rows.map(({ Email }) => Email))).toEqual(fixed(listed));
  });

  it.each<[object, string]>([
    [{ format: 'PDF' }, 'format'],
    [{ format: 'CSV', columns: [] }, 'columns'],
    [{ format: 'CSV', columns: ['name', 'name'] }, 'columns'],
    [{ format: 'CSV', columns: ['password'] }, 'columns.0'],
    [{ format: 'CSV', minor: 'true' }, 'minor'],
    [{ format: 'CSV', kind: 'ADMIN' }, 'kind'],
    [{ format: 'CSV', page: 1 }, 'page'],
  ])('%j is refused', async (body, field) => {
    expectError(
      await app.call('POST', '/api/platform-users/bulk-export', { token: owner.token, body }),
      400,
      'validation_failed',
      `body ${field}`,
    );
  });
});
