import { z } from 'zod';
import {
  CreditNoteStatus,
  DocumentKind,
  InvoiceItemKind,
  PaymentChannel,
  SupplyType,
} from '../generated/prisma/enums.ts';
import { day, isoDate, money } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { collectionMethod, invoiceReason, invoiceStatus, number, period } from './invoices.validator.ts';

// What is answered of invoices, and of their numbers.

const fiscalYear = z
  .string()
  .max(5)
  .regex(/^\d\d-\d\d$/, 'must be a fiscal year, such as 26-27')
  .meta({ description: 'Indian fiscal year, April to March', example: '26-27' });
const documentKind = z.enum(DocumentKind).meta({ description: 'Kind of document', example: 'INVOICE' });

export const numberingAuditQuery = z.strictObject({
  kind: documentKind.optional().meta({ description: 'Default: both' }),
  fiscalYear: fiscalYear.optional().meta({ description: 'Default: all of them' }),
});

const numbered = (description: string) => z.string().meta({ description, example: 'SS/26-27/000007' });
export const numberingAudit = z
  .object({
    contiguous: z.boolean().meta({ description: 'Whether every series is', example: true }),
    series: z.array(
      z.object({
        kind: documentKind,
        fiscalYear,
        prefix: z.string().meta({ example: 'SS' }),
        first: z.number().int().nullable().meta({ description: 'Lowest serial; null: there is none', example: 1 }),
        last: z.number().int().nullable().meta({ description: 'Highest serial', example: 45 }),
        lastGiven: z.number().int().meta({ description: 'The last that was given out', example: 45 }),
        count: z.number().int().meta({ description: 'Documents, void ones included', example: 45 }),
        missingCount: z.number().int().meta({ description: 'Serials from 1 on without a document', example: 0 }),
        missing: z.array(z.number().int()).meta({ description: 'The first hundred of them', example: [] }),
        duplicates: z
          .array(numbered('A number'))
          .meta({ description: 'Whose serial another has as well', example: [] }),
        outOfOrder: z
          .array(z.object({ number: numbered('The later serial'), issueDate: day, after: day }))
          .meta({ description: 'Issued before `after`, the day of an earlier serial; the first hundred', example: [] }),
        contiguous: z.boolean().meta({ description: 'From 1 to the last, each once', example: true }),
      }),
    ),
  })
  .meta({ id: 'NumberingAudit' });

const party = {
  legalName: z.string().meta({ example: 'Saraswati Reading Hall Private Limited' }),
  stateCode: z.string().meta({ description: 'GST code of the state', example: '29' }),
  stateName: z.string().meta({ example: 'Karnataka' }),
};
const place = z.string().meta({ example: '12 Talwandi Road' });
export const sellerView = z
  .object({
    ...party,
    gstin: z.string().meta({ example: '27AAPFU0939F1ZV' }),
    addressLine: place,
    city: z.string().meta({ example: 'Pune' }),
    pincode: z.string().meta({ example: '411045' }),
    email: z.string().nullable().meta({ example: 'billing@studyspot.example' }),
  })
  .meta({ id: 'InvoiceSeller', description: 'As it was at the issue' });
export const buyerView = z
  .object({
    ...party,
    gstin: z.string().nullable().meta({ example: '29AAPFU0939F1ZR' }),
    addressLine: place.nullable(),
    city: z.string().nullable().meta({ example: 'Bengaluru' }),
    pincode: z.string().nullable().meta({ example: '560001' }),
    email: z.string().meta({ example: 'accounts@saraswati.example' }),
    phone: z.string().nullable().meta({ example: '+919829012345' }),
  })
  .meta({ id: 'InvoiceBuyer', description: 'As it was at the issue' });

const taxes = { taxable: money, cgst: money, sgst: money, igst: money };
const taxRate = money.meta({ description: 'Percent', example: '18.00' });
export const supply = z.enum(SupplyType).meta({ description: 'CGST and SGST, or IGST', example: 'INTER_STATE' });
export const taxRow = z.object({ taxRate, ...taxes });
export const words = z.string().meta({ example: 'Rupees Two Thousand Nine Hundred Forty-Nine Only' });

const pricedLine = {
  kind: z.enum(InvoiceItemKind).meta({ example: 'MANUAL' }),
  description: z.string().meta({ example: 'Training of the staff, one day' }),
  sacCode: z.string().meta({ example: '997331' }),
  quantity: z.string().meta({ description: 'With three decimals', example: '1.000' }),
  unitPrice: money,
  amount: money.meta({ description: 'quantity × unitPrice' }),
  discount: money.meta({ example: '0.00' }),
  ...taxes,
  taxRate,
  total: money,
  period: period.nullable().meta({ description: 'Days in India over which it is earned' }),
};
const sums = {
  subtotal: money.meta({ description: 'Without tax, before discounts' }),
  discountTotal: money,
  ...taxes,
  roundOff: money.meta({ description: 'What makes it whole rupees', example: '0.06' }),
  total: money.meta({ description: 'What is to be paid' }),
  amountInWords: words,
};

export const invoicePreview = z
  .object({
    tenantId: id,
    issueDate: day,
    dueDate: day,
    seller: sellerView,
    buyer: buyerView,
    placeOfSupply: z.string().meta({ description: 'GST code of the state', example: '29' }),
    supply,
    items: z.array(z.object(pricedLine)),
    taxes: z.array(taxRow).meta({ description: 'One row for each rate' }),
    ...sums,
  })
  .meta({ id: 'InvoicePreview' });

export const invoice = z
  .object({
    id,
    tenantId: id,
    subscriptionId: id.nullable(),
    number: number.nullable().meta({ description: 'Null for a draft; a void one keeps it' }),
    fiscalYear: fiscalYear.nullable(),
    status: invoiceStatus,
    reason: invoiceReason,
    collectionMethod,
    period: period.nullable().meta({ description: 'Days in India that it is for' }),
    issueDate: day.nullable(),
    dueDate: day.nullable(),
    seller: sellerView.nullable().meta({ description: 'Null for a draft' }),
    buyer: buyerView.nullable().meta({ description: 'Null for a draft' }),
    placeOfSupply: z.string().nullable().meta({ description: 'GST code of the state', example: '29' }),
    supply: supply.nullable(),
    items: z.array(z.object({ id, ...pricedLine })),
    taxes: z.array(taxRow).meta({ description: 'One row for each rate' }),
    ...sums,
    amountPaid: money,
    amountCredited: money.meta({ description: 'By credit notes that were set off against it' }),
    amountDue: money,
    payments: z
      .array(
        z.object({
          id,
          amount: money.meta({ description: 'What of the payment went here' }),
          method: z.enum(PaymentChannel).meta({ example: 'UPI' }),
          date: day.nullable().meta({ description: 'When the money came' }),
        }),
      )
      .meta({ description: 'What it was paid with' }),
    creditNotes: z.array(
      z.object({
        id,
        number: number.meta({ example: 'SSCN/26-27/00001' }),
        status: z.enum(CreditNoteStatus).meta({ example: 'ISSUED' }),
        issueDate: day,
        total: money,
      }),
    ),
    dunningRunId: id.nullable().meta({ description: 'The dunning that is at it' }),
    notes: z.string().nullable().meta({ example: 'As agreed by phone' }),
    finalizedAt: isoDate.nullable(),
    paidAt: isoDate.nullable(),
    voidedAt: isoDate.nullable(),
    voidReason: z.string().nullable().meta({ example: 'Billed twice for the same training' }),
    uncollectibleAt: isoDate.nullable(),
    sentAt: isoDate.nullable().meta({ description: 'When it was last mailed' }),
    collectAfter: isoDate.nullable().meta({ description: 'When it is charged by itself, not before' }),
    version: z.number().int().meta({ description: 'Send it back as If-Match when you change a draft', example: 2 }),
    createdAt: isoDate,
    updatedAt: isoDate,
  })
  .meta({ id: 'Invoice' });
