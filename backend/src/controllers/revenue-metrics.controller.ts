import type { z } from 'zod';
import * as analytics from '../services/revenue-analytics.service.ts';
import * as cohorts from '../services/revenue-cohorts.service.ts';
import * as dashboard from '../services/revenue-dashboard.service.ts';
import * as metrics from '../services/revenue-metrics.service.ts';
import type { Actor, ReadContext } from '../types/context.ts';
import type * as v from '../validators/revenue-metrics.validator.ts';

type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

export const getDashboard = (ctx: ReadContext<Actor>, { query }: Query<typeof v.dashboardQuery>) =>
  dashboard.getDashboard(ctx, query);

export const getMetrics = (ctx: ReadContext<Actor>, { query }: Query<typeof v.metricsQuery>) =>
  metrics.getMetrics(ctx, query);

export const getAnalytics = (ctx: ReadContext<Actor>, { query }: Query<typeof v.analyticsQuery>) =>
  analytics.getAnalytics(ctx, query);

export const getMovements = (ctx: ReadContext<Actor>, { query }: Query<typeof v.monthsQuery>) =>
  metrics.getMovements(ctx, query);

export const getCohorts = (ctx: ReadContext<Actor>, { query }: Query<typeof v.cohortsQuery>) =>
  cohorts.getCohorts(ctx, query);

export const getChurn = (ctx: ReadContext<Actor>, { query }: Query<typeof v.monthsQuery>) =>
  metrics.getChurn(ctx, query);
