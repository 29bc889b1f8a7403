import { z } from 'zod';
import { CreditNoteReason, CreditNoteStatus, RefundStatus } from '../generated/prisma/enums.ts';
import { amount, day, isoDate, money, search, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';
import { buyerView, sellerView, supply, taxRow, words } from './invoice-views.validator.ts';

const MOST_LINES = 100;

export const creditNoteId = z.strictObject({ id });

const status = z.enum(CreditNoteStatus).meta({ description: 'Whether it stands', example: 'ISSUED' });
const reason = z.enum(CreditNoteReason).meta({ description: 'Why, as it is printed', example: 'SERVICE_NOT_RENDERED' });
const number = z.string().meta({ description: 'Number of the document', example: 'SSCN/26-27/00001' });
const invoiceNumber = z.string().meta({ description: 'What it takes back from', example: 'SS/26-27/000001' });

export const creditNoteSortColumns = ['createdAt', 'issueDate'] as const;
export const listCreditNotesQuery = pageQuery(creditNoteSortColumns).extend({
  tenantId: id.optional().meta({ description: 'Of this tenant' }),
  invoiceId: id.optional().meta({ description: 'Of this invoice' }),
  status: status.optional(),
  issuedFrom: day.optional().meta({ description: 'Issued on this day in India or later' }),
  issuedTo: day.optional().meta({ description: 'Issued on this day in India or earlier' }),
  q: search.optional().meta({
    description: "All words of it are found as parts of the number, the buyer's name or the GSTIN",
    example: 'saraswati',
  }),
});

export const creditNoteListItem = z
  .object({
    id,
    tenantId: id,
    invoiceId: id,
    invoiceNumber,
    number,
    status,
    reason,
    buyerName: z.string().meta({ example: 'Saraswati Reading Hall Private Limited' }),
    issueDate: day,
    total: money,
    createdAt: isoDate,
  })
  .meta({ id: 'CreditNoteListItem' });

const lines = z
  .array(
    z.strictObject({
      invoiceItemId: id.meta({ description: 'A line of the invoice' }),
      amount: amount()
        .refine((value) => Number(value) > 0, 'must be more than nothing')
        .meta({ description: 'What of it is taken back, rupees without tax', example: '500.00' }),
    }),
  )
  .min(1)
  .max(MOST_LINES)
  .refine(
    (all) => new Set(all.map(({ invoiceItemId }) => invoiceItemId)).size === all.length,
    'must name each line once',
  )
  .meta({ description: 'Lines that are taken back, as far as each is' });

const part = (description: string) => amount('999999999999.99').default('0.00').meta({ description, example: '0.00' });
const disposition = z
  .strictObject({
    credit: part('To the credit balance of the tenant'),
    refund: part('Back by the way it was paid'),
    offset: part('Against what is still due of the invoice'),
  })
  .meta({
    description:
      'Where the total goes; together they are the total. Default: against what is due, and the rest to the credit balance',
  });

const wanted = {
  invoiceId: id.meta({ description: 'The invoice that is taken back from' }),
  lines: lines.optional(),
  full: z
    .literal(true)
    .optional()
    .meta({ description: 'In the place of lines: everything that is left', example: true }),
  disposition: disposition.optional(),
};
/** Lines are named, or all that is left is meant. */
const linesOrFull = (
  { lines: named, full }: { lines?: unknown; full?: true | undefined },
  check: { addIssue: (issue: { code: 'custom'; message: string; path: string[] }) => void },
) => {
  if (named && full)
    check.addIssue({ code: 'custom', message: 'must be left out where lines are named', path: ['full'] });
  if (!named && !full)
    check.addIssue({ code: 'custom', message: 'is missing: name lines, or send full', path: ['lines'] });
};

const example = {
  invoiceId: 'cm3k8v1x40000qp2h9d7f5a6b',
  lines: [{ invoiceItemId: 'cm3k8v1x40001qp2h1c2e8f3d', amount: '500.00' }],
};

export const previewCreditNoteBody = z
  .strictObject(wanted)
  .superRefine(linesOrFull)
  .meta({ id: 'PreviewCreditNote', example });

export const createCreditNoteBody = z
  .strictObject({
    ...wanted,
    reason,
    explanation: text(500).nullable().optional().meta({
      description: 'For the buyer; printed on the credit note',
      example: 'The hall was closed for the second week',
    }),
  })
  .superRefine(linesOrFull)
  .meta({
    id: 'CreateCreditNote',
    example: { ...example, reason: 'SERVICE_NOT_RENDERED', explanation: 'The hall was closed for the second week' },
  });

export const voidCreditNoteBody = z
  .strictObject({
    reason: text(500, 5).meta({
      description: 'Why; it is kept in the history',
      example: 'Issued for the wrong invoice',
    }),
  })
  .meta({ id: 'VoidCreditNote' });

const sums = {
  taxable: money,
  cgst: money,
  sgst: money,
  igst: money,
  roundOff: money.meta({ description: "The invoice's, with what takes the rest of it", example: '0.00' }),
  total: money,
  amountInWords: words,
};
const given = z
  .object({ credit: money, refund: money, offset: money })
  .meta({ description: 'Where the total goes: the credit balance, back, and what is due of the invoice' });
const item = {
  invoiceItemId: id,
  description: z.string().meta({ example: 'Growth plan, monthly' }),
  sacCode: z.string().meta({ example: '997331' }),
  ...taxRow.shape,
  total: money,
};

export const creditNotePreview = z
  .object({
    invoiceId: id,
    invoiceNumber,
    items: z.array(z.object(item)),
    ...sums,
    disposition: given,
    takesRest: z.boolean().meta({ description: 'Whether nothing of the invoice is left then', example: false }),
  })
  .meta({ id: 'CreditNotePreview' });

export const creditNote = z
  .object({
    id,
    tenantId: id,
    invoiceId: id,
    invoice: z.object({ number: invoiceNumber, issueDate: day }),
    number,
    fiscalYear: z.string().meta({ example: '26-27' }),
    status,
    reason,
    explanation: z.string().nullable().meta({ example: 'The hall was closed for the second week' }),
    issueDate: day,
    seller: sellerView,
    buyer: buyerView,
    placeOfSupply: z.string().meta({ description: 'GST code of the state', example: '29' }),
    supply,
    items: z.array(z.object({ id, ...item })),
    taxes: z.array(taxRow).meta({ description: 'One row for each rate' }),
    ...sums,
    disposition: given,
    refunds: z.array(
      z.object({
        id,
        paymentId: id,
        amount: money,
        status: z.enum(RefundStatus).meta({ example: 'PENDING' }),
      }),
    ),
    voidedAt: isoDate.nullable(),
    voidReason: z.string().nullable().meta({ example: 'Issued for the wrong invoice' }),
    createdAt: isoDate,
  })
  .meta({ id: 'CreditNote' });
