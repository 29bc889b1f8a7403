import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { expectError } from '../../support/expectations.ts';
import { planOf, scopesOf, type Plan, type Statement } from '../../support/plans.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { buildOpenInvoice, fillBilling } from './billed-tenant.ts';

type Event = {
  id: string;
  source: string;
  what: string;
  text: string | null;
  state: string | null;
  about: { type: string; id: string } | null;
  createdAt: string;
  recipient: unknown;
};

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken();
});
afterAll(() => app.close());

const path = (id: string, query = '') => `/api/tenants/${id}/timeline${query}`;
const read = async (id: string, query = '', who = token) => {
  const answer = await app.call('GET', path(id, query), { token: who });
  expect(answer.status, answer.text).toBe(200);
  return answer.body as { data: Event[]; meta: { nextCursor: string | null; total?: number } };
};

/** One event of each source but the audit trail, a minute apart. */
async function fillSources(id: string) {
  const at = (minutes: number) => `2026-07-01T10:${String(minutes).padStart(2, '0')}:00Z`;
  await app.query(
    `insert into tenant_transitions (id, tenant_id, "from", "to", reason, actor_id, actor_name, created_at)
     values ($1, $2, 'ACTIVE', 'SUSPENDED', 'Unpaid since June', 'asha', 'Asha Menon', $3)`,
    [newId(), id, at(1)],
  );
  await app.query(
    `insert into tenant_notes (id, tenant_id, text, author_id, author_name, created_at) values ($1, $2, 'Called them', 'asha', 'Asha Menon', $3)`,
    [newId(), id, at(2)],
  );
  await app.query(
    `insert into email_deliveries (id, tenant_id, job_id, template, recipient, subject, status, message_id, created_at)
     values ($1, $2, $3, 'welcome', 'meera@hall.example', 'Welcome', 'SENT', 'm', $4)`,
    [newId(), id, newId(), at(3)],
  );
  await app.query(
    `insert into people_imports (id, tenant_id, status, file_name, format, size_bytes, sha256, columns, mapping, requested_by_id, requested_by_name, created_at)
     values ($1, $2, 'COMPLETED', 'students.csv', 'CSV', 10, 'x', '[]', '{}', 'asha', 'Asha Menon', $3)`,
    [newId(), id, at(4)],
  );
  await app.query(
    `insert into data_exports (id, tenant_id, subject, format, status, requested_by_id, requested_by_name, created_at, expires_at)
     values ($1, $2, 'TENANT', 'ZIP', 'READY', 'asha', 'Asha Menon', $3, now())`,
    [newId(), id, at(5)],
  );
}

describe('GET /api/tenants/:id/timeline', () => {
  it('tells of every source, newest first, and of this tenant alone', async () => {
    const { id } = await app.buildTenant();
    const other = await app.buildTenant();
    await fillSources(id);
    await fillSources(other.id);
    await app.call('PUT', `/api/tenants/${id}`, { token, body: { city: 'Sikar' } });
    const { data, meta } = await read(id);
    expect(data.map(({ source, what, text }) => [source, what, text])).toEqual([
      ['AUDIT', 'tenants.update', 'Changed a tenant'],
      ['EXPORT', 'TENANT', 'ZIP'],
      ['IMPORT', 'CSV', 'students.csv'],
      ['EMAIL', 'welcome', 'Welcome'],
      ['NOTE', 'note', 'Called them'],
      ['STATUS', 'SUSPENDED', 'Unpaid since June'],
    ]);
    expect(data[1]).toMatchObject({
      state: 'READY',
      actor: { id: 'asha', name: 'Asha Menon' },
      about: { type: 'export', id: data[1]?.id },
    });
    expect(meta).toEqual({ limit: 20, nextCursor: null });
  });

  it('gives what comes from one source alone', async () => {
    const { id } = await app.buildTenant();
    await fillSources(id);
    for (const source of ['STATUS', 'NOTE', 'EMAIL', 'IMPORT', 'EXPORT']) {
      expect((await read(id, `?source=${source}`)).data).toMatchObject([{ source }]);
    }
    expect((await read(id, '?source=AUDIT')).data).toEqual([]);
    expect((await app.call('GET', path(id, '?source=BILLING'), { token })).status).toBe(400);
    expect((await app.call('GET', path(id, '?page=2'), { token })).status).toBe(400);
  });

  it('tells a change of status once', async () => {
    const { id } = await app.buildTenant();
    await app.call('POST', `/api/tenants/${id}/suspend`, { token, body: { reason: 'Unpaid since June' } });
    await app.call('POST', `/api/tenants/${id}/activate`, { token, body: {} });
    await app.call('POST', `/api/tenants/${id}/notes`, { token, body: { text: 'Has paid.' } });
    const { data } = await read(id);
    expect(data.map(({ source, what }) => [source, what])).toEqual([
      ['NOTE', 'note'],
      ['STATUS', 'ACTIVE'],
      ['STATUS', 'SUSPENDED'],
    ]);
  });

  it('goes on from a cursor across the sources, also over events of the same moment', async () => {
    const { id } = await app.buildTenant();
    await app.query(
      `insert into tenant_notes (id, tenant_id, text, author_id, author_name, created_at)
       select 'c' || substr(md5('n' || i), 1, 24), $1, 'n' || i, 'a', 'A', '2026-07-01T10:00:00Z' from generate_series(1, 7) i`,
      [id],
    );
    await app.query(
      `insert into tenant_transitions (id, tenant_id, "to", created_at)
       select 'c' || substr(md5('t' || i), 1, 24), $1, 'ACTIVE', '2026-07-01T10:00:00Z' from generate_series(1, 7) i`,
      [id],
    );
    const all = (await read(id, '?limit=100')).data.map((event) => event.id);
    expect(new Set(all).size).toBe(14);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { data, meta } = await read(id, `?limit=4${cursor && `&cursor=${cursor}`}`);
      seen.push(...data.map((event) => event.id));
      cursor = meta.nextCursor;
    }
    expect(seen).toEqual(all);
  });

  it('shows who a mail went to only to those who may see people', async () => {
    const { id } = await app.buildTenant();
    await fillSources(id);
    const recipientFor = async (who: string) => (await read(id, '?source=EMAIL', who)).data[0]?.recipient;
    expect(await recipientFor(token)).toBe('meera@hall.example');
    expect(await recipientFor(await app.adminToken({ role: 'sales' }))).toBe(null);
  });

  it('tells what was subscribed to, issued, paid, credited and dunned for, once, and of this tenant alone', async () => {
    const { id } = await app.buildTenant();
    const { invoice, subscription, payment } = await fillBilling(app, id);
    const open = await buildOpenInvoice(app, id);
    const voided = `update invoices set status = 'VOID', amount_due = 0, voided_at = '2026-07-09T06:00:00Z', void_reason = 'A mistake' where id = $1`;
    await app.query(voided, [open.invoice]);
    await app.query(
      `insert into dunning_steps (id, tenant_id, run_id, kind, number, due_on, outcome, consequence, updated_at)
       select $1, tenant_id, id, 'CONSEQUENCE', 1, '2026-07-02', 'DONE', 'REMINDER', now() from dunning_runs where tenant_id = $2`,
      [newId(), id],
    );
    await fillBilling(app, (await app.buildTenant()).id);
    const { data } = await read(id, '?limit=100');
    expect(data).toHaveLength(8);
    const told = data.map(({ source, what, state, about }) => [source, what, state, about?.type, about?.id]);
    const steps = await app.query(`select id from dunning_runs where tenant_id = $1`, [id]);
    const notes = await app.query(`select id from credit_notes where tenant_id = $1`, [id]);
    expect(new Set(told.map(String))).toEqual(
      new Set(
        [
          ['SUBSCRIPTION', 'CREATED', 'ACTIVE', 'subscription', subscription],
          ['INVOICE', 'ISSUED', 'PAID', 'invoice', invoice],
          ['INVOICE', 'PAID', 'PAID', 'invoice', invoice],
          ['INVOICE', 'ISSUED', 'VOID', 'invoice', open.invoice],
          ['INVOICE', 'VOID', 'VOID', 'invoice', open.invoice],
          ['PAYMENT', 'UPI', 'SUCCEEDED', 'payment', payment],
          ['CREDIT_NOTE', 'GOODWILL', 'ISSUED', 'credit_note', notes[0]?.id],
          ['DUNNING', 'REMINDER', 'DONE', 'dunning_run', steps[0]?.id],
        ].map(String),
      ),
    );
    expect(data.find(({ what }) => what === 'VOID')?.text).toMatch(/^T\/26-27\/\d{6}: A mistake$/);
    expect(data.map(({ createdAt }) => createdAt)).toEqual(
      data
        .map(({ createdAt }) => createdAt)
        .toSorted()
        .toReversed(),
    );
  });

  it('tells of money only those who may see it', async () => {
    const { id } = await app.buildTenant();
    await fillBilling(app, id);
    const sales = await app.adminToken({ role: 'sales' });
    expect(new Set((await read(id, '', sales)).data.map(({ source }) => source))).toEqual(new Set(['SUBSCRIPTION']));
    for (const source of ['INVOICE', 'PAYMENT', 'CREDIT_NOTE', 'DUNNING']) {
      expectError(await app.call('GET', path(id, `?source=${source}`), { token: sales }), 403, 'forbidden');
      expect((await app.call('GET', path(id, `?source=${source}`), { token })).status).toBe(200);
    }
  });

  it('is a 404 for a tenant that is not there', async () => {
    const purged = await app.buildTenant({ status: 'PURGED' });
    for (const id of [newId(), purged.id]) expect((await app.call('GET', path(id), { token })).status).toBe(404);
  });
});

describe('The timeline of a tenant with a long history', () => {
  const ROWS = process.env.TEST_ALL ? 100_000 : 10_000;
  let id: string;
  let database: pg.Client;
  beforeAll(async () => {
    id = (await app.buildTenant()).id;
    await app.query(
      `insert into audit_logs (id, chain, sequence, tenant_id, actor_type, action, resource, outcome, created_at, previous_hash, hash)
       select 'c' || substr(md5('a' || i), 1, 24), $1, i, $1, 'USER', 'tenants.update', 'tenant', 'SUCCESS',
              now() - i * interval '3 minutes', repeat('0', 64), repeat('1', 64) from generate_series(1, ${ROWS}) i`,
      [id],
    );
    await app.query(
      `insert into email_deliveries (id, tenant_id, job_id, template, recipient, subject, status, message_id, created_at)
       select 'c' || substr(md5('e' || i), 1, 24), $1, 'j' || i, 'welcome', 'a@b.example', 'Welcome', 'SENT', 'm',
              now() - i * interval '5 minutes' from generate_series(1, 3000) i`,
      [id],
    );
    await app.query(
      `insert into invoices (id, tenant_id, number, fiscal_year, serial, status, reason, collection_method, issue_date, due_date, seller, buyer,
                             place_of_supply, supply, subtotal, taxable, total, amount_paid, finalized_at, paid_at, created_at, updated_at)
       select 'c' || substr(md5('i' || i), 1, 24), $1, 'L/26-27/' || lpad(i::text, 6, '0'), '26-27', i, 'PAID', 'MANUAL', 'SEND_INVOICE',
              '2026-07-01', '2026-07-08', '{}', '{}', '29', 'INTER_STATE', 100, 100, 100, 100, at, at + interval '1 day', at, at
         from (select i, now() - i * interval '7 minutes' as at from generate_series(1, 3000) i) x`,
      [id],
    );
    await app.query(
      `insert into payments (id, tenant_id, transaction_id, amount, method, status, initiated_by, received_on, succeeded_at, created_at, updated_at)
       select 'c' || substr(md5('p' || i), 1, 24), $1, 'pay_' || i, 100, 'UPI', 'SUCCEEDED', 'PERSON', '2026-07-02', now(),
              now() - i * interval '7 minutes', now() from generate_series(1, 3000) i`,
      [id],
    );
    await app.query('analyze');
    database = new pg.Client(app.database.appUrl);
    await database.connect();
  }, 60_000);
  afterAll(() => database.end());

  type Measured = Plan & { 'Actual Rows'?: number; 'Rows Removed by Filter'?: number };

  it.each([
    ['from its newest event', async () => ''],
    ['from far back', async () => `&cursor=${await cursorAt(Math.floor(ROWS / 2))}`],
    ['of one source', async () => '&source=AUDIT'],
  ])('reads no more of each source than it shows: %s', async (_where, query) => {
    const scopes = await scopesOf(app, path(id, `?limit=20${await query()}`), token);
    const [scope, rows] = scopes.at(-1) as [Statement, Statement];
    const nodes = (await planOf(database, scope, rows, ', analyze, timing off')) as Measured[];
    const scans = nodes.filter((node) => node['Relation Name']);
    expect(scans.length).toBeGreaterThan(0);
    expect(scans.filter((node) => node['Node Type'] === 'Seq Scan')).toEqual([]);
    // A few partitions of the trail give up to a page and one row each; a small one may be read whole.
    const read = scans.reduce(
      (sum, node) => sum + (node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0),
      0,
    );
    expect(read).toBeLessThan(300);
  });

  async function cursorAt(minutes: number): Promise<string> {
    const [row] = await app.query<{ at: string }>(
      `select to_char((now() - $1 * interval '3 minutes') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
      [minutes],
    );
    return Buffer.from(`${row?.at}~${newId()}`).toString('base64url');
  }
});
