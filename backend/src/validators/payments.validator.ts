import { z } from 'zod';
import { DeclineKind, PaymentChannel, PaymentInitiator, PaymentStatus } from '../generated/prisma/enums.ts';
import { day, isoDate, money } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';

const status = z
  .enum(PaymentStatus)
  .meta({ description: 'UNKNOWN: the gateway has not said yet, and is asked again', example: 'SUCCEEDED' });
const method = z.enum(PaymentChannel).meta({ description: 'How it was paid', example: 'CARD' });
const invoiceNumber = z.string().nullable().meta({ example: 'SS/26-27/000001' });

/** Filters of a list of payments. */
export const listPaymentsQuery = pageQuery(['createdAt']).extend({
  status: status.optional(),
  method: method.optional(),
  from: day.optional().meta({ description: 'Made on this day in India or later' }),
  to: day.optional().meta({ description: 'Made on this day in India or earlier' }),
});

export const payment = z
  .object({
    id,
    tenantId: id,
    invoiceId: id.nullable().meta({ description: 'What it was meant for' }),
    invoiceNumber,
    transactionId: z.string().meta({ description: "The gateway's id, else ours", example: 'pay_QZ8c2m1tXk4vJd' }),
    amount: money,
    amountRefunded: money.meta({ description: 'What went back of it, or is about to', example: '0.00' }),
    method,
    status,
    initiatedBy: z.enum(PaymentInitiator).meta({ example: 'RENEWAL' }),
    attemptNumber: z.number().int().nullable().meta({ description: 'Of dunning', example: null }),
    paymentMethod: z
      .object({ id, label: z.string().nullable(), last4: z.string().nullable() })
      .nullable()
      .meta({ example: { id: 'cm3k8v1x40000qp2h9d7f5a6b', label: 'HDFC Visa 4242', last4: '4242' } }),
    failure: z
      .object({ code: z.string(), message: z.string().nullable(), decline: z.enum(DeclineKind).nullable() })
      .nullable()
      .meta({
        description: 'Why it failed. HARD: the same payment method will never pay',
        example: { code: 'insufficient_funds', message: 'Not enough money on the account.', decline: 'SOFT' },
      }),
    reference: z.string().nullable().meta({ description: 'UTR, or number of the cheque', example: null }),
    notes: z.string().nullable().meta({ example: null }),
    receivedOn: day.nullable(),
    succeededAt: isoDate.nullable(),
    failedAt: isoDate.nullable(),
    createdAt: isoDate,
    allocations: z.array(z.object({ invoiceId: id, invoiceNumber, amount: money })).meta({
      description: 'Which invoices it has paid; what is missing of its amount went to the credit balance',
      example: [{ invoiceId: 'cm3k8v1x40000qp2h9d7f5a6b', invoiceNumber: 'SS/26-27/000001', amount: '2499.00' }],
    }),
  })
  .meta({ id: 'Payment' });
