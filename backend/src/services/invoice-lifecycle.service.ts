import type { InvoiceStatus } from '../generated/prisma/enums.ts';
import type { Actor, ManualContext, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { decimal } from '../utils/money.ts';
import { moveCreditBalance } from './billing-account.service.ts';
import { closeDunningOf } from './dunning-close.service.ts';
import { finalizeInvoice } from './invoice-issue.service.ts';
import { allocatePayment, lockedInvoice, type LockedInvoice } from './invoice-settlement.service.ts';
import * as queries from './invoices.queries.ts';
import { getInvoice, type InvoiceView } from './invoices.service.ts';
import { closePaymentLinks } from './payment-link-closing.service.ts';
import { lockedSubscription } from './subscription-history.service.ts';
import { recoverSubscription } from './subscription-recovery.service.ts';

type Finalized = { id: string; number: string | null; error: string | null };

const whenCollected = (ctx: { now: Date }, collect: boolean) => ({ collectAfter: collect ? ctx.now : null });

/**
 * Gives a draft its number (rule 17) and makes it an invoice; what the tenant has to its credit pays it first.
 * @param collect whether the next collection run charges it to the default payment method
 * @throws AppError not_found; invalid_transition for what is no draft
 */
export async function finalizeDraft(ctx: WriteContext<Actor>, id: string, collect: boolean): Promise<InvoiceView> {
  await finalizeInvoice(ctx, id, whenCollected(ctx, collect));
  return getInvoice(ctx, id);
}

/**
 * Finalizes several drafts in the order given, each in a transaction of its own: what cannot be finalized leaves the
 * others alone, and what is done stays done when the process ends half-way. Sent again it goes on with what is left.
 */
export async function finalizeDrafts(ctx: ManualContext<Actor>, ids: readonly string[], collect: boolean) {
  const errors = new Map<string, string>();
  for (const id of ids) {
    try {
      await ctx.transact((tx) => finalizeInvoice(tx, id, whenCollected(ctx, collect)));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      errors.set(id, error.message);
    }
  }
  const rows = await ctx.sql.many<{ id: string; number: string | null }>(queries.numbersOf(ids));
  const numbers = new Map(rows.map(({ id, number }) => [id, number]));
  const results = ids.map((id): Finalized => ({ id, number: numbers.get(id) ?? null, error: errors.get(id) ?? null }));
  const finalized = ids.length - errors.size;
  await ctx.transact(async ({ audit }) =>
    audit({ resource: 'invoice', resourceId: null, details: { finalized, failed: Object.fromEntries(errors) } }),
  );
  return { finalized, results };
}

/**
 * Takes an invoice back as if it had never been; its number stays (rule 17). What was paid of it from the credit balance
 * goes back there, and its dunning ends.
 * @throws AppError not_found; invalid_transition for a draft or a void one; conflict once money was paid, a credit note
 *   stands on it, or while a payment is under way
 */
export async function voidInvoice(ctx: WriteContext<Actor>, id: string, reason: string): Promise<InvoiceView> {
  const invoice = await lockedWithSubscription(ctx, id);
  const { tenantId, status, number } = invoice;
  assertOneOf(invoice, ['OPEN', 'UNCOLLECTIBLE', 'PAID'], 'only one that was issued can be voided');
  await assertNothingStandsOn(ctx, id);
  await returnCredit(ctx, invoice);
  await ctx.db.invoice.update({
    where: { id },
    data: {
      status: 'VOID',
      amountDue: 0,
      paidAt: null,
      collectAfter: null,
      voidedAt: ctx.now,
      voidReason: reason,
      version: { increment: 1 },
      updatedAt: ctx.now,
    },
    select: { id: true },
  });
  ctx.audit({
    resource: 'invoice',
    resourceId: id,
    tenantId,
    before: { status },
    after: { status: 'VOID' },
    details: { number, reason },
  });
  await closePaymentLinks(ctx, id);
  await endDunning(ctx, invoice);
  return getInvoice(ctx, id);
}

/**
 * Writes an open invoice off: it is owed all the same, and may still be paid, but nobody asks for it any more.
 * @throws AppError not_found; invalid_transition for what is not open
 */
export async function markUncollectible(ctx: WriteContext<Actor>, id: string, reason: string): Promise<InvoiceView> {
  const invoice = await lockedWithSubscription(ctx, id);
  const { tenantId, status, number, amountDue } = invoice;
  assertOneOf(invoice, ['OPEN'], 'only an open one can be written off');
  await ctx.db.invoice.update({
    where: { id },
    data: {
      status: 'UNCOLLECTIBLE',
      uncollectibleAt: ctx.now,
      collectAfter: null,
      version: { increment: 1 },
      updatedAt: ctx.now,
    },
    select: { id: true },
  });
  ctx.audit({
    resource: 'invoice',
    resourceId: id,
    tenantId,
    before: { status },
    after: { status: 'UNCOLLECTIBLE' },
    details: { number, reason, amountDue },
  });
  await endDunning(ctx, invoice);
  return getInvoice(ctx, id);
}

/** The subscription comes first, as everywhere: what ends the dunning of an invoice may change it. */
export async function lockedWithSubscription(ctx: WriteContext, id: string): Promise<LockedInvoice> {
  const found = await ctx.sql.one<{ subscriptionId: string | null }>(queries.subscriptionOf(id));
  const { subscriptionId } = orNotFound(found, 'invoice');
  if (subscriptionId) await lockedSubscription(ctx, subscriptionId);
  return lockedInvoice(ctx, id);
}

function assertOneOf({ status }: LockedInvoice, allowed: readonly InvoiceStatus[], told: string): void {
  if (allowed.includes(status)) return;
  throw new AppError('invalid_transition', `The invoice is ${status}: ${told}.`, { status, allowed });
}

async function assertNothingStandsOn(ctx: WriteContext, id: string): Promise<void> {
  const holds = await ctx.sql.one<{ creditNote: string | null; attempt: string | null }>(queries.holdsOn(id));
  if (holds?.creditNote) {
    const told = `The credit note ${holds.creditNote} stands on the invoice. Issue another one for the rest instead.`;
    throw new AppError('conflict', told, { creditNote: holds.creditNote });
  }
  if (holds?.attempt) {
    const told = 'A payment of the invoice is under way. Wait until it is known what became of it.';
    throw new AppError('conflict', told, { paymentId: holds.attempt });
  }
}

/** @throws AppError conflict where anything was paid otherwise than from the credit balance */
async function returnCredit(ctx: WriteContext, { id, tenantId }: LockedInvoice): Promise<void> {
  const paid = await ctx.sql.many<{ paymentId: string; method: string; amount: string }>(queries.allocationsOf(id));
  if (paid.some(({ method }) => method !== 'CREDIT_BALANCE')) {
    throw new AppError('conflict', 'Money was paid on the invoice. Issue a credit note instead, which can refund it.');
  }
  for (const { paymentId, ...rest } of paid) {
    const amount = decimal(rest.amount);
    await allocatePayment(ctx, { paymentId, tenantId, invoiceId: id, amount: amount.negated() });
    await moveCreditBalance(ctx, { tenantId, kind: 'RETURNED', amount, invoiceId: id, paymentId });
  }
}

async function endDunning(ctx: WriteContext, { id, subscriptionId }: LockedInvoice): Promise<void> {
  await closeDunningOf(ctx, id, 'SETTLED');
  if (subscriptionId) await recoverSubscription(ctx, subscriptionId);
}
