import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildPlan, noon, setClock } from '../../support/billing.ts';
import { startFinanceApp, type FinanceApp } from '../../support/finance.ts';
import {
  buildCoupon,
  buildVersion,
  dataOf,
  deskOf,
  expectHistoryAddsUp,
  historyOf,
  invoicesOf,
  refused,
  subscribe,
} from './support.ts';

let app: FinanceApp;
beforeAll(async () => {
  app = await startFinanceApp();
});
afterAll(() => app.close());
beforeEach(() => setClock(noon('2027-08-01')));

const { subscriptions, read } = deskOf(() => app);
const migrate = async (body: Record<string, unknown>) => subscriptions().post('/bulk/migrate-plan', body);

/** A plan with five subscribers: three pay, one is on trial, one is paused; and its next version at 1,199. */
async function subscribers() {
  const plan = await buildPlan(app);
  const made = [];
  for (const body of [{}, {}, { billingCycle: 'ANNUAL' }, { trialDays: 10 }, {}]) {
    made.push(await subscribe(app, subscriptions(), { plan, body }));
  }
  dataOf(await subscriptions().post(`/${made[4]!.id}/pause`, {}));
  const versionId = await buildVersion(app, plan.id, { monthlyPrice: '1199.00', annualPrice: '11990.00' });
  return { plan, versionId, ids: made.map(({ id }) => id) };
}

describe('Moving the subscribers of a plan', () => {
  it('shows first what that would do, and does nothing', async () => {
    const { plan, versionId, ids } = await subscribers();
    const before = await Promise.all(ids.map(read));
    const shown = dataOf(await migrate({ fromPlanId: plan.id, toPlanId: plan.id, at: 'NOW_WITHOUT_PRORATION' }));
    expect(shown).toMatchObject({
      dryRun: true,
      to: { planId: plan.id, planVersionId: versionId },
      matching: 5,
      migrated: 0,
      remaining: 5,
      // Twice 999 and a twelfth of 9,990; then twice 1,199 and a twelfth of 11,990.
      mrrBefore: '2830.50',
      mrrAfter: '3397.17',
    });
    expect(shown.subscriptions.map(({ id }: { id: string }) => id)).toEqual(ids.toSorted());
    expect(shown.subscriptions).toContainEqual(
      expect.objectContaining({ id: ids[0], mrrBefore: '999.00', mrrAfter: '1199.00', on: '2027-08-01' }),
    );
    expect(await Promise.all(ids.map(read))).toEqual(before);
  });

  it('at once: nothing is invoiced, the next period has the new price', async () => {
    const { plan, versionId, ids } = await subscribers();
    const body = { fromPlanVersionId: plan.versionId, toPlanId: plan.id, at: 'NOW_WITHOUT_PRORATION', dryRun: false };
    expect(dataOf(await migrate(body))).toMatchObject({ dryRun: false, matching: 5, migrated: 5, remaining: 0 });
    for (const id of ids) {
      expect((await read(id)).plan).toMatchObject({ versionId, version: 2 });
      expect((await historyOf(app, id)).at(-1)).toMatchObject({ type: 'PLAN_MIGRATED' });
      await expectHistoryAddsUp(app, id);
    }
    expect(await read(ids[0]!)).toMatchObject({ mrr: '1199.00' });
    expect(await read(ids[3]!)).toMatchObject({ status: 'TRIAL', mrr: '0.00' });
    expect(await invoicesOf(app, ids[0]!)).toHaveLength(1);
    expect(dataOf(await migrate(body))).toMatchObject({ matching: 0, migrated: 0 });
    setClock(noon('2027-09-01'));
    dataOf(await subscriptions().post(`/${ids[0]}/renew`));
    expect((await invoicesOf(app, ids[0]!)).at(-1)).toMatchObject({ taxable: '1199.00' });
  });

  it('at once gives nobody more back later than was charged', async () => {
    const { plan, ids } = await subscribers();
    const large = await buildPlan(app, { monthlyPrice: '2499.00' });
    dataOf(await migrate({ fromPlanId: plan.id, toPlanId: plan.id, at: 'NOW_WITHOUT_PRORATION', dryRun: false }));
    setClock(noon('2027-08-11'));
    const quote = dataOf(await subscriptions().post(`/${ids[0]}/change/preview`, { planId: large.id }));
    expect(quote.proration).toMatchObject({ credit: '676.74', charge: '1692.87' });
  });

  it('each with the end of its period, unless a change waits for that already', async () => {
    const { plan, ids } = await subscribers();
    const [first, second] = ids as [string, string];
    const other = await buildPlan(app, { monthlyPrice: '499.00' });
    dataOf(await subscriptions().post(`/${second}/change`, { planId: other.id }));
    const body = { fromPlanId: plan.id, toPlanId: plan.id, at: 'PERIOD_END', dryRun: false };
    expect(dataOf(await migrate(body))).toMatchObject({ matching: 4, migrated: 4 });
    expect(dataOf(await migrate(body))).toMatchObject({ matching: 0, migrated: 0 });
    expect(await read(first)).toMatchObject({ mrr: '999.00', scheduledChange: { effectiveOn: '2027-09-01' } });
    expect(await read(second)).toMatchObject({ scheduledChange: { planId: other.id } });
    setClock(noon('2027-09-01'));
    dataOf(await subscriptions().post(`/${first}/renew`));
    expect(await read(first)).toMatchObject({ plan: { version: 2 }, mrr: '1199.00', scheduledChange: null });
    await expectHistoryAddsUp(app, first);
  });

  it('to another plan leaves behind the coupons that are not for it', async () => {
    const [from, to] = [await buildPlan(app), await buildPlan(app, { monthlyPrice: '1299.00' })];
    const coupon = await buildCoupon(app, { planIds: [from.id] });
    const { id } = await subscribe(app, subscriptions(), { plan: from, body: { couponCode: coupon.code } });
    const body = { fromPlanId: from.id, toPlanId: to.id, at: 'NOW_WITHOUT_PRORATION' };
    expect(dataOf(await migrate(body))).toMatchObject({ mrrBefore: '899.10', mrrAfter: '1299.00' });
    dataOf(await migrate({ ...body, dryRun: false }));
    expect(await read(id)).toMatchObject({ plan: { id: to.id }, mrr: '1299.00', coupons: [] });
  });

  it('two at once move each of them once', async () => {
    const { plan, ids } = await subscribers();
    const body = { fromPlanId: plan.id, toPlanId: plan.id, at: 'NOW_WITHOUT_PRORATION', dryRun: false };
    const answers = await Promise.all([migrate(body), migrate(body)]);
    const moved = answers.map((answer) => dataOf(answer).migrated as number);
    expect(moved[0]! + moved[1]!).toBe(5);
    for (const id of ids) {
      expect((await historyOf(app, id)).filter(({ type }) => type === 'PLAN_MIGRATED')).toHaveLength(1);
    }
  });

  it('of a hundred and twenty goes batch by batch', async () => {
    const plan = await buildPlan(app);
    const { tenantId } = await app.ownerWithToken();
    await app.query(
      `with t as (insert into tenants (id, name, slug, email, status, updated_at)
         select 'c' || substr(md5('hall' || i), 1, 24), 'Hall ' || i, 'hall-of-' || i, 'hall' || i || '@halls.example', 'ACTIVE', now()
           from generate_series(1, 120) i returning id)
       insert into subscriptions (id, tenant_id, plan_id, plan_version_id, status, billing_cycle, mrr, started_on, anchor_day,
                                  current_period_start, current_period_end, next_event_on, updated_at)
       select 'c' || substr(md5(t.id), 1, 24), t.id, $1, $2, 'ACTIVE', 'MONTHLY', 999, '2027-08-01', 1, '2027-08-01', '2027-09-01', '2027-09-01', now()
         from t where t.id <> $3`,
      [plan.id, plan.versionId, tenantId],
    );
    await buildVersion(app, plan.id, { monthlyPrice: '1199.00', annualPrice: '11990.00' });
    const body = { fromPlanId: plan.id, toPlanId: plan.id, at: 'NOW_WITHOUT_PRORATION', dryRun: false };
    const done = dataOf(await migrate(body));
    expect(done).toMatchObject({ matching: 120, migrated: 120, remaining: 0, mrrAfter: '143880.00' });
    expect(done.subscriptions).toHaveLength(50);
  });

  it('needs to be told from where and to where', async () => {
    const plan = await buildPlan(app);
    const at = 'PERIOD_END';
    expect((await migrate({ toPlanId: plan.id, at })).status).toBe(400);
    expect(
      (await migrate({ fromPlanId: plan.id, fromPlanVersionId: plan.versionId, toPlanId: plan.id, at })).status,
    ).toBe(400);
    refused(await migrate({ fromPlanId: plan.id, toPlanId: plan.versionId, at }), 404, 'plan');
    await app.query(`update subscription_plans set status = 'ARCHIVED' where id = $1`, [plan.id]);
    refused(await migrate({ fromPlanId: plan.id, toPlanId: plan.id, at }), 409, 'archived');
  });
});
