// The statements of the large seed. What is to be stands in a temporary table, `seed_bills`, numbered in the order of its
// time: `n` over all, `serial` within a fiscal year.

export const LARGE_PREFIX = 'SSL';
/** 16 characters, beside the kind of row and its number. */
const SERIES = 'c1a7ge0billing00';

/** An id in the shape of the others; those of rows that are made together stand together. */
const idOf = (kind: string, n: string): string => `'${SERIES}${kind}' || lpad(${n}::text, 8, '0')`;
const dayOf = (moment: string): string => `(${moment} at time zone 'Asia/Kolkata')::date`;

export const seriesExists = `select 1 from document_series where kind = 'INVOICE' and prefix = '${LARGE_PREFIX}' limit 1`;

export const createStage = `
  create temporary table seed_bills (
    n int, id text, tenant_id text, subscription_id text, reason invoice_reason, collection_method collection_method,
    period_start date, period_end date, at timestamptz, paid_at timestamptz, collect_after timestamptz, status invoice_status,
    subtotal numeric(14, 2), discount_total numeric(14, 2), taxable numeric(14, 2), cgst numeric(14, 2), igst numeric(14, 2),
    round_off numeric(14, 2), total numeric(14, 2), packs int, fiscal_year text, serial int) on commit drop;
  create temporary table seed_buyers (
    tenant_id text primary key, ordinal int, bills int, since timestamptz, ended_days_ago int, unpaid_days_ago int,
    supply supply_type, buyer jsonb, buyer_name text, buyer_gstin text, place_of_supply text) on commit drop`;

const billColumns =
  'id, tenant_id, subscription_id, reason, collection_method, period_start, period_end, at, paid_at, collect_after, status, ' +
  'subtotal, discount_total, taxable, cgst, igst, round_off, total';

export const stageBills = `
  insert into seed_bills (${billColumns}) select ${billColumns} from json_populate_recordset(null::seed_bills, $1)`;

export const stageBuyers = `insert into seed_buyers select * from json_populate_recordset(null::seed_buyers, $1)`;

/**
 * Packs of messages, evenly over the time that somebody was a customer: paid within six days, but for those of the last days
 * before somebody stopped to pay; one in a hundred was a mistake, and one in two hundred is written off.
 */
export const stageMessages = `
  insert into seed_bills (${billColumns}, packs)
  select null, tenant_id, null, 'MANUAL', 'SEND_INVOICE', null, null, at, case status when 'PAID' then paid_at end, null,
         status::invoice_status, amount, 0, amount, case supply when 'INTRA_STATE' then half else 0 end,
         case supply when 'INTER_STATE' then whole else 0 end, round(amount + tax) - amount - tax, round(amount + tax), packs
    from (
      select x.*, case supply when 'INTRA_STATE' then half * 2 else whole end as tax,
             case when n % 97 = 0 and n > 3 then 'VOID'
                  when n % 211 = 0 and at < $1::timestamptz - interval '120 days' then 'UNCOLLECTIBLE'
                  when unpaid_days_ago > 0 and at >= $1::timestamptz - make_interval(days => unpaid_days_ago) then 'OPEN'
                  when paid_at < $1::timestamptz then 'PAID' else 'OPEN' end as status
        from (
          select b.tenant_id, b.supply, b.unpaid_days_ago, n, m.packs, m.packs * 250.00 as amount,
                 round(m.packs * 250.00 * 9 / 100, 2) as half, round(m.packs * 250.00 * 18 / 100, 2) as whole, m.at,
                 m.at + make_interval(mins => 30 + (n * 7919 + b.ordinal * 13) % 8000) as paid_at
            from seed_buyers b cross join generate_series(1, b.bills) n
           cross join lateral (
             select 1 + (n * 31 + b.ordinal * 17) % 40 as packs,
                    date_trunc('minute', b.since + (n / (b.bills + 1.0)) * ($1::timestamptz - make_interval(days => b.ended_days_ago) - b.since)) as at) m
        ) x
    ) y`;

export const numberStage = `
  update seed_bills s set n = r.n, fiscal_year = r.fiscal_year, serial = r.serial,
         id = coalesce(s.id, ${idOf('i', 'r.n')})
    from (
      select ctid, fiscal_year, row_number() over (order by at, tenant_id, id) as n,
             row_number() over (partition by fiscal_year order by at, tenant_id, id) as serial
        from (select ctid, at, tenant_id, id,
                     to_char(${dayOf('at')} - interval '3 months', 'YY') || '-' || to_char(${dayOf('at')} + interval '9 months', 'YY') as fiscal_year
                from seed_bills) b
    ) r
   where r.ctid = s.ctid;
  create unique index on seed_bills (n);
  analyze seed_bills`;

export const keepSeries = `
  insert into document_series (kind, fiscal_year, prefix, last_serial)
  select 'INVOICE', fiscal_year, '${LARGE_PREFIX}', max(serial) from seed_bills group by fiscal_year`;

export const draftInvoices = `
  insert into invoices (id, tenant_id, subscription_id, reason, collection_method, period_start, period_end, created_at, updated_at)
  select id, tenant_id, subscription_id, reason, collection_method, period_start, period_end, at, at
    from seed_bills where n between $1 and $2 order by n`;

export const insertMessageItems = `
  insert into invoice_items (id, tenant_id, invoice_id, position, kind, description, sac_code, quantity, unit_price, amount,
                             taxable, tax_rate, cgst, sgst, igst, total)
  select ${idOf('l', 'n')}, tenant_id, id, 1, 'MANUAL', 'SMS pack, 1,000 messages', '998413', packs, 250, subtotal, taxable, 18,
         cgst, cgst, igst, taxable + cgst + cgst + igst
    from seed_bills where packs is not null and n between $1 and $2 order by n`;

/** Of a void one nothing is due; what is written off is still owed. */
export const finalizeInvoices = `
  update invoices i set
    number = '${LARGE_PREFIX}/' || s.fiscal_year || '/' || lpad(s.serial::text, 6, '0'), fiscal_year = s.fiscal_year,
    serial = s.serial, status = s.status, issue_date = ${dayOf('s.at')}, due_date = ${dayOf('s.at')} + 7, seller = $3::jsonb,
    buyer = b.buyer, buyer_name = b.buyer_name, buyer_gstin = b.buyer_gstin, place_of_supply = b.place_of_supply,
    supply = b.supply, subtotal = s.subtotal, discount_total = s.discount_total, taxable = s.taxable, cgst = s.cgst,
    sgst = s.cgst, igst = s.igst, round_off = s.round_off, total = s.total,
    amount_paid = case s.status when 'PAID' then s.total else 0 end,
    amount_due = case when s.status in ('OPEN', 'UNCOLLECTIBLE') then s.total else 0 end,
    finalized_at = s.at, paid_at = s.paid_at, sent_at = s.at, collect_after = s.collect_after,
    voided_at = case s.status when 'VOID' then s.at + interval '1 hour' end,
    void_reason = case s.status when 'VOID' then 'Made out by mistake' end,
    uncollectible_at = case s.status when 'UNCOLLECTIBLE' then s.at + interval '100 days' end,
    updated_at = coalesce(s.paid_at, s.at)
    from seed_bills s join seed_buyers b on b.tenant_id = s.tenant_id
   where i.id = s.id and s.n between $1 and $2`;

const isPaidMessage = `packs is not null and status = 'PAID' and n between $1 and $2`;

/** Half of them by bank, the others on a page of the gateway. */
export const insertMessagePayments = `
  insert into payments (id, tenant_id, invoice_id, transaction_id, amount, gateway_fee, gateway_tax, method, status, initiated_by,
                        gateway, gateway_payment_id, reference, received_on, succeeded_at, created_at, updated_at)
  select id, tenant_id, invoice_id, coalesce(gateway_id, id), total, case when gateway_id is null then 0 else round(total * 0.0236, 2) end,
         case when gateway_id is null then 0 else round(total * 0.0036, 2) end,
         (case when gateway_id is null then 'BANK_TRANSFER' else 'UPI' end)::payment_channel, 'SUCCEEDED',
         (case when gateway_id is null then 'OFFLINE' else 'PAYMENT_LINK' end)::payment_initiator,
         case when gateway_id is not null then 'sandbox' end, gateway_id,
         case when gateway_id is null then 'HDFCN' || to_char(paid_at, 'YYMMDD') || lpad((n % 100000)::text, 5, '0') end,
         ${dayOf('paid_at')}, paid_at, paid_at, paid_at
    from (select ${idOf('p', 'n')} as id, tenant_id, id as invoice_id, total, paid_at, n,
                 case when n % 2 = 0 then 'pay_' || left(md5('pay' || n), 14) end as gateway_id
            from seed_bills where ${isPaidMessage}) s
   order by n`;

export const insertMessageAllocations = `
  insert into payment_allocations (id, tenant_id, payment_id, invoice_id, amount, created_at)
  select ${idOf('a', 'n')}, tenant_id, ${idOf('p', 'n')}, id, total, paid_at
    from seed_bills where ${isPaidMessage} order by n`;

/** What nobody paid before the contract was ended was dunned for until then. */
export const insertClosedRuns = `
  insert into dunning_runs (id, tenant_id, invoice_id, subscription_id, campaign_id, plan, status, started_on, closed_at,
                            close_reason, created_at, updated_at)
  select ${idOf('d', 's.n')}, s.tenant_id, s.id, s.subscription_id, c.id,
         jsonb_build_object('attemptGaps', c.attempt_gaps, 'steps', c.steps, 'minimumAmount', c.minimum_amount::text), 'CLOSED',
         least(${dayOf('s.at')} + 8, u.ended_on), u.cancelled_at, 'CANCELLED', least(s.at + interval '8 days', u.cancelled_at),
         u.cancelled_at
    from seed_bills s join seed_buyers b on b.tenant_id = s.tenant_id
    join subscriptions u on u.tenant_id = s.tenant_id
   cross join dunning_campaigns c
   where c.is_default and s.status = 'OPEN' and b.unpaid_days_ago > 0`;
