import type { z } from 'zod';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { amountInWords } from '../utils/amount-in-words.ts';
import { AppError, assertVersion, orNotFound } from '../utils/errors.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { decimal, rupees, type Amount } from '../utils/money.ts';
import { page } from '../utils/page.ts';
import type { invoice, invoicePreview } from '../validators/invoice-views.validator.ts';
import type {
  createInvoiceBody,
  invoiceListItem,
  previewInvoiceBody,
  updateInvoiceBody,
} from '../validators/invoices.validator.ts';
import type { InvoiceLine } from './invoice-amounts.policy.ts';
import { draftInvoice, quoteInvoice, redraftInvoice, type InvoiceQuote } from './invoice-issue.service.ts';
import { lockedInvoice, type LockedInvoice } from './invoice-settlement.service.ts';
import * as queries from './invoices.queries.ts';
import { settingOf } from './settings.service.ts';

export type InvoiceView = z.input<typeof invoice>;
type CreateInvoice = z.output<typeof createInvoiceBody>;
type DraftLine = CreateInvoice['lines'][number];

/** A draft is the business of the portal until it is issued. */
const seesDrafts = (ctx: Pick<ReadContext, 'actor'>): boolean => ctx.actor?.type !== 'PLATFORM_USER';

export const listInvoices = (ctx: ReadContext, filter: queries.InvoiceFilter) =>
  page<z.input<typeof invoiceListItem>>(
    ctx,
    filter,
    queries.invoiceRows(filter, { drafts: seesDrafts(ctx), today: dayInIndia(ctx.now) }),
  );

/** @throws AppError not_found, also for one outside the scope and for the draft of a tenant that asks */
export async function getInvoice(ctx: Pick<ReadContext, 'sql' | 'actor'>, id: string): Promise<InvoiceView> {
  const row = await ctx.sql.one<queries.InvoiceRow>(queries.invoiceById(id, seesDrafts(ctx)));
  const found = orNotFound(row, 'invoice');
  return { ...found, amountInWords: amountInWords(found.total) };
}

/**
 * What an invoice would say if it were issued now; nothing is written.
 * @throws AppError not_found for the tenant; conflict for a code without a tax rate
 */
export async function previewInvoice(
  ctx: ReadContext,
  { tenantId, lines }: z.output<typeof previewInvoiceBody>,
): Promise<z.input<typeof invoicePreview>> {
  const quote = await quoteInvoice(ctx, { tenantId, reason: 'MANUAL', lines: await billedLines(ctx, lines) });
  return { tenantId, ...quoted(quote) };
}

function quoted({ amounts, buyer, settings, supply, issueDate, dueDate }: InvoiceQuote) {
  const { lines, byRate, ...sums } = amounts;
  return {
    issueDate,
    dueDate,
    seller: settings.seller,
    buyer,
    placeOfSupply: buyer.stateCode,
    supply,
    items: lines.map(({ kind, description, sacCode, quantity, period = null, ...line }) => {
      const { unitPrice, amount, discount, taxable, taxRate, cgst, sgst, igst, total } = line;
      const inRupees = asText({ unitPrice, amount, discount, taxable, taxRate, cgst, sgst, igst, total });
      return { kind, description, sacCode, quantity: decimal(quantity).toFixed(3), period, ...inRupees };
    }),
    taxes: byRate.map(asText),
    ...asText(sums),
    amountInWords: amountInWords(sums.total),
  };
}

const asText = <Name extends string>(amounts: Record<Name, Amount>): Record<Name, string> =>
  Object.fromEntries(Object.entries<Amount>(amounts).map(([name, one]) => [name, rupees(one)])) as Record<Name, string>;

/** Puts a draft down: without a number, and seen by the portal alone. @throws AppError not_found for the tenant */
export async function createInvoice(ctx: WriteContext<Actor>, body: CreateInvoice): Promise<InvoiceView> {
  const { tenantId, collectionMethod, notes = null } = body;
  const lines = await billedLines(ctx, body.lines);
  const order = { tenantId, subscriptionId: null, reason: 'MANUAL', period: null, collectionMethod, notes } as const;
  const id = await draftInvoice(ctx, { ...order, lines });
  ctx.audit({ resource: 'invoice', resourceId: id, tenantId, after: { collectionMethod, notes, lines: body.lines } });
  return getInvoice(ctx, id);
}

/**
 * Changes the fields of a draft that are given; its lines as a whole.
 * @param seenVersion from If-Match: refused when somebody has changed it since
 * @throws AppError not_found; version_mismatch; invalid_transition for what was issued
 */
export async function updateInvoice(
  ctx: WriteContext<Actor>,
  id: string,
  { lines, ...changes }: z.output<typeof updateInvoiceBody>,
  seenVersion?: number,
): Promise<InvoiceView> {
  const draft = await lockedDraft(ctx, id, seenVersion);
  const before = await getInvoice(ctx, id);
  if (lines) await redraftInvoice(ctx, draft, await billedLines(ctx, lines));
  if (Object.keys(changes).length > 0) {
    const version = { increment: 1 };
    await ctx.db.invoice.update({
      where: { id },
      data: { ...changes, version, updatedAt: ctx.now },
      select: { id: true },
    });
  }
  const after = await getInvoice(ctx, id);
  ctx.audit({
    resource: 'invoice',
    resourceId: id,
    tenantId: draft.tenantId,
    before: audited(before),
    after: audited(after),
  });
  return after;
}

const audited = ({ collectionMethod, notes, items, total }: InvoiceView) => ({
  collectionMethod,
  notes,
  total,
  lines: items.map(({ description, quantity, unitPrice, discount }) => ({
    description,
    quantity,
    unitPrice,
    discount,
  })),
});

/** Removes a draft, which never was an invoice. @throws AppError not_found; invalid_transition for what was issued */
export async function deleteInvoice(ctx: WriteContext<Actor>, id: string, seenVersion?: number): Promise<InvoiceView> {
  const { tenantId } = await lockedDraft(ctx, id, seenVersion);
  const before = await getInvoice(ctx, id);
  await ctx.db.invoice.delete({ where: { id }, select: { id: true } });
  ctx.audit({ resource: 'invoice', resourceId: id, tenantId, before: audited(before), after: {} });
  return before;
}

async function lockedDraft(ctx: WriteContext, id: string, seenVersion?: number): Promise<LockedInvoice> {
  const draft = await lockedInvoice(ctx, id);
  if (draft.status !== 'DRAFT') {
    const told = `The invoice is ${draft.status}: only a draft can be changed. Void it, or issue a credit note.`;
    throw new AppError('invalid_transition', told, { status: draft.status });
  }
  assertVersion(seenVersion, draft.version, 'invoice');
  return draft;
}

/** Lines as they are priced; the code that they lack is the one of the settings. */
async function billedLines(ctx: Pick<ReadContext, 'sql' | 'log'>, lines: readonly DraftLine[]): Promise<InvoiceLine[]> {
  const lacksCode = lines.some(({ sacCode }) => sacCode === undefined);
  const usual = lacksCode ? await settingOf({ ...ctx, tenantId: null }, 'billing.default_sac') : '';
  return lines.map(({ sacCode = usual, ...line }) => ({ ...line, kind: 'MANUAL', sacCode }));
}

/**
 * Has an invoice mailed with its PDF; each call sends once more.
 * @param to default: where invoices of the tenant go
 * @throws AppError not_found; invalid_transition for a draft or a void invoice
 */
export async function sendInvoice(ctx: WriteContext<Actor>, id: string, to?: string) {
  const { tenantId, status } = await lockedInvoice(ctx, id);
  const mailed = await ctx.sql.one<queries.MailedInvoice>(queries.mailedInvoice(id));
  if (!mailed || status === 'VOID') {
    throw new AppError(
      'invalid_transition',
      `The invoice is ${status}: only one that was issued and holds can be sent.`,
      {
        status,
      },
    );
  }
  const recipient = to ?? mailed.email;
  ctx.enqueue('email.invoice', { invoiceId: id, ...(to && { to }) }, { tenantId });
  ctx.audit({ resource: 'invoice', resourceId: id, tenantId, details: { number: mailed.number, to: recipient } });
  return { invoiceId: id, number: mailed.number, to: recipient };
}
