import type { ReadContext } from '../types/context.ts';
import { orNotFound } from '../utils/errors.ts';
import { stateByCode, stateByGstCode } from '../utils/indian-states.ts';
import { sql, type Sql } from '../utils/sql.ts';
import { placeOfSupply } from './gst.policy.ts';

/** Who is supplied, as it is kept with each document. */
export type Buyer = {
  legalName: string;
  gstin: string | null;
  /** GST code of the place of supply, such as `29`. */
  stateCode: string;
  stateName: string;
  addressLine: string | null;
  city: string | null;
  pincode: string | null;
  email: string;
  phone: string | null;
};

type BuyerRow = Omit<Buyer, 'stateCode' | 'stateName'> & { state: string | null };

/** From the billing profile, and where there is none from the tenant itself. */
const buyerRow = (tenantId: string): Sql => sql`
  select coalesce(p.legal_name, t.name) as "legalName",
         case when p.tenant_id is null then t.gstin else p.gstin end as gstin, coalesce(p.state, t.state) as state,
         coalesce(p.address_line, t.address_line) as "addressLine", coalesce(p.city, t.city) as city,
         coalesce(p.pincode, t.pincode) as pincode, coalesce(p.email, t.email) as email, t.phone
    from tenants t left join billing_profiles p on p.tenant_id = t.id
   where t.id = ${tenantId} and t.status <> 'PURGED'`;

/**
 * @param sellerStateCode the place of supply where it is not known where the buyer is (IGST Act 2017, section 12 (2) (b))
 * @throws AppError not_found
 */
export async function buyerOf(
  ctx: Pick<ReadContext, 'sql'>,
  tenantId: string,
  sellerStateCode: string,
): Promise<Buyer> {
  const { state, ...row } = orNotFound(await ctx.sql.one<BuyerRow>(buyerRow(tenantId)), 'tenant');
  const known = row.gstin !== null || (state !== null && stateByCode(state) !== undefined);
  const stateCode = known ? placeOfSupply({ gstin: row.gstin, state: state ?? '' }) : sellerStateCode;
  return { ...row, stateCode, stateName: stateByGstCode(stateCode)?.name ?? '' };
}
