import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { buildPaymentMethod, freshKey, noon, resetClock, runJob, setClock } from '../../support/billing.ts';
import { asSystem, buildDunningRun, issuedInvoice } from '../../support/dunning.ts';
import { settle } from '../../../src/services/invoice-settlement.service.ts';
import { decimal } from '../../../src/utils/money.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
let finance: string;
let admin: string;
beforeAll(async () => {
  app = await startTestApp();
  finance = await app.adminToken({ role: 'finance' });
  admin = await app.adminToken();
});
afterEach(resetClock);
afterAll(() => app.close());

type Details = {
  status: string;
  nextOn: string | null;
  steps: { kind: string; number: number; dueOn: string; outcome: string; consequence: string | null; at: string }[];
  planned: { kind: string; number: number; dueOn: string }[];
  closeReason: string | null;
  attemptsMade: number;
  hardDeclined: boolean;
};

const runOf = async (id: string): Promise<Details> => {
  const answer = await app.call('GET', `/api/revenue/dunning/runs/${id}`, { token: finance });
  expectSuccess(answer);
  return answer.body.data;
};
const days = (from: string, count: number) =>
  Array.from({ length: count }, (_, index) =>
    new Date(Date.parse(`${from}T00:00:00Z`) + index * 86_400_000).toISOString().slice(0, 10),
  );
const statusOf = async (tenantId: string) =>
  (await app.query<{ status: string }>('select status from tenants where id = $1', [tenantId]))[0]?.status;
const mailsOf = (runId: string) =>
  app.query<{ job: string; dedupe_key: string }>(
    `select job, dedupe_key from outbox_messages where payload->>'runId' = $1 or dedupe_key like $2 order by created_at`,
    [runId, `debit-notice-${runId}-%`],
  );
/** Runs dunning twice around noon of each of so many days: a notice is 24 hours old by the second. */
async function dunFrom(from: string, count: number): Promise<void> {
  for (const day of days(from, count)) {
    for (const time of ['12:00', '12:15']) {
      setClock(`${day}T${time}:00+05:30`);
      await runJob('dunning.run', {});
    }
  }
}

describe('The schedule', () => {
  it('rule 25: after failing on 1 August attempts fall on 2, 10, 14 and 21; warning 11, block 15, cancel 22', async () => {
    setClock(noon('2026-08-01'));
    const { runId, tenantId } = await buildDunningRun(app);
    await buildPaymentMethod(app, tenantId, 'token_declined');
    await dunFrom('2026-08-01', 25);
    const run = await runOf(runId);
    const taken = run.steps.map(({ kind, dueOn, consequence, at }) => [kind, consequence, dueOn, at.slice(0, 10)]);
    expect(taken).toEqual([
      ['ATTEMPT', null, '2026-08-02', '2026-08-02'],
      ['CONSEQUENCE', 'REMINDER', '2026-08-02', '2026-08-02'],
      ['ATTEMPT', null, '2026-08-10', '2026-08-10'],
      ['CONSEQUENCE', 'WARNING', '2026-08-11', '2026-08-11'],
      ['ATTEMPT', null, '2026-08-14', '2026-08-14'],
      ['CONSEQUENCE', 'BLOCK', '2026-08-15', '2026-08-15'],
      ['ATTEMPT', null, '2026-08-21', '2026-08-21'],
      ['CONSEQUENCE', 'CANCEL', '2026-08-22', '2026-08-22'],
    ]);
    expect(run).toMatchObject({ status: 'CLOSED', closeReason: 'EXHAUSTED', attemptsMade: 4 });
    expect(await statusOf(tenantId)).toBe('SUSPENDED');
    const attempts = await app.query(
      `select attempt_number, status from payments where tenant_id = $1 and initiated_by = 'DUNNING' order by attempt_number`,
      [tenantId],
    );
    expect(attempts.map((row) => [row.attempt_number, row.status])).toEqual([1, 2, 3, 4].map((n) => [n, 'FAILED']));
  });

  it('rule 25: tells of each attempt 24 hours ahead, and does not charge before', async () => {
    setClock('2026-08-01T19:30:00+05:30');
    const { runId, tenantId } = await buildDunningRun(app);
    await buildPaymentMethod(app, tenantId, 'token_declined');
    expect((await mailsOf(runId)).map(({ job }) => job)).toEqual(['email.debit-notice']);
    setClock(noon('2026-08-02'));
    await runJob('dunning.run', {});
    expect((await runOf(runId)).attemptsMade).toBe(0);
    setClock('2026-08-02T19:31:00+05:30');
    await runJob('dunning.run', {});
    expect((await runOf(runId)).attemptsMade).toBe(1);
    await dunFrom('2026-08-03', 8);
    const notices = (await mailsOf(runId)).filter(({ job }) => job === 'email.debit-notice');
    expect(notices.map(({ dedupe_key: key }) => key.at(-1))).toEqual(['1', '2']);
  });

  it('rule 25: does nothing at night', async () => {
    setClock('2026-08-01T10:00:00+05:30');
    const { runId } = await buildDunningRun(app, { hardDeclined: true });
    for (const time of ['20:00', '23:00', '08:59']) {
      setClock(`2026-08-03T${time}:00+05:30`);
      await runJob('dunning.run', {});
    }
    expect((await runOf(runId)).steps).toEqual([]);
    setClock('2026-08-03T09:00:00+05:30');
    await runJob('dunning.run', {});
    expect((await runOf(runId)).steps).toHaveLength(1);
  });

  it('takes once what it missed, in order, when it was away for long', async () => {
    setClock(noon('2026-08-01'));
    const { runId } = await buildDunningRun(app, { hardDeclined: true });
    setClock(noon('2026-08-12'));
    await Promise.all([runJob('dunning.run', {}), runJob('dunning.run', {}), runJob('dunning.run', {})]);
    await runJob('dunning.run', {});
    expect((await runOf(runId)).steps.map(({ consequence }) => consequence)).toEqual(['REMINDER', 'WARNING']);
    expect(await mailsOf(runId)).toHaveLength(2);
  });
});

describe('Its end', () => {
  it('rule 25: paying closes the run in the same transaction, and opens the tenant that it has suspended', async () => {
    setClock(noon('2026-08-01'));
    const { runId, tenantId, invoice } = await buildDunningRun(app, { hardDeclined: true });
    await dunFrom('2026-08-02', 14);
    expect(await statusOf(tenantId)).toBe('SUSPENDED');
    await asSystem((tx) => settle(tx, invoice.id, { paid: invoice.amountDue }));
    expect(await runOf(runId)).toMatchObject({ status: 'CLOSED', closeReason: 'PAID', nextOn: null, planned: [] });
    expect(await statusOf(tenantId)).toBe('ACTIVE');
    await dunFrom('2026-08-16', 10);
    expect((await runOf(runId)).steps).toHaveLength(3);
  });

  it('stays suspended when somebody has suspended it for another reason meanwhile', async () => {
    setClock(noon('2026-08-01'));
    const { tenantId, invoice } = await buildDunningRun(app, { hardDeclined: true });
    await dunFrom('2026-08-02', 14);
    await app.call('POST', `/api/tenants/${tenantId}/activate`, { token: admin, body: {} });
    const suspended = await app.call('POST', `/api/tenants/${tenantId}/suspend`, {
      token: admin,
      body: { reason: 'A dispute of partners' },
    });
    expectSuccess(suspended);
    await asSystem((tx) => settle(tx, invoice.id, { paid: invoice.amountDue }));
    expect(await statusOf(tenantId)).toBe('SUSPENDED');
  });

  it('a part that is paid does not close it; the threshold counts what is still due', async () => {
    setClock(noon('2026-08-01'));
    await app.query(`update dunning_campaigns set minimum_amount = 100 where is_default`);
    const { runId, invoice } = await buildDunningRun(app, { hardDeclined: true });
    await app.query(`update dunning_campaigns set minimum_amount = 0 where is_default`);
    await asSystem((tx) => settle(tx, invoice.id, { paid: invoice.amountDue.minus(decimal(50)) }));
    expect((await runOf(runId)).status).toBe('ACTIVE');
    await dunFrom('2026-08-02', 2);
    expect((await runOf(runId)).steps[0]).toMatchObject({ consequence: 'REMINDER', outcome: 'SKIPPED' });
  });

  it('rule 25: a hard decline stops the attempts, and the ladder goes on', async () => {
    setClock(noon('2026-08-01'));
    const { runId, tenantId } = await buildDunningRun(app);
    await buildPaymentMethod(app, tenantId, 'token_expired_card');
    await dunFrom('2026-08-02', 12);
    const run = await runOf(runId);
    expect(run).toMatchObject({ attemptsMade: 1, hardDeclined: true });
    expect(run.steps.filter(({ kind }) => kind === 'CONSEQUENCE').map(({ consequence }) => consequence)).toEqual([
      'REMINDER',
      'WARNING',
    ]);
  });

  it('an attempt that works ends it', async () => {
    setClock(noon('2026-08-01'));
    const { runId, tenantId, invoice } = await buildDunningRun(app);
    await buildPaymentMethod(app, tenantId, 'token_success');
    await dunFrom('2026-08-02', 3);
    expect(await runOf(runId)).toMatchObject({ status: 'CLOSED', closeReason: 'PAID', attemptsMade: 1 });
    const [row] = await app.query('select status, amount_due from invoices where id = $1', [invoice.id]);
    expect(row).toMatchObject({ status: 'PAID', amount_due: '0.00' });
  });
});

describe('What people do', () => {
  it('rule 25: a promise to pay holds everything until its day is over', async () => {
    setClock(noon('2026-08-01'));
    const { runId } = await buildDunningRun(app, { hardDeclined: true });
    const path = `/api/revenue/dunning/runs/${runId}/step`;
    const promise = (promisedOn: string, headers = freshKey()) =>
      app.call('POST', path, {
        token: finance,
        headers,
        body: { action: 'PROMISE', promisedOn, note: 'On the phone' },
      });
    expectError(await promise('2026-07-31'), 400, 'validation_failed', 'body promisedOn');
    expectError(await promise('2026-09-30'), 400, 'validation_failed', 'body promisedOn');
    const key = freshKey();
    expectSuccess(await promise('2026-08-12', key));
    expect((await promise('2026-08-12', key)).headers.get('idempotent-replayed')).toBe('true');
    expectError(await promise('2026-08-13', key), 422, 'idempotency_key_reused');
    await dunFrom('2026-08-02', 11);
    expect((await runOf(runId)).steps.map(({ kind }) => kind)).toEqual(['PROMISE']);
    await dunFrom('2026-08-13', 1);
    expect((await runOf(runId)).steps.map(({ consequence }) => consequence)).toEqual([null, 'REMINDER', 'WARNING']);
  });

  it('leaves a paused tenant alone until the day that was said', async () => {
    setClock(noon('2026-08-01'));
    const { runId, tenantId } = await buildDunningRun(app, { hardDeclined: true });
    const path = `/api/revenue/dunning/tenants/${tenantId}`;
    const body = { until: '2026-08-05', reason: 'Their bank account is being changed' };
    const paused = await app.call('POST', `${path}/pause`, { token: finance, body });
    expect(paused.body.data).toMatchObject({ paused: true, pausedTill: '2026-08-05', openRuns: 1 });
    await dunFrom('2026-08-02', 3);
    expect((await runOf(runId)).steps).toEqual([]);
    await dunFrom('2026-08-05', 1);
    expect((await runOf(runId)).steps).toHaveLength(1);
    await app.call('POST', `${path}/pause`, { token: finance, body: { reason: 'Until they call' } });
    await dunFrom('2026-08-11', 2);
    expect((await runOf(runId)).steps).toHaveLength(1);
    expectSuccess(await app.call('POST', `${path}/resume`, { token: finance }));
    await dunFrom('2026-08-13', 1);
    expect((await runOf(runId)).steps).toHaveLength(2);
  });

  it('takes the next rung now, and charges now', async () => {
    setClock(noon('2026-08-01'));
    const { runId, tenantId } = await buildDunningRun(app);
    const step = (action: string) =>
      app.call('POST', `/api/revenue/dunning/runs/${runId}/step`, {
        token: finance,
        headers: freshKey(),
        body: { action },
      });
    expectError(await step('ATTEMPT'), 409, 'conflict');
    expect((await step('CONSEQUENCE')).body.data.steps).toMatchObject([{ consequence: 'REMINDER', outcome: 'DONE' }]);
    await buildPaymentMethod(app, tenantId);
    expect((await step('ATTEMPT')).body.data).toMatchObject({ status: 'CLOSED', closeReason: 'PAID' });
    expectError(await step('CONSEQUENCE'), 409, 'conflict');
  });

  it('a campaign of their own, for what begins later; the default stays one', async () => {
    setClock(noon('2026-08-01'));
    const campaign = {
      name: 'Strict',
      attemptGaps: [],
      steps: [{ day: 0, consequence: 'BLOCK', channels: ['EMAIL'] }],
    };
    const made = await app.call('POST', '/api/revenue/dunning/campaigns', { token: finance, body: campaign });
    expect(made.body.data.schedule).toEqual([{ day: 0, kind: 'CONSEQUENCE', number: 1, consequence: 'BLOCK' }]);
    const { tenantId, runId } = await buildDunningRun(app, { hardDeclined: true });
    await app.call('PUT', `/api/revenue/dunning/tenants/${tenantId}`, {
      token: finance,
      body: { campaignId: made.body.data.id },
    });
    const later = await issuedInvoice(tenantId);
    setClock(noon('2026-08-20'));
    await runJob('dunning.run', {});
    const runs = await app.call('GET', `/api/revenue/dunning?tenantId=${tenantId}`, { token: finance });
    expect(
      runs.body.data.map((run: { invoice: { id: string }; campaign: { name: string } }) => run.campaign.name),
    ).toEqual(['Strict', 'Standard']);
    expect(runs.body.data[0].invoice.id).toBe(later.id);
    expect((await runOf(runId)).steps.length).toBeGreaterThan(0);
    const path = `/api/revenue/dunning/campaigns/${made.body.data.id}`;
    expectError(
      await app.call('POST', '/api/revenue/dunning/campaigns', { token: finance, body: campaign }),
      409,
      'conflict',
      'body name',
    );
    expectSuccess(await app.call('PUT', path, { token: finance, body: { isDefault: true } }));
    expectError(await app.call('PUT', path, { token: finance, body: { status: 'ARCHIVED' } }), 409, 'conflict');
    const defaults = await app.query('select name from dunning_campaigns where is_default');
    expect(defaults).toEqual([{ name: 'Strict' }]);
    await app.query(`update dunning_campaigns set is_default = false where name = 'Strict'`);
    await app.query(`update dunning_campaigns set is_default = true where name = 'Standard'`);
  });

  it('sees what would be done, and nothing is done', async () => {
    setClock(noon('2026-08-01'));
    const { runId } = await buildDunningRun(app, { hardDeclined: true });
    const look = async (on: string) =>
      (
        await app.call('GET', `/api/revenue/dunning/dry-run?on=${on}&limit=100`, { token: finance })
      ).body.data.due.filter((one: { runId: string }) => one.runId === runId);
    expect(await look('2026-08-01')).toEqual([]);
    expect(await look('2026-08-02')).toMatchObject([{ kind: 'CONSEQUENCE', consequence: 'REMINDER', held: null }]);
    expect((await runOf(runId)).steps).toEqual([]);
  });

  it('support reads and changes nothing; sales and owners see nothing', async () => {
    const { runId, token: owner } = await buildDunningRun(app);
    const path = `/api/revenue/dunning/runs/${runId}`;
    const support = await app.adminToken({ role: 'support' });
    expectSuccess(await app.call('GET', path, { token: support }));
    const step = { headers: freshKey(), body: { action: 'CONSEQUENCE' } };
    expectError(await app.call('POST', `${path}/step`, { token: support, ...step }), 403, 'forbidden');
    expectError(await app.call('GET', path, { token: await app.adminToken({ role: 'sales' }) }), 403, 'forbidden');
    expectError(await app.call('GET', path, { token: owner }), 403, 'forbidden');
  });
});

describe('What is paid by transfer', () => {
  it('is dunned for from the first day that it is overdue, without attempts', async () => {
    setClock(noon('2026-08-01'));
    const { tenantId } = await buildDunningRun(app);
    const invoice = await issuedInvoice(tenantId);
    await dunFrom('2026-08-08', 1);
    const runs = () => app.query('select started_on::text, plan from dunning_runs where invoice_id = $1', [invoice.id]);
    expect(await runs()).toEqual([]);
    await dunFrom('2026-08-09', 1);
    expect(await runs()).toMatchObject([{ started_on: '2026-08-09', plan: { attemptGaps: [] } }]);
  });
});
