import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPlan, noon, setClock } from '../../support/billing.ts';
import { holdAuditChain } from '../../support/processes.ts';
import { startFinanceApp, type FinanceApp } from '../../support/finance.ts';
import {
  buildAddOn,
  buildCoupon,
  dataOf,
  deskOf,
  expectHistoryAddsUp,
  historyOf,
  invoicesOf,
  runBilling,
  subscribe,
} from './support.ts';

let app: FinanceApp;
beforeAll(async () => {
  app = await startFinanceApp();
});
afterAll(() => app.close());

const { subscriptions, read } = deskOf(() => app);

/** Somebody who has subscribed on a day, alone on it: others of the file are not due meanwhile. */
async function since(day: string, options: Parameters<typeof subscribe>[2] = {}) {
  await app.query(`update subscriptions set next_event_on = null`);
  setClock(noon(day));
  return subscribe(app, subscriptions(), options);
}

/** The serials of all invoices, which have no gap. */
async function expectNoGap(): Promise<void> {
  const gaps = await app.query(
    `select fiscal_year from invoices where serial is not null group by fiscal_year having count(*) <> max(serial) or min(serial) <> 1`,
  );
  expect(gaps).toEqual([]);
}

const starts = async (id: string) => (await invoicesOf(app, id)).map(({ start }) => start);

describe('rule 19: periods', () => {
  it('of a month-end anchor clamp, and come back: 31 Jan, 28 Feb, 31 Mar, over the clock', async () => {
    const { id } = await since('2027-01-31');
    for (const day of ['2027-02-27', '2027-02-28', '2027-03-30', '2027-03-31', '2027-04-30', '2027-05-31']) {
      setClock(noon(day));
      await runBilling();
    }
    expect((await invoicesOf(app, id)).map(({ start, end }) => [start, end])).toEqual([
      ['2027-01-31', '2027-02-28'],
      ['2027-02-28', '2027-03-31'],
      ['2027-03-31', '2027-04-30'],
      ['2027-04-30', '2027-05-31'],
      ['2027-05-31', '2027-06-30'],
    ]);
    expect(await read(id)).toMatchObject({ currentPeriodStart: '2027-05-31', currentPeriodEnd: '2027-06-30' });
  });

  it('of a year that begins on 29 February end on the 28th, and come back', async () => {
    const { id } = await since('2028-02-29', { body: { billingCycle: 'ANNUAL' } });
    setClock(noon('2032-02-29'));
    await runBilling();
    expect(await starts(id)).toEqual(['2028-02-29', '2029-02-28', '2030-02-28', '2031-02-28', '2032-02-29']);
  });

  it('begin with the day in India: at 18:30 UTC, and not before', async () => {
    const { id } = await since('2027-01-10');
    setClock('2027-02-09T18:29:59Z');
    await runBilling();
    expect(await starts(id)).toEqual(['2027-01-10']);
    setClock('2027-02-09T18:30:01Z');
    await runBilling();
    expect(await starts(id)).toEqual(['2027-01-10', '2027-02-10']);
  });
});

describe('A renewal', () => {
  it('is charged a day after the payer was told, where there is somebody to charge', async () => {
    const { id } = await since('2027-01-10');
    setClock(noon('2027-02-10'));
    await runBilling();
    const invoice = (await invoicesOf(app, id)).at(-1);
    expect(invoice).toMatchObject({ reason: 'SUBSCRIPTION_CYCLE', taxable: '999.00', total: '1179.00' });
    const hours = (Number(invoice?.collect) - new Date(noon('2027-02-10')).getTime()) / 3_600_000;
    expect(hours).toBeGreaterThanOrEqual(24);
    expect(hours).toBeLessThan(24.1);
    const jobs = await app.query(`select job from outbox_messages where payload ->> 'invoiceId' = $1 order by job`, [
      invoice!.id,
    ]);
    expect(jobs.map(({ job }) => job)).toEqual(['email.debit-notice', 'email.invoice']);
  });

  it('is left to be paid, where there is nobody', async () => {
    const { id, tenantId } = await since('2027-01-10');
    await app.query(`update payment_methods set status = 'FAILED' where tenant_id = $1`, [tenantId]);
    setClock(noon('2027-02-10'));
    await runBilling();
    const invoice = (await invoicesOf(app, id)).at(-1);
    expect(invoice).toMatchObject({ status: 'OPEN', collect: null });
    const jobs = await app.query(`select job from outbox_messages where payload ->> 'invoiceId' = $1`, [invoice!.id]);
    expect(jobs).toEqual([{ job: 'email.invoice' }]);
  });

  it('names plan, add-ons and period, line by line', async () => {
    const addOn = await buildAddOn(app);
    const { id, plan } = await since('2027-01-10', { body: { addOns: [{ addOnId: addOn.id, quantity: 2 }] } });
    setClock(noon('2027-02-10'));
    await runBilling();
    const lines = await app.query(
      `select l.kind, l.description, l.quantity::text, l.amount::text from invoice_items l join invoices i on i.id = l.invoice_id
        where i.subscription_id = $1 and i.reason = 'SUBSCRIPTION_CYCLE' order by l.position`,
      [id],
    );
    expect(lines).toEqual([
      {
        kind: 'PLAN',
        description: `${plan.name} (monthly), 10 Feb 2027 to 9 Mar 2027`,
        quantity: '1.000',
        amount: '999.00',
      },
      { kind: 'ADD_ON', description: 'Second library, 10 Feb 2027 to 9 Mar 2027', quantity: '2.000', amount: '500.00' },
    ]);
  });

  it('lets go what was given up, and notes what that does to the MRR', async () => {
    const addOn = await buildAddOn(app);
    const { id } = await since('2027-01-10', { body: { addOns: [{ addOnId: addOn.id }] } });
    expect(dataOf(await subscriptions().remove(`/${id}/add-ons/${addOn.id}`))).toMatchObject({ mrr: '1249.00' });
    setClock(noon('2027-02-10'));
    await runBilling();
    expect(await read(id)).toMatchObject({ mrr: '999.00', addOns: [] });
    expect((await invoicesOf(app, id)).at(-1)).toMatchObject({ taxable: '999.00' });
    expect((await historyOf(app, id)).slice(-2)).toMatchObject([
      { type: 'ADD_ON_REMOVED', movement: 'CONTRACTION', on: '2027-02-10' },
      { type: 'RENEWED', movement: null },
    ]);
    await expectHistoryAddsUp(app, id);
  });

  it('rule 20: coupons hold for one invoice, for some months, or for ever', async () => {
    const [once, thrice, ever] = [
      await buildCoupon(app, { percent: '50.00', duration: 'ONCE' }),
      await buildCoupon(app, { percent: '20.00', duration: 'REPEATING', months: 3 }),
      await buildCoupon(app, { kind: 'FIXED', percent: null, amount: '99.00' }),
    ];
    const { id } = await since('2027-01-31', { body: { couponCode: once.code } });
    for (const { code } of [thrice, ever]) dataOf(await subscriptions().post(`/${id}/coupons`, { code }));
    setClock(noon('2027-06-30'));
    await runBilling();
    expect((await invoicesOf(app, id)).map(({ start, taxable }) => [start, taxable])).toEqual([
      ['2027-01-31', '499.50'],
      ['2027-02-28', '700.20'],
      ['2027-03-31', '700.20'],
      ['2027-04-30', '700.20'],
      ['2027-05-31', '900.00'],
      ['2027-06-30', '900.00'],
    ]);
    expect((await historyOf(app, id)).filter(({ movement }) => movement !== null)).toMatchObject([
      { type: 'CREATED', after: '999.00' },
      { type: 'COUPON_ADDED', after: '799.20', movement: 'CONTRACTION' },
      { type: 'COUPON_ADDED', after: '700.20', movement: 'CONTRACTION' },
      { type: 'COUPON_ENDED', after: '900.00', movement: 'EXPANSION', on: '2027-05-31' },
    ]);
    await expectHistoryAddsUp(app, id);
  });

  it('is not made for a tenant that is leaving: the subscription ends', async () => {
    const { id, tenantId } = await since('2027-01-10');
    await app.query(`update tenants set status = 'OFFBOARDING' where id = $1`, [tenantId]);
    setClock(noon('2027-02-10'));
    await runBilling();
    expect(await read(id)).toMatchObject({
      status: 'CANCELLED',
      endedOn: '2027-02-10',
      cancelReason: 'The tenant is leaving',
    });
    expect(await starts(id)).toEqual(['2027-01-10']);
  });

  it('goes on while an invoice is overdue', async () => {
    const { id } = await since('2027-01-10');
    await app.query(`update subscriptions set status = 'PAST_DUE' where id = $1`, [id]);
    setClock(noon('2027-02-10'));
    await runBilling();
    expect(await read(id)).toMatchObject({ status: 'PAST_DUE', currentPeriodEnd: '2027-03-10', mrr: '999.00' });
  });

  it('of what costs nothing is an invoice that is paid', async () => {
    const free = await buildPlan(app, { monthlyPrice: '0.00', annualPrice: '0.00' });
    const { id } = await since('2027-01-10', { plan: free, method: false });
    setClock(noon('2027-02-10'));
    await runBilling();
    expect(await invoicesOf(app, id)).toMatchObject([
      { status: 'PAID', total: '0.00', collect: null },
      { status: 'PAID', total: '0.00', collect: null },
    ]);
    expect(await read(id)).toMatchObject({ mrr: '0.00', status: 'ACTIVE' });
  });
});

describe('However the run is done, each period has one invoice', () => {
  it('twice', async () => {
    const { id } = await since('2027-01-10');
    setClock(noon('2027-02-10'));
    await runBilling();
    await runBilling();
    expect(await starts(id)).toEqual(['2027-01-10', '2027-02-10']);
  });

  it('three months late', async () => {
    const { id } = await since('2027-01-10');
    setClock(noon('2027-04-15'));
    await runBilling();
    expect(await starts(id)).toEqual(['2027-01-10', '2027-02-10', '2027-03-10', '2027-04-10']);
    expect(await read(id)).toMatchObject({
      currentPeriodStart: '2027-04-10',
      currentPeriodEnd: '2027-05-10',
      version: 4,
    });
    await expectHistoryAddsUp(app, id);
  });

  it('in four workers at once, and by a person beside them', async () => {
    const made = [await since('2027-01-10')];
    for (let more = 0; more < 4; more += 1) made.push(await subscribe(app, subscriptions()));
    setClock(noon('2027-03-10'));
    await Promise.all([1, 2, 3, 4].map(runBilling).concat(subscriptions().post(`/${made[0]!.id}/renew`) as never));
    for (const { id } of made) {
      expect(await starts(id)).toEqual(['2027-01-10', '2027-02-10', '2027-03-10']);
      await expectHistoryAddsUp(app, id);
    }
    await expectNoGap();
  });

  it('with an error after the first of several: it goes on there', async () => {
    const broken = await since('2027-01-10');
    const other = await subscribe(app, subscriptions());
    await app.query(`
      create function refuse_march() returns trigger language plpgsql as $$ begin
        if new.subscription_id = '${broken.id}' and new.period_start = '2027-03-10' then raise exception 'no paper'; end if;
        return new; end $$`);
    await app.query(
      `create trigger refuse_march before insert on invoices for each row execute function refuse_march()`,
    );
    setClock(noon('2027-04-10'));
    await expect(runBilling()).rejects.toThrow('could not be renewed: 1');
    expect(await starts(broken.id)).toEqual(['2027-01-10', '2027-02-10']);
    expect(await read(broken.id)).toMatchObject({ currentPeriodEnd: '2027-03-10', nextEventOn: '2027-03-10' });
    expect(await starts(other.id)).toHaveLength(4);
    await app.query(`drop trigger refuse_march on invoices`);
    await runBilling();
    expect(await starts(broken.id)).toEqual(['2027-01-10', '2027-02-10', '2027-03-10', '2027-04-10']);
    await expectNoGap();
  });

  it('killed in the middle, with the number given and nothing committed: no gap, no double', async () => {
    const { id, tenantId } = await since('2027-01-10');
    const held = await holdAuditChain(app.database, tenantId);
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', path.join(import.meta.dirname, 'doomed-run.ts'), noon('2027-02-10')],
      { env: process.env, stdio: ['ignore', 'ignore', 'ignore'] },
    );
    try {
      await held.awaited();
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
      await held.release();
    }
    expect(await starts(id)).toEqual(['2027-01-10']);
    setClock(noon('2027-02-10'));
    await runBilling();
    expect(await starts(id)).toEqual(['2027-01-10', '2027-02-10']);
    await expectNoGap();
  });

  it('by way of any change: whoever comes before the run changes what it is today', async () => {
    const { id } = await since('2027-01-10');
    const large = await buildPlan(app, { monthlyPrice: '2499.00' });
    setClock(noon('2027-03-10'));
    const changed = dataOf(await subscriptions().post(`/${id}/change`, { planId: large.id }));
    expect(changed).toMatchObject({
      currentPeriodStart: '2027-03-10',
      mrr: '2499.00',
      invoices: [{ total: '1770.00' }],
    });
    expect(await starts(id)).toEqual(['2027-01-10', '2027-02-10', '2027-03-10', '2027-03-10']);
    await runBilling();
    expect(await starts(id)).toHaveLength(4);
    await expectHistoryAddsUp(app, id);
  });
});
