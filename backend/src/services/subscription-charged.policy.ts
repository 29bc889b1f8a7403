import { decimal, roundPaisa, type Decimal } from '../utils/money.ts';
import { proratedPrice, type Period } from './proration.policy.ts';
import type { Charged } from './subscription-charged.queries.ts';
import { lessPercent, percentOff } from './subscription-invoice.policy.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';

/** What is given up: the plan, or an add-on by its id. */
type Given = 'PLAN' | { addOnId: string };

type Running = { bills: readonly Charged[]; row: SubscriptionRow; period: Period; on: string };

/**
 * What is credited for the rest of a period that was charged before: the price at that time less the percentages that were
 * taken off then, whatever holds now; nothing for a bill that was voided; and less what credit notes gave back already.
 * @param price of the whole period, rupees without tax, where no bill is known; then the coupons that hold are taken too
 */
export function creditFor(given: Given, price: Decimal, { bills, row, period, on }: Running): Decimal {
  const kinds = given === 'PLAN' ? ['PERIOD', 'PLAN'] : ['PERIOD', given.addOnId];
  const bill = bills.find(({ charged }) => kinds.includes(charged));
  const percentages = bill?.percentOff ?? percentOff(row.coupons.filter(({ duration }) => duration !== 'ONCE'));
  const charged = given === 'PLAN' && bill?.price ? decimal(bill.price) : price;
  const credit = proratedPrice(lessPercent(charged, percentages), period, on);
  return bill ? roundPaisa(credit.times(shareLeft(bill, given))) : credit;
}

/** What is left of a line after credit notes, 0 to 1. */
function shareLeft({ status, lines }: Charged, given: Given): Decimal {
  if (status === 'VOID') return decimal(0);
  const line = lines.find(({ planVersionId, addOnId }) =>
    given === 'PLAN' ? planVersionId !== null : addOnId === given.addOnId,
  );
  if (!line || decimal(line.taxable).isZero()) return decimal(1);
  return decimal(1).minus(decimal(line.credited).dividedBy(line.taxable));
}
