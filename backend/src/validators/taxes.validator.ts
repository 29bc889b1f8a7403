import { z } from 'zod';
import { day, isoDate, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';
import * as c from './catalogue.validator.ts';

const rate = c.percent('0').meta({
  description: 'Percent as text: IGST, or CGST and SGST together',
  example: '18.00',
});
const description = text(200, 2).meta({
  description: 'What the code stands for',
  example: 'Licensing services for the right to use computer software',
});
const effectiveFrom = day.meta({
  description: 'The first day in India on which it holds',
  format: 'date',
  example: '2027-04-01',
});

export const setTaxesBody = z
  .strictObject({
    rates: z
      .array(z.strictObject({ sacCode: c.sacCode, description, rate, effectiveFrom }))
      .min(1)
      .max(50)
      .meta({ description: 'Rates that are added' }),
  })
  .meta({ id: 'SetTaxes' });

export const listTaxesQuery = pageQuery(['sacCode'])
  .omit({ sort: true })
  .extend({
    order: z.enum(['asc', 'desc']).default('asc').meta({ description: 'Direction of the sort, by code' }),
  });

const taxRate = z
  .object({
    id,
    rate: c.percentView.meta({ description: 'Percent', example: '18.00' }),
    description: z.string().meta({ example: 'Licensing services for the right to use computer software' }),
    effectiveFrom: z.string().meta({ description: 'The first day in India', format: 'date', example: '2017-07-01' }),
    createdBy: c.author,
    createdAt: isoDate,
  })
  .meta({ id: 'TaxRate' });

const example = {
  id: 'cm3k8v1x40000qp2h9d7f5a6b',
  rate: '18.00',
  description: 'Licensing services for the right to use computer software',
  effectiveFrom: '2017-07-01',
  createdBy: null,
  createdAt: '2026-08-11T06:30:00.000Z',
};

/** The rates of one service accounting code. */
export const tax = z
  .object({
    sacCode: z.string().meta({ example: '997331' }),
    current: taxRate.nullable().meta({ description: 'Holds today; null before the first', example }),
    next: taxRate.nullable().meta({ description: 'The next that is to come; null: none is known', example: null }),
    history: z.array(taxRate).meta({ description: 'All of them, the latest first; at most 100' }),
  })
  .meta({ id: 'Tax' });

export const taxes = z.array(tax);
