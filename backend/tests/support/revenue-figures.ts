import { newId } from '../../src/utils/ids.ts';
import type { TestApp } from './server.ts';

// Rows that figures are made of, put into the database as they are: what a test computes by hand, it computes from these.

let serial = 0;
const next = () => `${process.pid}-${(serial += 1)}`;

type Money = string | number;
type Movement = 'NEW' | 'EXPANSION' | 'CONTRACTION' | 'CHURN' | 'REACTIVATION';

export type FigurePlan = { id: string; versionId: string; name: string };
export type FigureSubscription = { id: string; tenantId: string; plan: FigurePlan };

export type FigureLine = {
  taxable: Money;
  rate?: Money;
  sac?: string;
  /** The period over which it is earned: first day, and the day after the last. */
  period?: [string, string];
  description?: string;
};

export type FigureInvoice = {
  tenantId: string;
  /** `issueDate`, and the day on which it is due. */
  on: string;
  due?: string;
  lines: readonly FigureLine[];
  status?: 'OPEN' | 'PAID' | 'VOID' | 'UNCOLLECTIBLE';
  buyer?: { name?: string; gstin?: string | null; state?: string };
  roundOff?: Money;
  at?: { paid?: string; voided?: string; uncollectible?: string };
  number?: string;
};

export type BuiltInvoice = { id: string; tenantId: string; number: string; total: string; itemIds: string[] };

const SELLER = { gstin: '27AAPFU0939F1ZV', stateCode: '27', legalName: 'StudySpot Technologies Private Limited' };
const paise = (amount: number): number => Math.round(amount * 100) / 100;
const text = (amount: number): string => amount.toFixed(2);

/** Puts rows into the database of a test as its owner, past the API and row security. */
export function figuresFor(app: TestApp) {
  async function plan(name = `Plan ${next()}`): Promise<FigurePlan> {
    const built = { id: newId(), versionId: newId(), name };
    await app.query(
      `with p as (insert into subscription_plans (id, code, name, updated_at) values ($1, $2, $3, now()))
       insert into subscription_plan_versions (id, plan_id, number, monthly_price, annual_price, trial_days, sac_code)
       values ($4, $1, 1, 999, 9990, 0, '997331')`,
      [built.id, `plan-${next()}`, name, built.versionId],
    );
    return built;
  }

  /** As it stands now. */
  async function subscription(of: {
    plan: FigurePlan;
    tenantId?: string;
    mrr?: Money;
    status?: string;
    startedOn?: string;
  }): Promise<FigureSubscription> {
    const tenantId = of.tenantId ?? (await app.buildTenant()).id;
    const status = of.status ?? 'ACTIVE';
    const id = newId();
    const ended = status === 'CANCELLED' || status === 'EXPIRED';
    await app.query(
      `insert into subscriptions (id, tenant_id, plan_id, plan_version_id, status, billing_cycle, mrr, started_on, anchor_day,
                                  current_period_start, current_period_end, ended_on, paused_on, updated_at)
       values ($1, $2, $3, $4, $5::subscription_status, 'MONTHLY', $6, $7::date, 1, '2026-11-01', '2026-12-01', $8, $9, now())`,
      [
        id,
        tenantId,
        of.plan.id,
        of.plan.versionId,
        status,
        of.mrr ?? 0,
        of.startedOn ?? '2026-01-01',
        ended ? '2026-11-01' : null,
        status === 'PAUSED' ? '2026-11-01' : null,
      ],
    );
    return { id, tenantId, plan: of.plan };
  }

  /** One change of the MRR. The kind of movement is said by the test: it is what the row holds. */
  async function change(
    of: FigureSubscription,
    on: string,
    [before, after]: [Money, Money],
    movement: Movement | null,
    to: FigurePlan = of.plan,
  ): Promise<void> {
    await app.query(
      `insert into subscription_changes (id, tenant_id, subscription_id, type, to_status, from_plan_version_id, to_plan_version_id,
                                         to_cycle, effective_on, mrr_before, mrr_after, movement)
       values ($1, $2, $3, 'SETTINGS_CHANGED', 'ACTIVE', $4, $5, 'MONTHLY', $6::date, $7, $8, $9::mrr_movement)`,
      [
        newId(),
        of.tenantId,
        of.id,
        movement === 'NEW' ? null : of.plan.versionId,
        to.versionId,
        on,
        before,
        after,
        movement,
      ],
    );
  }

  /**
   * A subscription with its history: the MRR from each day on, the first of which is new.
   * @param steps the MRR after each change
   */
  async function history(
    of: { plan: FigurePlan; tenantId?: string },
    steps: readonly [string, number][],
  ): Promise<FigureSubscription> {
    const last = steps.at(-1)?.[1] ?? 0;
    const built = await subscription({ ...of, mrr: last, status: last > 0 ? 'ACTIVE' : 'CANCELLED' });
    let before = 0;
    for (const [index, [on, after]] of steps.entries()) {
      const movement = movementOf(before, after, index > 0);
      await change(built, on, [before, after], movement);
      before = after;
    }
    return built;
  }

  /** An invoice with its lines, taxed line by line. */
  async function invoice(of: FigureInvoice): Promise<BuiltInvoice> {
    const gstin = of.buyer?.gstin ?? null;
    const state = of.buyer?.state ?? gstin?.slice(0, 2) ?? '29';
    const isIntra = state === SELLER.stateCode;
    const lines = of.lines.map((line) => taxed(line, isIntra));
    const sum = (name: 'taxable' | 'cgst' | 'sgst' | 'igst') =>
      paise(lines.reduce((total, line) => total + line[name], 0));
    const [taxable, cgst, sgst, igst] = [sum('taxable'), sum('cgst'), sum('sgst'), sum('igst')];
    const total = paise(taxable + cgst + sgst + igst + Number(of.roundOff ?? 0));
    const status = of.status ?? 'OPEN';
    const number = of.number ?? `SS/26-27/${String((serial += 1)).padStart(6, '0')}`;
    const id = newId();
    await app.query(
      `insert into invoices (id, tenant_id, status, reason, collection_method, updated_at) values ($1, $2, 'DRAFT', 'MANUAL', 'SEND_INVOICE', now())`,
      [id, of.tenantId],
    );
    const itemIds = await insertLines(id, of.tenantId, lines);
    await app.query(
      `update invoices set status = $2::invoice_status, number = $3, serial = $4, fiscal_year = '26-27', issue_date = $5::date,
              due_date = $6::date, seller = $7, buyer = $8, buyer_name = $9, buyer_gstin = $10, place_of_supply = $11,
              supply = $12::supply_type, subtotal = $13, taxable = $13, cgst = $14, sgst = $15, igst = $16, round_off = $17,
              total = $18, amount_paid = $19, amount_due = $20, finalized_at = $5::date, paid_at = $21, voided_at = $22, uncollectible_at = $23
        where id = $1`,
      [
        id,
        status,
        number,
        Number(number.split('/').at(-1)),
        of.on,
        of.due ?? of.on,
        JSON.stringify(SELLER),
        JSON.stringify({ legalName: of.buyer?.name ?? 'Saraswati Reading Hall', gstin }),
        of.buyer?.name ?? 'Saraswati Reading Hall',
        gstin,
        state,
        isIntra ? 'INTRA_STATE' : 'INTER_STATE',
        text(taxable),
        text(cgst),
        text(sgst),
        text(igst),
        text(Number(of.roundOff ?? 0)),
        text(total),
        status === 'PAID' ? text(total) : '0',
        status === 'OPEN' || status === 'UNCOLLECTIBLE' ? text(total) : '0',
        of.at?.paid ?? (status === 'PAID' ? `${of.on}T12:00:00+05:30` : null),
        of.at?.voided ?? null,
        of.at?.uncollectible ?? null,
      ],
    );
    return { id, tenantId: of.tenantId, number, total: text(total), itemIds };
  }

  async function insertLines(invoiceId: string, tenantId: string, lines: readonly ReturnType<typeof taxed>[]) {
    const itemIds = lines.map(() => newId());
    for (const [index, line] of lines.entries()) {
      await app.query(
        `insert into invoice_items (id, tenant_id, invoice_id, position, kind, description, sac_code, quantity, unit_price, amount,
                                    taxable, tax_rate, cgst, sgst, igst, total, period_start, period_end)
         values ($1, $2, $3, $4, 'PLAN', $5, $6, 1, $7, $7, $7, $8, $9, $10, $11, $12, $13::date, $14::date)`,
        [
          itemIds[index],
          tenantId,
          invoiceId,
          index + 1,
          line.description,
          line.sac,
          text(line.taxable),
          line.rate,
          text(line.cgst),
          text(line.sgst),
          text(line.igst),
          text(paise(line.taxable + line.cgst + line.sgst + line.igst)),
          line.period?.[0] ?? null,
          line.period?.[1] ?? null,
        ],
      );
    }
    return itemIds;
  }

  /** Takes back amounts of lines of an invoice; all of it is set off, unless said otherwise. */
  async function creditNote(of: {
    invoice: BuiltInvoice;
    on: string;
    taxable: readonly number[];
    use?: 'offset' | 'credit';
    voided?: string;
    number?: string;
  }): Promise<{ id: string; number: string; total: string }> {
    const [source] = await app.query<{
      buyer_name: string;
      buyer_gstin: string | null;
      place_of_supply: string;
      supply: string;
    }>(`select buyer_name, buyer_gstin, place_of_supply, supply from invoices where id = $1`, [of.invoice.id]);
    const rates = await app.query<{ id: string; tax_rate: string }>(
      `select id, tax_rate::text from invoice_items where invoice_id = $1 order by position`,
      [of.invoice.id],
    );
    const isIntra = source?.supply === 'INTRA_STATE';
    const lines = of.taxable.map((taxable, index) => taxed({ taxable, rate: rates[index]?.tax_rate ?? '18' }, isIntra));
    const sum = (name: 'taxable' | 'cgst' | 'sgst' | 'igst') =>
      paise(lines.reduce((total, line) => total + line[name], 0));
    const total = paise(sum('taxable') + sum('cgst') + sum('sgst') + sum('igst'));
    const number = of.number ?? `SSCN/26-27/${String((serial += 1)).padStart(5, '0')}`;
    const id = newId();
    await app.query(
      `insert into credit_notes (id, tenant_id, invoice_id, number, fiscal_year, serial, status, reason, issue_date, seller, buyer,
                                 buyer_name, buyer_gstin, place_of_supply, supply, taxable, cgst, sgst, igst, round_off, total,
                                 credit_amount, refund_amount, offset_amount, voided_at)
       values ($1, $2, $3, $4, '26-27', $5, $6::credit_note_status, 'GOODWILL', $7::date, $8, '{}', $9, $10, $11, $12::supply_type,
               $13, $14, $15, $16, 0, $17, $18, 0, $19, $20)`,
      [
        id,
        of.invoice.tenantId,
        of.invoice.id,
        number,
        Number(number.split('/').at(-1)),
        of.voided ? 'VOID' : 'ISSUED',
        of.on,
        JSON.stringify(SELLER),
        source?.buyer_name,
        source?.buyer_gstin ?? null,
        source?.place_of_supply,
        source?.supply,
        text(sum('taxable')),
        text(sum('cgst')),
        text(sum('sgst')),
        text(sum('igst')),
        text(total),
        of.use === 'credit' ? text(total) : '0',
        of.use === 'credit' ? '0' : text(total),
        of.voided ?? null,
      ],
    );
    for (const [index, line] of lines.entries()) {
      await app.query(
        `insert into credit_note_items (id, tenant_id, credit_note_id, invoice_item_id, position, taxable, cgst, sgst, igst, total)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        [
          newId(),
          of.invoice.tenantId,
          id,
          of.invoice.itemIds[index],
          index + 1,
          text(line.taxable),
          text(line.cgst),
          text(line.sgst),
          text(line.igst),
          text(paise(line.taxable + line.cgst + line.sgst + line.igst)),
        ],
      );
    }
    return { id, number, total: text(total) };
  }

  /** Money that came for an invoice, or on account. */
  async function payment(of: {
    tenantId: string;
    on: string;
    amount: Money;
    invoice?: BuiltInvoice;
    method?: string;
    gateway?: string | null;
    fee?: Money;
    tax?: Money;
    reference?: string;
  }): Promise<string> {
    const id = newId();
    await app.query(
      `insert into payments (id, tenant_id, invoice_id, transaction_id, amount, gateway_fee, gateway_tax, method, status, initiated_by,
                             gateway, reference, received_on, succeeded_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8::payment_channel, 'SUCCEEDED', 'OFFLINE', $9, $10, $11::date, $12, now())`,
      [
        id,
        of.tenantId,
        of.invoice?.id ?? null,
        `pay_${id}`,
        of.amount,
        of.fee ?? 0,
        of.tax ?? 0,
        of.method ?? 'BANK_TRANSFER',
        of.gateway ?? null,
        of.reference ?? null,
        of.on,
        `${of.on}T12:00:00+05:30`,
      ],
    );
    if (of.invoice) await allocation(of.invoice, id, of.amount, `${of.on}T12:00:00+05:30`);
    return id;
  }

  const allocation = (invoice: BuiltInvoice, paymentId: string, amount: Money, at: string) =>
    app.query(
      `insert into payment_allocations (id, tenant_id, payment_id, invoice_id, amount, created_at) values ($1, $2, $3, $4, $5, $6)`,
      [newId(), invoice.tenantId, paymentId, invoice.id, amount, at],
    );

  return { plan, subscription, change, history, invoice, creditNote, payment, allocation };
}

export type Figures = ReturnType<typeof figuresFor>;

function movementOf(before: number, after: number, hadMrr: boolean): Movement | null {
  if (before === after) return null;
  if (before === 0) return hadMrr ? 'REACTIVATION' : 'NEW';
  if (after === 0) return 'CHURN';
  return after > before ? 'EXPANSION' : 'CONTRACTION';
}

function taxed(line: FigureLine, isIntra: boolean) {
  const [taxable, rate] = [Number(line.taxable), Number(line.rate ?? 18)];
  const half = paise((taxable * rate) / 200);
  return {
    taxable,
    rate,
    sac: line.sac ?? '997331',
    description: line.description ?? 'Growth plan',
    period: line.period,
    cgst: isIntra ? half : 0,
    sgst: isIntra ? half : 0,
    igst: isIntra ? 0 : paise((taxable * rate) / 100),
  };
}
