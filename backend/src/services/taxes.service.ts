import type { z } from 'zod';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, invalidField } from '../utils/errors.ts';
import { dateColumn } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { page } from '../utils/page.ts';
import type { listTaxesQuery, setTaxesBody, tax } from '../validators/taxes.validator.ts';
import { assertOutsideTenants } from './platform-space.policy.ts';
import * as queries from './taxes.queries.ts';

type TaxView = z.input<typeof tax>;
type Rate = z.output<typeof setTaxesBody>['rates'][number];

/** Each service accounting code with the rate that holds today, the next one and all there were. */
export const listTaxes = (ctx: ReadContext, query: z.output<typeof listTaxesQuery>) =>
  page<TaxView>(ctx, query, queries.taxRows(dayInIndia(ctx.now), query.order));

/**
 * Adds rates, all of them or none. One that is there already, with the same rate, is left as it is.
 * @returns the codes that were named, as they stand now
 * @throws AppError validation_failed for a day before today: invoices were issued by what held then; conflict for a day
 *   on which another rate begins already
 */
export async function setTaxes(ctx: WriteContext<Actor>, { rates }: z.output<typeof setTaxesBody>): Promise<TaxView[]> {
  assertOutsideTenants(ctx);
  const codes = [...new Set(rates.map(({ sacCode }) => sacCode))];
  await ctx.sql.one(queries.lockTaxes());
  const known = await ctx.sql.many<queries.KnownRate>(queries.ratesOf(codes));
  const today = dayInIndia(ctx.now);
  const added = newRates(rates, known, today);
  await ctx.db.taxRate.createMany({
    data: added.map((rate) => ({
      ...rate,
      effectiveFrom: dateColumn(rate.effectiveFrom),
      createdById: ctx.actor.id,
      createdBy: ctx.actor.name,
      createdAt: ctx.now,
    })),
  });
  ctx.audit({ resource: 'tax_rate', details: { added, unchanged: rates.length - added.length } });
  return ctx.sql.many<TaxView>(queries.taxesOf(today, codes));
}

/** Those of the rates that are not there yet. */
function newRates(rates: readonly Rate[], known: readonly queries.KnownRate[], today: string): Rate[] {
  const begun = new Set(known.map(({ sacCode }) => sacCode));
  const there = new Map(known.map((row) => [keyOf(row), row.rate]));
  return rates.filter((rate, index) => {
    const at = `rates.${index}`;
    const found = there.get(keyOf(rate));
    if (found === rate.rate) return false;
    if (found !== undefined) throw takenDay(rate, found, at);
    if (begun.has(rate.sacCode) && rate.effectiveFrom < today) {
      throw invalidField(`${at}.effectiveFrom`, `must be ${today} or later: invoices were issued by the rate of then`);
    }
    there.set(keyOf(rate), rate.rate);
    return true;
  });
}

const keyOf = ({ sacCode, effectiveFrom }: Pick<Rate, 'sacCode' | 'effectiveFrom'>) => `${sacCode} ${effectiveFrom}`;

function takenDay({ sacCode, effectiveFrom }: Rate, rate: string, at: string): AppError {
  const told = `effectiveFrom ${effectiveFrom} is taken: from then on ${sacCode} is taxed at ${rate} percent. Rates are never changed: choose another day.`;
  const issues = [{ in: 'body' as const, field: `${at}.effectiveFrom`, message: 'has another rate of this code' }];
  return new AppError('conflict', told, { field: `${at}.effectiveFrom`, issues, rate });
}
