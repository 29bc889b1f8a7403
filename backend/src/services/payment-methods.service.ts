import type { z } from 'zod';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, assertVersion, invalidField, orNotFound } from '../utils/errors.ts';
import { page } from '../utils/page.ts';
import type { paymentMethod } from '../validators/payment-methods.validator.ts';
import { lockedMethod, retireMethod } from './payment-method-status.service.ts';
import * as queries from './payment-methods.queries.ts';
import { beginMandate, type MandateOrder } from './payment-mandates.service.ts';

type PaymentMethodView = z.input<typeof paymentMethod>;

export const listPaymentMethods = (
  ctx: ReadContext,
  filter: queries.PaymentMethodFilter & { page: number; limit: number },
) => page<PaymentMethodView>(ctx, filter, queries.methodRows(filter));

/** @throws AppError not_found */
export const getPaymentMethod = async (ctx: Pick<ReadContext, 'sql'>, id: string): Promise<PaymentMethodView> =>
  orNotFound(await ctx.sql.one<PaymentMethodView>(queries.methodById(id)), 'payment method');

/**
 * Begins to add a payment method: the payer agrees on a page of the gateway, and by its webhook or a poll it becomes
 * ACTIVE. The first one that does is the default.
 * @throws AppError not_found for a tenant outside the scope
 */
export async function createPaymentMethod(
  ctx: ManualContext<Actor>,
  { tenantId, ...order }: MandateOrder & { tenantId?: string | undefined },
) {
  const { id, checkout } = await beginMandate(ctx, tenantFor(ctx, tenantId), order);
  return { ...(await getPaymentMethod(ctx, id)), checkout };
}

function tenantFor({ tenantId }: ManualContext<Actor>, named: string | undefined): string {
  if (tenantId !== null) {
    if (named === undefined || named === tenantId) return tenantId;
    throw new AppError('tenant_mismatch', 'tenantId names another tenant than the one you work in. Leave it out.');
  }
  if (named !== undefined) return named;
  throw invalidField('tenantId', 'is missing: name the tenant here or in the header x-tenant-id');
}

/** Charges go to it from now on, unless a subscription names another. @throws AppError not_found, invalid_transition */
export async function makeDefault(
  ctx: WriteContext<Actor>,
  id: string,
  seenVersion?: number,
): Promise<PaymentMethodView> {
  const method = orNotFound(await lockedMethod(ctx, id), 'payment method');
  assertVersion(seenVersion, method.version, 'payment method');
  if (method.status !== 'ACTIVE') {
    const why = `The payment method is ${method.status}: only one that is ACTIVE can be charged.`;
    throw new AppError('invalid_transition', why, { status: method.status });
  }
  const { tenantId } = method;
  if (!method.isDefault) {
    const changed = { version: { increment: 1 }, updatedAt: ctx.now };
    await ctx.db.paymentMethod.updateMany({
      where: { tenantId, isDefault: true },
      data: { isDefault: false, ...changed },
    });
    await ctx.db.paymentMethod.update({ where: { id }, data: { isDefault: true, ...changed }, select: { id: true } });
  }
  const { isDefault } = method;
  ctx.audit({
    resource: 'payment_method',
    resourceId: id,
    tenantId,
    before: { isDefault },
    after: { isDefault: true },
  });
  return getPaymentMethod(ctx, id);
}

/**
 * It is not charged any more from this moment; a job ends the mandate at the gateway and at the payer's bank.
 * @throws AppError not_found; invalid_transition for one that was removed; conflict while it is all that a subscription
 *   which owes money can be charged to
 */
export async function removePaymentMethod(ctx: WriteContext<Actor>, id: string): Promise<PaymentMethodView> {
  const method = orNotFound(await lockedMethod(ctx, id), 'payment method');
  if (method.status === 'REMOVED') throw new AppError('invalid_transition', 'The payment method was removed before.');
  if (method.status === 'ACTIVE' && (await ctx.sql.one(queries.isNeeded(method.tenantId, id)))) {
    throw new AppError(
      'conflict',
      'The subscription owes money and can be charged to nothing else. Pay what is due, or add another payment method first.',
    );
  }
  await retireMethod(ctx, method, 'REMOVED', {});
  const { tenantId } = method;
  ctx.enqueue('invoice.end-mandate', { paymentMethodId: id }, { tenantId, dedupeKey: `end-mandate-${id}` });
  return getPaymentMethod(ctx, id);
}
