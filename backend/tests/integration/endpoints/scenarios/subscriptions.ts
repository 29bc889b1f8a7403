import { buildPlan } from '../../../support/billing.ts';
import type { Answer } from '../../../support/client.ts';
import type { TestApp } from '../../../support/server.ts';
import {
  buildAddOn,
  buildCoupon,
  buildVersion,
  subscribe,
  subscriptionsOf,
  type Subscriptions,
} from '../../subscriptions/support.ts';
import type { Scenario } from './scenario.ts';

type Subscribed = Awaited<ReturnType<typeof subscribe>> & { subscriptions: Subscriptions; admin: string };

/** A library that has subscribed, and calls in the name of an admin. */
async function subscribed(app: TestApp, body: Record<string, unknown> = {}): Promise<Subscribed> {
  const admin = await app.adminToken();
  const subscriptions = subscriptionsOf(app, () => admin);
  return { ...(await subscribe(app, subscriptions, { body })), subscriptions, admin };
}

/** What is done with a subscription. */
const after =
  (call: (made: Subscribed, app: TestApp) => Promise<Answer>, body?: Record<string, unknown>): Scenario =>
  async (app) => ({ answer: await call(await subscribed(app, body), app) });

const reason = 'The library closes for the summer';
const onTrial = { trialDays: 14 };

export const subscriptionsScenarios: Record<string, Scenario> = {
  listSubscriptions: after(({ subscriptions, token }) => subscriptions.get('', token)),
  createSubscription: async (app) => {
    const { tenantId } = await app.ownerWithToken();
    const admin = await app.adminToken();
    const body = { tenantId, planId: (await buildPlan(app)).id, billingCycle: 'MONTHLY' };
    return { answer: await subscriptionsOf(app, () => admin).post('', body) };
  },
  listExpiringSubscriptions: after(({ subscriptions }) => subscriptions.get('/expiring'), onTrial),
  getSubscriptionAnalytics: after(({ subscriptions }) => subscriptions.get('/analytics')),
  migratePlan: after(async ({ subscriptions, plan }, app) => {
    await buildVersion(app, plan.id, { monthlyPrice: '1199.00', annualPrice: '11990.00' });
    const body = { fromPlanId: plan.id, toPlanId: plan.id, at: 'NOW_WITHOUT_PRORATION', dryRun: false };
    return subscriptions.post('/bulk/migrate-plan', body);
  }),
  getSubscription: after(({ subscriptions, id, token }) => subscriptions.get(`/${id}`, token)),
  updateSubscription: after(({ subscriptions, id }) =>
    subscriptions.put(`/${id}`, { collectionMethod: 'SEND_INVOICE' }),
  ),
  setSubscriptionPaymentMethod: after(async ({ subscriptions, id, token, tenantId }, app) => {
    const [method] = await app.query<{ id: string }>(`select id from payment_methods where tenant_id = $1`, [tenantId]);
    return subscriptions.put(`/${id}/payment-method`, { paymentMethodId: method?.id }, token);
  }),
  renewSubscription: after(({ subscriptions, id }) => subscriptions.post(`/${id}/renew`), onTrial),
  listSubscriptionChanges: after(({ subscriptions, id, token }) => subscriptions.get(`/${id}/changes`, token)),
  listSubscriptionInvoices: after(({ subscriptions, id, token }) => subscriptions.get(`/${id}/invoices`, token)),
  getUpcomingInvoice: after(({ subscriptions, id, token }) => subscriptions.get(`/${id}/upcoming-invoice`, token)),
  getSubscriptionTimeline: after(({ subscriptions, id, token }) => subscriptions.get(`/${id}/timeline`, token)),
  getSubscriptionEntitlements: after(({ subscriptions, id, token }) => subscriptions.get(`/${id}/entitlements`, token)),
  previewSubscriptionChange: after(async ({ subscriptions, id, token }, app) => {
    const { id: planId } = await buildPlan(app, { monthlyPrice: '2499.00' });
    return subscriptions.post(`/${id}/change/preview`, { planId }, token);
  }),
  changeSubscription: after(async ({ subscriptions, id, token }, app) => {
    const { id: planId } = await buildPlan(app, { monthlyPrice: '2499.00' });
    return subscriptions.post(`/${id}/change`, { planId }, token);
  }),
  unscheduleSubscriptionChange: after(async ({ subscriptions, id, token }, app) => {
    const { id: planId } = await buildPlan(app, { monthlyPrice: '499.00' });
    const { body } = await subscriptions.post(`/${id}/change`, { planId });
    return subscriptions.remove(`/${id}/change/${body.data.scheduledChange.id}`, token);
  }),
  cancelSubscription: after(({ subscriptions, id, token }) =>
    subscriptions.post(`/${id}/cancel`, { at: 'PERIOD_END', reason }, token),
  ),
  uncancelSubscription: after(async ({ subscriptions, id, token }) => {
    await subscriptions.post(`/${id}/cancel`, { at: 'PERIOD_END', reason });
    return subscriptions.post(`/${id}/uncancel`, undefined, token);
  }),
  pauseSubscription: after(({ subscriptions, id }) => subscriptions.post(`/${id}/pause`, { reason })),
  resumeSubscription: after(async ({ subscriptions, id }) => {
    await subscriptions.post(`/${id}/pause`, { reason });
    return subscriptions.post(`/${id}/resume`);
  }),
  reactivateSubscription: after(async ({ subscriptions, id, token }) => {
    await subscriptions.post(`/${id}/cancel`, { at: 'NOW', reason });
    return subscriptions.post(`/${id}/reactivate`, {}, token);
  }),
  extendTrial: after(({ subscriptions, id }) => subscriptions.post(`/${id}/extend-trial`, { days: 7 }), onTrial),
  redeemCoupon: after(async ({ subscriptions, id, token }, app) =>
    subscriptions.post(`/${id}/coupons`, { code: (await buildCoupon(app)).code }, token),
  ),
  removeCoupon: after(async ({ subscriptions, id, token }, app) => {
    const coupon = await buildCoupon(app);
    await subscriptions.post(`/${id}/coupons`, { code: coupon.code });
    return subscriptions.remove(`/${id}/coupons/${coupon.id}`, token);
  }),
  takeAddOn: after(async ({ subscriptions, id, token }, app) =>
    subscriptions.post(`/${id}/add-ons`, { addOnId: (await buildAddOn(app)).id }, token),
  ),
  giveUpAddOn: after(async ({ subscriptions, id, token }, app) => {
    const addOn = await buildAddOn(app);
    await subscriptions.post(`/${id}/add-ons`, { addOnId: addOn.id });
    return subscriptions.remove(`/${id}/add-ons/${addOn.id}`, token);
  }),
};
