import type { PaymentMethodStatus } from '../generated/prisma/enums.ts';
import type { GatewayToken } from '../providers/payment-gateway.provider.ts';
import type { WriteContext } from '../types/context.ts';
import { fromPaise, rupees } from '../utils/money.ts';
import { sql, type Sql } from '../utils/sql.ts';
import { lockBillingAccount } from './billing-account.service.ts';

// Which payment methods can be charged. Whoever changes that has the tenant's billing account locked, so that exactly one
// of those that can is the default.

export type LockedMethod = {
  id: string;
  tenantId: string;
  status: PaymentMethodStatus;
  isDefault: boolean;
  gateway: string;
  gatewayTokenId: string | null;
  version: number;
};

const lockMethod = (id: string): Sql => sql`
  select id, tenant_id as "tenantId", status, is_default as "isDefault", gateway, gateway_token_id as "gatewayTokenId", version
    from payment_methods where id = ${id} for update`;

/** The payment method, with the account of its tenant, until the end of the transaction. */
export async function lockedMethod(ctx: WriteContext, id: string): Promise<LockedMethod | undefined> {
  const known = await ctx.sql.one<{ tenantId: string }>(
    sql`select tenant_id as "tenantId" from payment_methods where id = ${id}`,
  );
  if (!known) return undefined;
  await lockBillingAccount(ctx, known.tenantId);
  return ctx.sql.one<LockedMethod>(lockMethod(id));
}

/** It is not charged any more; another one that can be is the default in its place. Does nothing to one that is gone. */
export async function retireMethod(
  ctx: WriteContext,
  method: LockedMethod,
  status: 'FAILED' | 'REMOVED',
  details: object,
): Promise<void> {
  await ctx.db.paymentMethod.update({
    where: { id: method.id },
    data: {
      status,
      isDefault: false,
      checkoutUrl: null,
      version: { increment: 1 },
      updatedAt: ctx.now,
      ...(status === 'REMOVED' && { removedAt: ctx.now }),
    },
    select: { id: true },
  });
  if (method.isDefault) await ctx.sql.many(promoteNewest(method.tenantId, ctx.now));
  const isRemoval = status === 'REMOVED';
  audit(ctx, method, { status, ...details }, isRemoval ? 'revenue.payment_method_delete' : undefined);
}

const promoteNewest = (tenantId: string, now: Date): Sql => sql`
  update payment_methods set is_default = true, version = version + 1, updated_at = ${now}
   where id = (select id from payment_methods where tenant_id = ${tenantId} and status = 'ACTIVE'
                order by created_at desc, id desc limit 1)
  returning id`;

const audit = (
  ctx: WriteContext,
  { id, tenantId }: LockedMethod,
  after: object,
  action: 'revenue.payment_method_update' | 'revenue.payment_method_delete' = 'revenue.payment_method_update',
): void => ctx.audit({ action, resource: 'payment_method', resourceId: id, tenantId, after });

/** A hard decline, or the bank's word: it will never pay again (rule 25). */
export async function failPaymentMethod(ctx: WriteContext, id: string, reason: string): Promise<void> {
  const method = await lockedMethod(ctx, id);
  if (method?.status !== 'ACTIVE' && method?.status !== 'PENDING') return;
  await retireMethod(ctx, method, 'FAILED', { reason });
}

/** The payer has agreed: it can be charged, and is the default where there is none. */
export async function activateMethod(ctx: WriteContext, method: LockedMethod, token: GatewayToken): Promise<void> {
  const { tenantId, id } = method;
  const other = await ctx.sql.one(sql`
    select 1 from payment_methods where tenant_id = ${tenantId} and is_default and id <> ${id}`);
  const most = token.mandate.maxAmountPaise;
  await ctx.db.paymentMethod.update({
    where: { id },
    data: {
      status: 'ACTIVE',
      gatewayTokenId: token.id,
      checkoutUrl: null,
      label: labelOf(token),
      brand: token.network ?? token.brand,
      last4: token.last4,
      vpa: token.vpa,
      expiryMonth: token.expiryMonth,
      expiryYear: token.expiryYear,
      ...(most !== null && { mandateMaxAmount: rupees(fromPaise(most)) }),
      isDefault: !other,
      version: { increment: 1 },
      updatedAt: ctx.now,
    },
    select: { id: true },
  });
  audit(ctx, method, { status: 'ACTIVE', label: labelOf(token), isDefault: !other });
}

/** Such as `HDFC Visa 4242`, or a masked UPI address. */
const labelOf = ({ vpa, brand, network, last4 }: GatewayToken): string =>
  vpa ?? ([brand, network, last4].filter(Boolean).join(' ') || 'Payment method');
