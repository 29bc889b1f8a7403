import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { searching } from '../../src/utils/search.ts';
import { sql, type Sql } from '../../src/utils/sql.ts';
import { planOf } from '../support/plans.ts';
import { startTestApp, type TestApp } from '../support/server.ts';

// People and tenants are found by part of their name, by how it sounds in either script, and by phone, however spelled.

const people: [name: string, phone: string | null][] = [
  ['Meera Sharma', '+919829012345'],
  ['Mira Nair', null],
  ['मीरा गुप्ता', null],
  ['Laxmi Devi', null],
  ['Lakshmi Iyer', null],
  ['लक्ष्मी बाई', null],
  ['Harpreet Singh', '+919829054321'],
  ['गुरप्रीत सिंह', null],
  ['Anil Chauhan', null],
  ['सुनील चौहान', null],
  ['Krishna Rao', null],
  ['कृष्ण कुमार', null],
  ['Farhan Qureshi', '+442079460018'],
  ['கமலா ராஜன்', null],
  ['Under_score 100% \\Slash', null],
];

let app: TestApp;
let token: string;
let tenantId: string;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken();
  tenantId = (await app.buildTenant({ name: 'Saraswati Reading Hall', city: 'Kota', slug: 'saraswati' })).id;
  // Addresses of no chance letters: they are searched too.
  for (const [index, [name, phone]] of people.entries()) {
    await app.buildUser({ role: 'student', tenantId, name, phone, email: `p${index}@x.example`, password: false });
  }
});
afterAll(() => app.close());

const found = async (path: string) => {
  const answer = await app.call('GET', path, { token });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.body.meta.total).toBe(answer.body.data.length);
  return (answer.body.data as { name: string }[]).map(({ name }) => name).toSorted();
};
const peopleBy = (q: string) => found(`/api/tenants/${tenantId}/users?limit=100&q=${encodeURIComponent(q)}`);
const tenantsBy = (query: string) => found(`/api/tenants?limit=100&${query}`);

describe('A search for people', () => {
  it.each([
    ['Meera', ['Meera Sharma', 'Mira Nair', 'मीरा गुप्ता']],
    ['mira', ['Meera Sharma', 'Mira Nair', 'मीरा गुप्ता']],
    ['मीरा', ['Meera Sharma', 'Mira Nair', 'मीरा गुप्ता']],
    ['Laxmi', ['Lakshmi Iyer', 'Laxmi Devi', 'लक्ष्मी बाई']],
    ['LAKSHMI', ['Lakshmi Iyer', 'Laxmi Devi', 'लक्ष्मी बाई']],
    ['लक्ष्मी', ['Lakshmi Iyer', 'Laxmi Devi', 'लक्ष्मी बाई']],
    ['singh', ['Harpreet Singh', 'गुरप्रीत सिंह']],
    ['सिंह', ['Harpreet Singh', 'गुरप्रीत सिंह']],
    ['Chouhan', ['Anil Chauhan', 'सुनील चौहान']],
    ['चौहान', ['Anil Chauhan', 'सुनील चौहान']],
    ['krishn', ['Krishna Rao', 'कृष्ण कुमार']],
    ['कृष्ण', ['Krishna Rao', 'कृष्ण कुमार']],
    ['फ़रहान', ['Farhan Qureshi']],
    ['Farhaan', ['Farhan Qureshi']],
  ])('finds %s by its sound in either script', async (q, names) => {
    expect(await peopleBy(q)).toEqual(names.toSorted());
  });

  it.each([
    ['sharma meera', ['Meera Sharma']],
    ['qureshi farhan', ['Farhan Qureshi']],
    ['sharma mira', ['Meera Sharma']],
    ['शर्मा मीरा', ['Meera Sharma']],
    ['meera iyer', []],
    ['meera 98290', ['Meera Sharma']],
    ['98290 meera 12345', ['Meera Sharma']],
  ])('finds all words of %s', async (q, names) => {
    expect(await peopleBy(q)).toEqual(names);
  });

  it.each([
    '98290 12345',
    '098290-12345',
    '+91 98290 12345',
    '(+91)9829012345',
    '0091 98290 12345',
    '९८२९० १२३४५',
    '90 12345',
    '012345',
  ])('finds the phone %s', async (q) => {
    expect(await peopleBy(q)).toEqual(['Meera Sharma']);
  });

  it('finds those whose numbers begin alike, and numbers of other countries', async () => {
    expect(await peopleBy('98290')).toEqual(['Harpreet Singh', 'Meera Sharma']);
    expect(await peopleBy('९८२९०')).toEqual(['Harpreet Singh', 'Meera Sharma']);
    expect(await peopleBy('0044 20 7946 0018')).toEqual(['Farhan Qureshi']);
  });

  it('finds a part of a name, in any script, in its middle as well', async () => {
    expect(await peopleBy('ures')).toEqual(['Farhan Qureshi']);
    expect(await peopleBy('கமலா')).toEqual(['கமலா ராஜன்']);
    expect(await peopleBy('ராஜன் கமலா')).toEqual(['கமலா ராஜன்']);
    expect(await peopleBy('vi')).toEqual(['Laxmi Devi']);
    expect(await peopleBy('गु')).toEqual(['गुरप्रीत सिंह', 'मीरा गुप्ता']);
  });

  it.each([
    ['%%', []],
    ['__', []],
    ['r_s', ['Under_score 100% \\Slash']],
    ['0%', ['Under_score 100% \\Slash']],
    ['\\sl', ['Under_score 100% \\Slash']],
    ['\\\\', []],
    ['- =', []],
    ['~~~', []],
    ["';--", []],
    ['a'.repeat(100), []],
    [Array.from({ length: 50 }, () => 'a').join(' '), []],
    ['मीरा '.repeat(16), []],
  ])('takes %j as it stands', async (q, names) => {
    expect(await peopleBy(q)).toEqual(names);
  });

  it('leaves out who has left', async () => {
    const left = await app.buildUser({ role: 'student', tenantId, name: 'Zubeda Left' });
    expect(await peopleBy('Zubeda')).toEqual(['Zubeda Left']);
    await app.query(`update users set deleted_at = now() where id = $1`, [left.id]);
    expect(await peopleBy('Zubeda')).toEqual([]);
  });
});

describe('A search for tenants', () => {
  it.each([
    ['saraswati', true],
    ['SARASVATI', true],
    ['सरस्वती', true],
    ['hall saraswati', true],
    ['reading-hall', true],
    ['saraswati kendra', false],
    ['kendra', false],
  ])('%s finds Saraswati Reading Hall: %j', async (q, isFound) => {
    expect(await tenantsBy(`q=${encodeURIComponent(q)}`)).toEqual(isFound ? ['Saraswati Reading Hall'] : []);
  });

  it.each(['kota', 'KOTA', 'Kota'])('takes %s for the same city', async (city) => {
    expect(await tenantsBy(`city=${city}`)).toContain('Saraswati Reading Hall');
    expect(await tenantsBy(`city=${city}x`)).toEqual([]);
  });
});

describe('The index of names, over 20,000 people', () => {
  let database: pg.Client;
  beforeAll(async () => {
    await app.query(
      `insert into users (id, tenant_id, type, kind, name, email, status, updated_at)
       select 'c' || substr(md5('user' || i), 1, 24), $1, 'PLATFORM_USER', 'STUDENT',
              'Person ' || md5(i::text), 'person' || i || '@people.example', 'ACTIVE', now()
         from generate_series(1, 20000) i`,
      [tenantId],
    );
    // Autovacuum does that in the end: what is still to be merged into the index is read from end to end.
    await app.query('vacuum analyze users');
    database = new pg.Client(app.database.appUrl);
    await database.connect();
  });
  afterAll(() => database.end());

  const scope = {
    text: `select set_config('role', $1, true), set_config('app.tenant_id', $2, true)`,
    values: ['studyspot_portal', ''],
  };
  const counted = (q: string): Sql =>
    sql`select count(*) from users where type = 'PLATFORM_USER' and deleted_at is null and ${searching(sql`search_text`, q)}`;

  it.each(['meera', 'sharma meera', 'मीरा', '98290 12345', '+91 98290 12345', 'k sharma', 'கமலா'])(
    'serves %s',
    async (q) => {
      const { text, values } = counted(q);
      const plan = await planOf(database, scope, { text, values });
      expect(plan.map((node) => node['Index Name'])).toContain('users_people_search_idx');
      expect(plan.map((node) => node['Node Type'])).not.toContain('Seq Scan');
    },
  );

  it('serves a statement that was prepared without knowing what is asked for', async () => {
    const { text } = counted('sharma meera');
    await database.query('begin');
    await database.query(scope.text, scope.values);
    await database.query(`set local plan_cache_mode = force_generic_plan`);
    await database.query(`prepare counting as ${text}`);
    const { rows } = await database.query(`explain execute counting('%sharma%', 'sharma', '%meera%', 'meera')`);
    await database.query('rollback');
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/Bitmap Index Scan on users_people_search_idx/);
  });

  it('works out the sound of what is asked for once, and not for each row', async () => {
    const { text, values } = counted('person');
    const started = performance.now();
    await database.query('begin');
    await database.query(scope.text, scope.values);
    const { rows } = await database.query(text, values);
    await database.query('rollback');
    expect(Number(rows[0].count)).toBeGreaterThanOrEqual(20_000);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
