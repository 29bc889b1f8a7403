import type { z } from 'zod';
import type { PersonKind } from '../generated/prisma/enums.ts';
import type { ReadContext } from '../types/context.ts';
import { orNotFound } from '../utils/errors.ts';
import { page } from '../utils/page.ts';
import type * as v from '../validators/platform-users.validator.ts';
import { minorsBornAfter } from './minor.policy.ts';
import * as queries from './platform-users.queries.ts';

type RowOf = {
  OWNER: z.input<typeof v.ownerRow>;
  STUDENT: z.input<typeof v.studentRow>;
  PARENT: z.input<typeof v.parentRow>;
  STAFF: z.input<typeof v.staffRow>;
};
type WholeOf = {
  OWNER: z.input<typeof v.owner>;
  STUDENT: z.input<typeof v.student>;
  PARENT: z.input<typeof v.parent>;
  STAFF: z.input<typeof v.staffMember>;
};
export type PersonView = z.input<typeof v.person>;
type Listing = queries.PeopleListing & { page: number; limit: number };

/** What of a context tells whose people are seen, and who of them is a minor now. */
export const viewpointOf = ({ tenantId, now }: Pick<ReadContext, 'tenantId' | 'now'>): queries.Viewpoint => ({
  tenantId,
  bornAfter: minorsBornAfter(now),
});

export const listPeople = (ctx: ReadContext, filter: Listing) =>
  page<z.input<typeof v.personRow>>(ctx, filter, queries.peopleRows(filter, viewpointOf(ctx)));

/** People of one kind, each with what only they have. */
export const listOfKind = <Kind extends PersonKind>(ctx: ReadContext, kind: Kind, filter: Listing) =>
  page<RowOf[Kind]>(ctx, filter, queries.peopleRows(filter, viewpointOf(ctx), kind));

type Reading = Pick<ReadContext, 'sql' | 'tenantId' | 'now'>;

/** @throws AppError not_found, also for a portal admin, for who has left, and outside the space */
export const getPerson = async (ctx: Reading, id: string): Promise<PersonView> =>
  orNotFound(await ctx.sql.one<PersonView>(queries.personById(id, viewpointOf(ctx))), 'person');

const nouns: Readonly<Record<PersonKind, string>> = {
  OWNER: 'owner',
  STUDENT: 'student',
  PARENT: 'parent',
  STAFF: 'member of staff',
};

/** @throws AppError not_found, also for somebody of another kind */
export const getOfKind = async <Kind extends PersonKind>(ctx: Reading, kind: Kind, id: string) =>
  orNotFound(await ctx.sql.one<WholeOf[Kind]>(queries.personById(id, viewpointOf(ctx), kind)), nouns[kind]);
