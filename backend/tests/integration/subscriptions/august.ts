import { buildPlan, noon, setClock } from '../../support/billing.ts';
import type { FinanceApp } from '../../support/finance.ts';
import { deskOf, subscribe } from './support.ts';

type Plan = Awaited<ReturnType<typeof buildPlan>>;

/** What tests of changes within a period do, as finance. */
export function augustOf(app: () => FinanceApp) {
  const { subscriptions, read } = deskOf(app);

  /** Somebody on a plan for 999 since 1 August, on a day of that month, and a larger plan. */
  async function onAugust(day: number, { state = 'KA', method = true, body = {} } = {}) {
    const small = await buildPlan(app());
    const large = await buildPlan(app(), { monthlyPrice: '2499.00', annualPrice: '24990.00' });
    setClock(noon('2027-08-01'));
    const built = await subscribe(app(), subscriptions(), { plan: small, state, method, body });
    setClock(noon(`2027-08-${String(day).padStart(2, '0')}`));
    return { ...built, small, large };
  }

  const preview = (id: string, plan: Plan, more: object = {}, who = app().finance) =>
    subscriptions().post(`/${id}/change/preview`, { planId: plan.id, ...more }, who);
  const change = (id: string, body: Record<string, unknown>, who = app().finance) =>
    subscriptions().post(`/${id}/change`, body, who);

  /** The lines of an invoice, in order. */
  const linesOf = (invoiceId: string) =>
    app().query(
      `select kind, unit_price::text as price, discount::text, taxable::text, to_char(period_start, 'YYYY-MM-DD') as start,
              to_char(period_end, 'YYYY-MM-DD') as end from invoice_items where invoice_id = $1 order by position`,
      [invoiceId],
    );

  return { subscriptions, onAugust, preview, change, read, linesOf };
}
