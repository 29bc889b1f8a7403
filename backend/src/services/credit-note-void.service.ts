import type { Actor, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { decimal, rupees, ZERO } from '../utils/money.ts';
import { lockBillingAccount, moveCreditBalance } from './billing-account.service.ts';
import { invoiceOfNote, lockCreditNote, type LockedCreditNote } from './credit-note-issue.queries.ts';
import { getCreditNote, type CreditNoteView } from './credit-notes.service.ts';
import { lockedWithSubscription } from './invoice-lifecycle.service.ts';
import { settle } from './invoice-settlement.service.ts';
import { closePaymentLinks } from './payment-link-closing.service.ts';

/**
 * Undoes a credit note: what was set off is due again, and what was credited leaves the balance. It keeps its number.
 * @throws AppError not_found; invalid_transition for a void one; conflict where money went back, or the credit is used
 */
export async function voidCreditNote(ctx: WriteContext<Actor>, id: string, reason: string): Promise<CreditNoteView> {
  const { invoiceId } = orNotFound(await ctx.sql.one<{ invoiceId: string }>(invoiceOfNote(id)), 'credit note');
  await lockedWithSubscription(ctx, invoiceId);
  const note = orNotFound(await ctx.sql.one<LockedCreditNote>(lockCreditNote(id)), 'credit note');
  assertVoidable(note);
  const { tenantId, number, status } = note;
  await takeCreditBack(ctx, note);
  const offset = decimal(note.offset);
  if (offset.gt(ZERO)) {
    await settle(ctx, invoiceId, { credited: offset.negated() });
    await closePaymentLinks(ctx, invoiceId);
  }
  const data = { status: 'VOID', voidedAt: ctx.now, voidReason: reason } as const;
  await ctx.db.creditNote.update({ where: { id }, data, select: { id: true } });
  ctx.audit({
    resource: 'credit_note',
    resourceId: id,
    tenantId,
    before: { status },
    after: { status: 'VOID' },
    details: { number, reason },
  });
  return getCreditNote(ctx, id);
}

function assertVoidable({ status, isRefunded }: LockedCreditNote): void {
  if (status !== 'ISSUED') {
    throw new AppError('invalid_transition', `The credit note is ${status}: only one that stands can be voided.`, {
      status,
    });
  }
  if (isRefunded) {
    throw new AppError(
      'conflict',
      'Money went back to the payer, or is about to: that cannot be undone. Invoice it anew.',
    );
  }
}

async function takeCreditBack(
  ctx: WriteContext,
  { id, tenantId, invoiceId, ...note }: LockedCreditNote,
): Promise<void> {
  const credit = decimal(note.credited);
  if (credit.isZero()) return;
  const balance = await lockBillingAccount(ctx, tenantId);
  if (balance.lt(credit)) {
    const told = `Only ${rupees(balance)} of the ${rupees(credit)} rupees are left in the credit balance: the rest is used.`;
    throw new AppError('conflict', told, { balance: rupees(balance), credit: rupees(credit) });
  }
  const amount = credit.negated();
  await moveCreditBalance(ctx, { tenantId, kind: 'CREDIT_NOTE_VOIDED', amount, invoiceId, creditNoteId: id });
}
