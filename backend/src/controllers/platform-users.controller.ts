import type { z } from 'zod';
import * as status from '../services/platform-user-status.service.ts';
import * as views from '../services/platform-user-views.service.ts';
import * as people from '../services/platform-users.service.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/platform-users.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

export const listPeople = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listPeopleQuery>) =>
  views.listPeople(ctx, query);
export const listOwners = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listPeopleOfKindQuery>) =>
  views.listOfKind(ctx, 'OWNER', query);
export const listStudents = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listStudentsQuery>) =>
  views.listOfKind(ctx, 'STUDENT', query);
export const listParents = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listPeopleOfKindQuery>) =>
  views.listOfKind(ctx, 'PARENT', query);
export const listStaff = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listPeopleOfKindQuery>) =>
  views.listOfKind(ctx, 'STAFF', query);

export const getPerson = (ctx: ReadContext<Actor>, { params }: Of) => views.getPerson(ctx, params.id);
export const getOwner = (ctx: ReadContext<Actor>, { params }: Of) => views.getOfKind(ctx, 'OWNER', params.id);
export const getStudent = (ctx: ReadContext<Actor>, { params }: Of) => views.getOfKind(ctx, 'STUDENT', params.id);
export const getParent = (ctx: ReadContext<Actor>, { params }: Of) => views.getOfKind(ctx, 'PARENT', params.id);
export const getStaffMember = (ctx: ReadContext<Actor>, { params }: Of) => views.getOfKind(ctx, 'STAFF', params.id);

export const createPerson = (ctx: WriteContext<Actor>, { body }: Body<typeof v.createPersonBody>) =>
  people.createPerson(ctx, body);

export const updatePerson = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: Of & Body<typeof v.updatePersonBody> & { ifMatch: number | undefined },
) => people.updatePerson(ctx, params.id, body, ifMatch);

export async function deletePerson(ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.optionalReasonBody>) {
  await status.deletePerson(ctx, params.id, body.reason);
  return { done: true as const };
}

export const activatePerson = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.optionalReasonBody>) =>
  status.activatePerson(ctx, params.id, body.reason);

export const deactivatePerson = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.reasonBody>) =>
  status.deactivatePerson(ctx, params.id, body.reason);

export async function resetPassword(ctx: WriteContext<Actor>, { params }: Of) {
  await status.sendPasswordReset(ctx, params.id);
  return { message: 'A mail with a link to choose a password is on its way.' };
}
