import { z } from 'zod';
import { PaymentMethodKind, PaymentMethodStatus } from '../generated/prisma/enums.ts';
import { amount, isoDate, money } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';

const status = z
  .enum(PaymentMethodStatus)
  .meta({ description: 'PENDING until the payer has agreed; only an ACTIVE one is charged', example: 'ACTIVE' });
const kind = z.enum(PaymentMethodKind).meta({ description: 'A card on file, or UPI Autopay', example: 'CARD' });
const text = (example: string | null) => z.string().nullable().meta({ example });

export const paymentMethodId = z.strictObject({ id });

export const listPaymentMethodsQuery = pageQuery(['createdAt']).extend({
  tenantId: id.optional().meta({ description: 'Of this tenant' }),
  status: status.optional().meta({ description: 'Default: all but those that were removed' }),
});

/** Ten lakh rupees. */
const MOST = '1000000.00';

export const createPaymentMethodBody = z
  .strictObject({
    tenantId: id.optional().meta({ description: 'Whose it is: for portal admins, who may name it in x-tenant-id too' }),
    kind,
    maxAmount: amount(MOST)
      .refine((rupees) => Number(rupees) >= 1, 'must be 1.00 or more')
      .meta({ description: 'The most that may be charged at once, rupees', example: '15000.00' }),
  })
  .meta({ id: 'CreatePaymentMethod' });

export const updatePaymentMethodBody = z
  .strictObject({
    isDefault: z.literal(true, 'must be true: make another one the default instead').meta({
      description: 'Charge to it from now on',
      example: true,
    }),
  })
  .meta({ id: 'UpdatePaymentMethod' });

export const paymentMethod = z
  .object({
    id,
    tenantId: id,
    kind,
    status,
    label: text('HDFC Visa 4242').meta({ description: 'What people recognise it by; null until they have agreed' }),
    brand: text('Visa'),
    last4: text('4242'),
    vpa: text(null).meta({ description: 'Masked UPI address' }),
    expiryMonth: z.number().int().nullable().meta({ example: 12 }),
    expiryYear: z.number().int().nullable().meta({ example: 2030 }),
    mandateMaxAmount: money.nullable().meta({ description: 'The most that may be charged at once' }),
    isDefault: z.boolean().meta({ description: 'What is charged unless a subscription names another', example: true }),
    checkoutUrl: text(null).meta({ description: 'While PENDING: where the payer agrees, if the gateway has a page' }),
    version: z.number().int().meta({ description: 'Send it back as If-Match when you change it', example: 1 }),
    createdAt: isoDate,
    updatedAt: isoDate,
  })
  .meta({ id: 'PaymentMethod' });

export const createdPaymentMethod = paymentMethod
  .extend({
    checkout: z
      .object({
        url: text('https://gateway.example/checkout/order_QZ8c2m1tXk4vJd').meta({
          description: 'A page to send them to',
        }),
        keyId: text(null).meta({ description: "Public key for the gateway's script, where there is no page" }),
        orderId: z.string().meta({ example: 'order_QZ8c2m1tXk4vJd' }),
        customerId: z.string().meta({ example: 'cust_QZ8c2m1tXk4vJd' }),
      })
      .meta({ description: "What the payer's browser needs to go on" }),
  })
  .meta({ id: 'CreatedPaymentMethod' });
