import { sql } from '../utils/sql.ts';
import {
  byId,
  byTime,
  INTERNAL,
  keep,
  keepBlank,
  names,
  PASSING,
  remove,
  SECRET,
  tenantId,
  type TenantTable,
} from './tenant-table.policy.ts';

// What becomes of what was billed (rule 12): the books stay as long as the law asks for them, without what is personal and
// no part of them. How somebody paid, and what was done to make them pay, goes.

const FINANCE_LAW =
  'Books of account: kept for 72 months from the annual return of the year (CGST Act 2017, section 36), and for eight ' +
  'financial years (Companies Act 2013, section 128(5)).';
const CONTRACT = `The contract that invoices refer to. ${FINANCE_LAW}`;

const actedBy = { rows: (userId: string) => sql`actor_id = ${userId}` };
const askedBy = { rows: (userId: string) => sql`requested_by_id = ${userId}` };

export const BILLING_DATA: readonly TenantTable[] = [
  {
    table: 'subscription_scheduled_changes',
    purge: remove,
    person: askedBy,
    export: {
      columns: names(`
        id subscription_id plan_version_id billing_cycle effective_on status requested_by_id requested_by created_at
        done_at`),
      key: byTime,
      without: tenantId,
    },
  },
  {
    table: 'payment_links',
    purge: remove,
    export: {
      columns: names('id invoice_id gateway gateway_link_id url amount status expires_at created_at updated_at'),
      key: byTime,
      without: tenantId,
    },
  },
  { table: 'gateway_events', purge: remove, export: { leftOut: PASSING } },
  {
    table: 'dunning_steps',
    purge: remove,
    export: {
      columns: names('id run_id kind number due_on outcome consequence payment_id created_at updated_at'),
      key: byTime,
      without: { ...tenantId, note: INTERNAL, actor_id: INTERNAL, actor_name: INTERNAL },
    },
  },
  {
    table: 'dunning_runs',
    purge: remove,
    export: {
      columns: names(`
        id invoice_id subscription_id status started_on next_on attempts_made hard_declined notice_for notice_at
        promised_on closed_at close_reason created_at updated_at`),
      key: byTime,
      without: { ...tenantId, campaign_id: INTERNAL, plan: INTERNAL },
    },
  },
  {
    table: 'payment_methods',
    // Payments and subscriptions refer to them.
    purge: keepBlank(`By what kind of payment method a payment came. ${FINANCE_LAW}`, {
      gateway_customer_id: '',
      gateway_token_id: null,
      gateway_order_id: null,
      checkout_url: null,
      label: null,
      brand: null,
      last4: null,
      vpa: null,
      expiry_month: null,
      expiry_year: null,
    }),
    export: {
      columns: names(`
        id kind status gateway label brand last4 vpa expiry_month expiry_year mandate_max_amount is_default created_at
        updated_at removed_at`),
      key: byTime,
      without: {
        ...tenantId,
        gateway_customer_id: SECRET,
        gateway_token_id: SECRET,
        gateway_order_id: SECRET,
        checkout_url: SECRET,
        version: PASSING,
      },
    },
  },
  {
    table: 'billing_accounts',
    purge: keepBlank(`What the tenant had to its credit. ${FINANCE_LAW}`, {
      gateway_customer_id: null,
      dunning_pause_note: null,
    }),
    export: {
      columns: names('credit_balance dunning_paused dunning_paused_till created_at updated_at'),
      key: ['tenant_id'],
      without: {
        ...tenantId,
        gateway_customer_id: SECRET,
        dunning_pause_note: INTERNAL,
        dunning_campaign_id: INTERNAL,
        suspended_by_run_id: INTERNAL,
      },
    },
  },
  {
    table: 'billing_entries',
    purge: keep(FINANCE_LAW),
    export: {
      columns: names('id kind amount balance invoice_id credit_note_id payment_id created_at'),
      key: byTime,
      without: tenantId,
    },
  },
  {
    table: 'payments',
    // The gateway's answer names the payer.
    purge: keepBlank(FINANCE_LAW, { gateway_response: null }),
    export: {
      columns: names(`
        id invoice_id transaction_id amount amount_refunded method status initiated_by gateway gateway_payment_id
        payment_method_id attempt_number failure_code failure_message decline reference received_on succeeded_at
        failed_at created_at updated_at`),
      key: byTime,
      without: {
        ...tenantId,
        gateway_fee: INTERNAL,
        gateway_tax: INTERNAL,
        gateway_order_id: SECRET,
        gateway_response: SECRET,
        notes: INTERNAL,
        poll_after: PASSING,
        polls: PASSING,
        created_by_id: INTERNAL,
      },
    },
  },
  {
    table: 'payment_allocations',
    purge: keep(FINANCE_LAW),
    export: { columns: names('id payment_id invoice_id amount created_at'), key: byTime, without: tenantId },
  },
  {
    table: 'refunds',
    purge: keep(FINANCE_LAW),
    export: {
      columns: names(`
        id payment_id credit_note_id amount status gateway_refund_id reference failure_message created_at updated_at`),
      key: byTime,
      without: { ...tenantId, created_by_id: INTERNAL },
    },
  },
  ...documents(),
  ...contract(),
];

function documents(): TenantTable[] {
  return [
    {
      table: 'invoices',
      purge: keep(FINANCE_LAW),
      export: {
        columns: names(`
          id subscription_id number fiscal_year serial status reason collection_method period_start period_end
          occurrence issue_date due_date seller buyer buyer_name buyer_gstin place_of_supply supply subtotal
          discount_total taxable cgst sgst igst round_off total amount_paid amount_credited amount_due notes
          finalized_at paid_at voided_at void_reason uncollectible_at sent_at pdf_key pdf_sha256 pdf_bytes created_at
          updated_at`),
        key: byTime,
        without: { ...tenantId, collect_after: PASSING, created_by_id: INTERNAL, version: PASSING },
      },
    },
    {
      table: 'invoice_items',
      purge: keep(FINANCE_LAW),
      export: {
        columns: names(`
          id invoice_id position kind description sac_code quantity unit_price amount discount taxable tax_rate cgst
          sgst igst total period_start period_end plan_version_id add_on_id`),
        key: byId,
        without: tenantId,
      },
    },
    {
      table: 'credit_notes',
      purge: keep(FINANCE_LAW),
      export: {
        columns: names(`
          id invoice_id number fiscal_year serial status reason explanation issue_date seller buyer buyer_name
          buyer_gstin place_of_supply supply taxable cgst sgst igst round_off total credit_amount refund_amount
          offset_amount voided_at void_reason pdf_key pdf_sha256 pdf_bytes created_at`),
        key: byTime,
        without: { ...tenantId, created_by_id: INTERNAL },
      },
    },
    {
      table: 'credit_note_items',
      purge: keep(FINANCE_LAW),
      export: {
        columns: names('id credit_note_id invoice_item_id position taxable cgst sgst igst total'),
        key: byId,
        without: tenantId,
      },
    },
  ];
}

function contract(): TenantTable[] {
  return [
    {
      table: 'subscription_coupons',
      purge: keep(CONTRACT),
      export: {
        columns: names(`
          id subscription_id coupon_id kind percent amount duration added_on ends_on used_on_invoice removed_on
          duration_months created_at`),
        key: byTime,
        without: tenantId,
      },
    },
    {
      table: 'subscription_add_ons',
      purge: keep(CONTRACT),
      export: {
        columns: names(`
          id subscription_id add_on_id quantity monthly_price annual_price added_on ends_on created_at`),
        key: byTime,
        without: tenantId,
      },
    },
    {
      table: 'subscription_changes',
      purge: keep(CONTRACT),
      person: actedBy,
      export: {
        columns: names(`
          id subscription_id type from_status to_status from_plan_version_id to_plan_version_id from_cycle to_cycle
          effective_on invoice_id reason details actor_id actor_name created_at`),
        key: byTime,
        without: { ...tenantId, mrr_before: INTERNAL, mrr_after: INTERNAL, movement: INTERNAL },
      },
    },
    {
      table: 'subscriptions',
      purge: keep(CONTRACT),
      export: {
        columns: names(`
          id plan_id plan_version_id status billing_cycle collection_method payment_method_id started_on trial_ends_on
          anchor_day current_period_start current_period_end cancel_at_period_end cancelled_at cancel_reason ended_on
          paused_on resume_on created_at updated_at`),
        key: byTime,
        without: { ...tenantId, mrr: INTERNAL, next_event_on: PASSING, version: PASSING },
      },
    },
  ];
}
