import type {
  BillingCycle,
  BillingEntryKind,
  CollectionMethod,
  CouponDuration,
  CouponKind,
  CreditNoteReason,
  DeclineKind,
  DunningClose,
  DunningConsequence,
  DunningRunStatus,
  DunningStepKind,
  DunningStepOutcome,
  InvoiceItemKind,
  InvoiceReason,
  InvoiceStatus,
  MrrMovement,
  PaymentChannel,
  PaymentInitiator,
  PaymentMethodKind,
  PaymentMethodStatus,
  PaymentStatus,
  SubscriptionChangeType,
  SubscriptionStatus,
  SupplyType,
} from '../../src/generated/prisma/enums.ts';

// Rows of billing as the tables name their columns: money as text, days as `YYYY-MM-DD`, times as ISO 8601. Columns left
// out keep the table's default.

type Created = { created_at: string };
type Stamped = Created & { updated_at: string };

export type PlanRow = Stamped & { id: string; code: string; name: string; description: string };

export type PlanVersionRow = Created & {
  id: string;
  plan_id: string;
  number: number;
  monthly_price: string;
  annual_price: string;
  trial_days: number;
  sac_code: string;
  features: string[];
  limits: object;
};

export type AddOnRow = Stamped & {
  id: string;
  code: string;
  name: string;
  description: string;
  monthly_price: string;
  annual_price: string;
  sac_code: string;
  limits: object;
};

export type CouponRow = Stamped & {
  id: string;
  code: string;
  name: string;
  kind: CouponKind;
  percent: string | null;
  amount: string | null;
  duration: CouponDuration;
  duration_months: number | null;
  plan_ids: string[];
};

export type CampaignRow = Stamped & {
  id: string;
  name: string;
  attempt_gaps: number[];
  steps: object[];
  minimum_amount: string;
};

export type SubscriptionTableRow = Stamped & {
  id: string;
  tenant_id: string;
  plan_id: string;
  plan_version_id: string;
  status: SubscriptionStatus;
  billing_cycle: BillingCycle;
  collection_method: CollectionMethod;
  payment_method_id: string | null;
  mrr: string;
  started_on: string;
  trial_ends_on: string | null;
  anchor_day: number;
  current_period_start: string;
  current_period_end: string;
  next_event_on: string | null;
  cancelled_at: string | null;
  cancel_reason: string | null;
  ended_on: string | null;
  paused_on: string | null;
  version: number;
};

export type SubscriptionChangeRow = Created & {
  id: string;
  tenant_id: string;
  subscription_id: string;
  type: SubscriptionChangeType;
  from_status: SubscriptionStatus | null;
  to_status: SubscriptionStatus;
  from_plan_version_id: string | null;
  to_plan_version_id: string;
  from_cycle: BillingCycle | null;
  to_cycle: BillingCycle;
  effective_on: string;
  mrr_before: string;
  mrr_after: string;
  movement: MrrMovement | null;
  invoice_id: string | null;
  reason: string | null;
  details: object;
  actor_id: string | null;
  actor_name: string | null;
};

export type SubscriptionCouponRow = Created & {
  id: string;
  tenant_id: string;
  subscription_id: string;
  coupon_id: string;
  kind: CouponKind;
  percent: string | null;
  amount: string | null;
  duration: CouponDuration;
  duration_months: number | null;
  added_on: string;
  ends_on: string | null;
  used_on_invoice: string | null;
};

export type SubscriptionAddOnRow = Created & {
  id: string;
  tenant_id: string;
  subscription_id: string;
  add_on_id: string;
  quantity: number;
  monthly_price: string;
  annual_price: string;
  added_on: string;
};

export type InvoiceTableRow = Stamped & {
  id: string;
  tenant_id: string;
  subscription_id: string | null;
  number: string;
  fiscal_year: string;
  serial: number;
  status: InvoiceStatus;
  reason: InvoiceReason;
  collection_method: CollectionMethod;
  period_start: string | null;
  period_end: string | null;
  issue_date: string;
  due_date: string;
  seller: object;
  buyer: object;
  buyer_name: string;
  buyer_gstin: string | null;
  place_of_supply: string;
  supply: SupplyType;
  subtotal: string;
  discount_total: string;
  taxable: string;
  cgst: string;
  sgst: string;
  igst: string;
  round_off: string;
  total: string;
  amount_paid: string;
  amount_due: string;
  finalized_at: string;
  paid_at: string | null;
  sent_at: string;
  collect_after: string | null;
};

export type InvoiceItemRow = {
  id: string;
  tenant_id: string;
  invoice_id: string;
  position: number;
  kind: InvoiceItemKind;
  description: string;
  sac_code: string;
  quantity: string;
  unit_price: string;
  amount: string;
  discount: string;
  taxable: string;
  tax_rate: string;
  cgst: string;
  sgst: string;
  igst: string;
  total: string;
  period_start: string | null;
  period_end: string | null;
  plan_version_id: string | null;
  add_on_id: string | null;
};

export type CreditNoteRow = Created & {
  id: string;
  tenant_id: string;
  invoice_id: string;
  number: string;
  fiscal_year: string;
  serial: number;
  reason: CreditNoteReason;
  explanation: string;
  issue_date: string;
  seller: object;
  buyer: object;
  buyer_name: string;
  buyer_gstin: string | null;
  place_of_supply: string;
  supply: SupplyType;
  taxable: string;
  cgst: string;
  sgst: string;
  igst: string;
  round_off: string;
  total: string;
  credit_amount: string;
  refund_amount: string;
  offset_amount: string;
};

export type CreditNoteItemRow = {
  id: string;
  tenant_id: string;
  credit_note_id: string;
  invoice_item_id: string;
  position: number;
  taxable: string;
  cgst: string;
  sgst: string;
  igst: string;
  total: string;
};

export type BillingAccountRow = Stamped & {
  tenant_id: string;
  credit_balance: string;
  gateway_customer_id: string | null;
  dunning_campaign_id: string | null;
  suspended_by_run_id: string | null;
};

export type BillingEntryRow = Created & {
  id: string;
  tenant_id: string;
  kind: BillingEntryKind;
  amount: string;
  balance: string;
  credit_note_id: string | null;
};

export type PaymentMethodRow = Stamped & {
  id: string;
  tenant_id: string;
  kind: PaymentMethodKind;
  status: PaymentMethodStatus;
  gateway: string;
  gateway_customer_id: string;
  gateway_token_id: string;
  label: string;
  brand: string | null;
  last4: string | null;
  vpa: string | null;
  expiry_month: number | null;
  expiry_year: number | null;
  mandate_max_amount: string;
  is_default: boolean;
};

export type PaymentRow = Stamped & {
  id: string;
  tenant_id: string;
  invoice_id: string;
  transaction_id: string;
  amount: string;
  gateway_fee: string;
  gateway_tax: string;
  method: PaymentChannel;
  status: PaymentStatus;
  initiated_by: PaymentInitiator;
  gateway: string | null;
  gateway_order_id: string | null;
  gateway_payment_id: string | null;
  payment_method_id: string | null;
  attempt_number: number | null;
  failure_code: string | null;
  failure_message: string | null;
  decline: DeclineKind | null;
  reference: string | null;
  received_on: string | null;
  succeeded_at: string | null;
  failed_at: string | null;
};

export type AllocationRow = Created & {
  id: string;
  tenant_id: string;
  payment_id: string;
  invoice_id: string;
  amount: string;
};

export type DunningRunRow = Stamped & {
  id: string;
  tenant_id: string;
  invoice_id: string;
  subscription_id: string;
  campaign_id: string;
  plan: object;
  status: DunningRunStatus;
  started_on: string;
  next_on: string | null;
  attempts_made: number;
  notice_for: number;
  notice_at: string | null;
  closed_at: string | null;
  close_reason: DunningClose | null;
};

export type DunningStepRow = Stamped & {
  id: string;
  tenant_id: string;
  run_id: string;
  kind: DunningStepKind;
  number: number;
  due_on: string;
  outcome: DunningStepOutcome;
  consequence: DunningConsequence | null;
  payment_id: string | null;
  note: string | null;
};

/** By the names of their tables. */
export type BillingRows = {
  subscription_plans: PlanRow;
  subscription_plan_versions: PlanVersionRow;
  add_ons: AddOnRow;
  coupons: CouponRow;
  dunning_campaigns: CampaignRow;
  payment_methods: PaymentMethodRow;
  billing_accounts: BillingAccountRow;
  subscriptions: SubscriptionTableRow;
  subscription_changes: SubscriptionChangeRow;
  subscription_coupons: SubscriptionCouponRow;
  subscription_add_ons: SubscriptionAddOnRow;
  invoice_items: InvoiceItemRow;
  payments: PaymentRow;
  payment_allocations: AllocationRow;
  credit_notes: CreditNoteRow;
  credit_note_items: CreditNoteItemRow;
  billing_entries: BillingEntryRow;
  dunning_runs: DunningRunRow;
  dunning_steps: DunningStepRow;
};
