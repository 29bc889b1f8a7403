import { DateTime } from 'luxon';
import type { PaymentMethodKind } from '../generated/prisma/enums.ts';
import { GatewayRefused, GatewayUnavailable, type GatewayToken } from '../providers/payment-gateway.provider.ts';
import type { Actor, ManualContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { newId } from '../utils/ids.ts';
import { toPaise } from '../utils/money.ts';
import { lockBillingAccount } from './billing-account.service.ts';
import { paymentGateway } from './payment-gateway.service.ts';
import { activateMethod, failPaymentMethod, lockedMethod } from './payment-method-status.service.ts';
import * as queries from './payment-methods.queries.ts';

// What payers allow at the gateway: begun by us, agreed to on its page, and ended by us or by them.

type Anybody = ManualContext;

const MANDATE_YEARS = 10;

export type MandateOrder = {
  kind: PaymentMethodKind;
  /** The most that may be charged at once, rupees. */
  maxAmount: string;
};

/** What the payer's browser needs to go on. */
export type Checkout = { url: string | null; keyId: string | null; orderId: string; customerId: string };

/**
 * Has the gateway begin a mandate, and notes it down as a payment method that is PENDING. A process that dies in between
 * leaves an order at the gateway that nobody was told of.
 * @throws AppError not_found; service_unavailable
 */
export async function beginMandate(
  ctx: ManualContext<Actor>,
  tenantId: string,
  { kind, maxAmount }: MandateOrder,
): Promise<{ id: string; checkout: Checkout }> {
  const gateway = paymentGateway();
  const payer = orNotFound(await ctx.sql.one<queries.Payer>(queries.payerOf(tenantId, gateway.name)), 'tenant');
  const id = newId();
  const checkout = await openCheckout(ctx, payer, { id, tenantId, kind, maxAmount });
  await ctx.transact(async (tx) => {
    await lockBillingAccount(tx, tenantId);
    const { customerId: gatewayCustomerId, orderId: gatewayOrderId, url: checkoutUrl } = checkout;
    await tx.db.billingAccount.update({ where: { tenantId }, data: { gatewayCustomerId } });
    await tx.db.paymentMethod.create({
      data: {
        id,
        tenantId,
        kind,
        status: 'PENDING',
        gateway: gateway.name,
        gatewayCustomerId,
        gatewayOrderId,
        checkoutUrl,
        mandateMaxAmount: maxAmount,
        createdAt: tx.now,
        updatedAt: tx.now,
      },
      select: { id: true },
    });
    tx.audit({ resource: 'payment_method', resourceId: id, tenantId, after: { kind, maxAmount, status: 'PENDING' } });
  });
  return { id, checkout };
}

async function openCheckout(
  { now }: Anybody,
  { name, email, phone, gatewayCustomerId }: queries.Payer,
  method: MandateOrder & { id: string; tenantId: string },
): Promise<Checkout> {
  const gateway = paymentGateway();
  const customer = { name, email, ...(phone && { phone }), reference: method.tenantId };
  try {
    const customerId = gatewayCustomerId ?? (await gateway.createCustomer(customer)).id;
    const { orderId, checkoutUrl, keyId } = await gateway.createMandate({
      customerId,
      method: method.kind,
      maxAmountPaise: toPaise(method.maxAmount),
      expiresAt: DateTime.fromJSDate(now).plus({ years: MANDATE_YEARS }).toJSDate(),
      reference: method.id,
    });
    return { url: checkoutUrl ?? null, keyId: keyId ?? null, orderId, customerId };
  } catch (cause) {
    if (cause instanceof GatewayUnavailable) {
      const why = 'The payment gateway does not answer. Try again in a moment.';
      throw new AppError('service_unavailable', why, { retryAfterSeconds: 30 }, { cause });
    }
    if (!(cause instanceof GatewayRefused)) throw cause;
    const why = 'The payment gateway takes no payment method like that. Check the email and phone of the library.';
    throw new AppError('conflict', why, {}, { cause });
  }
}

/** Asks the gateway whether the payer has agreed by now. @returns what came of it */
export async function refreshMandate(ctx: Anybody, id: string): Promise<'ACTIVE' | 'FAILED' | 'WAITING'> {
  const method = orNotFound(await ctx.sql.one<queries.MandateRow>(queries.mandateById(id)), 'payment method');
  if (method.status === 'REMOVED') await endMandate(ctx, id);
  const isPending = method.status === 'PENDING';
  if (!isPending && method.status !== 'FAILED') return 'WAITING';
  const tokens = await tokensOf(method);
  // One that has failed is not taken again; the payer may have begun anew on the same page.
  const agreed = tokens.find((token) => isActive(token) && (isPending || token.id !== method.gatewayTokenId));
  if (agreed) return activate(ctx, id, agreed);
  const waits = tokens.find(({ mandate }) => mandate.status === 'INITIATED');
  if (isPending && tokens[0] && !waits) return reject(ctx, id, tokens[0]);
  // Known from now on: the bank may take days, and what it says names nothing but the token.
  if (isPending && waits) await remember(ctx, id, waits.id);
  return 'WAITING';
}

const isActive = ({ mandate }: GatewayToken): boolean => mandate.status === 'ACTIVE';

/** Of all tries to authorise it, the newest first. */
async function tokensOf({ gateway, gatewayOrderId, gatewayCustomerId }: queries.MandateRow): Promise<GatewayToken[]> {
  if (gatewayOrderId === null || gateway !== paymentGateway().name) return [];
  const payments = await paymentGateway().paymentsOfOrder(gatewayOrderId);
  const newestFirst = payments.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
  const ids = [...new Set(newestFirst.flatMap(({ tokenId }) => tokenId ?? []))];
  const tokens = await Promise.all(ids.map((tokenId) => tokenOrNone(gatewayCustomerId, tokenId)));
  return tokens.filter((token) => token !== undefined);
}

const tokenOrNone = (customerId: string, tokenId: string): Promise<GatewayToken | undefined> =>
  paymentGateway()
    .fetchToken(customerId, tokenId)
    .catch((error: unknown) => {
      if (error instanceof GatewayRefused) return undefined;
      throw error;
    });

const activate = (ctx: Anybody, id: string, token: GatewayToken): Promise<'ACTIVE' | 'WAITING'> =>
  ctx.transact(async (tx) => {
    const method = await lockedMethod(tx, id);
    if (method?.status !== 'PENDING' && method?.status !== 'FAILED') return 'WAITING';
    await activateMethod(tx, method, token);
    return 'ACTIVE';
  });

async function reject(ctx: Anybody, id: string, token: GatewayToken): Promise<'FAILED'> {
  await remember(ctx, id, token.id);
  await ctx.transact((tx) => failPaymentMethod(tx, id, token.mandate.failureReason ?? 'The payer has not agreed'));
  return 'FAILED';
}

const remember = (ctx: Anybody, id: string, gatewayTokenId: string): Promise<unknown> =>
  ctx.transact(({ db, now }) =>
    db.paymentMethod.updateMany({
      where: { id, status: 'PENDING', gatewayTokenId: null },
      data: { gatewayTokenId, updatedAt: now },
    }),
  );

/** The bank or the payer tells something of a mandate that we know. */
export async function hearOfToken(ctx: Anybody, { id }: queries.MandateRow, token: GatewayToken): Promise<string> {
  const { status, failureReason } = token.mandate;
  if (status === 'ACTIVE') return refreshPending(ctx, id, token);
  if (status !== 'CANCELLED' && status !== 'REJECTED') return 'ignored';
  const reason = failureReason ?? (status === 'CANCELLED' ? 'The payer has cancelled it' : 'The payer has not agreed');
  await ctx.transact((tx) => failPaymentMethod(tx, id, reason));
  return 'method_failed';
}

const refreshPending = (ctx: Anybody, id: string, token: GatewayToken): Promise<string> =>
  ctx.transact(async (tx) => {
    const method = await lockedMethod(tx, id);
    if (method?.status !== 'PENDING') return 'known';
    await activateMethod(tx, method, token);
    return 'method_active';
  });

/**
 * Ends the mandate of a method that was removed, at the gateway and at the payer's bank; also one to which the payer has
 * agreed only after that.
 */
export async function endMandate(ctx: Anybody, id: string): Promise<void> {
  const method = orNotFound(await ctx.sql.one<queries.MandateRow>(queries.mandateById(id)), 'payment method');
  const { status, gateway, gatewayCustomerId, gatewayTokenId } = method;
  if (status !== 'REMOVED' || gateway !== paymentGateway().name) return;
  const tokens = await tokensOf(method);
  const ids = new Set([
    ...tokens.filter(isActive).map((token) => token.id),
    ...(gatewayTokenId ? [gatewayTokenId] : []),
  ]);
  for (const tokenId of ids) await paymentGateway().deleteToken(gatewayCustomerId, tokenId);
}
