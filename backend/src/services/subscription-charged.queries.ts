import { sql, type Sql } from '../utils/sql.ts';

// What the running period was charged at: what is given up within it is credited at that, and never for more than is left
// of it after credit notes.

/** A bill of the running period. */
export type Charged = {
  /** `PERIOD`: the plan with its add-ons; `PLAN`: the plan alone; else the id of the add-on that came within the period. */
  charged: string;
  /** Of the plan for the whole period; null for an add-on, which keeps its price. */
  price: string | null;
  /** Percentages that were taken off. */
  percentOff: string[];
  /** Of its invoice; null: nothing was invoiced. */
  status: string | null;
  /** The lines of its invoice that are no credits. Rupees without tax. */
  lines: { planVersionId: string | null; addOnId: string | null; taxable: string; credited: string }[];
};

/** The newest first. @param since the first day of the period */
export const chargedSince = (subscriptionId: string, since: string): Sql => sql`
  select h.details ->> 'charged' as charged, h.details ->> 'price' as price, h.details -> 'percentOff' as "percentOff", i.status,
         coalesce((select jsonb_agg(jsonb_build_object('planVersionId', l.plan_version_id, 'addOnId', l.add_on_id,
                     'taxable', l.taxable::text,
                     'credited', coalesce((select sum(n.taxable) from credit_note_items n join credit_notes c on c.id = n.credit_note_id
                                            where n.invoice_item_id = l.id and c.status = 'ISSUED'), 0)::text))
                     from invoice_items l where l.invoice_id = i.id and l.kind <> 'PRORATION_CREDIT'), '[]') as lines
    from subscription_changes h left join invoices i on i.id = h.invoice_id
   where h.subscription_id = ${subscriptionId} and h.effective_on >= ${since}::date and h.details ->> 'charged' is not null
   order by h.effective_on desc, h.created_at desc, h.id desc limit 100`;
