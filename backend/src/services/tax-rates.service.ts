import type { ReadContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { decimal, type Decimal } from '../utils/money.ts';
import { join, sql } from '../utils/sql.ts';

/**
 * The GST in percent that holds on a day in India, by service accounting code.
 * @throws AppError conflict for a code without a rate
 */
export async function taxRatesOn(
  ctx: Pick<ReadContext, 'sql'>,
  day: string,
  sacCodes: readonly string[],
): Promise<ReadonlyMap<string, Decimal>> {
  const codes = [...new Set(sacCodes)];
  if (codes.length === 0) return new Map();
  const rows = await ctx.sql.many<{ sacCode: string; rate: string }>(sql`
    select distinct on (sac_code) sac_code as "sacCode", rate::text from tax_rates
     where sac_code in (${join(codes)}) and effective_from <= ${day}::date
     order by sac_code, effective_from desc`);
  const rates = new Map(rows.map(({ sacCode, rate }) => [sacCode, decimal(rate)]));
  const missing = codes.filter((code) => !rates.has(code));
  if (missing.length > 0) {
    throw new AppError(
      'conflict',
      `There is no tax rate for ${missing.join(', ')} on ${day}. Set it: PUT /api/revenue/taxes.`,
      { sacCodes: missing },
    );
  }
  return rates;
}
