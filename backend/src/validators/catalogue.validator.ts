import { z } from 'zod';
import { entitlementNames, type Entitlement } from '../config/entitlements.ts';
import { PlanStatus } from '../generated/prisma/enums.ts';
import { amount, isoDate, money, slug, text } from '../utils/fields.ts';

// What plans, add-ons, coupons and tax rates have in common.

export const code = slug.meta({
  description: 'Name for programs; never changes, and is never given to another one',
  example: 'growth',
});
export const description = text(500).meta({ description: 'What it is for', example: 'For one to three reading rooms' });
export const status = z
  .enum(PlanStatus)
  .meta({ description: 'ARCHIVED: kept for those who have it, and nobody new gets it', example: 'ACTIVE' });

export const sacCode = z
  .string()
  .max(6)
  .regex(/^99\d{2,4}$/, 'must be a service accounting code, such as 997331')
  .meta({ description: 'Service accounting code, by which the tax rate is found', example: '997331' });

export const monthlyPrice = amount().meta({
  description: 'Rupees without tax for a month, as text',
  example: '2499.00',
});
export const annualPrice = amount().meta({
  description: 'Rupees without tax for a year, as text',
  example: '24990.00',
});
export const monthlyPriceView = money.meta({ description: 'Rupees without tax for a month', example: '2499.00' });
export const annualPriceView = money.meta({ description: 'Rupees without tax for a year', example: '24990.00' });

/** Percent as text, from `least` to 100; becomes two decimals. */
export const percent = (least: string) =>
  z
    .string()
    .max(6)
    .regex(/^\d{1,3}(\.\d{1,2})?$/, 'must be percent as text, such as "12.50"')
    .refine((value) => Number(value) >= Number(least) && Number(value) <= 100, `must lie between ${least} and 100`)
    .transform((value) => Number(value).toFixed(2))
    .pipe(z.string());
/** Percent in an answer. */
export const percentView = z.string().regex(/^\d{1,3}\.\d\d$/);

const examples: Record<Entitlement, number> = { libraries: 2, seats: 300, students: 500, staff: 10 };
const byName = <Field extends z.ZodType>(field: Field) =>
  Object.fromEntries(entitlementNames.map((name) => [name, field.meta({ example: examples[name] })])) as Record<
    Entitlement,
    Field
  >;

const count = z.number().int().min(0).max(10_000_000);

/** What a plan allows. */
export const limits = z
  .strictObject(byName(count.nullable().optional()))
  .meta({ description: 'How much of each; what is null or left out is without limit', example: examples });
export const limitsView = z
  .object(byName(z.number().int().nullable()))
  .meta({ description: 'How much of each; null: without limit', example: examples });

/** What one add-on adds. */
export const addedLimits = z
  .strictObject(byName(count.optional()))
  .meta({ description: 'What one of it adds to the limits of the plan', example: { libraries: 1, seats: 100 } });
export const addedLimitsView = z.object(byName(z.number().int())).meta({
  description: 'What one of it adds to the limits of the plan',
  example: { libraries: 1, seats: 100, students: 0, staff: 0 },
});

/** Who made a row that is never changed; null: it came with the product. */
export const author = z
  .object({ id: z.string(), name: z.string() })
  .nullable()
  .meta({
    description: 'Who made it; null: it came with the product',
    example: { id: 'cm3k8v1x40000qp2h9d7f5a6b', name: 'Asha Menon' },
  });

export const rowVersion = z
  .number()
  .int()
  .meta({ description: 'Send it back as If-Match when you change it', example: 1 });
export const stamps = { version: rowVersion, createdAt: isoDate, updatedAt: isoDate };
