import { sql, type Sql } from '../utils/sql.ts';

// What must hold of the books at any time: each statement finds what does not, as `about` and `found`. Read all of it
// together with the migration that lays the checks, triggers and unique indexes: those keep single rows right, these
// compare rows with each other.

/** A hundred faults of a kind tell enough. */
const MOST = 100;

export const BOOKS: Readonly<Record<string, Sql>> = {
  'numbers of a series are contiguous and end at the last one given': sql`
    with numbered as (
      select 'INVOICE'::document_kind as kind, fiscal_year, split_part(number, '/', 1) as prefix, serial from invoices where serial is not null
      union all
      select 'CREDIT_NOTE', fiscal_year, split_part(number, '/', 1), serial from credit_notes),
    series as (
      select kind, fiscal_year, prefix, min(serial) as least, max(serial) as most, count(*) as numbers, count(distinct serial) as different
        from numbered group by 1, 2, 3)
    select concat_ws(' ', coalesce(n.kind, s.kind), coalesce(n.prefix, s.prefix), coalesce(n.fiscal_year, s.fiscal_year)) as about,
           format('%s numbers from %s to %s, %s given', n.numbers, n.least, n.most, s.last_serial) as found
      from series n full join document_series s using (kind, fiscal_year, prefix)
     where n.least is distinct from 1 or n.most is distinct from n.numbers or n.different is distinct from n.numbers
        or s.last_serial is distinct from n.most`,

  'an invoice is the sum of its lines': sql`
    select i.number as about, format('%s of lines, %s on the invoice', x.taxable, i.taxable) as found
      from invoices i join lateral (
        select coalesce(sum(amount), 0) as amount, coalesce(sum(discount), 0) as discount, coalesce(sum(taxable), 0) as taxable,
               coalesce(sum(cgst), 0) as cgst, coalesce(sum(sgst), 0) as sgst, coalesce(sum(igst), 0) as igst
          from invoice_items where invoice_id = i.id) x on true
     where i.number is not null
       and (i.subtotal, i.discount_total, i.taxable, i.cgst, i.sgst, i.igst)
           is distinct from (x.amount, x.discount, x.taxable, x.cgst, x.sgst, x.igst)`,

  'what is paid on an invoice was allocated to it, and what is credited was noted': sql`
    select i.number as about, format('paid %s, allocated %s, credited %s, noted %s', i.amount_paid, a.amount, i.amount_credited, c.amount) as found
      from invoices i
      left join (select invoice_id, sum(amount) as amount from payment_allocations group by 1) a on a.invoice_id = i.id
      left join (select invoice_id, sum(offset_amount) as amount from credit_notes where status = 'ISSUED' group by 1) c on c.invoice_id = i.id
     where i.amount_paid <> coalesce(a.amount, 0) or i.amount_credited <> coalesce(c.amount, 0)`,

  'a payment that came is all allocated or credited, any other not at all': sql`
    select p.id as about, format('%s of %s, allocated %s, credited %s', p.status, p.amount, a.amount, b.amount) as found
      from payments p
      left join (select payment_id, sum(amount) as amount from payment_allocations group by 1) a on a.payment_id = p.id
      left join (select payment_id, sum(amount) as amount from billing_entries
                  where kind in ('OVERPAYMENT', 'RETURNED') group by 1) b on b.payment_id = p.id
     where coalesce(a.amount, 0) + coalesce(b.amount, 0) <> case p.status when 'SUCCEEDED' then p.amount else 0 end`,

  'a credit balance is the sum of its entries': sql`
    select a.tenant_id as about, format('%s, entries %s', a.credit_balance, e.amount) as found
      from billing_accounts a
      left join (select tenant_id, sum(amount) as amount from billing_entries group by 1) e using (tenant_id)
     where a.credit_balance <> coalesce(e.amount, 0)`,

  'a tenant owes what it was charged less what it paid and was credited': sql`
    with charged as (select tenant_id, sum(total) as amount, sum(amount_due) as due from invoices
                      where status not in ('DRAFT', 'VOID') group by 1),
    noted as (select tenant_id, sum(total) as amount from credit_notes where status = 'ISSUED' group by 1),
    paid as (select tenant_id, sum(amount) as amount from payments where status = 'SUCCEEDED' and method <> 'CREDIT_BALANCE' group by 1),
    returned as (select tenant_id, sum(amount) as amount from refunds where status <> 'FAILED' group by 1)
    select t.id as about, format('due %s, balance %s, charged %s, noted %s, paid %s, returned %s',
             c.due, b.credit_balance, c.amount, n.amount, p.amount, r.amount) as found
      from tenants t left join charged c on c.tenant_id = t.id left join noted n on n.tenant_id = t.id
      left join paid p on p.tenant_id = t.id left join returned r on r.tenant_id = t.id
      left join billing_accounts b on b.tenant_id = t.id
     where coalesce(c.amount, 0) - coalesce(n.amount, 0) - coalesce(p.amount, 0) + coalesce(r.amount, 0)
           <> coalesce(c.due, 0) - coalesce(b.credit_balance, 0)`,

  'credit notes take no more of a line than it has': sql`
    select i.id as about, format('%s of %s', sum(c.total), i.total) as found
      from credit_note_items c join credit_notes n on n.id = c.credit_note_id join invoice_items i on i.id = c.invoice_item_id
     where n.status = 'ISSUED'
     group by i.id, i.total, i.taxable, i.cgst, i.sgst, i.igst
    having sum(c.taxable) > i.taxable or sum(c.cgst) > i.cgst or sum(c.sgst) > i.sgst or sum(c.igst) > i.igst`,

  'refunds give back no more than came': sql`
    select p.id as about, format('%s of %s', sum(r.amount), p.amount) as found
      from refunds r join payments p on p.id = r.payment_id where r.status <> 'FAILED'
     group by p.id, p.amount, p.amount_refunded having sum(r.amount) > p.amount or sum(r.amount) <> p.amount_refunded`,

  'no period of a subscription is billed twice': sql`
    select subscription_id as about, format('%s begins before the one before it ends', period_start) as found
      from (select subscription_id, period_start, max(period_end) over (partition by subscription_id order by period_start, id
                     rows between unbounded preceding and 1 preceding) as earlier_end,
                   lag(period_start) over (partition by subscription_id order by period_start, id) as earlier_start
              from invoices where reason in ('SUBSCRIPTION_CREATE', 'SUBSCRIPTION_CYCLE') and status not in ('DRAFT', 'VOID')) x
     where period_start < earlier_end
       -- Who cancels at once gives up the rest, and begins anew.
       and not exists (select from subscription_changes c where c.subscription_id = x.subscription_id and c.type = 'CANCELLED'
                          and c.effective_on between x.earlier_start and x.period_start)`,

  'the movements of a subscription add up to its MRR': sql`
    select s.id as about, format('%s, movements %s', s.mrr, h.amount) as found
      from subscriptions s
      left join (select subscription_id, sum(mrr_after - mrr_before) as amount from subscription_changes group by 1) h on h.subscription_id = s.id
     where s.mrr <> coalesce(h.amount, 0)`,

  'only what is due is dunned for': sql`
    select r.id as about, format('the invoice is %s', i.status) as found
      from dunning_runs r join invoices i on i.id = r.invoice_id where r.status = 'ACTIVE' and i.status <> 'OPEN'`,

  'a subscription is past due as long as it is dunned for': sql`
    select s.id as about, s.status::text as found from subscriptions s
     where (s.status = 'PAST_DUE') and not exists (select from dunning_runs r where r.subscription_id = s.id and r.status = 'ACTIVE')`,
};

export const faultsOf = (check: Sql): Sql => sql`select about, found from (${check}) faults limit ${MOST}`;

/** The newest checks. */
export const checkRows = sql`
  select id, checked_at as "checkedAt", faults, details from billing_checks`;
