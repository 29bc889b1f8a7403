import { z } from 'zod';
import { search, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';
import * as c from './catalogue.validator.ts';

export const addOnId = z.strictObject({ id });

const name = text(80, 2).meta({ description: 'Name for people', example: 'Another library' });
const description = c.description.meta({ example: 'One more reading room with a hundred seats' });
const monthlyPrice = c.monthlyPrice.meta({ example: '799.00' });
const annualPrice = c.annualPrice.meta({ example: '7990.00' });

export const createAddOnBody = z
  .strictObject({
    code: c.code.optional().meta({ description: 'Default: made from the name', example: 'another-library' }),
    name,
    description: description.nullable().optional(),
    monthlyPrice,
    annualPrice,
    sacCode: c.sacCode.optional().meta({ description: 'Default: the setting billing.default_sac' }),
    limits: c.addedLimits.default({}),
  })
  .meta({ id: 'CreateAddOn' });

export const updateAddOnBody = z
  .strictObject({
    name,
    description: description.nullable(),
    status: c.status,
    monthlyPrice,
    annualPrice,
    sacCode: c.sacCode,
    limits: c.addedLimits,
  })
  .partial()
  .refine((body) => Object.keys(body).length > 0, 'give at least one field to change')
  .meta({ id: 'UpdateAddOn' });

export const addOnSortColumns = ['createdAt', 'name', 'monthlyPrice'] as const;
export const listAddOnsQuery = pageQuery(addOnSortColumns).extend({
  status: c.status.optional(),
  q: search.optional().meta({ description: 'Part of name or code', example: 'library' }),
});

export const addOn = z
  .object({
    id,
    code: z.string().meta({ example: 'another-library' }),
    name: z.string().meta({ example: 'Another library' }),
    description: z.string().nullable().meta({ example: 'One more reading room with a hundred seats' }),
    status: c.status,
    monthlyPrice: c.monthlyPriceView.meta({ example: '799.00' }),
    annualPrice: c.annualPriceView.meta({ example: '7990.00' }),
    sacCode: z.string().meta({ example: '997331' }),
    limits: c.addedLimitsView,
    subscribers: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'Live subscriptions that have it; null within the space of a tenant', example: 12 }),
    ...c.stamps,
  })
  .meta({ id: 'AddOn' });
