import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { buildBilledTenant, buildPlan, buildSubscription } from '../../support/billing.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import type { TestApp } from '../../support/server.ts';
import {
  auditsOf,
  balanceOf,
  entriesOf,
  giveCredit,
  payOn,
  startDesk,
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

/** Dunning of an invoice as it stands after its first failure. */
async function beginDunning(invoice: Invoice, subscriptionId: string | null = null): Promise<string> {
  const id = newId();
  await app.query(
    `insert into dunning_runs (id, tenant_id, invoice_id, subscription_id, campaign_id, plan, started_on, next_on, updated_at)
     select $1, $2, $3, $4, c.id, jsonb_build_object('attemptGaps', c.attempt_gaps, 'steps', c.steps), '2026-08-01', '2026-08-02', now()
       from dunning_campaigns c where c.is_default`,
    [id, invoice.tenantId, invoice.id, subscriptionId],
  );
  return id;
}
const runOf = async (id: string) =>
  (await app.query(`select status, close_reason from dunning_runs where id = $1`, [id]))[0];

describe('Voiding', () => {
  const reason = 'Billed twice for the same training';
  const voided = (id: string, body: object = { reason }) => finance.post(`/invoices/${id}/void`, body);

  it('an open invoice keeps its number, and nothing is due of it', async () => {
    const issued = await finance.issue(tenantId);
    const answer = await voided(issued.id);
    expect(answer.body.data, answer.text).toMatchObject({
      status: 'VOID',
      number: issued.number,
      total: '590.00',
      amountDue: '0.00',
      voidReason: reason,
      voidedAt: expect.any(String),
    });
    expectError(await voided(issued.id), 409, 'invalid_transition');
    expect((await auditsOf(app, issued.id)).at(-1)).toMatchObject({
      action: 'revenue.invoice_void',
      details: { number: issued.number, reason },
    });
  });

  it('gives back to the credit balance what was paid from it', async () => {
    const { tenantId: of } = await buildBilledTenant(app);
    await giveCredit(app, of, '1000.00');
    const paid = await finance.issue(of);
    expect(paid.status).toBe('PAID');
    const answer = await voided(paid.id);
    expect(answer.body.data, answer.text).toMatchObject({
      status: 'VOID',
      amountPaid: '0.00',
      payments: [],
      paidAt: null,
    });
    expect(await balanceOf(app, of)).toBe('1000.00');
    expect((await entriesOf(app, of)).map(({ kind, amount }) => [kind, amount])).toEqual([
      ['OVERPAYMENT', '1000.00'],
      ['APPLIED', '-590.00'],
      ['RETURNED', '590.00'],
    ]);
  });

  it('is refused once money was paid, beside a credit note, and for a draft', async () => {
    const paid = await finance.issue(tenantId);
    await payOn(app, paid, '100.00');
    const answer = await voided(paid.id);
    expectError(answer, 409, 'conflict');
    expect(answer.body.error.message).toContain('credit note');
    const credited = await finance.issue(tenantId);
    const { number } = await finance.credit(credited.id, {
      lines: [{ invoiceItemId: credited.items[0]?.id, amount: '1.00' }],
    });
    expect((await voided(credited.id)).body.error).toMatchObject({ code: 'conflict', details: { creditNote: number } });
    expectError(await voided((await finance.draft(tenantId)).id), 409, 'invalid_transition');
  });

  it('waits for a payment whose outcome is not known', async () => {
    const issued = await finance.issue(tenantId);
    const paymentId = newId();
    await app.query(
      `insert into payments (id, tenant_id, invoice_id, transaction_id, amount, method, status, initiated_by, updated_at)
       values ($1, $2, $3, $1, 590, 'CARD', 'UNKNOWN', 'RENEWAL', now())`,
      [paymentId, tenantId, issued.id],
    );
    expect((await voided(issued.id)).body.error).toMatchObject({ code: 'conflict', details: { paymentId } });
    await app.query(`update payments set status = 'FAILED' where id = $1`, [paymentId]);
    expect((await voided(issued.id)).status).toBe(200);
  });

  it('ends the dunning, and the subscription is no longer past due', async () => {
    const { tenantId: of } = await buildBilledTenant(app);
    const subscriptionId = await buildSubscription(app, of, await buildPlan(app), { status: 'PAST_DUE' });
    const draft = await finance.draft(of);
    await app.query(`update invoices set subscription_id = $2 where id = $1`, [draft.id, subscriptionId]);
    const issued = await finance.finalize(draft.id);
    const runId = await beginDunning(issued, subscriptionId);
    expect((await finance.read(issued.id)).dunningRunId).toBe(runId);
    expect((await voided(issued.id)).body.data).toMatchObject({ status: 'VOID', dunningRunId: null });
    expect(await runOf(runId)).toEqual({ status: 'CLOSED', close_reason: 'SETTLED' });
    expect(await app.query('select status from subscriptions where id = $1', [subscriptionId])).toEqual([
      { status: 'ACTIVE' },
    ]);
  });

  it('closes the pages on which it could be paid: the gateway is told by a job', async () => {
    const issued = await finance.issue(tenantId);
    const linkId = newId();
    await app.query(
      `insert into payment_links (id, tenant_id, invoice_id, gateway, gateway_link_id, url, amount, expires_at, updated_at)
       values ($1, $2, $3, 'sandbox', $1, 'https://pay.example/x', 590, now() + interval '1 day', now())`,
      [linkId, tenantId, issued.id],
    );
    expect((await voided(issued.id)).status).toBe(200);
    expect(await app.query('select status from payment_links where id = $1', [linkId])).toEqual([
      { status: 'CANCELLED' },
    ]);
    const jobs = await app.query(
      `select 1 from outbox_messages where job = 'invoice.cancel-link' and payload->>'linkId' = $1`,
      [linkId],
    );
    expect(jobs).toHaveLength(1);
  });

  it('happens once of two at once, and needs a reason', async () => {
    const { tenantId: of } = await buildBilledTenant(app);
    await giveCredit(app, of, '590.00');
    const paid = await finance.issue(of);
    expectError(await voided(paid.id, {}), 400, 'validation_failed', 'body reason');
    expect(statusesOf(await Promise.all([voided(paid.id), voided(paid.id)]))).toEqual([200, 409]);
    expect(await balanceOf(app, of)).toBe('590.00');
  });
});

describe('Writing off', () => {
  const writtenOff = (id: string) =>
    finance.post(`/invoices/${id}/mark-uncollectible`, { reason: 'The library has closed' });

  it('ends the dunning, leaves what is due, and is audited with its reason', async () => {
    const issued = await finance.finalize((await finance.draft(tenantId)).id, { collect: true });
    const runId = await beginDunning(issued);
    const answer = await writtenOff(issued.id);
    expect(answer.body.data, answer.text).toMatchObject({
      status: 'UNCOLLECTIBLE',
      amountDue: '590.00',
      collectAfter: null,
      uncollectibleAt: expect.any(String),
      dunningRunId: null,
    });
    expect(await runOf(runId)).toEqual({ status: 'CLOSED', close_reason: 'SETTLED' });
    const audit = (await auditsOf(app, issued.id)).find(({ action }) => action === 'revenue.invoice_uncollectible');
    expect(audit?.details).toMatchObject({ reason: 'The library has closed', amountDue: '590.00' });
    expectError(await writtenOff(issued.id), 409, 'invalid_transition');
  });

  it('is for open invoices alone; what was written off can be voided', async () => {
    expectError(await writtenOff((await finance.draft(tenantId)).id), 409, 'invalid_transition');
    const issued = await finance.issue(tenantId);
    await writtenOff(issued.id);
    const answer = await finance.post(`/invoices/${issued.id}/void`, { reason: 'It never was owed' });
    expect(answer.body.data).toMatchObject({ status: 'VOID', amountDue: '0.00' });
  });
});
