import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gstinCheckCharacter } from '../../../src/utils/gstin.ts';
import { newId } from '../../../src/utils/ids.ts';
import { statusesOf } from '../../support/calls.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

const DAY_MS = 86_400_000;
/** Everything that creating a tenant writes to. */
const TABLES = [
  'tenants',
  'users',
  'role_assignments',
  'tenant_transitions',
  'outbox_messages',
  'audit_logs',
  'audit_chains',
  'idempotency_keys',
];

let app: TestApp;
let admin: { id: string; name: string };
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  const sales = await app.buildAdmin({ role: 'sales', name: 'Asha Menon' });
  admin = { id: sales.id, name: sales.name };
  token = (await app.signIn(sales)).token;
});
afterAll(() => app.close());

let serial = 0;
const body = (changes: object = {}) => {
  serial += 1;
  return {
    name: 'Saraswati Reading Hall',
    slug: `saraswati-${serial}`,
    email: `office-${serial}@saraswati.example`,
    owner: { name: 'Meera Sharma', email: `meera-${serial}@saraswati.example` },
    ...changes,
  };
};
const create = (changes: object = {}, headers: Record<string, string> = {}) =>
  app.call('POST', '/api/tenants', { token, body: body(changes), headers });
const rowsNow = async () => {
  const counts = await Promise.all(
    TABLES.map((table) => app.query<{ n: number }>(`select count(*)::int as n from ${table}`)),
  );
  return Object.fromEntries(TABLES.map((table, index) => [table, counts[index]?.[0]?.n]));
};
const withCheck = (first14: string) => first14 + gstinCheckCharacter(first14);
const issuesOf = (answer: Awaited<ReturnType<typeof create>>) => answer.body.error?.details?.issues;

describe('POST /api/tenants', () => {
  it('answers the tenant as it can be read from then on', async () => {
    const sent = {
      name: '  Saraswati Reading Hall  ',
      phone: '98290 12345',
      gstin: withCheck('08AAPFU0939F1Z'),
      addressLine: '12 Talwandi Road',
      city: 'Kota',
      state: 'RJ',
      pincode: '324005',
      timeZone: 'Asia/Calcutta',
    };
    const answer = await create({
      ...sent,
      owner: { name: 'Meera', email: 'meera@one.example', phone: '09829054321' },
    });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(answer.body.data).toEqual({
      id: expect.stringMatching(/^c[a-z0-9]{24}$/),
      slug: expect.stringMatching(/^saraswati-\d+$/),
      email: expect.any(String),
      ...sent,
      name: 'Saraswati Reading Hall',
      phone: '+919829012345',
      status: 'TRIAL',
      trialEndsAt: expect.any(String),
      owner: { id: expect.any(String), name: 'Meera', email: 'meera@one.example', status: 'PENDING' },
      subscription: null,
      version: 1,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    const read = await app.call('GET', `/api/tenants/${answer.body.data.id}`, { token });
    expect(read.body.data).toEqual(answer.body.data);
  });

  it('makes the owner, who cannot sign in yet, the mail to them, the first status and the audit row: at once', async () => {
    const answer = await create({ owner: { name: 'Meera', email: 'meera@two.example', phone: '+91 98290 54321' } });
    const { id, owner, slug, createdAt } = answer.body.data;
    const [user] = await app.query(`select * from users where tenant_id = $1`, [id]);
    expect(user).toMatchObject({
      id: owner.id,
      type: 'PLATFORM_USER',
      kind: 'OWNER',
      status: 'PENDING',
      email: 'meera@two.example',
      phone: '+919829054321',
      password_hash: null,
      created_at: new Date(createdAt),
    });
    const assignments = await app.query(
      `select a.tenant_id, a.assigned_by_id, r.code from role_assignments a join roles r on r.id = a.role_id where user_id = $1`,
      [owner.id],
    );
    expect(assignments).toEqual([{ tenant_id: id, assigned_by_id: admin.id, code: 'owner' }]);
    expect(await app.query(`select * from outbox_messages where tenant_id = $1`, [id])).toMatchObject([
      { job: 'email.welcome', payload: { userId: owner.id }, request_id: answer.headers.get('x-request-id') },
    ]);
    expect(await app.query(`select * from tenant_transitions where tenant_id = $1`, [id])).toMatchObject([
      { from: null, to: 'TRIAL', reason: null, actor_id: admin.id, actor_name: admin.name },
    ]);
    const audit = await app.query(`select * from audit_logs where tenant_id = $1`, [id]);
    expect(audit).toMatchObject([
      {
        chain: id,
        sequence: 1,
        action: 'tenants.create',
        actor_type: 'USER',
        actor_id: admin.id,
        actor_name: admin.name,
        resource: 'tenant',
        resource_id: id,
        outcome: 'SUCCESS',
        request_id: answer.headers.get('x-request-id'),
        changes: { name: 'Saraswati Reading Hall', slug, ownerId: owner.id },
      },
    ]);
  });

  it('writes everything in one transaction', async () => {
    const { id, owner } = (await create()).body.data;
    const written = await app.query(
      `select xmin::text from tenants where id = $1 union all select xmin::text from users where tenant_id = $1
       union all select xmin::text from role_assignments where user_id = $2
       union all select xmin::text from tenant_transitions where tenant_id = $1
       union all select xmin::text from outbox_messages where tenant_id = $1
       union all select xmin::text from audit_logs where chain = $1 union all select xmin::text from audit_chains where chain = $1`,
      [id, owner.id],
    );
    expect(written).toHaveLength(7);
    expect(new Set(written.map(({ xmin }) => xmin)).size).toBe(1);
  });

  it('leaves nothing behind when the owner turns out to be somebody else', async () => {
    const known = await app.buildOwner();
    const before = await rowsNow();
    const answer = await create({ owner: { name: 'Meera', email: known.email?.toUpperCase() } });
    expect(answer.status).toBe(409);
    expect(answer.body.error).toMatchObject({ code: 'conflict', message: expect.stringContaining('owner') });
    expect(issuesOf(answer)).toEqual([{ in: 'body', field: 'owner.email', message: 'belongs to another account' }]);
    expect(await rowsNow()).toEqual(before);
  });

  it('leaves nothing behind when its very last act fails, and its Idempotency-Key works again', async () => {
    await app.query(
      `create function refuse() returns trigger language plpgsql as $$ begin raise 'no more room'; end $$`,
    );
    await app.query(
      `create trigger refuse before insert on audit_logs for each row when (new.action = 'tenants.create') execute function refuse()`,
    );
    const before = await rowsNow();
    const request = { token, body: body(), headers: { 'idempotency-key': newId() } };
    const failed = await app.call('POST', '/api/tenants', request);
    expect(failed.status).toBe(500);
    expect(failed.text).not.toContain('no more room');
    expect(await rowsNow()).toEqual(before);

    await app.query('drop trigger refuse on audit_logs');
    const done = await app.call('POST', '/api/tenants', request);
    expect(done.status, done.text).toBe(201);
    const again = await app.call('POST', '/api/tenants', request);
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
    expect(again.body).toEqual(done.body);
    expect((await rowsNow()).tenants).toBe((before.tenants ?? 0) + 1);
  });

  it('is not for the space of another tenant', async () => {
    const operations = await app.adminToken({ role: 'operations' });
    const { id } = await app.buildTenant();
    const before = await rowsNow();
    const answer = await app.call('POST', '/api/tenants', {
      token: operations,
      body: body(),
      headers: { 'x-tenant-id': id },
    });
    expect(answer.status).toBe(403);
    expect(answer.body.error).toMatchObject({
      code: 'tenant_mismatch',
      message: expect.stringContaining('x-tenant-id'),
    });
    expect(await rowsNow()).toEqual(before);
  });
});

describe('The trial', () => {
  const daysOf = ({ createdAt, trialEndsAt }: { createdAt: string; trialEndsAt: string }) =>
    (Date.parse(trialEndsAt) - Date.parse(createdAt)) / DAY_MS;
  const setting = (value: unknown) =>
    app.query(
      `insert into settings (id, key, value, updated_at) values ($1, 'tenants.trial_days', $2::jsonb, now())
       on conflict (tenant_id, key) do update set value = excluded.value`,
      [newId(), JSON.stringify(value)],
    );

  it('lasts a fortnight, the days of the platform setting, or those that are given', async () => {
    expect(daysOf((await create()).body.data)).toBe(14);
    await setting(30);
    expect(daysOf((await create()).body.data)).toBe(30);
    expect(daysOf((await create({ trialDays: 7 })).body.data)).toBe(7);
    expect(daysOf((await create({ trialDays: 0 })).body.data)).toBe(0);
    expect(daysOf((await create({ trialDays: 90 })).body.data)).toBe(90);
    await setting('a month');
    expect(daysOf((await create()).body.data)).toBe(14);
    await app.query(`delete from settings`);
  });

  it.each([-1, 91, 1.5, '14', null])('is not %j days', async (trialDays) => {
    const answer = await create({ trialDays });
    expect(answer.status).toBe(400);
    expect(issuesOf(answer)).toMatchObject([{ in: 'body', field: 'trialDays' }]);
  });
});

describe('The slug', () => {
  it('is made from the name where none is given', async () => {
    const answer = await create({ name: 'Gyan Kendra, Sikar', slug: undefined });
    expect(answer.body.data.slug).toBe('gyan-kendra-sikar');
  });

  it('is asked for where the name gives none', async () => {
    const name = 'ज्ञान केंद्र';
    const refused = await create({ name, slug: undefined });
    expect(refused.status).toBe(400);
    expect(issuesOf(refused)).toEqual([
      { in: 'body', field: 'slug', message: 'is needed, since the name has too few Latin letters to make one' },
    ]);
    const given = await create({ name, slug: 'gyan-kendra' });
    expect([given.status, given.body.data.name, given.body.data.slug]).toEqual([201, name, 'gyan-kendra']);
  });

  it.each(['ab', 'Saraswati', 'a--b', '-abc', 'abc-', 'a b c', 'ज्ञान', 'a'.repeat(61)])('is not %j', async (slug) => {
    const answer = await create({ slug });
    expect(answer.status).toBe(400);
    expect(issuesOf(answer)).toMatchObject([{ in: 'body', field: 'slug' }]);
  });

  it.each([
    ['given', { slug: 'taken-hall' }],
    ['made from the name', { name: 'Other Taken Hall', slug: undefined }],
  ])('that is %s and taken is a 409 that names it', async (_how, changes) => {
    await app.buildTenant({ slug: changes.slug ?? 'other-taken-hall' });
    const before = await rowsNow();
    const answer = await create(changes);
    expect(answer.status).toBe(409);
    expect(answer.body.error).toMatchObject({ code: 'conflict', message: 'slug is taken already.' });
    expect(issuesOf(answer)).toEqual([{ in: 'body', field: 'slug', message: 'is taken already' }]);
    expect(await rowsNow()).toEqual(before);
  });

  it('of a purged tenant is never given again', async () => {
    const { slug } = await app.buildTenant({ status: 'PURGED' });
    expect((await create({ slug })).status).toBe(409);
  });

  it('goes to one of those who want it at once', async () => {
    const before = await rowsNow();
    const answers = await Promise.all(Array.from({ length: 6 }, () => create({ slug: 'wanted-by-all' })));
    expect(statusesOf(answers)).toEqual([201, 409, 409, 409, 409, 409]);
    for (const lost of answers.filter(({ status }) => status === 409)) {
      expect(issuesOf(lost)).toMatchObject([{ field: 'slug' }]);
    }
    const after = await rowsNow();
    for (const table of ['tenants', 'users', 'role_assignments', 'outbox_messages', 'audit_chains']) {
      expect(after[table], table).toBe((before[table] ?? 0) + 1);
    }
  });
});

describe('The owner', () => {
  it('is one of those whose email is wanted by several at once', async () => {
    const owner = { name: 'Meera Sharma', email: 'meera@wanted.example' };
    const answers = await Promise.all(Array.from({ length: 4 }, () => create({ owner })));
    expect(statusesOf(answers)).toEqual([201, 409, 409, 409]);
    expect(issuesOf(answers.find(({ status }) => status === 409)!)).toMatchObject([{ field: 'owner.email' }]);
    const tenants = await app.query(
      `select t.id from tenants t join users u on u.tenant_id = t.id where u.email = $1`,
      [owner.email],
    );
    expect(tenants).toHaveLength(1);
  });

  it('may not be an admin', async () => {
    const { email } = await app.buildAdmin({ role: 'support' });
    const answer = await create({ owner: { name: 'Meera', email } });
    expect(answer.status).toBe(409);
    expect(issuesOf(answer)).toMatchObject([{ field: 'owner.email' }]);
  });

  it('may share a phone with others', async () => {
    const owner = (email: string) => ({ owner: { name: 'Meera', email, phone: '9829054322' } });
    expect((await create(owner('one@phone.example'))).status).toBe(201);
    expect((await create(owner('two@phone.example'))).status).toBe(201);
  });

  it.each([
    [{ owner: undefined }, 'owner'],
    [{ owner: { name: 'Meera' } }, 'owner.email'],
    [{ owner: { name: 'M', email: 'm@x.example' } }, 'owner.name'],
    [{ owner: { name: 'Meera', email: 'm@x.example', phone: '12345' } }, 'owner.phone'],
    [{ owner: { name: 'Meera', email: 'm@x.example', role: 'super_admin' } }, 'owner.role'],
  ])('is checked: %j', async (changes, field) => {
    const answer = await create(changes);
    expect(answer.status).toBe(400);
    expect(issuesOf(answer)).toMatchObject([{ in: 'body', field }]);
  });
});

describe('GSTIN and state', () => {
  it.each([
    ['a number of the state', { gstin: withCheck('08AAPFU0939F1Z'), state: 'RJ' }, withCheck('08AAPFU0939F1Z')],
    ['small letters', { gstin: ` ${withCheck('27AAPFU0939F1Z').toLowerCase()} `, state: 'MH' }, '27AAPFU0939F1ZV'],
    ['no state', { gstin: '27AAPFU0939F1ZV' }, '27AAPFU0939F1ZV'],
    ['no number', { gstin: null, state: 'MH' }, null],
  ])('may be %s', async (_what, changes, stored) => {
    const answer = await create(changes);
    expect(answer.status, answer.text).toBe(201);
    expect(answer.body.data.gstin).toBe(stored);
  });

  it.each([
    ['a wrong check character', { gstin: '27AAPFU0939F1ZW' }, 'must be a GSTIN whose check character is right'],
    ['a state that does not exist', { gstin: withCheck('99AAPFU0939F1Z') }, 'must be a GSTIN'],
    ['another state', { gstin: '27AAPFU0939F1ZV', state: 'RJ' }, 'begins with the code of another state than `state`'],
    ['nothing', { gstin: '' }, 'must be a GSTIN'],
  ])('may not be %s', async (_what, changes, message) => {
    const answer = await create(changes);
    expect(answer.status).toBe(400);
    expect(issuesOf(answer)).toEqual([{ in: 'body', field: 'gstin', message: expect.stringContaining(message) }]);
  });
});

describe('Phones and emails', () => {
  it.each([
    ['9829012345', '+919829012345'],
    ['09829012345', '+919829012345'],
    ['98290 12345', '+919829012345'],
    ['+91 98290-12345', '+919829012345'],
    ['0091 98290 12345', '+919829012345'],
    ['(0744) 250 1234', '+917442501234'],
    ['+44 20 7946 0018', '+442079460018'],
  ])('%s becomes %s', async (phone, stored) => {
    const answer = await create({ phone });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.body.data.phone).toBe(stored);
  });

  it.each(['12345', '98290', 'call me', '', '+91', '99999 99999 99999'])('%j is no phone', async (phone) => {
    const answer = await create({ phone });
    expect(answer.status).toBe(400);
    expect(issuesOf(answer)).toMatchObject([{ in: 'body', field: 'phone' }]);
  });

  it('are kept in small letters', async () => {
    const answer = await create({
      email: '  Office@SARASWATI.Example ',
      owner: { name: 'Meera', email: 'Meera.Sharma@Saraswati.EXAMPLE' },
    });
    expect(answer.body.data.email).toBe('office@saraswati.example');
    expect(answer.body.data.owner.email).toBe('meera.sharma@saraswati.example');
  });

  it('of two tenants may be the same, for one business may have several', async () => {
    expect((await create({ email: 'same@office.example' })).status).toBe(201);
    expect((await create({ email: 'same@office.example' })).status).toBe(201);
  });
});

describe('What is wrong', () => {
  it('is told all at once, field by field', async () => {
    const answer = await app.call('POST', '/api/tenants', {
      token,
      body: { name: 'X', email: 'nobody', pincode: '012345', timeZone: 'Mars/Olympus', state: 'XX', status: 'ACTIVE' },
    });
    expect(answer.status).toBe(400);
    expect(
      issuesOf(answer)
        .map(({ field }: { field: string }) => field)
        .toSorted(),
    ).toEqual(['email', 'name', 'owner', 'pincode', 'state', 'status', 'timeZone']);
  });
});
