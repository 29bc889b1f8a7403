import type { z } from 'zod';
import * as rules from '../services/ip-rules.service.ts';
import * as lists from '../services/security-lists.service.ts';
import { getSecurityOverview } from '../services/security-overview.service.ts';
import * as policies from '../services/security-policy-changes.service.ts';
import * as sessions from '../services/session-admin.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type * as ipRules from '../validators/ip-rules.validator.ts';
import type { changePolicyBody, policyType } from '../validators/security-policies.validator.ts';
import type * as v from '../validators/security.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

export const getOverview = (ctx: ReadContext<Actor>) => getSecurityOverview(ctx);

export const listPolicies = (ctx: ReadContext<Actor>) => policies.listPolicies(ctx);

type PolicyTypeName = Uppercase<z.output<typeof policyType>['type']>;

export function changePolicy(
  ctx: WriteContext<Actor>,
  {
    params,
    body,
    ifMatch,
  }: { params: z.output<typeof policyType>; ifMatch: number | undefined } & Body<typeof changePolicyBody>,
) {
  const { dryRun, ...changes } = body;
  const type = params.type.toUpperCase() as PolicyTypeName;
  return policies.changePolicy(ctx, type, { changes, dryRun, seenVersion: ifMatch });
}

export const listIpRules = (ctx: ReadContext<Actor>, { query }: Query<typeof ipRules.listIpRulesQuery>) =>
  rules.listIpRules(ctx, query);

export const createIpRule = (ctx: WriteContext<Actor>, { body }: Body<typeof ipRules.createIpRuleBody>) =>
  rules.createIpRule(ctx, body);

export const deleteIpRule = (ctx: WriteContext<Actor>, { params }: Of) => rules.deleteIpRule(ctx, params.id);

export const testIpRules = (ctx: WriteContext<Actor>, { body }: Body<typeof ipRules.testIpRulesBody>) =>
  rules.testIpRules(ctx, body.address);

export const listLoginAttempts = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listLoginAttemptsQuery>) =>
  lists.listLoginAttempts(ctx, query);

export const listLockouts = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listLockoutsQuery>) =>
  lists.listLockouts(ctx, query);

export const liftLockout = (ctx: ManualContext<Actor>, { params }: Of) => lists.liftLockout(ctx, params.id);

export const listAllSessions = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listAllSessionsQuery>) =>
  sessions.listAllSessions(ctx, query);

export const revokeSessions = async (ctx: WriteContext<Actor>, { body }: Body<typeof v.revokeSessionsBody>) => ({
  revoked: await sessions.revokeSessions(ctx, body),
});

export async function revokeAnySession(ctx: WriteContext<Actor>, { params }: Of) {
  await sessions.revokeAnySession(ctx, params.id);
  return { revoked: 1 };
}

export const listSecurityEvents = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listSecurityEventsQuery>) =>
  lists.listSecurityEvents(ctx, query);

export const resolveSecurityEvent = (
  ctx: WriteContext<Actor>,
  { params, body }: Of & Body<typeof v.resolveEventBody>,
) => lists.resolveSecurityEvent(ctx, params.id, body.resolution);
