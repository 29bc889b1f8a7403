import { getTenantAnalytics as getAnalytics } from '../services/tenant-analytics.service.ts';
import type { Actor, ReadContext } from '../types/context.ts';

export const getTenantAnalytics = (ctx: ReadContext<Actor>, { params }: { params: { id: string } }) =>
  getAnalytics(ctx, params.id);
