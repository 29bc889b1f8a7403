import { z } from 'zod';
import { InvoiceStatus, PaymentLinkStatus } from '../generated/prisma/enums.ts';
import { amount, day, isoDate, money, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { payment } from './payments.validator.ts';

export const paidInvoiceId = z.strictObject({ id });

const MOST_INVOICES = 50;
const offline = ['BANK_TRANSFER', 'CHEQUE', 'CASH', 'UPI', 'OTHER'] as const;
/** What is told apart by a number of the bank. */
const numbered: ReadonlySet<string> = new Set(['BANK_TRANSFER', 'CHEQUE', 'UPI']);

export const offlinePaymentBody = z
  .strictObject({
    amount: amount()
      .refine((rupees) => Number(rupees) > 0, 'must be more than nothing')
      .meta({ description: 'What came, rupees', example: '2949.00' }),
    method: z.enum(offline).meta({ description: 'How it came', example: 'BANK_TRANSFER' }),
    reference: text(60).optional().meta({
      description: 'UTR of the transfer or of UPI, number of the cheque: needed for these, and taken once',
      example: 'HDFCN52026112600001',
    }),
    receivedOn: day.optional().meta({ description: 'The day in India on which it came. Default: today' }),
    notes: text(500).optional().meta({ example: 'With the deduction of TDS to follow' }),
    alsoSettle: z
      .array(id)
      .max(MOST_INVOICES)
      .optional()
      .meta({ description: 'Further invoices of the same tenant that what is left pays, in this order', example: [] }),
  })
  .refine(({ method, reference }) => reference !== undefined || !numbered.has(method), {
    message: 'is missing: the number by which the bank knows the payment',
    path: ['reference'],
  })
  .meta({ id: 'OfflinePayment', example: offlineExample() });

/** Of the day on which it is sent: a day of the past would be too old for an invoice that was just issued. */
function offlineExample() {
  return { amount: '2949.00', method: 'BANK_TRANSFER', reference: 'HDFCN52026112600001' };
}

export const invoiceBalance = z
  .object({
    id,
    number: z.string().nullable().meta({ example: 'SS/26-27/000001' }),
    status: z.enum(InvoiceStatus).meta({ example: 'PAID' }),
    total: money,
    amountPaid: money,
    amountCredited: money.meta({ description: 'Set off by credit notes', example: '0.00' }),
    amountDue: money.meta({ example: '0.00' }),
    paidAt: isoDate.nullable(),
    version: z.number().int().meta({ example: 3 }),
  })
  .meta({ id: 'InvoiceBalance', description: 'How an invoice stands' });

export const offlinePaymentResult = z
  .object({
    payment,
    invoices: z.array(invoiceBalance).meta({ description: 'As they are now, this one first' }),
    credited: money.meta({ description: 'What was more than due, and is the tenant’s credit now', example: '0.00' }),
  })
  .meta({ id: 'OfflinePaymentResult' });

export const collectBody = z
  .strictObject({
    paymentMethodId: id.optional().meta({
      description: "Charge to this one. Default: the subscription's, else the tenant's",
    }),
  })
  .meta({ id: 'CollectInvoice', example: {} });

export const collectResult = z.object({ payment, invoice: invoiceBalance }).meta({ id: 'CollectedInvoice' });

export const paymentLink = z
  .object({
    id,
    tenantId: id,
    invoiceId: id,
    url: z.string().meta({ description: 'The page on which anybody can pay it', example: 'https://rzp.io/i/nxrHnLJ' }),
    amount: money.meta({ description: 'All that is due' }),
    status: z.enum(PaymentLinkStatus).meta({ example: 'OPEN' }),
    expiresAt: isoDate,
    createdAt: isoDate,
  })
  .meta({ id: 'PaymentLink' });
