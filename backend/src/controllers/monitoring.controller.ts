import * as metrics from '../services/metrics.service.ts';
import { assertReady } from '../services/monitoring.service.ts';
import type { Actor, ReadContext } from '../types/context.ts';

/** Touches nothing: it tells only that the process answers (rule 38). */
export const getLive = async () => ({ status: 'live' as const });

export async function getReady() {
  await assertReady();
  return { status: 'ready' as const };
}

export const getMetrics = (ctx: ReadContext<Actor>) => metrics.getMetrics(ctx);
