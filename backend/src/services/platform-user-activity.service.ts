import type { z } from 'zod';
import type { ReadContext } from '../types/context.ts';
import { cursorPage } from '../utils/cursor-page.ts';
import type { Cursor } from '../utils/page.ts';
import type { personActivity } from '../validators/platform-users-extras.validator.ts';
import { deviceName } from './device.service.ts';
import * as queries from './platform-user-activity.queries.ts';

type Row = Omit<z.input<typeof personActivity>, 'device'> & { userAgent: string | null; createdAt: string };

/**
 * What a person did, what was done in their name and what was done to them, newest first, as the audit trail of their
 * tenant has it: by page, or on from a cursor, which costs the same however far back it is. A sign-in tells of its
 * session while that is kept.
 * @throws AppError not_found, also for a portal admin, for who has left, and outside the space
 */
export async function listPersonActivity(
  ctx: ReadContext,
  id: string,
  query: { page: number; limit: number; cursor?: Cursor | undefined },
) {
  const { page: number, limit, cursor } = query;
  const { items, meta } = await cursorPage<Row>(ctx, query, {
    rows: queries.activityRows(id, cursor, cursor ? limit + 1 : number * limit),
    count: queries.activityCount(id),
    parent: { of: queries.personExists(id, ctx.tenantId), what: 'person' },
  });
  return { items: items.map(({ userAgent, ...row }) => ({ ...row, device: deviceName(userAgent) })), meta };
}
