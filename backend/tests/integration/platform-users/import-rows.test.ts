import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { badKinds, listOfStudents } from '../../support/student-list.ts';
import { importerOf } from './import-support.ts';

let app: TestApp;
beforeAll(async () => void (app = await startTestApp()));
afterAll(() => app.close());

const importer = async () => {
  const { token, tenantId } = await app.ownerWithToken();
  return { ...importerOf(app, token), tenantId };
};

/** What is said of each bad row. */
async function verdicts(csv: string) {
  const { check, rows } = await importer();
  const { id } = await check(csv);
  const found: { number: number; errors: { column: string; message: string }[] }[] = await rows(id, '&status=INVALID');
  return found.map(({ number, errors }) => [number, ...errors.map(({ column, message }) => `${column}: ${message}`)]);
}

it('finds every kind of mistake, within one batch and across batches', async () => {
  const taken = await app.buildOwner();
  for (const [rows, bad] of [
    [64, 16],
    [600, 32],
  ] as const) {
    const { check, call } = await importer();
    const list = listOfStudents(rows, bad, taken.email ?? '');
    const { id, invalidRows } = await check(list.csv);
    expect(invalidRows).toBe(bad);
    const { data } = (await call('GET', `/imports/${id}/rows?status=INVALID&limit=100`)).body;
    expect(data.map(({ number }: { number: number }) => number)).toEqual(list.bad.map(({ number }) => number));
    for (const [index, { errors }] of data.entries()) {
      const kind = list.bad[index]?.kind ?? 'missing name';
      expect(errors).toHaveLength(1);
      expect(`${errors[0].column} ${errors[0].message}`, kind).toMatch(badKinds[kind]);
    }
  }
});

it('tells all that is wrong with a row at once', async () => {
  const [row] = await verdicts('Name,Phone,Email,DOB,Kind,Consent\n,12,x,32/01/2009,Owner,maybe\n');
  expect(row).toEqual([
    2,
    'Kind: is owner: owners are not imported, add them one by one',
    'DOB: is a day that there is not',
    'Consent: must be yes or no',
    'Name: is missing',
    'Email: must be an email address',
    'Phone: must be a phone number, such as 98290 12345 or +91 98290 12345',
  ]);
});

it('finds guardians and their wards in one file, however they are named', async () => {
  const filler = Array.from({ length: 300 }, (_, index) => `Filler ${index},${9_811_000_000 + index},,,`).join('\n');
  const csv = [
    'Name,Phone,Email,Guardian name,Guardian phone',
    'Ravi Kumar,9829000001,,Sunita Kumar,9829099999',
    'Asha Kumar,9829000002,,Sunita Kumaar,9829099999',
    filler,
    'Third Kumar,9829000003,,Sunita Kumar,9829099999',
    'Nameless,9829000004,,,9829088888',
    'Cut,9829000005,,Father,9.8E+09',
    'Too many,9829000006,,,,extra',
  ].join('\n');
  const { check, act, rows, tenantId } = await importer();
  const { id } = await check(csv);
  const bad = await rows(id, '&status=INVALID');
  expect(bad.map(({ errors }: { errors: object[] }) => errors)).toEqual([
    [{ column: 'Guardian name', message: expect.stringMatching(/^is missing/) }],
    [{ column: 'Guardian phone', message: expect.stringContaining('was cut by the spreadsheet') }],
    [{ column: 'Guardian phone', message: 'is followed by a cell without a heading' }],
  ]);
  await act(id, 'commit');
  const parents = await app.query<{ name: string; wards: number }>(
    `select u.name, count(g.id)::int as wards from users u join guardianships g on g.guardian_id = u.id
      where u.tenant_id = $1 and u.kind = 'PARENT' group by u.id`,
    [tenantId],
  );
  expect(parents.map(({ wards }) => wards).reduce((sum, wards) => sum + wards, 0)).toBe(3);
});

it('finds a parent who came along with an earlier row, and an email that an earlier guardian has', async () => {
  const filler = Array.from({ length: 300 }, (_, index) => `Filler ${index},${9_811_000_000 + index},,,,`).join('\n');
  const csv = [
    'Name,Phone,Email,Type,Guardian name,Guardian phone,Guardian email',
    'Ravi,9829000001,,Student,Sunita Kumar,9829099999,sunita@kumar.example',
    filler,
    'Sunita Kumar,9829099999,,Parent,,,',
    'Somebody,9829000002,sunita@kumar.example,Student,,,',
  ].join('\n');
  expect(await verdicts(csv)).toEqual([
    [303, 'Phone: is, with the same name, a guardian earlier in the file'],
    [304, 'Email: is the email of a guardian earlier in the file already'],
  ]);
});

it('takes days, phones, kinds and consent as people write them', async () => {
  const { check, act, tenantId } = await importer();
  const csv = [
    'नाम;मोबाइल;जन्म तिथि;प्रकार;सहमति;अभिभावक का नाम;अभिभावक मोबाइल;संबंध',
    'रवि;9.829012345E+09;17/04/2012;छात्र;हाँ;सुनीता;9829054321;माता',
    'Asha;+91-98290-12346;17 Apr 1999;Student;no;;;',
    'Vikram;098290 12347;36267;Staff;;;;',
  ].join('\n');
  const { id, mapping } = await check(csv);
  expect(Object.values<string>(mapping).toSorted()).toEqual([
    'dateOfBirth',
    'guardianName',
    'guardianPhone',
    'guardianRelation',
    'kind',
    'marketingConsent',
    'name',
    'phone',
  ]);
  await act(id, 'commit');
  expect(
    await app.query(
      `select name, kind, phone, to_char(date_of_birth, 'YYYY-MM-DD') as born, marketing_consent as consent
         from users where tenant_id = $1 and import_id is not null order by import_row nulls last`,
      [tenantId],
    ),
  ).toEqual([
    { name: 'रवि', kind: 'STUDENT', phone: '+919829012345', born: '2012-04-17', consent: true },
    { name: 'Asha', kind: 'STUDENT', phone: '+919829012346', born: '1999-04-17', consent: false },
    { name: 'Vikram', kind: 'STAFF', phone: '+919829012347', born: '1999-04-17', consent: false },
    { name: 'सुनीता', kind: 'PARENT', phone: '+919829054321', born: null, consent: false },
  ]);
});
