import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { buildBilledTenant, freshKey, noon, resetClock, setClock } from '../../support/billing.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import type { TestApp } from '../../support/server.ts';
import {
  balanceOf,
  entriesOf,
  giveCredit,
  payOn,
  startDesk,
  type CreditNote,
  type Desk,
  type Invoice,
} from './invoices-support.ts';

let app: TestApp;
let finance: Desk;
let tenantId: string;
beforeAll(async () => {
  ({ app, finance, tenantId } = await startDesk());
});
afterAll(() => app.close());
afterEach(resetClock);

const lineOf = (invoice: Invoice, index = 0): string => invoice.items[index]?.id ?? '';
const issue = (body: object) => finance.post('/credit-notes', { reason: 'GOODWILL', ...body });
const part = (invoice: Invoice, amount: string, index = 0) => [{ invoiceItemId: lineOf(invoice, index), amount }];
const voidNote = (id: string) => finance.post(`/credit-notes/${id}/void`, { reason: 'Issued for the wrong invoice' });
const sumOf = (notes: CreditNote[], of: (note: CreditNote) => string) =>
  (notes.reduce((sum, note) => sum + Math.round(Number(of(note)) * 100), 0) / 100).toFixed(2);
const paise = (amount: string) => Math.round(Number(amount) * 100);

describe('rule 21: the lines of credit notes', () => {
  it('are at most the line of the invoice, all of them together', async () => {
    const invoice = await finance.issue(tenantId, [{ unitPrice: '1000.00' }]);
    await finance.credit(invoice.id, { lines: part(invoice, '600.00') });
    const more = await issue({ invoiceId: invoice.id, lines: part(invoice, '400.01') });
    expectError(more, 409, 'conflict');
    expect(more.body.error.details).toEqual({ left: '400.00', invoiceItemId: lineOf(invoice) });
    await finance.credit(invoice.id, { lines: part(invoice, '400.00') });
    const nothing = await issue({ invoiceId: invoice.id, full: true });
    expect(nothing.body.error, nothing.text).toMatchObject({
      code: 'conflict',
      message: 'There is nothing left of the invoice that could be credited.',
    });
  });

  it('bear tax in proportion, and the note that takes the rest takes the remainder and the round-off', async () => {
    const [plan, sms] = [
      { unitPrice: '2499.00', discount: '249.90' },
      { unitPrice: '250.00', sacCode: '998413' },
    ];
    const { tenantId: home } = await buildBilledTenant(app, { state: 'MH' });
    const invoice = await finance.issue(home, [plan, sms]);
    const notes: CreditNote[] = [];
    for (const amount of ['0.03', '1000.00', '777.77']) {
      notes.push(await finance.credit(invoice.id, { lines: part(invoice, amount) }));
    }
    expect(notes[0]).toMatchObject({ taxable: '0.03', cgst: '0.00', sgst: '0.00', roundOff: '0.00', total: '0.03' });
    expect(notes[1]).toMatchObject({ taxable: '1000.00', cgst: '90.00', sgst: '90.00', total: '1180.00' });
    const rest = await finance.credit(invoice.id);
    expect(rest).toMatchObject({ roundOff: invoice.roundOff, amountInWords: expect.stringMatching(/^Rupees/) });
    notes.push(rest);
    for (const name of ['taxable', 'cgst', 'sgst', 'igst', 'roundOff', 'total'] as const) {
      expect(
        sumOf(notes, (note) => note[name]),
        name,
      ).toBe(invoice[name]);
    }
    for (const item of invoice.items) {
      const of = notes.flatMap(({ items }) => items.filter(({ invoiceItemId }) => invoiceItemId === item.id));
      for (const name of ['taxable', 'cgst', 'sgst', 'total'] as const) {
        expect(
          of.reduce((sum, one) => sum + paise(one[name]), 0),
          name,
        ).toBe(paise(item[name]));
      }
    }
    expect(await finance.read(invoice.id)).toMatchObject({
      status: 'PAID',
      amountDue: '0.00',
      amountCredited: '2949.00',
    });
  });

  it('never bear more tax than the line, however small they are', async () => {
    const invoice = await finance.issue(tenantId, [{ unitPrice: '0.30' }, { unitPrice: '100.00' }]);
    const notes: CreditNote[] = [];
    for (let n = 0; n < 10; n += 1) notes.push(await finance.credit(invoice.id, { lines: part(invoice, '0.03') }));
    expect(sumOf(notes, ({ igst }) => igst)).toBe(invoice.items[0]?.igst);
    expect(await finance.credit(invoice.id)).toMatchObject({ taxable: '100.00', igst: invoice.items[1]?.igst });
  });

  it('of an invoice with credits of its own are the charged ones, up to its net', async () => {
    const draft = await finance.draft(tenantId, [{ unitPrice: '1692.87' }, { unitPrice: '676.74' }]);
    // As a change within a period is billed (rule 19).
    await app.query(`update invoices set reason = 'SUBSCRIPTION_CHANGE' where id = $1`, [draft.id]);
    await app.query(
      `update invoice_items set kind = 'PRORATION_CREDIT', unit_price = -unit_price, amount = -amount, taxable = -taxable,
              cgst = -cgst, sgst = -sgst, igst = -igst, total = -total where id = $1`,
      [lineOf(draft, 1)],
    );
    const invoice = await finance.finalize(draft.id);
    expect(invoice).toMatchObject({ taxable: '1016.13', igst: '182.90', roundOff: '0.00', total: '1199.03' });
    const answer = await issue({ invoiceId: invoice.id, lines: part(invoice, '1.00', 1) });
    expectError(answer, 400, 'validation_failed', 'body lines.0.invoiceItemId');
    expectError(await issue({ invoiceId: invoice.id, lines: part(invoice, '1016.14') }), 409, 'conflict');
    const first = await finance.credit(invoice.id, { lines: part(invoice, '500.00') });
    expect(first).toMatchObject({ taxable: '500.00', igst: '90.00' });
    const rest = await finance.credit(invoice.id);
    expect(rest).toMatchObject({ taxable: '516.13', igst: '92.90', total: '609.03' });
    expect(await finance.read(invoice.id)).toMatchObject({ status: 'PAID', amountCredited: '1199.03' });
  });

  it('are each named once, and of the invoice', async () => {
    const [invoice, other] = [await finance.issue(tenantId), await finance.issue(tenantId)];
    const foreign = await issue({ invoiceId: invoice.id, lines: part(other, '1.00') });
    expectError(foreign, 400, 'validation_failed', 'body lines.0.invoiceItemId');
    const twice = await issue({ invoiceId: invoice.id, lines: [...part(invoice, '1.00'), ...part(invoice, '1.00')] });
    expectError(twice, 400, 'validation_failed', 'body lines');
    expectError(await issue({ invoiceId: invoice.id, lines: part(invoice, '0.00') }), 400, 'validation_failed');
    expectError(await issue({ invoiceId: invoice.id }), 400, 'validation_failed', 'body lines');
    const both = { invoiceId: invoice.id, lines: part(invoice, '1.00'), full: true };
    expectError(await issue(both), 400, 'validation_failed', 'body full');
    expectError(await issue({ invoiceId: newId(), full: true }), 404, 'not_found');
  });
});

describe('rule 21: credit, refund and offset are the total', () => {
  it('by default what is due is set off, and the rest goes to the credit balance', async () => {
    const { tenantId: of } = await buildBilledTenant(app);
    const invoice = await finance.issue(of, [{ unitPrice: '1000.00' }]);
    await payOn(app, invoice, '300.00');
    const note = await finance.credit(invoice.id);
    expect(note).toMatchObject({
      number: expect.stringMatching(/^SSCN\/26-27\/\d{5}$/),
      total: '1180.00',
      disposition: { offset: '880.00', credit: '300.00', refund: '0.00' },
      refunds: [],
    });
    expect(await finance.read(invoice.id)).toMatchObject({
      status: 'PAID',
      amountPaid: '300.00',
      amountCredited: '880.00',
      amountDue: '0.00',
      creditNotes: [{ id: note.id, number: note.number, status: 'ISSUED', total: '1180.00' }],
    });
    expect(await entriesOf(app, of)).toEqual([{ kind: 'CREDIT_NOTE', amount: '300.00', balance: '300.00' }]);
  });

  it('another sum is refused, and says what the total is', async () => {
    const invoice = await finance.issue(tenantId);
    const answer = await issue({ invoiceId: invoice.id, full: true, disposition: { offset: '589.99' } });
    expectError(answer, 400, 'validation_failed', 'body disposition');
    expect(answer.body.error.message).toContain('590.00');
  });

  it('no more is set off than is due, and no more given back than was paid', async () => {
    const { tenantId: of } = await buildBilledTenant(app);
    const invoice = await finance.issue(of, [{ unitPrice: '1000.00' }]);
    await payOn(app, invoice, '800.00');
    const wanted = (disposition: object) => issue({ invoiceId: invoice.id, full: true, disposition });
    expect((await wanted({ offset: '380.01', credit: '799.99' })).body.error.details).toEqual({ amountDue: '380.00' });
    expect((await wanted({ offset: '379.99', credit: '800.01' })).body.error.details).toEqual({ paid: '800.00' });
    expect((await wanted({ offset: '380.00', credit: '800.00' })).status).toBe(201);
  });

  it('a refund goes back to the payments it came from, the newest first, up to what is left of them', async () => {
    const invoice = await finance.issue(tenantId, [{ unitPrice: '1000.00' }]);
    const first = await payOn(app, invoice, '800.00');
    const second = await payOn(app, invoice, '380.00');
    const note = await finance.credit(invoice.id, {
      lines: part(invoice, '500.00'),
      disposition: { refund: '590.00' },
    });
    expect(note.refunds).toMatchObject([
      { paymentId: second, amount: '380.00', status: 'PENDING' },
      { paymentId: first, amount: '210.00', status: 'PENDING' },
    ]);
    const jobs = await app.query(
      `select payload->>'refundId' as id from outbox_messages where job = 'invoice.refund' and tenant_id = $1 order by created_at, id`,
      [tenantId],
    );
    expect(new Set(jobs.map(({ id }) => id))).toEqual(new Set(note.refunds.map(({ id }) => id)));
    expect(await app.query(`select amount_refunded::text as gone from payments where id = $1`, [second])).toEqual([
      { gone: '380.00' },
    ]);
    const rest = await finance.credit(invoice.id, { full: true, disposition: { refund: '590.00' } });
    expect(rest.refunds).toMatchObject([{ paymentId: first, amount: '590.00' }]);
  });

  it('what was paid from the credit balance, or in cash, cannot be refunded', async () => {
    const { tenantId: of } = await buildBilledTenant(app);
    await giveCredit(app, of, '590.00');
    const invoice = await finance.issue(of);
    const answer = await issue({ invoiceId: invoice.id, full: true, disposition: { refund: '590.00' } });
    expect(answer.body.error, answer.text).toMatchObject({ code: 'conflict', details: { refundable: '0.00' } });
    const cash = await finance.issue(of);
    const payment = await payOn(app, cash, '590.00');
    await app.query(`update payments set method = 'CASH', gateway_payment_id = null where id = $1`, [payment]);
    const refused = await issue({ invoiceId: cash.id, full: true, disposition: { refund: '590.00' } });
    expect(refused.body.error.details).toEqual({ refundable: '0.00' });
    expect(await balanceOf(app, of)).toBe('0.00');
    expect(await app.query('select id from credit_notes where tenant_id = $1', [of])).toEqual([]);
  });

  it('what is set off ends the dunning once nothing is due', async () => {
    const invoice = await finance.issue(tenantId);
    const runId = newId();
    await app.query(
      `insert into dunning_runs (id, tenant_id, invoice_id, campaign_id, plan, started_on, updated_at)
       select $1, $2, $3, id, '{"attemptGaps": [], "steps": []}', '2026-08-01', now() from dunning_campaigns where is_default`,
      [runId, tenantId, invoice.id],
    );
    await finance.credit(invoice.id, { lines: part(invoice, '499.00') });
    const statusOf = async () =>
      (await app.query(`select status, close_reason from dunning_runs where id = $1`, [runId]))[0];
    expect(await statusOf()).toEqual({ status: 'ACTIVE', close_reason: null });
    await finance.credit(invoice.id);
    expect(await statusOf()).toEqual({ status: 'CLOSED', close_reason: 'SETTLED' });
  });
});

describe('A credit note', () => {
  it('is of an invoice that was issued and holds', async () => {
    const draft = await finance.draft(tenantId);
    expectError(await issue({ invoiceId: draft.id, full: true }), 409, 'invalid_transition');
    const voided = await finance.issue(tenantId);
    await finance.post(`/invoices/${voided.id}/void`, { reason: 'Billed by mistake' });
    expectError(await issue({ invoiceId: voided.id, full: true }), 409, 'invalid_transition');
    const writtenOff = await finance.issue(tenantId);
    await finance.post(`/invoices/${writtenOff.id}/mark-uncollectible`, { reason: 'The library has closed' });
    expect((await finance.credit(writtenOff.id)).disposition).toEqual({
      credit: '0.00',
      refund: '0.00',
      offset: '590.00',
    });
    expect(await finance.read(writtenOff.id)).toMatchObject({ status: 'PAID', amountDue: '0.00' });
  });

  it('has the parties and the taxes of its invoice, and a number of its own year', async () => {
    setClock(noon('2031-02-01'));
    const { tenantId: of } = await buildBilledTenant(app, { state: 'KA' });
    const invoice = await finance.issue(of);
    await app.query(`update billing_profiles set state = 'MH', legal_name = 'Another' where tenant_id = $1`, [of]);
    setClock(noon('2031-04-01'));
    const note = await finance.credit(invoice.id, { full: true, explanation: 'As promised by phone' });
    expect(note).toMatchObject({
      number: 'SSCN/31-32/00001',
      fiscalYear: '31-32',
      issueDate: '2031-04-01',
      invoice: { number: invoice.number, issueDate: '2031-02-01' },
      buyer: invoice.buyer,
      supply: 'INTER_STATE',
      explanation: 'As promised by phone',
    });
    const audit = await app.query(`select action, changes from audit_logs where resource_id = $1`, [note.id]);
    expect(audit).toMatchObject([
      {
        action: 'revenue.credit_note_create',
        changes: { number: note.number, invoice: invoice.number, total: '590.00' },
      },
    ]);
  });

  it('comes to what its preview said, which writes nothing', async () => {
    const invoice = await finance.issue(tenantId, [{ unitPrice: '333.33' }, { unitPrice: '0.99' }]);
    const wanted = { invoiceId: invoice.id, lines: part(invoice, '111.11') };
    const before = await app.query('select count(*) from credit_notes');
    const preview = await finance.post('/credit-notes/preview', wanted);
    expect(preview.status, preview.text).toBe(200);
    expect(await app.query('select count(*) from credit_notes')).toEqual(before);
    const note = await finance.credit(invoice.id, wanted);
    const { items, takesRest, invoiceNumber, ...sums } = preview.body.data;
    expect(note).toMatchObject(sums);
    expect(note.items).toMatchObject(items);
    expect([takesRest, invoiceNumber]).toEqual([false, invoice.number]);
    const rest = await finance.post('/credit-notes/preview', { invoiceId: invoice.id, full: true });
    expect(rest.body.data).toMatchObject({ takesRest: true, roundOff: invoice.roundOff });
  });

  it('for the rest of a line is issued once of two at once', async () => {
    const invoice = await finance.issue(tenantId, [{ unitPrice: '1000.00' }]);
    await finance.credit(invoice.id, { lines: part(invoice, '400.00') });
    const rest = { invoiceId: invoice.id, lines: part(invoice, '600.00') };
    const answers = await Promise.all([issue(rest), issue(rest), issue(rest)]);
    expect(statusesOf(answers)).toEqual([201, 409, 409]);
    expect(await finance.read(invoice.id)).toMatchObject({ amountCredited: '1180.00', status: 'PAID' });
    expect((await finance.get('/invoices/numbering-audit?kind=CREDIT_NOTE')).body.data.contiguous).toBe(true);
  });

  it('is issued once under one key, and needs one', async () => {
    const invoice = await finance.issue(tenantId);
    const key = freshKey();
    const body = { reason: 'DUPLICATE', invoiceId: invoice.id, full: true };
    expectError(await finance.post('/credit-notes', body, {}), 400, 'validation_failed', 'header Idempotency-Key');
    const [first, again] = [
      await finance.post('/credit-notes', body, key),
      await finance.post('/credit-notes', body, key),
    ];
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    expect((await finance.read(invoice.id)).creditNotes).toHaveLength(1);
  });

  it('cannot be changed or removed, nor its lines, also by the owner of the database', async () => {
    const invoice = await finance.issue(tenantId);
    const { id } = await finance.credit(invoice.id);
    for (const statement of [
      'update credit_notes set total = total + 1, taxable = taxable + 1, offset_amount = offset_amount + 1 where id = $1',
      `update credit_notes set explanation = 'x' where id = $1`,
      'delete from credit_notes where id = $1',
    ]) {
      await expect(app.query(statement, [id])).rejects.toThrow(/was issued and cannot be|violates foreign key/);
    }
  });
});

describe('Voiding a credit note', () => {
  it('makes due again what was set off, and takes back what was credited; it keeps its number', async () => {
    const { tenantId: of } = await buildBilledTenant(app);
    const invoice = await finance.issue(of, [{ unitPrice: '1000.00' }]);
    await payOn(app, invoice, '300.00');
    const note = await finance.credit(invoice.id);
    const answer = await voidNote(note.id);
    expect(answer.body.data, answer.text).toMatchObject({
      status: 'VOID',
      number: note.number,
      voidReason: 'Issued for the wrong invoice',
    });
    expect(await finance.read(invoice.id)).toMatchObject({ status: 'OPEN', amountPaid: '300.00', amountDue: '880.00' });
    expect((await entriesOf(app, of)).map(({ kind, amount }) => [kind, amount])).toEqual([
      ['CREDIT_NOTE', '300.00'],
      ['CREDIT_NOTE_VOIDED', '-300.00'],
    ]);
    expectError(await voidNote(note.id), 409, 'invalid_transition');
    // What it took back is there to be taken back again.
    expect(await finance.credit(invoice.id)).toMatchObject({ total: '1180.00', roundOff: note.roundOff });
  });

  it('is refused once the credit is used', async () => {
    const { tenantId: of } = await buildBilledTenant(app);
    const invoice = await finance.issue(of, [{ unitPrice: '1000.00' }]);
    await payOn(app, invoice, '1180.00');
    const note = await finance.credit(invoice.id);
    await finance.issue(of, [{ unitPrice: '100.00' }]);
    const answer = await voidNote(note.id);
    expectError(answer, 409, 'conflict');
    expect(answer.body.error.details).toEqual({ balance: '1062.00', credit: '1180.00' });
  });

  it('is refused once money went back, and takes back what a failed refund has put to the balance', async () => {
    const { tenantId: of } = await buildBilledTenant(app);
    const invoice = await finance.issue(of);
    await payOn(app, invoice, '590.00');
    const note = await finance.credit(invoice.id, { full: true, disposition: { refund: '590.00' } });
    expectError(await voidNote(note.id), 409, 'conflict');
    await app.query(`update refunds set status = 'FAILED' where credit_note_id = $1`, [note.id]);
    await giveCredit(app, of, '590.00');
    expect((await voidNote(note.id)).status).toBe(200);
    expect(await balanceOf(app, of)).toBe('0.00');
  });

  it('happens once of two at once', async () => {
    const { tenantId: of } = await buildBilledTenant(app);
    const invoice = await finance.issue(of);
    await payOn(app, invoice, '590.00');
    const note = await finance.credit(invoice.id);
    expect(statusesOf(await Promise.all([voidNote(note.id), voidNote(note.id)]))).toEqual([200, 409]);
    expect(await balanceOf(app, of)).toBe('0.00');
    expectError(await voidNote(newId()), 404, 'not_found');
  });
});
