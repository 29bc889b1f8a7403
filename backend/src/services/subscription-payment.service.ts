import type { ReadContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { sql, type Sql } from '../utils/sql.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';

type Payer = Pick<SubscriptionRow, 'tenantId' | 'paymentMethodId' | 'collectionMethod'>;

/** The method that a subscription is charged to: its own, else the default one of the tenant. */
export const usableMethod = (tenantId: Sql, paymentMethodId: Sql): Sql => sql`
  select m.id from payment_methods m
   where m.tenant_id = ${tenantId} and m.status = 'ACTIVE' and (m.id = ${paymentMethodId} or m.is_default)
   order by (m.id = ${paymentMethodId}) is true desc limit 1`;

/** Whether it is charged by itself, and can be. */
export async function isCharged(ctx: Pick<ReadContext, 'sql'>, payer: Payer): Promise<boolean> {
  if (payer.collectionMethod !== 'AUTOMATIC') return false;
  const { tenantId, paymentMethodId } = payer;
  return (await ctx.sql.one(usableMethod(sql`${tenantId}`, sql`${paymentMethodId}::text`))) !== undefined;
}

/**
 * People of a tenant get nothing that nobody can charge them for: what is charged by itself needs a method for it. StudySpot
 * may give credit.
 * @throws AppError conflict, saying how to add one
 */
export function assertCanPay(ctx: Pick<ReadContext, 'actor'>, payer: Payer, charged: boolean): void {
  if (ctx.actor?.type !== 'PLATFORM_USER' || payer.collectionMethod !== 'AUTOMATIC' || charged) return;
  throw new AppError(
    'conflict',
    'There is no payment method that can be charged. Add one first: POST /api/revenue/payment-methods.',
  );
}

/**
 * What people of a tenant owe is paid before they take more.
 * @param today a day in India
 * @throws AppError conflict, naming the oldest invoice that is overdue
 */
export async function assertNothingOverdue(
  ctx: Pick<ReadContext, 'sql' | 'actor'>,
  tenantId: string,
  today: string,
): Promise<void> {
  if (ctx.actor?.type !== 'PLATFORM_USER') return;
  const overdue = await ctx.sql.one<{ number: string }>(sql`
    select number from invoices where tenant_id = ${tenantId} and status = 'OPEN' and due_date < ${today}::date
     order by due_date, id limit 1`);
  if (overdue) throw new AppError('conflict', `Invoice ${overdue.number} is overdue. Pay it first.`);
}
