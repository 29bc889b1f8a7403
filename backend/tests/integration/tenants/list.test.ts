import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TenantStatus } from '../../../src/generated/prisma/enums.ts';
import { newId } from '../../../src/utils/ids.ts';
import { queryString } from '../../support/calls.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

type Row = {
  id: string;
  name: string;
  slug: string;
  email: string;
  phone: string | null;
  gstin: string | null;
  city: string | null;
  state: string | null;
  status: TenantStatus;
  trialEndsAt: string | null;
  createdAt: string;
};
type Filter = Partial<Record<'status' | 'city' | 'state' | 'createdFrom' | 'createdTo' | 'q', string>>;
const sorts = ['createdAt', 'name', 'status', 'city', 'trialEndsAt'] as const;
type Sort = { sort: (typeof sorts)[number]; order: 'asc' | 'desc' };

/** Midnight of 1 April 2026 in India, and the millisecond before. */
const MIDNIGHT = '2026-03-31T18:30:00.000Z';
const JUST_BEFORE = '2026-03-31T18:29:59.999Z';

const statuses = Object.values(TenantStatus);
const cycle = <Item>(items: readonly Item[], index: number): Item => items[index % items.length] as Item;

/** Many alike: equal names, cities, ends of trials and moments of creation, so that ties decide the order. */
const alike: Row[] = Array.from({ length: 26 }, (_, index) => ({
  id: newId(),
  name: `Hall ${index % 7}`,
  slug: `hall-number-${index}`,
  email: `office${index}@halls.example`,
  phone: index % 3 === 0 ? null : `+9198290${10_000 + index}`,
  gstin: null,
  city: cycle(['Kota', 'Pune', 'Delhi', null], index),
  state: cycle(['RJ', 'MH', 'DL', null], index),
  status: cycle(statuses, index),
  trialEndsAt: cycle([null, '2026-09-01T00:00:00.000Z', '2026-10-01T00:00:00.000Z'], index),
  createdAt: cycle([JUST_BEFORE, MIDNIGHT, '2026-06-15T12:00:00.000Z', '2026-06-15T12:00:00.000Z'], index),
}));
const special = (name: string, slug: string, rest: Partial<Row> = {}): Row => ({
  id: newId(),
  name,
  slug,
  email: `${slug}@special.example`,
  phone: null,
  gstin: null,
  city: 'Indore',
  state: 'MP',
  status: 'ACTIVE',
  trialEndsAt: null,
  createdAt: '2026-07-01T00:00:00.000Z',
  ...rest,
});
const devanagari = special('सरस्वती पुस्तकालय', 'library-in-devanagari');
const percent = special('Score 100% Centre', 'score-centre');
const plain = special('Score 1000 Centre', 'score-centre-two');
const underscore = special('A_B Study', 'study-one');
const noUnderscore = special('AxB Study', 'study-two');
const backslash = special('Left\\Right Rooms', 'rooms-one');
const findable = special('Vidya Mandir', 'gyan-jyoti', {
  email: 'munshi@premchand.example',
  phone: '+912226598765',
  gstin: '23AAPFU0939F1Z3',
});
const accented = special('ÉTUDE Café', 'etude-cafe');
const rows = [...alike, devanagari, percent, plain, underscore, noUnderscore, backslash, findable, accented];

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken({ role: 'sales' });
  await app.query(
    `insert into tenants (id, name, slug, email, phone, gstin, city, state, status, trial_ends_at, created_at, updated_at)
     select id, name, slug, email, phone, gstin, city, state, status, "trialEndsAt", "createdAt", now()
       from jsonb_to_recordset($1) as r (id text, name text, slug text, email text, phone text, gstin text, city text,
            state text, status tenant_status, "trialEndsAt" timestamptz, "createdAt" timestamptz)`,
    [JSON.stringify(rows)],
  );
});
afterAll(() => app.close());

const list = (query: Record<string, string | number | undefined>) =>
  app.call('GET', `/api/tenants${queryString(query)}`, { token });

async function namesOf(query: Filter): Promise<string[]> {
  const answer = await list({ ...query, limit: 100, sort: 'name', order: 'asc' });
  expect(answer.status, answer.text).toBe(200);
  return (answer.body.data as Row[]).map((row) => row.name);
}

function matches(row: Row, { status, city, state, createdFrom, createdTo, q }: Filter): boolean {
  const moment = (day: string) => new Date(day.length === 10 ? `${day}T00:00:00+05:30` : day).toISOString();
  const part = q?.toLowerCase();
  return (
    (status ? row.status === status : row.status !== 'PURGED') &&
    (!city || row.city === city) &&
    (!state || row.state === state) &&
    (!createdFrom || row.createdAt >= moment(createdFrom)) &&
    (!createdTo || row.createdAt < moment(createdTo)) &&
    (!part || [row.name, row.slug, row.email, row.phone, row.gstin].some((text) => text?.toLowerCase().includes(part)))
  );
}

/** As PostgreSQL sorts: nothing comes after everything, enums in the order of their declaration, then by id. */
function inOrder(sort: Sort): (left: Row, right: Row) => number {
  const compare = (left: string | number | null, right: string | number | null) => {
    if (left === right) return 0;
    if (left === null || right === null) return left === null ? 1 : -1;
    return left < right ? -1 : 1;
  };
  const valueOf = (row: Row) => (sort.sort === 'status' ? statuses.indexOf(row.status) : row[sort.sort]);
  const direction = sort.order === 'asc' ? 1 : -1;
  return (left, right) => direction * (compare(valueOf(left), valueOf(right)) || compare(left.id, right.id));
}

const expected = (filter: Filter, sort: Sort) => rows.filter((row) => matches(row, filter)).toSorted(inOrder(sort));

async function wholeList(query: Filter & Sort, limit: number): Promise<Row[]> {
  const collected: Row[] = [];
  for (let page = 1; ; page += 1) {
    const { status, text, body } = await list({ ...query, page, limit });
    expect(status, text).toBe(200);
    collected.push(...body.data);
    const totalPages = Math.ceil(body.meta.total / limit);
    expect(body.meta).toEqual({ page, limit, total: expected(query, query).length, totalPages });
    if (page >= totalPages) return collected;
    expect(body.data).toHaveLength(limit);
  }
}

describe('GET /api/tenants', () => {
  it('lists the newest first, twenty a page, without the purged', async () => {
    const { body } = await list({});
    const all = expected({}, { sort: 'createdAt', order: 'desc' });
    expect(body.data.map((row: Row) => row.id)).toEqual(all.slice(0, 20).map((row) => row.id));
    expect(body.meta).toEqual({ page: 1, limit: 20, total: all.length, totalPages: Math.ceil(all.length / 20) });
    expect(all.every((row) => row.status !== 'PURGED')).toBe(true);
  });

  it('gives each tenant whole', async () => {
    const { body } = await list({ q: 'munshi' });
    expect(body.data).toEqual([
      {
        ...findable,
        addressLine: null,
        pincode: null,
        timeZone: 'Asia/Kolkata',
        owner: null,
        subscription: null,
        version: 1,
        updatedAt: expect.any(String),
      },
    ]);
  });

  it('is empty beyond the end, and says so', async () => {
    const { status, body } = await list({ page: 50, limit: 20 });
    expect(status).toBe(200);
    expect(body.data).toEqual([]);
    expect(body.meta).toMatchObject({ page: 50, total: expected({}, { sort: 'name', order: 'asc' }).length });
  });

  it.each(statuses)('filters by status %s', async (status) => {
    const found = (await list({ status, limit: 100 })).body.data as Row[];
    expect(found.map((row) => row.id)).toEqual(
      expected({ status }, { sort: 'createdAt', order: 'desc' }).map((row) => row.id),
    );
    expect(found.length).toBeGreaterThan(0);
  });

  it('filters by city, by state, and by all at once', async () => {
    expect(new Set(await namesOf({ city: 'Pune' }))).toEqual(
      new Set(alike.filter((row) => row.city === 'Pune' && row.status !== 'PURGED').map((row) => row.name)),
    );
    expect((await list({ state: 'DL', limit: 100 })).body.data).toHaveLength(
      alike.filter((row) => row.state === 'DL' && row.status !== 'PURGED').length,
    );
    expect(await namesOf({ city: 'Kota', state: 'MH' })).toEqual([]);
    const all = {
      status: 'ACTIVE',
      city: 'Pune',
      state: 'MH',
      createdFrom: '2026-04-01',
      createdTo: '2026-04-02',
      q: 'hall-number',
    };
    const found = (await list(all)).body.data as Row[];
    expect(found.map((row) => row.id)).toEqual(
      expected(all, { sort: 'createdAt', order: 'desc' }).map((row) => row.id),
    );
    expect(found.length).toBeGreaterThan(0);
  });

  it.each(['status', 'city', 'state', 'sort', 'q'])('refuses an empty %s', async (field) => {
    const { status, body } = await list({ [field]: '' });
    expect(status).toBe(400);
    expect(body.error.details.issues).toContainEqual(expect.objectContaining({ in: 'query', field }));
  });

  it.each([
    { status: 'NOPE' },
    { status: 'active' },
    { state: 'XX' },
    { createdFrom: '2026-02-30' },
    { createdTo: '11.08.2026' },
    { createdFrom: '2026-08-11T06:30:00' },
    { createdFrom: '0000-01-01' },
    { q: 'a' },
    { q: 'x'.repeat(101) },
    { sort: 'email' },
    { limit: '0' },
    { limit: '10000' },
    { page: '0' },
  ])('refuses %j and names the field', async (query) => {
    const { status, body } = await list(query);
    expect(status).toBe(400);
    expect(body.error.code).toBe('validation_failed');
    expect(body.error.details.issues).toEqual([
      { in: 'query', field: Object.keys(query)[0], message: expect.any(String) },
    ]);
  });
});

describe('The days of a list', () => {
  const created = async (range: Filter) =>
    new Set(((await list({ ...range, limit: 100 })).body.data as Row[]).map((row) => row.createdAt));

  it('begin and end at midnight in India', async () => {
    expect(await created({ createdTo: '2026-04-01' })).toEqual(new Set([JUST_BEFORE]));
    expect(await created({ createdFrom: '2026-04-01', createdTo: '2026-04-02' })).toEqual(new Set([MIDNIGHT]));
    expect(await created({ createdFrom: '2026-03-31', createdTo: '2026-04-01' })).toEqual(new Set([JUST_BEFORE]));
    expect(await created({ createdFrom: '2026-04-02', createdTo: '2026-06-01' })).toEqual(new Set());
  });

  it('may be moments too, the first included and the last not', async () => {
    expect(await created({ createdFrom: JUST_BEFORE, createdTo: MIDNIGHT })).toEqual(new Set([JUST_BEFORE]));
    expect(await created({ createdFrom: '2026-04-01T00:00:00+05:30', createdTo: '2026-04-01T00:00:01+05:30' })).toEqual(
      new Set([MIDNIGHT]),
    );
    expect(await created({ createdFrom: MIDNIGHT, createdTo: MIDNIGHT })).toEqual(new Set());
  });
});

describe('The search of a list', () => {
  it.each([
    ['name', 'vidya m'],
    ['name in other letters', 'VIDYA'],
    ['slug', 'gyan-jyoti'],
    ['email', 'munshi@prem'],
    ['phone', '26598765'],
    ['GSTIN', '23aapfu0939'],
  ])('finds a part of the %s', async (_what, q) => {
    expect(await namesOf({ q })).toEqual([findable.name]);
  });

  it('takes % and _ and \\ for themselves', async () => {
    expect(await namesOf({ q: '100%' })).toEqual([percent.name]);
    expect(await namesOf({ q: '100' })).toContain(plain.name);
    expect(await namesOf({ q: 'a_b' })).toEqual([underscore.name]);
    expect(await namesOf({ q: 'left\\right' })).toEqual([backslash.name]);
    expect(await namesOf({ q: '%%' })).toEqual([]);
    expect(await namesOf({ q: '__' })).toEqual([]);
  });

  it('takes quotes for themselves', async () => {
    expect(await namesOf({ q: "' or 1=1 --" })).toEqual([]);
    expect(await namesOf({ q: '$1"' })).toEqual([]);
  });

  it('finds Devanagari, and accented letters in either case', async () => {
    expect(await namesOf({ q: 'सरस्वती' })).toEqual([devanagari.name]);
    expect(await namesOf({ q: 'पुस्त' })).toEqual([devanagari.name]);
    expect(await namesOf({ q: 'étude' })).toEqual([accented.name]);
    expect(await namesOf({ q: 'CAFÉ' })).toEqual([accented.name]);
  });

  it('does not look at the space around what was typed', async () => {
    expect(await namesOf({ q: '  vidya  ' })).toEqual([findable.name]);
  });
});

describe('The order of a list', () => {
  const orders = sorts.flatMap((sort) => (['asc', 'desc'] as const).map((order) => ({ sort, order })));

  it.each(orders)('by $sort $order keeps equal ones in place from page to page', async (order) => {
    const found = await wholeList(order, 3);
    expect(found.map((row) => row.id)).toEqual(expected({}, order).map((row) => row.id));
  });

  it('makes one list of all pages, without gap or duplicate, whatever is asked', async () => {
    const maybe = <Value>(...values: Value[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
    const query = fc.record({
      status: maybe(...statuses),
      city: maybe('Kota', 'Pune', 'Nowhere'),
      state: maybe('RJ', 'MH'),
      createdFrom: maybe('2026-04-01', '2026-06-15T12:00:00Z'),
      createdTo: maybe('2026-04-01', '2026-06-16'),
      q: maybe('hall', 'office1', '98290'),
      sort: fc.constantFrom(...sorts),
      order: fc.constantFrom('asc' as const, 'desc' as const),
    });
    await fc.assert(
      fc.asyncProperty(query, fc.integer({ min: 2, max: 40 }), async (given, limit) => {
        const asked = Object.fromEntries(Object.entries(given).filter(([, value]) => value)) as Filter & Sort;
        const found = await wholeList(asked, limit);
        expect(found.map((row) => row.id)).toEqual(expected(asked, asked).map((row) => row.id));
      }),
      { numRuns: 40 },
    );
  });
});

describe('The owner of a tenant in the list', () => {
  it('is the first one, whoever came later', async () => {
    const tenant = await app.buildTenant({ name: 'Two Owners Hall' });
    const first = await app.buildOwner({ tenantId: tenant.id, name: 'Meera Sharma', status: 'PENDING' });
    await app.buildOwner({ tenantId: tenant.id, name: 'Ravi Sharma' });
    await app.buildUser({ tenantId: tenant.id, role: 'student' });
    await app.query(`update users set created_at = now() - interval '1 day' where id = $1`, [first.id]);
    const { body } = await list({ q: 'two owners' });
    expect(body.data).toHaveLength(1);
    expect(body.data[0].owner).toEqual({
      id: first.id,
      name: 'Meera Sharma',
      email: first.email,
      status: 'PENDING',
    });
    const alone = await app.call('GET', `/api/tenants/${tenant.id}`, { token });
    expect(alone.body.data).toEqual(body.data[0]);
  });
});

describe('An admin who names a tenant', () => {
  it('sees that one alone, whatever is asked', async () => {
    const operations = await app.adminToken({ role: 'operations' });
    const within = { token: operations, headers: { 'x-tenant-id': findable.id } };
    const { body } = await app.call('GET', '/api/tenants?limit=100', within);
    expect(body.data.map((row: Row) => row.id)).toEqual([findable.id]);
    expect(body.meta).toMatchObject({ total: 1, totalPages: 1 });
    expect((await app.call('GET', '/api/tenants?q=hall', within)).body.data).toEqual([]);
    expect((await app.call('GET', `/api/tenants/${percent.id}`, within)).status).toBe(404);
  });
});
