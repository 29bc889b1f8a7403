import type { z } from 'zod';
import * as creation from '../services/subscription-create.service.ts';
import * as migration from '../services/subscription-migration.service.ts';
import * as upcoming from '../services/subscription-upcoming.service.ts';
import * as subscriptions from '../services/subscriptions.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type * as c from '../validators/subscription-changes.validator.ts';
import type * as v from '../validators/subscriptions.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

export const listSubscriptions = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listSubscriptionsQuery>) =>
  subscriptions.listSubscriptions(ctx, query);

export const createSubscription = async (ctx: WriteContext<Actor>, { body }: Body<typeof v.createSubscriptionBody>) => {
  const { row, invoice } = await creation.createBilledSubscription(ctx, body);
  return subscriptions.billedView(ctx, row.id, [invoice]);
};

export const listExpiring = (ctx: ReadContext<Actor>, { query }: Query<typeof v.expiringQuery>) =>
  subscriptions.listExpiring(ctx, query);

export const getFigures = (ctx: ReadContext<Actor>) => subscriptions.subscriptionFigures(ctx);

export const migratePlan = (ctx: ManualContext<Actor>, { body }: Body<typeof c.migratePlanBody>) =>
  migration.migratePlan(ctx, body);

export const getSubscription = (ctx: ReadContext<Actor>, { params }: Of) =>
  subscriptions.getSubscription(ctx, params.id);

export const updateSubscription = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: Of & Body<typeof v.updateSubscriptionBody> & { ifMatch: number | undefined },
) => subscriptions.updateSubscription(ctx, params.id, body, ifMatch);

export const setPaymentMethod = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.paymentMethodBody>) =>
  subscriptions.setPaymentMethod(ctx, params.id, body.paymentMethodId);

export const listChanges = (ctx: ReadContext<Actor>, { params, query }: Of & Query<typeof c.listChangesQuery>) =>
  subscriptions.listChanges(ctx, params.id, query);

export const listInvoices = (ctx: ReadContext<Actor>, { params, query }: Of & Query<typeof v.invoicesOfQuery>) =>
  subscriptions.listInvoicesOf(ctx, params.id, query);

export const listTimeline = (ctx: ReadContext<Actor>, { params, query }: Of & Query<typeof c.timelineQuery>) =>
  subscriptions.listTimeline(ctx, params.id, query);

export const getEntitlements = (ctx: ReadContext<Actor>, { params }: Of) =>
  subscriptions.entitlementsOfSubscription(ctx, params.id);

export const getUpcomingInvoice = (ctx: ReadContext<Actor>, { params }: Of) =>
  upcoming.upcomingInvoiceOf(ctx, params.id);

export const renewSubscription = (ctx: ManualContext<Actor>, { params }: Of) =>
  subscriptions.renewSubscription(ctx, params.id);
