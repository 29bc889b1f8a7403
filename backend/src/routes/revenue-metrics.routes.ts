import * as metrics from '../controllers/revenue-metrics.controller.ts';
import * as v from '../validators/revenue-metrics.validator.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

const access = { permission: 'revenue.read' } as const;
const errors = ['tenant_mismatch'] as const;
/** Each may be asked to compute anew what is dear. */
const rateLimit = { points: 120, seconds: 60 };

/** Figures of the whole business, below /revenue: for portal admins, outside of a tenant. */
export const revenueMetricsEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/dashboard',
    operationId: 'getRevenueDashboard',
    summary: 'The business at one glance',
    description:
      'MRR and its movements, subscriptions by status, what was invoiced and collected, what is due and for how long, the last twelve months, plans and dunning. Computed at most an hour ago: `asOf` tells when, `refresh=true` computes it anew.',
    access,
    query: v.dashboardQuery,
    response: v.revenueDashboard,
    rateLimit,
    errors,
    handler: metrics.getDashboard,
  }),
  endpoint({
    method: 'get',
    path: '/metrics',
    operationId: 'getRevenueMetrics',
    summary: 'The figures of a month or a day',
    description:
      'MRR, ARR, ARPA, LTV, movements, retention, churn, what was invoiced, credited, collected and is not earned yet, beside the month or day before. Without tax where it does not say so. Annual prices count a twelfth, recurring coupons reduce, trials are 0. A period that goes on has `complete: false`.',
    access,
    query: v.metricsQuery,
    response: v.revenueMetrics,
    rateLimit,
    errors,
    handler: metrics.getMetrics,
  }),
  endpoint({
    method: 'get',
    path: '/analytics',
    operationId: 'getRevenueAnalytics',
    summary: 'The figures over time',
    description:
      'By day, week or month: MRR, what was invoiced, credited and collected, subscriptions won and lost; and plans over the whole range. A range is widened to whole buckets.',
    access,
    query: v.analyticsQuery,
    response: v.revenueAnalytics,
    rateLimit,
    errors,
    handler: metrics.getAnalytics,
  }),
  endpoint({
    method: 'get',
    path: '/metrics/mrr-movements',
    operationId: 'getMrrMovements',
    summary: 'What made the MRR what it is',
    description:
      'New, expansion, contraction, churn and reactivation by month: with the opening they are the closing, and the closing of this month is the MRR. 36 months at most.',
    access,
    query: v.monthsQuery,
    response: v.mrrMovements,
    rateLimit,
    errors,
    handler: metrics.getMovements,
  }),
  endpoint({
    method: 'get',
    path: '/metrics/cohorts',
    operationId: 'getRevenueCohorts',
    summary: 'What is left of those who began together',
    description:
      'Tenants by the month in which they first brought something, and the share of them and of their MRR at the end of that month and of each one after it. 36 cohorts at most.',
    access,
    query: v.cohortsQuery,
    response: v.revenueCohorts,
    rateLimit,
    errors,
    handler: metrics.getCohorts,
  }),
  endpoint({
    method: 'get',
    path: '/metrics/churn',
    operationId: 'getRevenueChurn',
    summary: 'Who left, and what was kept',
    description:
      'Logo churn, gross and net revenue retention by month, and over the twelve months up to the last one: of the tenants that paid at the start. 36 months at most.',
    access,
    query: v.monthsQuery,
    response: v.revenueChurn,
    rateLimit,
    errors,
    handler: metrics.getChurn,
  }),
];
