import type { CollectionMethod, InvoiceReason, InvoiceStatus } from '../generated/prisma/enums.ts';
import type { ReadContext, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { addDays, fiscalYearOf } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { newId } from '../utils/ids.ts';
import { rupees, type Decimal } from '../utils/money.ts';
import { lockBillingAccount } from './billing-account.service.ts';
import { buyerOf, type Buyer } from './buyer.service.ts';
import { supplyBetween } from './gst.policy.ts';
import { priceInvoice, type InvoiceAmounts, type InvoiceLine } from './invoice-amounts.policy.ts';
import * as queries from './invoice-issue.queries.ts';
import { lockedInvoice, payFromCredit, type LockedInvoice } from './invoice-settlement.service.ts';
import type { Period } from './proration.policy.ts';
import { billingSettings, type BillingSettings } from './seller.service.ts';
import { taxRatesOn } from './tax-rates.service.ts';

// Every invoice comes to be here: priced, taxed, numbered, and set off against what the tenant has to its credit.

export type InvoiceOrder = {
  tenantId: string;
  subscriptionId: string | null;
  reason: InvoiceReason;
  collectionMethod: CollectionMethod;
  /** What it is for; unique for a subscription and reason by its start (rule 19). */
  period: Period | null;
  /** From 1; more only for further changes of a subscription on one day. */
  occurrence?: number;
  lines: readonly InvoiceLine[];
  notes?: string | null;
  /** When it is charged by itself, at the earliest; null: never. */
  collectAfter?: Date | null;
};

export type InvoiceQuote = {
  amounts: InvoiceAmounts;
  buyer: Buyer;
  settings: BillingSettings;
  supply: 'INTRA_STATE' | 'INTER_STATE';
  issueDate: string;
  dueDate: string;
};

export type IssuedInvoice = {
  id: string;
  number: string;
  status: InvoiceStatus;
  /** Rupees. */
  total: Decimal;
  amountDue: Decimal;
};

/**
 * What an invoice would say if it were issued now.
 * @throws AppError conflict for a code without a tax rate, or before the company has said who it is
 */
export async function quoteInvoice(
  ctx: Pick<ReadContext, 'sql' | 'log' | 'now'>,
  order: Pick<InvoiceOrder, 'tenantId' | 'reason' | 'lines'>,
): Promise<InvoiceQuote> {
  const settings = await billingSettings(ctx);
  const buyer = await buyerOf(ctx, order.tenantId, settings.seller.stateCode);
  const issueDate = dayInIndia(ctx.now);
  const rates = await taxRatesOn(
    ctx,
    issueDate,
    order.lines.map(({ sacCode }) => sacCode),
  );
  const supply = supplyBetween(settings.seller.stateCode, buyer.stateCode);
  const amounts = priceInvoice(order.lines, rates, { supply, reason: order.reason });
  return { amounts, buyer, settings, supply, issueDate, dueDate: addDays(issueDate, settings.dueDays) };
}

/** Puts a draft down, with what it would come to now. @returns its id */
export async function draftInvoice(ctx: WriteContext, order: InvoiceOrder): Promise<string> {
  const { amounts } = await quoteInvoice(ctx, order);
  assertPayable(amounts);
  const id = await insertDraft(ctx, order, amounts);
  await ctx.sql.one(queries.setDraftSums(id, amounts, ctx.now));
  return id;
}

/** Puts other lines in the place of those of a draft. The invoice is locked by the caller. */
export async function redraftInvoice(
  ctx: WriteContext,
  draft: Pick<LockedInvoice, 'id' | 'tenantId' | 'reason'>,
  lines: readonly InvoiceLine[],
): Promise<void> {
  const { amounts } = await quoteInvoice(ctx, { ...draft, lines });
  assertPayable(amounts);
  await ctx.sql.many(queries.deleteLines(draft.id));
  await ctx.sql.many(queries.insertLines(draft.tenantId, draft.id, amounts.lines));
  await ctx.sql.one(queries.setDraftSums(draft.id, amounts, ctx.now));
}

/**
 * Drafts and finalizes an invoice in one go, for subscriptions. Its audit row is written; sending it is up to the caller.
 * @throws AppError conflict where there is one for this subscription, reason and period
 */
export async function issueInvoice(ctx: WriteContext, order: InvoiceOrder): Promise<IssuedInvoice> {
  const quote = await quoteInvoice(ctx, order);
  assertPayable(quote.amounts);
  const id = await insertDraft(ctx, order, quote.amounts);
  return giveNumber(ctx, { id, tenantId: order.tenantId, collectAfter: order.collectAfter ?? null }, quote);
}

/**
 * Finalizes a draft: taxes and addresses are those of this moment, and its number is given in this transaction (rule 17).
 * @throws AppError not_found; invalid_transition for what is no draft
 */
export async function finalizeInvoice(
  ctx: WriteContext,
  id: string,
  { collectAfter = null }: { collectAfter?: Date | null } = {},
): Promise<IssuedInvoice> {
  const draft = await lockedInvoice(ctx, id);
  if (draft.status !== 'DRAFT') {
    const told = `The invoice is ${draft.status}: only a draft can be finalized.`;
    throw new AppError('invalid_transition', told, { status: draft.status });
  }
  const rows = await ctx.sql.many<queries.DraftLineRow>(queries.draftLines(id));
  if (rows.length === 0) throw new AppError('conflict', 'The draft has no lines. Add one before you finalize it.');
  const lines = rows.map(({ periodStart, periodEnd, ...line }) => ({
    ...line,
    period: periodStart && periodEnd ? { start: periodStart, end: periodEnd } : null,
  }));
  const quote = await quoteInvoice(ctx, { ...draft, lines });
  assertPayable(quote.amounts);
  await ctx.sql.many(queries.deleteLines(id));
  await ctx.sql.many(queries.insertLines(draft.tenantId, id, quote.amounts.lines));
  return giveNumber(ctx, { id, tenantId: draft.tenantId, collectAfter }, quote);
}

async function insertDraft(ctx: WriteContext, order: InvoiceOrder, amounts: InvoiceAmounts): Promise<string> {
  const id = newId();
  await ctx.sql.one(
    queries.insertDraft({
      id,
      tenantId: order.tenantId,
      subscriptionId: order.subscriptionId,
      reason: order.reason,
      collectionMethod: order.collectionMethod,
      periodStart: order.period?.start ?? null,
      periodEnd: order.period?.end ?? null,
      occurrence: order.occurrence ?? 1,
      notes: order.notes ?? null,
      createdById: ctx.actor?.id ?? null,
      createdAt: ctx.now,
    }),
  );
  await ctx.sql.many(queries.insertLines(order.tenantId, id, amounts.lines));
  return id;
}

const LONGEST_NUMBER = 16;
const MOST_DIGITS = 6;

/** Digits of a serial in `SS/26-27/000001`: six, or what a longer prefix leaves of 16 characters. */
export const serialDigits = (prefix: string): number =>
  Math.min(MOST_DIGITS, LONGEST_NUMBER - `${prefix}/26-27/`.length);

async function giveNumber(
  ctx: WriteContext,
  draft: { id: string; tenantId: string; collectAfter: Date | null },
  { amounts, buyer, settings, supply, issueDate, dueDate }: InvoiceQuote,
): Promise<IssuedInvoice> {
  const balance = await lockBillingAccount(ctx, draft.tenantId);
  const prefix = settings.invoicePrefix;
  const issued = orNotFound(
    await ctx.sql.one<queries.IssuedRow>(
      queries.issueDraft(
        {
          invoiceId: draft.id,
          prefix,
          digits: serialDigits(prefix),
          fiscalYear: fiscalYearOf(issueDate),
          issueDate,
          dueDate,
          seller: settings.seller,
          buyer,
          buyerName: buyer.legalName,
          buyerGstin: buyer.gstin,
          placeOfSupply: buyer.stateCode,
          supply,
          collectAfter: draft.collectAfter,
          now: ctx.now,
        },
        amounts,
      ),
    ),
    'draft',
  );
  ctx.audit({
    action: 'revenue.invoice_finalize',
    resource: 'invoice',
    resourceId: draft.id,
    tenantId: draft.tenantId,
    details: { number: issued.number, total: rupees(amounts.total) },
  });
  const { total } = amounts;
  if (balance.isZero() || total.isZero())
    return { id: draft.id, number: issued.number, status: issued.status, total, amountDue: total };
  const settled = await payFromCredit(ctx, { id: draft.id, tenantId: draft.tenantId, amountDue: total }, balance);
  return { id: draft.id, number: issued.number, status: settled.status, total, amountDue: settled.amountDue };
}

function assertPayable({ total }: InvoiceAmounts): void {
  if (!total.isNegative()) return;
  throw new AppError('conflict', 'The lines come to less than nothing. Give money back with a credit note instead.');
}
