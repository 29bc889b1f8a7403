import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { scopedReader } from '../../../src/config/scope.ts';
import { entitlementsOf } from '../../../src/services/entitlements.service.ts';
import type { Scope } from '../../../src/types/context.ts';
import { newId } from '../../../src/utils/ids.ts';
import { buildAddOn, buildPlan, buildSubscription, noon, resetClock, setClock } from '../../support/billing.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { importerOf } from '../platform-users/import-support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(resetClock);
afterAll(() => app.close());

type AddOns = { id: string; quantity: number; endsOn?: string }[];

/** A tenant, its owner signed in, whose subscription allows so much. */
async function limited(limits: object, { addOns = [] as AddOns, status = 'ACTIVE' } = {}) {
  const built = await app.ownerWithToken();
  await buildSubscription(app, built.tenantId, await buildPlan(app, { limits }), { addOns, status });
  return built;
}

const inPortal = { role: 'portal' } as Scope;
const entitled = async (tenantId: string, { scope = inPortal, now = new Date(noon('2026-08-11')) } = {}) => {
  const entitlements = await entitlementsOf({ sql: scopedReader(scope), now }, tenantId);
  return Object.fromEntries(entitlements.map(({ name, limit, used, left }) => [name, [limit, used, left]]));
};

const hall = (changes: object = {}) => ({
  name: `Hall ${newId()}`,
  addressLine: '12 Talwandi Road',
  city: 'Kota',
  state: 'RJ',
  pincode: '324005',
  seatCount: 100,
  ...changes,
});
const addLibrary = ({ token, tenantId }: { token: string; tenantId: string }, changes: object = {}) =>
  app.call('POST', `/api/tenants/${tenantId}/libraries`, { token, body: hall(changes) });

let phones = 9_829_500_000;
const phone = () => String((phones += 1));
const addPerson = ({ token }: { token: string }, changes: object = {}) =>
  app.call('POST', '/api/platform-users', {
    token,
    body: { kind: 'STUDENT', name: 'Ravi Kumar', phone: phone(), ...changes },
  });

describe('What a tenant may have', () => {
  it('is what the version of its plan says and its add-ons add, beside what it has', async () => {
    const [library, staff] = [await buildAddOn(app, { libraries: 1, seats: 100 }), await buildAddOn(app, { staff: 5 })];
    const tenant = await limited(
      { libraries: 1, seats: 150, students: 3, staff: null },
      {
        addOns: [
          { id: library.id, quantity: 2 },
          { id: staff.id, quantity: 1 },
        ],
      },
    );
    for (const seatCount of [80, 40]) expect((await addLibrary(tenant, { seatCount })).status).toBe(201);
    for (const name of ['Ravi', 'Meera', 'Asif']) expect((await addPerson(tenant, { name })).status).toBe(201);
    expect((await addPerson(tenant, { kind: 'STAFF' })).status).toBe(201);
    expect((await addPerson(tenant, { kind: 'PARENT' })).status).toBe(201);
    const { body } = await addPerson(await app.ownerWithToken());
    expect(body.success).toBe(true);
    const now = { libraries: [3, 2, 1], seats: [350, 120, 230], students: [3, 3, 0], staff: [null, 1, null] };
    expect(await entitled(tenant.tenantId)).toEqual(now);
    expect(await entitled(tenant.tenantId, { scope: { role: 'tenant', tenantId: tenant.tenantId } })).toEqual(now);
    await app.query(`update users set deleted_at = now() where tenant_id = $1 and name = 'Asif'`, [tenant.tenantId]);
    expect((await entitled(tenant.tenantId)).students).toEqual([3, 2, 1]);
  });

  it('is read in one round trip, and names what it is', async () => {
    const { tenantId } = await limited({ libraries: 2 });
    const sql = scopedReader({ role: 'portal' });
    let asked = 0;
    const counting = {
      ...sql,
      one: async <Row>(query: Parameters<typeof sql.one>[0]) => ((asked += 1), sql.one<Row>(query)),
    };
    const found = await entitlementsOf({ sql: counting, now: new Date() }, tenantId);
    expect(asked).toBe(1);
    expect(found[0]).toEqual({ name: 'libraries', description: 'Libraries', limit: 2, used: 0, left: 2 });
    expect(found.map(({ name }) => name)).toEqual(['libraries', 'seats', 'students', 'staff']);
  });

  it.each([
    ['TRIAL', [2, 0, 2]],
    ['ACTIVE', [2, 0, 2]],
    ['PAST_DUE', [2, 0, 2]],
    ['PAUSED', [2, 0, 2]],
    ['CANCELLED', [null, 0, null]],
    ['EXPIRED', [null, 0, null]],
  ])('is limited while the subscription is live: %s', async (status, expected) => {
    const { tenantId } = await limited({ libraries: 2 }, { status });
    expect((await entitled(tenantId)).libraries).toEqual(expected);
  });

  it('is without limit where there is no subscription, or the plan says nothing', async () => {
    const { tenantId } = await app.ownerWithToken();
    const unlimited = [null, 0, null];
    const all = { libraries: unlimited, seats: unlimited, students: unlimited, staff: unlimited };
    expect(await entitled(tenantId)).toEqual(all);
    const addOn = await buildAddOn(app, { libraries: 1 });
    const subscribed = await limited({}, { addOns: [{ id: addOn.id, quantity: 1 }] });
    expect(await entitled(subscribed.tenantId)).toEqual(all);
  });

  it('counts an add-on that was given up until the day before it ends, in India', async () => {
    const addOn = await buildAddOn(app, { libraries: 1 });
    const { tenantId } = await limited(
      { libraries: 1 },
      { addOns: [{ id: addOn.id, quantity: 3, endsOn: '2026-08-11' }] },
    );
    const limitAt = async (moment: string) => (await entitled(tenantId, { now: new Date(moment) })).libraries?.[0];
    expect(await limitAt('2026-08-10T18:29:59Z')).toBe(4);
    expect(await limitAt('2026-08-10T18:30:00Z')).toBe(1);
  });

  it('leaves nothing, and not less, where there is more than a smaller plan allows', async () => {
    const { tenantId, ...owner } = await limited({});
    for (const seatCount of [100, 50]) await addLibrary({ tenantId, ...owner }, { seatCount });
    const small = await buildPlan(app, { limits: { libraries: 1, seats: 100 } });
    await app.query(`update subscriptions set plan_id = $1, plan_version_id = $2 where tenant_id = $3`, [
      small.id,
      small.versionId,
      tenantId,
    ]);
    expect(await entitled(tenantId)).toMatchObject({ libraries: [1, 2, 0], seats: [100, 150, 0] });
  });
});

describe('A library beyond what the subscription allows', () => {
  it('is refused, with what is allowed and what to do', async () => {
    const tenant = await limited({ libraries: 1 });
    expect((await addLibrary(tenant)).status).toBe(201);
    const answer = await addLibrary(tenant);
    expectError(answer, 409, 'limit_reached');
    expect(answer.body.error).toMatchObject({
      message: 'The limit of the subscription for libraries is 1; in use: 1. Upgrade the plan or take an add-on.',
      details: { entitlement: 'libraries', limit: 1, used: 1 },
    });
    const admin = await app.adminToken();
    expectError(await addLibrary({ ...tenant, token: admin }), 409, 'limit_reached');
  });

  it('is refused to one of two who take the last place at once', async () => {
    const tenant = await limited({ libraries: 2 });
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => addLibrary(tenant)));
    expect(statusesOf(answers)).toEqual([201, 201, 409, 409, 409]);
    expect(await app.query(`select 1 from libraries where tenant_id = $1`, [tenant.tenantId])).toHaveLength(2);
  });

  it('may not have more seats either, nor grow by more', async () => {
    const tenant = await limited({ seats: 150 });
    const { body } = await addLibrary(tenant, { seatCount: 100 });
    expectError(await addLibrary(tenant, { seatCount: 51 }), 409, 'limit_reached');
    expect((await addLibrary(tenant, { seatCount: 20 })).status).toBe(201);
    const grow = (seatCount: number) =>
      app.call('PUT', `/api/tenants/${tenant.tenantId}/libraries/${body.data.id}`, {
        token: tenant.token,
        body: { seatCount },
      });
    const refused = await grow(131);
    expectError(refused, 409, 'limit_reached');
    expect(refused.body.error.details).toEqual({ entitlement: 'seats', limit: 150, used: 120 });
    expect((await grow(130)).status).toBe(200);
    expect((await grow(130)).status).toBe(200);
    expect((await grow(90)).status).toBe(200);
    expect(
      statusesOf(await Promise.all([addLibrary(tenant, { seatCount: 40 }), addLibrary(tenant, { seatCount: 40 })])),
    ).toEqual([201, 409]);
  });

  it('does not keep a tenant from making less of what is too much', async () => {
    const tenant = await limited({ seats: 50 });
    const id = newId();
    await app.query(
      `insert into libraries (id, tenant_id, name, address_line, city, state, pincode, seat_count, updated_at)
       values ($1, $2, 'Old hall', 'Road', 'Kota', 'RJ', '324005', 200, now())`,
      [id, tenant.tenantId],
    );
    const change = (body: object) =>
      app.call('PUT', `/api/tenants/${tenant.tenantId}/libraries/${id}`, { token: tenant.token, body });
    expect((await change({ name: 'New hall' })).status).toBe(200);
    expect((await change({ seatCount: 120 })).status).toBe(200);
    expectError(await change({ seatCount: 121 }), 409, 'limit_reached');
  });

  it('is there after an upgrade or an add-on', async () => {
    const tenant = await limited({ libraries: 0 });
    expectError(await addLibrary(tenant), 409, 'limit_reached');
    const { id } = await buildAddOn(app, { libraries: 1 });
    await app.query(
      `insert into subscription_add_ons (id, tenant_id, subscription_id, add_on_id, quantity, monthly_price, annual_price, added_on)
       select $1, tenant_id, id, $2, 1, 250, 2500, '2026-08-01' from subscriptions where tenant_id = $3`,
      [newId(), id, tenant.tenantId],
    );
    expect((await addLibrary(tenant)).status).toBe(201);
  });
});

describe('A person beyond what the subscription allows', () => {
  it('is refused, and leaves nobody behind; parents and owners are not counted', async () => {
    const tenant = await limited({ students: 1, staff: 0 });
    expect((await addPerson(tenant)).status).toBe(201);
    const guardians = [{ name: 'Sunita Kumar', phone: phone(), relation: 'MOTHER' }];
    const refused = await addPerson(tenant, { name: 'Meera', guardians });
    expectError(refused, 409, 'limit_reached');
    expect(refused.body.error.details).toEqual({ entitlement: 'students', limit: 1, used: 1 });
    expect((await addPerson(tenant, { kind: 'STAFF' })).body.error.details).toEqual({
      entitlement: 'staff',
      limit: 0,
      used: 0,
    });
    expect((await addPerson(tenant, { kind: 'PARENT', name: 'Anita' })).status).toBe(201);
    const people = await app.query(`select name from users where tenant_id = $1 and kind <> 'OWNER' order by name`, [
      tenant.tenantId,
    ]);
    expect(people.map(({ name }) => name)).toEqual(['Anita', 'Ravi Kumar']);
  });

  it('is told first what else is wrong', async () => {
    const tenant = await limited({ students: 0 });
    const taken = await app.buildOwner();
    expectError(await addPerson(tenant, { email: taken.email }), 409, 'conflict', 'body email');
  });

  it('is one of two who take the last place at once', async () => {
    const tenant = await limited({ students: 2 });
    const answers = await Promise.all(['Ravi', 'Meera', 'Asif', 'Sana'].map((name) => addPerson(tenant, { name })));
    expect(statusesOf(answers)).toEqual([201, 201, 409, 409]);
  });

  it('has a place once somebody was removed, who does not come back by being activated', async () => {
    const tenant = await limited({ students: 1 });
    const { body } = await addPerson(tenant);
    expect(
      (await app.call('DELETE', `/api/platform-users/${body.data.id}`, { token: tenant.token, body: {} })).status,
    ).toBe(200);
    expect((await addPerson(tenant, { name: 'Meera' })).status).toBe(201);
    const back = await app.call('POST', `/api/platform-users/${body.data.id}/activate`, {
      token: tenant.token,
      body: {},
    });
    expectError(back, 404, 'not_found');
  });
});

describe('An import beyond what the subscription allows', () => {
  const list = (names: number, from = 0) =>
    Array.from({ length: names }, (_, index) => `Student ${from + index},${9_812_000_000 + from + index}`);
  const csv = (rows: string[]) => `Name,Phone\n${rows.join('\n')}\n`;

  it('says so in the dry run, row by row and over several batches, and creates the rest', async () => {
    const tenant = await limited({ students: 262 });
    for (const name of ['Ravi', 'Meera']) await addPerson(tenant, { name });
    const { check, act, call } = importerOf(app, tenant.token);
    const checked = await check(csv(list(300)));
    expect(checked).toMatchObject({ status: 'VALIDATED', validRows: 260, invalidRows: 40 });
    const { data } = (await call('GET', `/imports/${checked.id}/rows?status=INVALID&limit=100`)).body;
    expect(data.map(({ number }: { number: number }) => number)).toEqual(
      Array.from({ length: 40 }, (_, index) => 262 + index),
    );
    expect(data[0].errors).toEqual([
      {
        column: 'Kind',
        message:
          'would be beyond the limit of the subscription for students, which is 262: upgrade the plan or take an add-on',
      },
    ]);
    expect(await act(checked.id, 'commit')).toMatchObject({ status: 'COMPLETED', createdRows: 260 });
    expect((await entitled(tenant.tenantId)).students).toEqual([262, 262, 0]);
  });

  it('gives a place that a bad row cannot take to the next one', async () => {
    const tenant = await limited({ students: 2 });
    const taken = await app.buildOwner();
    const { check, rows } = importerOf(app, tenant.token);
    const people = [
      `A One,9812100001,${taken.email}`,
      'B Two,9812100002,',
      'C Three,9812100003,',
      'D Four,9812100004,',
    ];
    const checked = await check(`Name,Phone,Email\n${people.join('\n')}\n`);
    const verdicts: { number: number; status: string }[] = await rows(checked.id);
    expect(verdicts.map(({ number, status }) => [number, status])).toEqual([
      [2, 'INVALID'],
      [3, 'VALID'],
      [4, 'VALID'],
      [5, 'INVALID'],
    ]);
  });

  it('refuses in the commit those whose places were taken since, and keeps what it counts right', async () => {
    const tenant = await limited({ students: 3 });
    const { check, act } = importerOf(app, tenant.token);
    const checked = await check(csv(list(3, 5_000)));
    expect(checked).toMatchObject({ validRows: 3 });
    expect((await addPerson(tenant)).status).toBe(201);
    expect(await act(checked.id, 'commit')).toMatchObject({ createdRows: 2, invalidRows: 1, validRows: 2 });
    expect((await entitled(tenant.tenantId)).students).toEqual([3, 3, 0]);
  });

  it('counts students and staff each for themselves', async () => {
    const tenant = await limited({ students: 1, staff: 1 });
    const { check } = importerOf(app, tenant.token);
    const rows = [
      'A,9812200001,Student',
      'B,9812200002,Student',
      'C,9812200003,Staff',
      'D,9812200004,Staff',
      'E,9812200005,Parent',
    ];
    const named = rows.map((row) => `Person ${row}`);
    expect(await check(`Name,Phone,Kind\n${named.join('\n')}\n`)).toMatchObject({ validRows: 3, invalidRows: 2 });
  });

  it('goes by the clock that the product is set to', async () => {
    const addOn = await buildAddOn(app, { students: 5 });
    const owner = await app.buildOwner();
    const tenantId = owner.tenantId as string;
    const plan = await buildPlan(app, { limits: { students: 0 } });
    await buildSubscription(app, tenantId, plan, { addOns: [{ id: addOn.id, quantity: 1, endsOn: '2030-01-01' }] });
    const before = await app.signIn(owner);
    expect((await addPerson({ token: before.token })).status).toBe(201);
    setClock(noon('2030-01-01'));
    const after = await app.signIn(owner);
    expectError(await addPerson({ token: after.token }), 409, 'limit_reached');
  });
});
