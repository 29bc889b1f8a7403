import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { buildBilledTenant, freshKey, noon, resetClock, setClock } from '../../support/billing.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import type { TestApp } from '../../support/server.ts';
import { auditsOf, balanceOf, giveCredit, startDesk, training, type Desk, type Invoice } from './invoices-support.ts';

let app: TestApp;
let finance: Desk;
let token: string;
let tenantId: string;
beforeAll(async () => {
  ({ app, finance, token, tenantId } = await startDesk());
});
afterAll(() => app.close());
afterEach(resetClock);

const put = (id: string, body: object, version?: number) =>
  app.call('PUT', `/api/revenue/invoices/${id}`, {
    token,
    body,
    headers: version === undefined ? {} : { 'if-match': `"${version}"` },
  });
const remove = (id: string) => app.call('DELETE', `/api/revenue/invoices/${id}`, { token });

describe('A draft', () => {
  it('has no number, no buyer and what it would come to', async () => {
    const lines = [
      { unitPrice: '2499.00', discount: '249.90' },
      { ...training, quantity: '0.505', sacCode: '998413' },
    ];
    const draft = await finance.draft(tenantId, lines, { notes: 'As agreed by phone' });
    expect(draft).toMatchObject({
      tenantId,
      status: 'DRAFT',
      reason: 'MANUAL',
      number: null,
      fiscalYear: null,
      issueDate: null,
      buyer: null,
      subtotal: '2751.50',
      discountTotal: '249.90',
      taxable: '2501.60',
      igst: '450.29',
      roundOff: '0.11',
      total: '2952.00',
      amountDue: '0.00',
      amountInWords: 'Rupees Two Thousand Nine Hundred Fifty-Two Only',
      notes: 'As agreed by phone',
      payments: [],
      creditNotes: [],
    });
    expect(draft.items).toMatchObject([
      { sacCode: '997331', quantity: '1.000', unitPrice: '2499.00', taxable: '2249.10', taxRate: '18.00' },
      { sacCode: '998413', quantity: '0.505', amount: '252.50', discount: '0.00', igst: '45.45' },
    ]);
    expect(draft.taxes).toEqual([{ taxRate: '18.00', taxable: '2501.60', cgst: '0.00', sgst: '0.00', igst: '450.29' }]);
    expect((await auditsOf(app, draft.id)).map(({ action }) => action)).toEqual(['revenue.invoice_create']);
  });

  it('comes to what its preview said, which writes nothing', async () => {
    const before = await app.query('select id from invoices');
    const lines = [{ description: 'A service', unitPrice: '1234.56', quantity: '3', discount: '0.01' }];
    const answer = await finance.post('/invoices/preview', { tenantId, lines });
    expect(answer.status, answer.text).toBe(200);
    expect(await app.query('select id from invoices')).toEqual(before);
    const draft = await finance.draft(tenantId, lines);
    for (const name of [
      'subtotal',
      'discountTotal',
      'taxable',
      'igst',
      'roundOff',
      'total',
      'taxes',
      'amountInWords',
    ]) {
      expect(answer.body.data[name], name).toEqual(draft[name as keyof Invoice]);
    }
    expect(answer.body.data).toMatchObject({
      placeOfSupply: '29',
      supply: 'INTER_STATE',
      seller: { gstin: '27AAPFU0939F1ZV' },
      buyer: { legalName: 'Saraswati Reading Hall Private Limited' },
    });
  });

  it('changes by the fields that are sent, its lines as a whole, and not over what somebody else did', async () => {
    const draft = await finance.draft(tenantId, [training, training]);
    const changed = await put(draft.id, { lines: [{ description: 'Other', unitPrice: '100.00' }] }, draft.version);
    expect(changed.body.data, changed.text).toMatchObject({ total: '118.00', notes: null });
    expect(changed.body.data.items).toHaveLength(1);
    expect(changed.body.data.version).toBeGreaterThan(draft.version);
    expectError(await put(draft.id, { notes: 'Mine' }, draft.version), 412, 'version_mismatch');
    const noted = await put(draft.id, { notes: 'Mine', collectionMethod: 'AUTOMATIC' }, changed.body.data.version);
    expect(noted.body.data).toMatchObject({ notes: 'Mine', collectionMethod: 'AUTOMATIC', total: '118.00' });
    const audit = (await auditsOf(app, draft.id)).at(-1);
    expect(audit?.action).toBe('revenue.invoice_update');
    expectError(await put(draft.id, {}), 400, 'validation_failed');
  });

  it('can be removed, and is gone with its lines', async () => {
    const draft = await finance.draft(tenantId);
    const removed = await remove(draft.id);
    expect(removed.body.data).toMatchObject({ id: draft.id, total: '590.00' });
    expect(await app.query('select id from invoice_items where invoice_id = $1', [draft.id])).toEqual([]);
    expectError(await finance.get(`/invoices/${draft.id}`), 404, 'not_found');
    expect((await auditsOf(app, draft.id)).at(-1)?.action).toBe('revenue.invoice_delete');
  });

  it.each([
    ['lines.0.discount', { unitPrice: '100.00', discount: '100.01' }],
    ['lines.0.quantity', { unitPrice: '99999999.00', quantity: '2' }],
    ['lines.0.quantity', { unitPrice: '1.00', quantity: '0.000' }],
    ['lines.0.quantity', { unitPrice: '1.00', quantity: '1.0001' }],
    ['lines.0.unitPrice', { unitPrice: '-1.00' }],
    ['lines.0.unitPrice', { unitPrice: 1 }],
    ['lines.0.sacCode', { unitPrice: '1.00', sacCode: '1234' }],
    ['lines.0.period.end', { unitPrice: '1.00', period: { start: '2026-08-01', end: '2026-08-01' } }],
  ])('refuses %s of %j', async (field, line) => {
    const body = { tenantId, lines: [{ description: 'A service', ...line }] };
    expectError(await finance.post('/invoices', body), 400, 'validation_failed', `body ${field}`);
  });

  it('is of a tenant that is there, and of codes with a tax rate', async () => {
    const lines = [{ description: 'A service', unitPrice: '1.00' }];
    expectError(await finance.post('/invoices', { tenantId: newId(), lines }), 404, 'not_found');
    const purged = await app.buildTenant({ status: 'PURGED' });
    expectError(await finance.post('/invoices', { tenantId: purged.id, lines }), 404, 'not_found');
    const unknown = [{ ...lines[0], sacCode: '9999' }];
    const answer = await finance.post('/invoices', { tenantId, lines: unknown });
    expectError(answer, 409, 'conflict');
    expect(answer.body.error.details).toEqual({ sacCodes: ['9999'] });
  });
});

describe('Finalizing', () => {
  it('gives a number, a day and the parties as they are now, and is audited with the number', async () => {
    setClock(noon('2026-08-11'));
    const draft = await finance.draft(tenantId);
    const issued = await finance.finalize(draft.id);
    expect(issued).toMatchObject({
      number: expect.stringMatching(/^SS\/26-27\/\d{6}$/),
      fiscalYear: '26-27',
      status: 'OPEN',
      issueDate: '2026-08-11',
      dueDate: '2026-08-18',
      placeOfSupply: '29',
      supply: 'INTER_STATE',
      seller: { legalName: 'StudySpot Technologies Private Limited', stateCode: '27' },
      buyer: { legalName: 'Saraswati Reading Hall Private Limited', stateName: 'Karnataka' },
      total: '590.00',
      amountDue: '590.00',
      collectAfter: null,
    });
    const audits = await auditsOf(app, draft.id);
    expect(audits.map(({ action }) => action)).toEqual(['revenue.invoice_create', 'revenue.invoice_finalize']);
    expect(audits[1]?.details).toMatchObject({ number: issued.number, total: '590.00' });
  });

  it('taxes by the rate of the day of issue, not by that of the draft', async () => {
    await app.query(
      `insert into tax_rates (id, sac_code, description, rate, effective_from) values
         ($1, '998399', 'Other services', 18, '2020-01-01'), ($2, '998399', 'Other services', 12, '2026-09-01')`,
      [newId(), newId()],
    );
    setClock(noon('2026-08-31'));
    const draft = await finance.draft(tenantId, [{ unitPrice: '1000.00', sacCode: '998399' }]);
    expect(draft.total).toBe('1180.00');
    setClock(noon('2026-09-01'));
    expect((await finance.finalize(draft.id)).total).toBe('1120.00');
  });

  it('collects when it is asked to: the collection run finds it at once', async () => {
    setClock(noon('2026-08-11'));
    const issued = await finance.finalize((await finance.draft(tenantId)).id, { collect: true });
    expect(issued.collectAfter).toMatch(/^2026-08-11T06:30:0/);
  });

  it('is paid first from what the tenant has to its credit', async () => {
    const other = await buildBilledTenant(app);
    await giveCredit(app, other.tenantId, '700.00');
    const paid = await finance.issue(other.tenantId);
    expect(paid).toMatchObject({
      status: 'PAID',
      amountPaid: '590.00',
      amountDue: '0.00',
      payments: [{ amount: '590.00', method: 'CREDIT_BALANCE' }],
    });
    const partly = await finance.issue(other.tenantId);
    expect(partly).toMatchObject({ status: 'OPEN', amountPaid: '110.00', amountDue: '480.00' });
    expect(await balanceOf(app, other.tenantId)).toBe('0.00');
  });

  it('an invoice over nothing is paid at once', async () => {
    expect(await finance.issue(tenantId, [{ unitPrice: '500.00', discount: '500.00' }])).toMatchObject({
      status: 'PAID',
      total: '0.00',
    });
  });

  it('happens once, however many ask at once', async () => {
    const draft = await finance.draft(tenantId);
    const path = `/invoices/${draft.id}/finalize`;
    const answers = await Promise.all([1, 2, 3].map(() => finance.post(path)));
    expect(statusesOf(answers)).toEqual([200, 409, 409]);
    for (const answer of answers.filter(({ status }) => status === 409)) expectError(answer, 409, 'invalid_transition');
  });

  it('gets the same answer under the same key, needs a key, and refuses another request under it', async () => {
    const draft = await finance.draft(tenantId);
    const path = `/invoices/${draft.id}/finalize`;
    expectError(await finance.post(path, {}, {}), 400, 'validation_failed', 'header Idempotency-Key');
    const key = freshKey();
    const first = await finance.post(path, {}, key);
    const again = await finance.post(path, {}, key);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expectError(await finance.post(path, { collect: true }, key), 422, 'idempotency_key_reused');
    expect(await auditsOf(app, draft.id)).toHaveLength(2);
  });

  it('makes it last: it cannot be changed or removed any more', async () => {
    const issued = await finance.issue(tenantId);
    expectError(await put(issued.id, { notes: 'No' }), 409, 'invalid_transition');
    expectError(await remove(issued.id), 409, 'invalid_transition');
  });
});

describe('Finalizing several', () => {
  it('numbers them in the order given, and says of each why not', async () => {
    const drafts = await Promise.all([1, 2, 3].map(() => finance.draft(tenantId)));
    const issued = await finance.issue(tenantId);
    const gone = newId();
    const ids = [drafts[2]?.id, issued.id, drafts[0]?.id, gone, drafts[1]?.id];
    const answer = await finance.post('/invoices/bulk-finalize', { ids });
    expect(answer.status, answer.text).toBe(200);
    const { finalized, results } = answer.body.data;
    expect(finalized).toBe(3);
    expect(results.map(({ id }: { id: string }) => id)).toEqual(ids);
    const numbers = [0, 2, 4].map((place) => Number(results[place].number.slice(-6)));
    expect(numbers).toEqual([numbers[0], numbers[0]! + 1, numbers[0]! + 2]);
    expect(results[1]).toEqual({
      id: issued.id,
      number: issued.number,
      error: expect.stringContaining('only a draft'),
    });
    expect(results[3]).toEqual({ id: gone, number: null, error: 'There is no such invoice.' });
    const audits = await app.query<{ action: string }>(
      `select action from audit_logs where request_id = $1 order by action`,
      [answer.headers.get('x-request-id')],
    );
    expect(audits.map(({ action }) => action)).toEqual([
      'revenue.invoice_bulk_finalize',
      ...Array.from({ length: 3 }, () => 'revenue.invoice_finalize'),
    ]);
  });

  it('keeps what was done before it broke off, and goes on with the rest under the same key', async () => {
    const ids = (await Promise.all([1, 2].map(() => finance.draft(tenantId)))).map(({ id }) => id);
    const key = freshKey();
    await app.query(
      `create function break_off() returns trigger language plpgsql as $$ begin raise 'out of paper'; end $$;
       create trigger break_off before update on invoices for each row when (new.id = '${ids[1]}') execute function break_off()`,
    );
    expectError(await finance.post('/invoices/bulk-finalize', { ids }, key), 500, 'internal_error');
    await app.query('drop trigger break_off on invoices; drop function break_off');
    const answer = await finance.post('/invoices/bulk-finalize', { ids }, key);
    expect(answer.body.data, answer.text).toMatchObject({
      finalized: 1,
      results: [
        { number: expect.stringContaining('SS/'), error: expect.stringContaining('only a draft') },
        { number: expect.stringContaining('SS/'), error: null },
      ],
    });
  });

  it('takes a hundred at most, each once', async () => {
    const { id } = await finance.draft(tenantId);
    expectError(await finance.post('/invoices/bulk-finalize', { ids: [id, id] }), 400, 'validation_failed', 'body ids');
    const many = Array.from({ length: 101 }, newId);
    expectError(await finance.post('/invoices/bulk-finalize', { ids: many }), 400, 'validation_failed', 'body ids');
  });
});
