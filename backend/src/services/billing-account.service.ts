import type { BillingEntryKind } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { decimal, rupees, type Decimal } from '../utils/money.ts';
import { sql } from '../utils/sql.ts';

/**
 * What a tenant has to its credit, in rupees. Its account is locked until the end of the transaction: take it after the
 * subscription and the invoice, and before a number of a series, so that nobody waits in a circle.
 */
export async function lockBillingAccount(ctx: WriteContext, tenantId: string): Promise<Decimal> {
  const account = await ctx.sql.one<{ balance: string }>(sql`
    insert into billing_accounts (tenant_id, created_at, updated_at) values (${tenantId}, ${ctx.now}, ${ctx.now})
    on conflict (tenant_id) do update set updated_at = billing_accounts.updated_at
    returning credit_balance::text as balance`);
  return decimal(account?.balance ?? 0);
}

export type BillingMovement = {
  tenantId: string;
  kind: BillingEntryKind;
  /** Rupees; positive in the tenant's favour. */
  amount: Decimal;
  invoiceId?: string | null;
  creditNoteId?: string | null;
  paymentId?: string | null;
};

/** Moves a tenant's credit balance. @returns the balance after it @throws when it would be less than nothing */
export async function moveCreditBalance(ctx: WriteContext, movement: BillingMovement): Promise<Decimal> {
  const { tenantId, amount, ...rest } = movement;
  const balance = (await lockBillingAccount(ctx, tenantId)).plus(amount);
  await ctx.db.billingAccount.update({ where: { tenantId }, data: { creditBalance: rupees(balance) } });
  await ctx.db.billingEntry.create({
    data: { tenantId, ...rest, amount: rupees(amount), balance: rupees(balance), createdAt: ctx.now },
  });
  return balance;
}
