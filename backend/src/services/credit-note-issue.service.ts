import type { z } from 'zod';
import type { Actor, WriteContext } from '../types/context.ts';
import { amountInWords } from '../utils/amount-in-words.ts';
import { AppError, invalidField, orNotFound } from '../utils/errors.ts';
import { fiscalYearOf } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { newId } from '../utils/ids.ts';
import { Decimal, decimal, rupees, ZERO } from '../utils/money.ts';
import type {
  createCreditNoteBody,
  creditNotePreview,
  previewCreditNoteBody,
} from '../validators/credit-notes.validator.ts';
import { lockBillingAccount, moveCreditBalance } from './billing-account.service.ts';
import {
  assertDisposition,
  creditNoteAmounts,
  usualDisposition,
  type CreditNoteAmounts,
  type Disposition,
} from './credit-note-amounts.policy.ts';
import * as issue from './credit-note-issue.queries.ts';
import { getCreditNote, type CreditNoteView } from './credit-notes.service.ts';
import { serialDigits } from './invoice-issue.service.ts';
import { lockedWithSubscription } from './invoice-lifecycle.service.ts';
import { settle } from './invoice-settlement.service.ts';
import { closePaymentLinks } from './payment-link-closing.service.ts';
import { createRefund } from './refunds.service.ts';
import { settingOf } from './settings.service.ts';

/** `SSCN/26-27/00001` has 16 characters. */
const NOTE_DIGITS = 5;

type CreateCreditNote = z.output<typeof createCreditNoteBody>;
type Wanted = z.output<typeof previewCreditNoteBody>;
type Worked = { invoice: issue.CreditableRow; amounts: CreditNoteAmounts; disposition: Disposition };

/** What a credit note would take back, and where that would go; nothing is written. The rules are those of the issue. */
export async function previewCreditNote(
  ctx: WriteContext<Actor>,
  wanted: Wanted,
): Promise<z.input<typeof creditNotePreview>> {
  const { status } = await lockedWithSubscription(ctx, wanted.invoiceId);
  const { invoice, amounts, disposition } = await workOut(ctx, wanted, status);
  const lineOf = new Map(invoice.items.map((item) => [item.id, item]));
  return {
    invoiceId: wanted.invoiceId,
    invoiceNumber: invoice.number,
    items: amounts.lines.map((line) => {
      const { description = '', sacCode = '', taxRate = '0.00' } = lineOf.get(line.invoiceItemId) ?? {};
      return {
        invoiceItemId: line.invoiceItemId,
        description,
        sacCode,
        taxRate,
        ...asText(line),
        total: rupees(line.total),
      };
    }),
    ...asText(amounts),
    roundOff: rupees(amounts.roundOff),
    total: rupees(amounts.total),
    amountInWords: amountInWords(amounts.total),
    disposition: dispositionText(disposition),
    takesRest: amounts.takesRest,
  };
}

type Taxed = Record<'taxable' | 'cgst' | 'sgst' | 'igst', Decimal>;
const asText = ({ taxable, cgst, sgst, igst }: Taxed) => ({
  taxable: rupees(taxable),
  cgst: rupees(cgst),
  sgst: rupees(sgst),
  igst: rupees(igst),
});
const dispositionText = ({ credit, refund, offset }: Disposition) => ({
  credit: rupees(credit),
  refund: rupees(refund),
  offset: rupees(offset),
});

/** The invoice is locked: what is left of it stays what it is. */
async function workOut(ctx: WriteContext, wanted: Wanted, status: string): Promise<Worked> {
  if (!['OPEN', 'PAID', 'UNCOLLECTIBLE'].includes(status)) {
    const told = `The invoice is ${status}: only one that was issued and holds can be credited.`;
    throw new AppError('invalid_transition', told, { status });
  }
  const found = await ctx.sql.one<issue.CreditableRow>(issue.creditableInvoice(wanted.invoiceId));
  const invoice = orNotFound(found, 'invoice');
  const amounts = creditNoteAmounts(invoice, askedOf(wanted, invoice));
  const { disposition: named } = wanted;
  const disposition = named
    ? { credit: decimal(named.credit), refund: decimal(named.refund), offset: decimal(named.offset) }
    : usualDisposition(amounts.total, invoice.amountDue);
  assertDisposition(disposition, amounts.total, invoice);
  return { invoice, amounts, disposition };
}

/** @throws AppError validation_failed for what is no line of the invoice, or a credit itself */
function askedOf({ lines }: Wanted, { items }: issue.CreditableRow): ReadonlyMap<string, Decimal> | 'FULL' {
  if (!lines) return 'FULL';
  lines.forEach(({ invoiceItemId }, index) => {
    const item = items.find(({ id }) => id === invoiceItemId);
    const field = `lines.${index}.invoiceItemId`;
    if (!item) throw invalidField(field, 'is no line of the invoice');
    if (decimal(item.taxable).lte(ZERO)) throw invalidField(field, 'is a line on which nothing is charged');
  });
  return new Map(lines.map(({ invoiceItemId, amount }) => [invoiceItemId, decimal(amount)]));
}

/**
 * Takes back an invoice or a part of it (rule 21). It has its number from the beginning, and is mailed to the buyer.
 * What is set off makes less due, and ends the dunning once nothing is; what is refunded is sent by a job.
 * @throws AppError not_found; invalid_transition for a draft or a void invoice; conflict for more than is left, due or paid
 */
export async function createCreditNote(ctx: WriteContext<Actor>, body: CreateCreditNote): Promise<CreditNoteView> {
  const { invoiceId, reason, explanation = null } = body;
  const { tenantId, status } = await lockedWithSubscription(ctx, invoiceId);
  const { invoice, amounts, disposition } = await workOut(ctx, body, status);
  const refunds = await refundsOver(ctx, invoiceId, disposition.refund);
  const id = newId();
  if (disposition.offset.gt(ZERO)) {
    await settle(ctx, invoiceId, { credited: disposition.offset });
    await closePaymentLinks(ctx, invoiceId);
  }
  await lockBillingAccount(ctx, tenantId);
  if (disposition.credit.gt(ZERO)) {
    const movement = {
      tenantId,
      kind: 'CREDIT_NOTE',
      amount: disposition.credit,
      invoiceId,
      creditNoteId: id,
    } as const;
    await moveCreditBalance(ctx, movement);
  }
  // From here on the series waits for us: nothing that could wait for somebody else comes after it.
  const number = await insertNote(
    ctx,
    { id, tenantId, invoiceId, reason, explanation },
    { invoice, amounts, disposition },
  );
  for (const { paymentId, amount } of refunds) await createRefund(ctx, { paymentId, amount, creditNoteId: id });
  ctx.enqueue('email.credit-note', { creditNoteId: id }, { tenantId, dedupeKey: `credit-note-${id}` });
  const details = { number, invoice: invoice.number, reason, total: rupees(amounts.total) };
  ctx.audit({
    resource: 'credit_note',
    resourceId: id,
    tenantId,
    details: { ...details, ...dispositionText(disposition) },
  });
  return getCreditNote(ctx, id);
}

/**
 * From which payments so much goes back: the newest first. They stay locked.
 * @throws AppError conflict where less was paid by real payments, or is left of them
 */
async function refundsOver(ctx: WriteContext, invoiceId: string, refund: Decimal) {
  if (refund.isZero()) return [];
  await ctx.sql.many(issue.lockPaymentsOf(invoiceId));
  const payments = await ctx.sql.many<issue.RefundableRow>(issue.refundablePayments(invoiceId));
  let left = refund;
  const refunds = payments.map(({ id, refundable }) => {
    const amount = Decimal.min(left, refundable);
    left = left.minus(amount);
    return { paymentId: id, amount };
  });
  if (left.gt(ZERO)) {
    const told = `Only ${rupees(refund.minus(left))} rupees can go back by the way they were paid. Put the rest to the credit balance.`;
    throw new AppError('conflict', told, { refundable: rupees(refund.minus(left)) });
  }
  return refunds.filter(({ amount }) => amount.gt(ZERO));
}

type Head = Pick<issue.NewCreditNote, 'id' | 'tenantId' | 'invoiceId' | 'reason' | 'explanation'>;

/** @returns its number */
async function insertNote(ctx: WriteContext, head: Head, { invoice, amounts, disposition }: Worked): Promise<string> {
  const prefix = await settingOf({ ...ctx, tenantId: null }, 'billing.credit_note_prefix');
  const issueDate = dayInIndia(ctx.now);
  const { seller, buyer, buyerName, buyerGstin, placeOfSupply, supply } = invoice;
  const note = orNotFound(
    await ctx.sql.one<{ number: string }>(
      issue.insertCreditNote({
        ...head,
        seller,
        buyer,
        buyerName,
        buyerGstin,
        placeOfSupply,
        supply,
        prefix,
        digits: Math.min(NOTE_DIGITS, serialDigits(prefix)),
        fiscalYear: fiscalYearOf(issueDate),
        issueDate,
        ...asText(amounts),
        roundOff: rupees(amounts.roundOff),
        total: rupees(amounts.total),
        ...dispositionText(disposition),
        createdById: ctx.actor?.id ?? null,
        now: ctx.now,
      }),
    ),
    'credit note',
  );
  await ctx.db.creditNoteItem.createMany({
    data: amounts.lines.map((line, index) => ({
      tenantId: head.tenantId,
      creditNoteId: head.id,
      invoiceItemId: line.invoiceItemId,
      position: index + 1,
      ...asText(line),
      total: rupees(line.total),
    })),
  });
  return note.number;
}
