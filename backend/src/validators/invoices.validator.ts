import { z } from 'zod';
import { CollectionMethod, InvoiceReason, InvoiceStatus } from '../generated/prisma/enums.ts';
import { amount, day, email, isoDate, money, search, text } from '../utils/fields.ts';
import { fileOf } from '../utils/file-answer.ts';
import { id } from '../utils/ids.ts';
import { decimal, roundPaisa } from '../utils/money.ts';
import { pageQuery } from '../utils/page.ts';

const MOST_LINES = 100;
const MOST_AT_ONCE = 100;
/** Ten crore a line, so that the sums of any invoice have room. */
const MOST_OF_A_LINE = '99999999.99';

export const invoiceId = z.strictObject({ id });
export const pdfFile = fileOf('application/pdf');

export const invoiceStatus = z
  .enum(InvoiceStatus)
  .meta({ description: 'Where the invoice is in its life', example: 'OPEN' });
export const invoiceReason = z.enum(InvoiceReason).meta({ description: 'Why there is an invoice', example: 'MANUAL' });
export const number = z
  .string()
  .meta({ description: 'Number of the document (rule 46(b))', example: 'SS/26-27/000001' });

const isStatus = (status: string): status is InvoiceStatus => Object.hasOwn(InvoiceStatus, status);
/** Several, so that what is open or written off can be looked at together. */
const statuses = z
  .string()
  .max(100)
  .transform((listed, check): InvoiceStatus[] => {
    const given = [...new Set(listed.split(','))];
    if (given.every(isStatus)) return given;
    const message = `must be of ${Object.keys(InvoiceStatus).join(', ')}, several with commas between them`;
    check.addIssue({ code: 'custom', message });
    return z.NEVER;
  })
  .pipe(z.array(invoiceStatus))
  .meta({ description: 'One or more, with commas between them', example: 'OPEN,UNCOLLECTIBLE' });

export const invoiceSortColumns = ['createdAt', 'issueDate', 'dueDate', 'total'] as const;
export const listInvoicesQuery = pageQuery(invoiceSortColumns).extend({
  tenantId: id.optional().meta({ description: 'Of this tenant' }),
  subscriptionId: id.optional().meta({ description: 'Of this subscription' }),
  status: statuses.optional(),
  reason: invoiceReason.optional(),
  issuedFrom: day.optional().meta({ description: 'Issued on this day in India or later' }),
  issuedTo: day.optional().meta({ description: 'Issued on this day in India or earlier' }),
  dueFrom: day.optional().meta({ description: 'Due on this day in India or later' }),
  dueTo: day.optional().meta({ description: 'Due on this day in India or earlier' }),
  overdue: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .meta({ description: 'Those that are open and were due before today, or all others', example: 'true' }),
  minTotal: amount('999999999999.99').optional().meta({ description: 'Over this many rupees or more' }),
  maxTotal: amount('999999999999.99').optional().meta({ description: 'Over this many rupees or less' }),
  q: search.optional().meta({
    description: "All words of it are found as parts of the number, the buyer's name or the GSTIN",
    example: '26-27/000001',
  }),
});

export const invoiceListItem = z
  .object({
    id,
    tenantId: id,
    tenantName: z.string().meta({ example: 'Saraswati Reading Hall' }),
    subscriptionId: id.nullable(),
    number: number.nullable().meta({ description: 'Null for a draft' }),
    status: invoiceStatus,
    reason: invoiceReason,
    buyerName: z.string().nullable().meta({ example: 'Saraswati Reading Hall Private Limited' }),
    issueDate: day.nullable(),
    dueDate: day.nullable(),
    total: money,
    amountDue: money,
    createdAt: isoDate,
  })
  .meta({ id: 'InvoiceListItem' });

/** `end` is the day after the last. */
export const period = z.object({
  start: day.meta({ example: '2026-08-01' }),
  end: day.meta({ description: 'The day after the last', example: '2026-09-01' }),
});

const sacCode = z
  .string()
  .max(6)
  .regex(/^99\d{2,4}$/, 'must be a service accounting code, such as 997331')
  .meta({ description: 'Service accounting code; default: the setting billing.default_sac', example: '997331' });
const quantity = z
  .string()
  .max(10)
  .regex(/^\d{1,6}(\.\d{1,3})?$/, 'must be a number as text with at most three decimals, such as "1.500"')
  .refine((value) => Number(value) > 0, 'must be more than nothing')
  .meta({ description: 'How many, as text with up to three decimals', example: '1' });

const amountOf = (line: { quantity: string; unitPrice: string }) =>
  roundPaisa(decimal(line.quantity).times(line.unitPrice));

const draftLine = z
  .strictObject({
    description: text(300).meta({ description: 'What is supplied', example: 'Training of the staff, one day' }),
    sacCode: sacCode.optional(),
    quantity: quantity.default('1'),
    unitPrice: amount().meta({ description: 'Rupees without tax', example: '2500.00' }),
    discount: amount().default('0.00').meta({ description: 'Rupees off the line, before tax', example: '250.00' }),
    period: z
      .strictObject(period.shape)
      .refine(({ start, end }) => start < end, { message: 'must lie after the start', path: ['end'] })
      .nullable()
      .optional()
      .meta({ description: 'Days in India over which it is earned' }),
  })
  .refine((line) => amountOf(line).lte(MOST_OF_A_LINE), {
    message: `must not make the line more than ${MOST_OF_A_LINE} rupees`,
    path: ['quantity'],
  })
  .refine((line) => decimal(line.discount).lte(amountOf(line)), {
    message: 'must not be more than the line',
    path: ['discount'],
  });

const lines = z.array(draftLine).min(1).max(MOST_LINES).meta({ description: 'What is billed, in order' });
const notes = text(1000).meta({ description: 'For the buyer; printed on the invoice', example: 'As agreed by phone' });
export const collectionMethod = z.enum(CollectionMethod).meta({
  description: 'AUTOMATIC: charged to the default payment method; SEND_INVOICE: sent, and paid by link or transfer',
  example: 'SEND_INVOICE',
});

export const createInvoiceBody = z
  .strictObject({
    tenantId: id.meta({ description: 'Who is billed' }),
    collectionMethod: collectionMethod.default('SEND_INVOICE'),
    notes: notes.nullable().optional(),
    lines,
  })
  .meta({ id: 'CreateInvoice' });

export const previewInvoiceBody = z
  .strictObject({ tenantId: id.meta({ description: 'Who would be billed' }), lines })
  .meta({ id: 'PreviewInvoice' });

export const updateInvoiceBody = z
  .strictObject({
    collectionMethod: collectionMethod.optional(),
    notes: notes.nullable().optional(),
    lines: lines.optional().meta({ description: 'In the place of those that are there' }),
  })
  .refine((body) => Object.keys(body).length > 0, 'give at least one field to change')
  .meta({ id: 'UpdateInvoice' });

const collect = z.boolean().default(false).meta({
  description: 'Whether it is charged to the default payment method, within minutes',
  example: false,
});
export const finalizeInvoiceBody = z.strictObject({ collect }).meta({ id: 'FinalizeInvoice' });

export const bulkFinalizeBody = z
  .strictObject({
    ids: z
      .array(id)
      .min(1)
      .max(MOST_AT_ONCE)
      .refine((all) => new Set(all).size === all.length, 'must name each invoice once')
      .meta({ description: 'Drafts; they get their numbers in this order' }),
    collect,
  })
  .meta({ id: 'BulkFinalizeInvoices' });

export const bulkFinalized = z
  .object({
    finalized: z.number().int().meta({ description: 'How many got a number now', example: 1 }),
    results: z.array(
      z.object({
        id,
        number: number.nullable().meta({ description: 'The number that it has, now or from before' }),
        error: z
          .string()
          .nullable()
          .meta({ description: 'Why it was not finalized; null where it was', example: null }),
      }),
    ),
  })
  .meta({ id: 'BulkFinalizedInvoices' });

const reason = text(500, 5).meta({
  description: 'Why; it is kept in the history',
  example: 'Billed twice for the same training',
});
export const voidInvoiceBody = z.strictObject({ reason }).meta({ id: 'VoidInvoice' });
export const markUncollectibleBody = z.strictObject({ reason }).meta({ id: 'MarkInvoiceUncollectible' });

export const sendInvoiceBody = z
  .strictObject({ to: email.optional().meta({ description: "Default: the email of the buyer's billing profile" }) })
  .meta({ id: 'SendInvoice' });
export const invoiceSent = z
  .object({
    invoiceId: id,
    number,
    to: z.string().meta({ description: 'Where it goes', example: 'accounts@saraswati.example' }),
  })
  .meta({ id: 'InvoiceSent' });
