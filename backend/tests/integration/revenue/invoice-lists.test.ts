import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildBilledTenant, noon, resetClock, setClock } from '../../support/billing.ts';
import { expectError } from '../../support/expectations.ts';
import { planOf, scopesOf, type Plan } from '../../support/plans.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { desk, type CreditNote, type Desk, type Invoice } from './invoices-support.ts';

// What the lists find, and how PostgreSQL finds it: reading whole tables is made expensive, so that what is left shows
// whether an index could be used at all.

let app: TestApp;
let finance: Desk;
let token: string;
let database: pg.Client;
let karnataka: string;
let maharashtra: string;
let invoices: Record<'draft' | 'july' | 'august' | 'paid' | 'writtenOff' | 'voided', Invoice>;
let notes: Record<'first' | 'second', CreditNote>;

beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken({ role: 'finance' });
  finance = desk(app, token);
  karnataka = (await buildBilledTenant(app, { state: 'KA' })).tenantId;
  maharashtra = (await buildBilledTenant(app, { state: 'MH', gstin: '27AAPFU0939F1ZV' })).tenantId;
  await app.query(`update billing_profiles set legal_name = 'Dnyan Deep Library' where tenant_id = $1`, [maharashtra]);
  const on = (day: string, price: string, tenantId = karnataka) => {
    setClock(noon(day));
    return finance.issue(tenantId, [{ unitPrice: price }]);
  };
  const july = await on('2026-07-01', '1000.00');
  const august = await on('2026-08-01', '2000.00', maharashtra);
  const writtenOff = await on('2026-08-02', '3000.00');
  const voided = await on('2026-08-03', '4000.00');
  const paid = await on('2026-08-04', '5000.00');
  await finance.post(`/invoices/${writtenOff.id}/mark-uncollectible`, { reason: 'The library has closed' });
  await finance.post(`/invoices/${voided.id}/void`, { reason: 'Billed twice, and paid once' });
  const second = await finance.credit(paid.id);
  setClock(noon('2026-08-05'));
  const first = await finance.credit(august.id, { lines: [{ invoiceItemId: august.items[0]?.id, amount: '100.00' }] });
  const draft = await finance.draft(karnataka, [{ unitPrice: '6000.00' }]);
  invoices = { draft, july, august, paid, writtenOff, voided };
  notes = { first, second };
  resetClock();
  database = new pg.Client(app.database.appUrl);
  await database.connect();
  await fill();
});
afterAll(async () => {
  await database.end();
  await app.close();
});
afterEach(resetClock);

/** Four thousand invoices of two hundred other tenants, long ago. */
async function fill(): Promise<void> {
  await app.query(
    `insert into tenants (id, name, slug, email, status, created_at, updated_at)
     select 'c' || substr(md5('t' || i), 1, 24), 'Hall ' || i, 'hall-of-' || i, 'office' || i || '@halls.example', 'ACTIVE', now(), now()
       from generate_series(1, 200) i;
     insert into invoices (id, tenant_id, number, fiscal_year, serial, status, reason, collection_method, issue_date, due_date,
                           seller, buyer, buyer_name, place_of_supply, supply, subtotal, taxable, total, amount_paid, created_at, updated_at)
     select 'c' || substr(md5('i' || i), 1, 24), 'c' || substr(md5('t' || (1 + i % 200)), 1, 24), 'XX/20-21/' || lpad(i::text, 6, '0'),
            '20-21', i, 'PAID', (array['SUBSCRIPTION_CYCLE', 'SUBSCRIPTION_CREATE'])[1 + i % 2]::invoice_reason, 'AUTOMATIC',
            '2020-06-01'::date + i / 100, '2020-06-08'::date + i / 100, '{}', '{}', 'Buyer ' || i, '29', 'INTER_STATE', i, i, i, i,
            '2020-06-01'::timestamptz + i * interval '1 minute', now()
       from generate_series(1, 4000) i;
     analyze invoices; analyze credit_notes`,
  );
}

const found = async (query: string): Promise<string[]> => {
  const answer = await finance.get(`/invoices?limit=100&${query}`);
  expect(answer.status, answer.text).toBe(200);
  expect(answer.body.meta.total).toBe(answer.body.data.length);
  return (answer.body.data as { id: string }[]).map(({ id }) => id);
};
const namesOf = (ids: string[]) =>
  ids.map((id) => Object.entries(invoices).find(([, invoice]) => invoice.id === id)?.[0] ?? id).toSorted();

describe('GET /api/revenue/invoices', () => {
  const ours = () => `tenantId=${karnataka}`;

  it('holds what a list needs, and no more', async () => {
    const answer = await finance.get(`/invoices?q=${encodeURIComponent(invoices.august.number ?? '')}`);
    expect(answer.body.data).toEqual([
      {
        id: invoices.august.id,
        tenantId: maharashtra,
        tenantName: expect.stringContaining('Reading Hall'),
        subscriptionId: null,
        number: invoices.august.number,
        status: 'OPEN',
        reason: 'MANUAL',
        buyerName: 'Dnyan Deep Library',
        issueDate: '2026-08-01',
        dueDate: '2026-08-08',
        total: '2360.00',
        amountDue: '2242.00',
        createdAt: expect.any(String),
      },
    ]);
  });

  it.each([
    ['status=DRAFT', ['draft']],
    ['status=OPEN', ['july']],
    ['status=OPEN,UNCOLLECTIBLE,VOID', ['july', 'voided', 'writtenOff']],
    ['status=PAID', ['paid']],
    ['reason=MANUAL', ['draft', 'july', 'paid', 'voided', 'writtenOff']],
    ['reason=SUBSCRIPTION_CYCLE', []],
    ['issuedFrom=2026-08-02', ['paid', 'voided', 'writtenOff']],
    ['issuedFrom=2026-07-01&issuedTo=2026-08-02', ['july', 'writtenOff']],
    ['dueTo=2026-07-08', ['july']],
    ['dueFrom=2026-08-10&dueTo=2026-08-10', ['voided']],
    ['minTotal=4720', ['draft', 'paid', 'voided']],
    ['maxTotal=1180.00', ['july']],
    ['minTotal=1180.01&maxTotal=4719.99', ['writtenOff']],
  ] as const)('finds by %s', async (query, names) => {
    expect(namesOf(await found(`${ours()}&${query}`))).toEqual(names);
  });

  it('finds what is overdue today: open, and due before', async () => {
    setClock(noon('2026-07-08'));
    expect(await found('overdue=true')).toEqual([]);
    setClock(noon('2026-07-09'));
    expect(namesOf(await found('overdue=true'))).toEqual(['july']);
    setClock(noon('2026-08-20'));
    expect(namesOf(await found('overdue=true'))).toEqual(['august', 'july']);
    expect(namesOf(await found(`overdue=false&${ours()}`))).toEqual(['draft', 'paid', 'voided', 'writtenOff']);
  });

  it('finds by parts of number, name and GSTIN, all words of them', async () => {
    expect(namesOf(await found('q=dnyan'))).toEqual(['august']);
    expect(namesOf(await found('q=LIBRARY deep'))).toEqual(['august']);
    expect(namesOf(await found('q=27aapfu'))).toEqual(['august']);
    expect(namesOf(await found(`q=${invoices.july.number?.slice(3)}`))).toEqual(['july']);
    expect(await found('q=dnyan nowhere')).toEqual([]);
    expect(await found(`q=${encodeURIComponent('%')}${encodeURIComponent('_')}`)).toEqual([]);
  });

  it.each(['createdAt', 'issueDate', 'dueDate', 'total'])('sorts by %s, both ways', async (sort) => {
    const rowsOf = async (order: string) =>
      (await finance.get(`/invoices?${ours()}&status=OPEN,UNCOLLECTIBLE,VOID,PAID&sort=${sort}&order=${order}`)).body
        .data;
    const rows = await rowsOf('asc');
    const values = rows.map((row: Record<string, string>) =>
      sort === 'total' ? Number(row[sort]) : String(row[sort]),
    );
    expect(values).toEqual(values.toSorted((a: number, b: number) => (a < b ? -1 : 1)));
    expect((await rowsOf('desc')).map(({ id }: Invoice) => id)).toEqual(rows.map(({ id }: Invoice) => id).toReversed());
  });

  it.each([
    'status=OPEN,',
    'status=Open',
    'status=',
    'overdue=1',
    'minTotal=-1',
    'issuedFrom=2026-02-30',
    'sort=number',
  ])('refuses %s by name', async (query) => {
    const field = `query ${query.split('=')[0]}`;
    expectError(await finance.get(`/invoices?${query}`), 400, 'validation_failed', field);
  });
});

describe('GET /api/revenue/credit-notes', () => {
  const listed = async (query: string) => {
    const answer = await finance.get(`/credit-notes?${query}`);
    expect(answer.status, answer.text).toBe(200);
    return (answer.body.data as { id: string }[]).map(({ id }) => id);
  };

  it('finds by tenant, invoice, status, day and text', async () => {
    const { first, second } = notes;
    expect(await listed('')).toEqual([first.id, second.id]);
    expect(await listed('sort=issueDate&order=asc')).toEqual([second.id, first.id]);
    expect(await listed(`tenantId=${maharashtra}`)).toEqual([first.id]);
    expect(await listed(`invoiceId=${invoices.paid.id}`)).toEqual([second.id]);
    expect(await listed('status=ISSUED')).toHaveLength(2);
    expect(await listed('status=VOID')).toEqual([]);
    expect(await listed('issuedFrom=2026-08-05')).toEqual([first.id]);
    expect(await listed('issuedTo=2026-08-04')).toEqual([second.id]);
    expect(await listed('q=dnyan')).toEqual([first.id]);
    expect(await listed(`q=${encodeURIComponent(second.number)}`)).toEqual([second.id]);
  });
});

/** The plans of the page and of the count, in the scope that the request takes. */
async function plansOf(path: string): Promise<Plan[]> {
  const statements = (await scopesOf(app, `/api/revenue${path}`, token)).at(-1) ?? [];
  const [scope, rows, count] = statements;
  if (!scope || !rows || !count) throw new Error(`${path} reads otherwise`);
  return [...(await planOf(database, scope, rows)), ...(await planOf(database, scope, count))];
}
const indexesOf = (nodes: Plan[]) => nodes.flatMap((node) => node['Index Name'] ?? []);
const scanned = (nodes: Plan[]) =>
  nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']);

describe('Over thousands of invoices', () => {
  it.each([
    [`/invoices?tenantId=cm3k8v1x40000qp2h9d7f5a6b`, 'invoices_tenant_id_'],
    [`/invoices?subscriptionId=cm3k8v1x40000qp2h9d7f5a6b`, 'invoices_subscription_id_'],
    ['/invoices?status=DRAFT', 'invoices_unsettled_idx'],
    ['/invoices?status=OPEN,UNCOLLECTIBLE', 'invoices_unsettled_idx'],
    ['/invoices?status=VOID', 'invoices_status_created_at_id_idx'],
    ['/invoices?reason=SUBSCRIPTION_CHANGE', 'invoices_reason_created_at_id_idx'],
    ['/invoices?issuedFrom=2026-08-02', 'invoices_issue'],
    ['/invoices?dueTo=2020-01-01', 'invoices_due_date_id_idx'],
    ['/invoices?overdue=true', 'invoices_'],
    ['/invoices?minTotal=5000', 'invoices_total_id_idx'],
    ['/invoices?q=XX/20-21/000777', 'invoices_search_idx'],
    ['/credit-notes?tenantId=cm3k8v1x40000qp2h9d7f5a6b', 'credit_notes_tenant_id_'],
    ['/credit-notes?invoiceId=cm3k8v1x40000qp2h9d7f5a6b', 'credit_notes_invoice_id_idx'],
    ['/credit-notes?status=VOID', 'credit_notes_status_'],
    ['/credit-notes?issuedTo=2020-01-01', 'credit_notes_issue_date_id_idx'],
    ['/credit-notes?q=SSCN', 'credit_notes_search_idx'],
  ])('looks up %s in an index', async (path, index) => {
    const nodes = await plansOf(path);
    expect(
      indexesOf(nodes).some((name) => name.startsWith(index)),
      indexesOf(nodes).join(' '),
    ).toBe(true);
    expect(scanned(nodes)).toEqual([]);
  });

  it.each([
    ['createdAt', 'invoices_created_at_id_idx'],
    ['issueDate', 'invoices_issue_date_id_idx'],
    ['dueDate', 'invoices_due_date_id_idx'],
    ['total', 'invoices_total_id_idx'],
  ])('goes along an index in the order of %s', async (sort, index) => {
    const nodes = await plansOf(`/invoices?sort=${sort}`);
    expect(indexesOf(nodes)).toContain(index);
    expect(nodes.map((node) => node['Node Type'])).not.toContain('Sort');
  });
});
