import type { WriteContext } from '../types/context.ts';
import { sql } from '../utils/sql.ts';

/**
 * Nobody is to pay an invoice by a link when there is nothing left to pay, or another amount than it says: the gateway is
 * told by a job. Call it in the transaction of what changes that. Money that comes by such a link meanwhile is not lost:
 * it goes to what is due, else to the credit balance.
 */
export async function closePaymentLinks(ctx: WriteContext, invoiceId: string): Promise<void> {
  const closed = await ctx.sql.many<{ id: string; tenantId: string }>(sql`
    update payment_links l set status = 'CANCELLED', updated_at = ${ctx.now}
      from invoices i
     where l.invoice_id = ${invoiceId} and l.status = 'OPEN' and i.id = l.invoice_id
       and (i.status not in ('OPEN', 'UNCOLLECTIBLE') or i.amount_due <> l.amount)
    returning l.id, l.tenant_id as "tenantId"`);
  for (const { id, tenantId } of closed) {
    ctx.enqueue('invoice.cancel-link', { linkId: id }, { tenantId, dedupeKey: `cancel-link-${id}` });
  }
}
