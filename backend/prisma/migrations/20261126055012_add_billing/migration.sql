-- Billing: plans, subscriptions, invoices and credit notes with their numbers, payments, dunning, and the figures.

-- CreateEnum
CREATE TYPE "dunning_campaign_status" AS ENUM ('ACTIVE', 'ARCHIVED');

-- CreateEnum
CREATE TYPE "dunning_run_status" AS ENUM ('ACTIVE', 'CLOSED');

-- CreateEnum
CREATE TYPE "dunning_close" AS ENUM ('PAID', 'SETTLED', 'CANCELLED', 'EXHAUSTED');

-- CreateEnum
CREATE TYPE "dunning_step_kind" AS ENUM ('ATTEMPT', 'CONSEQUENCE', 'PROMISE');

-- CreateEnum
CREATE TYPE "dunning_consequence" AS ENUM ('REMINDER', 'WARNING', 'BLOCK', 'CANCEL');

-- CreateEnum
CREATE TYPE "dunning_step_outcome" AS ENUM ('STARTED', 'DONE', 'FAILED', 'SKIPPED');

-- CreateEnum
CREATE TYPE "invoice_status" AS ENUM ('DRAFT', 'OPEN', 'PAID', 'VOID', 'UNCOLLECTIBLE');

-- CreateEnum
CREATE TYPE "invoice_reason" AS ENUM ('SUBSCRIPTION_CREATE', 'SUBSCRIPTION_CYCLE', 'SUBSCRIPTION_CHANGE', 'MANUAL');

-- CreateEnum
CREATE TYPE "supply_type" AS ENUM ('INTRA_STATE', 'INTER_STATE');

-- CreateEnum
CREATE TYPE "invoice_item_kind" AS ENUM ('PLAN', 'ADD_ON', 'PRORATION_CREDIT', 'PRORATION_CHARGE', 'MANUAL');

-- CreateEnum
CREATE TYPE "document_kind" AS ENUM ('INVOICE', 'CREDIT_NOTE');

-- CreateEnum
CREATE TYPE "credit_note_status" AS ENUM ('ISSUED', 'VOID');

-- CreateEnum
CREATE TYPE "credit_note_reason" AS ENUM ('SERVICE_NOT_RENDERED', 'DUPLICATE', 'PRICE_CORRECTION', 'CANCELLATION', 'GOODWILL', 'OTHER');

-- CreateEnum
CREATE TYPE "billing_entry_kind" AS ENUM ('CREDIT_NOTE', 'CREDIT_NOTE_VOIDED', 'OVERPAYMENT', 'APPLIED', 'RETURNED');

-- CreateEnum
CREATE TYPE "payment_method_kind" AS ENUM ('CARD', 'UPI');

-- CreateEnum
CREATE TYPE "payment_method_status" AS ENUM ('PENDING', 'ACTIVE', 'FAILED', 'REMOVED');

-- CreateEnum
CREATE TYPE "payment_channel" AS ENUM ('CARD', 'UPI', 'NETBANKING', 'WALLET', 'BANK_TRANSFER', 'CHEQUE', 'CASH', 'CREDIT_BALANCE', 'OTHER');

-- CreateEnum
CREATE TYPE "payment_status" AS ENUM ('CREATED', 'AUTHORIZED', 'UNKNOWN', 'SUCCEEDED', 'FAILED');

-- CreateEnum
CREATE TYPE "payment_initiator" AS ENUM ('RENEWAL', 'DUNNING', 'PERSON', 'PAYMENT_LINK', 'OFFLINE', 'SYSTEM');

-- CreateEnum
CREATE TYPE "decline_kind" AS ENUM ('HARD', 'SOFT');

-- CreateEnum
CREATE TYPE "refund_status" AS ENUM ('PENDING', 'SUCCEEDED', 'FAILED');

-- CreateEnum
CREATE TYPE "payment_link_status" AS ENUM ('OPEN', 'PAID', 'EXPIRED', 'CANCELLED');

-- CreateEnum
CREATE TYPE "plan_status" AS ENUM ('ACTIVE', 'ARCHIVED');

-- CreateEnum
CREATE TYPE "coupon_kind" AS ENUM ('PERCENT', 'FIXED');

-- CreateEnum
CREATE TYPE "coupon_duration" AS ENUM ('ONCE', 'REPEATING', 'FOREVER');

-- CreateEnum
CREATE TYPE "coupon_status" AS ENUM ('ACTIVE', 'INACTIVE');

-- CreateEnum
CREATE TYPE "revenue_report_type" AS ENUM ('GSTR1', 'AGEING', 'DEFERRED_REVENUE', 'JOURNAL', 'MRR');

-- CreateEnum
CREATE TYPE "revenue_report_format" AS ENUM ('JSON', 'CSV', 'XML');

-- CreateEnum
CREATE TYPE "subscription_status" AS ENUM ('TRIAL', 'ACTIVE', 'PAST_DUE', 'PAUSED', 'CANCELLED', 'EXPIRED');

-- CreateEnum
CREATE TYPE "billing_cycle" AS ENUM ('MONTHLY', 'ANNUAL');

-- CreateEnum
CREATE TYPE "collection_method" AS ENUM ('AUTOMATIC', 'SEND_INVOICE');

-- CreateEnum
CREATE TYPE "subscription_change_type" AS ENUM ('CREATED', 'TRIAL_EXTENDED', 'TRIAL_ENDED', 'TRIAL_EXPIRED', 'RENEWED', 'PLAN_CHANGED', 'PLAN_MIGRATED', 'CHANGE_SCHEDULED', 'CHANGE_UNSCHEDULED', 'ADD_ON_ADDED', 'ADD_ON_REMOVED', 'COUPON_ADDED', 'COUPON_REMOVED', 'COUPON_ENDED', 'PAYMENT_METHOD_SET', 'SETTINGS_CHANGED', 'PAUSED', 'RESUMED', 'CANCEL_SCHEDULED', 'UNCANCELLED', 'CANCELLED', 'REACTIVATED', 'PAST_DUE', 'RECOVERED');

-- CreateEnum
CREATE TYPE "mrr_movement" AS ENUM ('NEW', 'EXPANSION', 'CONTRACTION', 'CHURN', 'REACTIVATION');

-- CreateEnum
CREATE TYPE "scheduled_change_status" AS ENUM ('PENDING', 'APPLIED', 'CANCELLED');

-- AlterEnum
-- This migration adds more than one value to an enum.
-- With PostgreSQL versions 11 and earlier, this is not possible
-- in a single migration. This can be worked around by creating
-- multiple migrations, each migration adding only one value to
-- the enum.


ALTER TYPE "onboarding_step" ADD VALUE 'PLAN';
ALTER TYPE "onboarding_step" ADD VALUE 'PAYMENT_METHOD';

-- CreateTable
CREATE TABLE "dunning_campaigns" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "status" "dunning_campaign_status" NOT NULL DEFAULT 'ACTIVE',
    "is_default" BOOLEAN NOT NULL DEFAULT false,
    "attempt_gaps" INTEGER[],
    "steps" JSONB NOT NULL,
    "minimum_amount" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "dunning_campaigns_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "dunning_runs" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "invoice_id" TEXT NOT NULL,
    "subscription_id" TEXT,
    "campaign_id" TEXT NOT NULL,
    "plan" JSONB NOT NULL,
    "status" "dunning_run_status" NOT NULL DEFAULT 'ACTIVE',
    "started_on" DATE NOT NULL,
    "next_on" DATE,
    "attempts_made" INTEGER NOT NULL DEFAULT 0,
    "hard_declined" BOOLEAN NOT NULL DEFAULT false,
    "notice_for" INTEGER NOT NULL DEFAULT 0,
    "notice_at" TIMESTAMPTZ(3),
    "promised_on" DATE,
    "closed_at" TIMESTAMPTZ(3),
    "close_reason" "dunning_close",
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "dunning_runs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "dunning_steps" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "run_id" TEXT NOT NULL,
    "kind" "dunning_step_kind" NOT NULL,
    "number" INTEGER NOT NULL,
    "due_on" DATE NOT NULL,
    "outcome" "dunning_step_outcome" NOT NULL,
    "consequence" "dunning_consequence",
    "payment_id" TEXT,
    "note" TEXT,
    "actor_id" TEXT,
    "actor_name" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "dunning_steps_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "invoices" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "subscription_id" TEXT,
    "number" TEXT,
    "fiscal_year" TEXT,
    "serial" INTEGER,
    "status" "invoice_status" NOT NULL DEFAULT 'DRAFT',
    "reason" "invoice_reason" NOT NULL,
    "collection_method" "collection_method" NOT NULL,
    "period_start" DATE,
    "period_end" DATE,
    "occurrence" INTEGER NOT NULL DEFAULT 1,
    "issue_date" DATE,
    "due_date" DATE,
    "seller" JSONB,
    "buyer" JSONB,
    "buyer_name" TEXT,
    "buyer_gstin" TEXT,
    "place_of_supply" TEXT,
    "supply" "supply_type",
    "subtotal" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "discount_total" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "taxable" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "cgst" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "sgst" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "igst" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "round_off" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "total" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "amount_paid" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "amount_credited" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "amount_due" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "notes" TEXT,
    "finalized_at" TIMESTAMPTZ(3),
    "paid_at" TIMESTAMPTZ(3),
    "voided_at" TIMESTAMPTZ(3),
    "void_reason" TEXT,
    "uncollectible_at" TIMESTAMPTZ(3),
    "sent_at" TIMESTAMPTZ(3),
    "collect_after" TIMESTAMPTZ(3),
    "pdf_key" TEXT,
    "pdf_sha256" TEXT,
    "pdf_bytes" INTEGER,
    "created_by_id" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "invoices_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "invoice_items" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "invoice_id" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "kind" "invoice_item_kind" NOT NULL,
    "description" TEXT NOT NULL,
    "sac_code" TEXT NOT NULL,
    "quantity" DECIMAL(12,3) NOT NULL,
    "unit_price" DECIMAL(14,2) NOT NULL,
    "amount" DECIMAL(14,2) NOT NULL,
    "discount" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "taxable" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "tax_rate" DECIMAL(5,2) NOT NULL DEFAULT 0,
    "cgst" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "sgst" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "igst" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "total" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "period_start" DATE,
    "period_end" DATE,
    "plan_version_id" TEXT,
    "add_on_id" TEXT,

    CONSTRAINT "invoice_items_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "document_series" (
    "kind" "document_kind" NOT NULL,
    "fiscal_year" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "last_serial" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "document_series_pkey" PRIMARY KEY ("kind","fiscal_year","prefix")
);

-- CreateTable
CREATE TABLE "credit_notes" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "invoice_id" TEXT NOT NULL,
    "number" TEXT NOT NULL,
    "fiscal_year" TEXT NOT NULL,
    "serial" INTEGER NOT NULL,
    "status" "credit_note_status" NOT NULL DEFAULT 'ISSUED',
    "reason" "credit_note_reason" NOT NULL,
    "explanation" TEXT,
    "issue_date" DATE NOT NULL,
    "seller" JSONB NOT NULL,
    "buyer" JSONB NOT NULL,
    "buyer_name" TEXT NOT NULL,
    "buyer_gstin" TEXT,
    "place_of_supply" TEXT NOT NULL,
    "supply" "supply_type" NOT NULL,
    "taxable" DECIMAL(14,2) NOT NULL,
    "cgst" DECIMAL(14,2) NOT NULL,
    "sgst" DECIMAL(14,2) NOT NULL,
    "igst" DECIMAL(14,2) NOT NULL,
    "round_off" DECIMAL(14,2) NOT NULL,
    "total" DECIMAL(14,2) NOT NULL,
    "credit_amount" DECIMAL(14,2) NOT NULL,
    "refund_amount" DECIMAL(14,2) NOT NULL,
    "offset_amount" DECIMAL(14,2) NOT NULL,
    "voided_at" TIMESTAMPTZ(3),
    "void_reason" TEXT,
    "pdf_key" TEXT,
    "pdf_sha256" TEXT,
    "pdf_bytes" INTEGER,
    "created_by_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "credit_notes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "credit_note_items" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "credit_note_id" TEXT NOT NULL,
    "invoice_item_id" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "taxable" DECIMAL(14,2) NOT NULL,
    "cgst" DECIMAL(14,2) NOT NULL,
    "sgst" DECIMAL(14,2) NOT NULL,
    "igst" DECIMAL(14,2) NOT NULL,
    "total" DECIMAL(14,2) NOT NULL,

    CONSTRAINT "credit_note_items_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "billing_accounts" (
    "tenant_id" TEXT NOT NULL,
    "credit_balance" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "gateway_customer_id" TEXT,
    "dunning_paused" BOOLEAN NOT NULL DEFAULT false,
    "dunning_paused_till" DATE,
    "dunning_pause_note" TEXT,
    "dunning_campaign_id" TEXT,
    "suspended_by_run_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "billing_accounts_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateTable
CREATE TABLE "billing_entries" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "kind" "billing_entry_kind" NOT NULL,
    "amount" DECIMAL(14,2) NOT NULL,
    "balance" DECIMAL(14,2) NOT NULL,
    "invoice_id" TEXT,
    "credit_note_id" TEXT,
    "payment_id" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "billing_entries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "payment_methods" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "kind" "payment_method_kind" NOT NULL,
    "status" "payment_method_status" NOT NULL,
    "gateway" TEXT NOT NULL,
    "gateway_customer_id" TEXT NOT NULL,
    "gateway_token_id" TEXT,
    "gateway_order_id" TEXT,
    "checkout_url" TEXT,
    "label" TEXT,
    "brand" TEXT,
    "last4" TEXT,
    "vpa" TEXT,
    "expiry_month" INTEGER,
    "expiry_year" INTEGER,
    "mandate_max_amount" DECIMAL(14,2),
    "is_default" BOOLEAN NOT NULL DEFAULT false,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "payment_methods_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "payments" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "invoice_id" TEXT,
    "transaction_id" TEXT NOT NULL,
    "amount" DECIMAL(14,2) NOT NULL,
    "amount_refunded" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "gateway_fee" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "gateway_tax" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "method" "payment_channel" NOT NULL,
    "status" "payment_status" NOT NULL,
    "initiated_by" "payment_initiator" NOT NULL,
    "gateway" TEXT,
    "gateway_order_id" TEXT,
    "gateway_payment_id" TEXT,
    "payment_method_id" TEXT,
    "attempt_number" INTEGER,
    "failure_code" TEXT,
    "failure_message" TEXT,
    "decline" "decline_kind",
    "reference" TEXT,
    "notes" TEXT,
    "gateway_response" JSONB,
    "poll_after" TIMESTAMPTZ(3),
    "polls" INTEGER NOT NULL DEFAULT 0,
    "received_on" DATE,
    "succeeded_at" TIMESTAMPTZ(3),
    "failed_at" TIMESTAMPTZ(3),
    "created_by_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "payments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "payment_allocations" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "payment_id" TEXT NOT NULL,
    "invoice_id" TEXT NOT NULL,
    "amount" DECIMAL(14,2) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "payment_allocations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "refunds" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "payment_id" TEXT NOT NULL,
    "credit_note_id" TEXT,
    "amount" DECIMAL(14,2) NOT NULL,
    "status" "refund_status" NOT NULL DEFAULT 'PENDING',
    "gateway_refund_id" TEXT,
    "reference" TEXT,
    "failure_message" TEXT,
    "created_by_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "refunds_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "payment_links" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "invoice_id" TEXT NOT NULL,
    "gateway" TEXT NOT NULL,
    "gateway_link_id" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "amount" DECIMAL(14,2) NOT NULL,
    "status" "payment_link_status" NOT NULL DEFAULT 'OPEN',
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "payment_links_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "gateway_events" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "gateway" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "processed_at" TIMESTAMPTZ(3),
    "outcome" TEXT,

    CONSTRAINT "gateway_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "subscription_plans" (
    "id" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "status" "plan_status" NOT NULL DEFAULT 'ACTIVE',
    "current_number" INTEGER NOT NULL DEFAULT 1,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "subscription_plans_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "subscription_plan_versions" (
    "id" TEXT NOT NULL,
    "plan_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "monthly_price" DECIMAL(14,2) NOT NULL,
    "annual_price" DECIMAL(14,2) NOT NULL,
    "trial_days" INTEGER NOT NULL,
    "sac_code" TEXT NOT NULL,
    "features" JSONB NOT NULL DEFAULT '[]',
    "limits" JSONB NOT NULL DEFAULT '{}',
    "created_by_id" TEXT,
    "created_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "subscription_plan_versions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "add_ons" (
    "id" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "monthly_price" DECIMAL(14,2) NOT NULL,
    "annual_price" DECIMAL(14,2) NOT NULL,
    "sac_code" TEXT NOT NULL,
    "limits" JSONB NOT NULL DEFAULT '{}',
    "status" "plan_status" NOT NULL DEFAULT 'ACTIVE',
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "add_ons_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "coupons" (
    "id" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" "coupon_kind" NOT NULL,
    "percent" DECIMAL(5,2),
    "amount" DECIMAL(14,2),
    "duration" "coupon_duration" NOT NULL,
    "duration_months" INTEGER,
    "plan_ids" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "max_redemptions" INTEGER,
    "redeemed_count" INTEGER NOT NULL DEFAULT 0,
    "redeem_by" DATE,
    "status" "coupon_status" NOT NULL DEFAULT 'ACTIVE',
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "coupons_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tax_rates" (
    "id" TEXT NOT NULL,
    "sac_code" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "rate" DECIMAL(5,2) NOT NULL,
    "effective_from" DATE NOT NULL,
    "created_by_id" TEXT,
    "created_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tax_rates_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "revenue_reports" (
    "id" TEXT NOT NULL,
    "type" "revenue_report_type" NOT NULL,
    "format" "revenue_report_format" NOT NULL,
    "filter" JSONB NOT NULL DEFAULT '{}',
    "status" "data_export_status" NOT NULL DEFAULT 'PENDING',
    "rows" INTEGER NOT NULL DEFAULT 0,
    "storage_key" TEXT,
    "size_bytes" BIGINT,
    "sha256" TEXT,
    "error" TEXT,
    "requested_by_id" TEXT NOT NULL,
    "requested_by_name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "revenue_reports_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "test_clock" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "offset_seconds" BIGINT NOT NULL DEFAULT 0,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "test_clock_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "billing_checks" (
    "id" TEXT NOT NULL,
    "checked_at" TIMESTAMPTZ(3) NOT NULL,
    "faults" INTEGER NOT NULL,
    "details" JSONB NOT NULL DEFAULT '[]',

    CONSTRAINT "billing_checks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "subscriptions" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "plan_id" TEXT NOT NULL,
    "plan_version_id" TEXT NOT NULL,
    "status" "subscription_status" NOT NULL,
    "billing_cycle" "billing_cycle" NOT NULL,
    "collection_method" "collection_method" NOT NULL DEFAULT 'AUTOMATIC',
    "payment_method_id" TEXT,
    "mrr" DECIMAL(14,2) NOT NULL DEFAULT 0,
    "started_on" DATE NOT NULL,
    "trial_ends_on" DATE,
    "anchor_day" INTEGER NOT NULL,
    "current_period_start" DATE NOT NULL,
    "current_period_end" DATE NOT NULL,
    "next_event_on" DATE,
    "cancel_at_period_end" BOOLEAN NOT NULL DEFAULT false,
    "cancelled_at" TIMESTAMPTZ(3),
    "cancel_reason" TEXT,
    "ended_on" DATE,
    "paused_on" DATE,
    "resume_on" DATE,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "subscriptions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "subscription_changes" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "subscription_id" TEXT NOT NULL,
    "type" "subscription_change_type" NOT NULL,
    "from_status" "subscription_status",
    "to_status" "subscription_status" NOT NULL,
    "from_plan_version_id" TEXT,
    "to_plan_version_id" TEXT NOT NULL,
    "from_cycle" "billing_cycle",
    "to_cycle" "billing_cycle" NOT NULL,
    "effective_on" DATE NOT NULL,
    "mrr_before" DECIMAL(14,2) NOT NULL,
    "mrr_after" DECIMAL(14,2) NOT NULL,
    "movement" "mrr_movement",
    "invoice_id" TEXT,
    "reason" TEXT,
    "details" JSONB NOT NULL DEFAULT '{}',
    "actor_id" TEXT,
    "actor_name" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "subscription_changes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "subscription_scheduled_changes" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "subscription_id" TEXT NOT NULL,
    "plan_version_id" TEXT NOT NULL,
    "billing_cycle" "billing_cycle" NOT NULL,
    "effective_on" DATE NOT NULL,
    "status" "scheduled_change_status" NOT NULL DEFAULT 'PENDING',
    "requested_by_id" TEXT,
    "requested_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "done_at" TIMESTAMPTZ(3),

    CONSTRAINT "subscription_scheduled_changes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "subscription_coupons" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "subscription_id" TEXT NOT NULL,
    "coupon_id" TEXT NOT NULL,
    "kind" "coupon_kind" NOT NULL,
    "percent" DECIMAL(5,2),
    "amount" DECIMAL(14,2),
    "duration" "coupon_duration" NOT NULL,
    "added_on" DATE NOT NULL,
    "ends_on" DATE,
    "used_on_invoice" TEXT,
    "removed_on" DATE,
    "duration_months" INTEGER,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "subscription_coupons_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "subscription_add_ons" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "subscription_id" TEXT NOT NULL,
    "add_on_id" TEXT NOT NULL,
    "quantity" INTEGER NOT NULL,
    "monthly_price" DECIMAL(14,2) NOT NULL,
    "annual_price" DECIMAL(14,2) NOT NULL,
    "added_on" DATE NOT NULL,
    "ends_on" DATE,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "subscription_add_ons_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "dunning_campaigns_name_key" ON "dunning_campaigns"("name");

-- CreateIndex
CREATE INDEX "dunning_runs_tenant_id_created_at_id_idx" ON "dunning_runs"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "dunning_runs_invoice_id_idx" ON "dunning_runs"("invoice_id");

-- CreateIndex
CREATE INDEX "dunning_runs_status_created_at_id_idx" ON "dunning_runs"("status", "created_at", "id");

-- CreateIndex
CREATE INDEX "dunning_runs_created_at_id_idx" ON "dunning_runs"("created_at", "id");

-- CreateIndex
CREATE INDEX "dunning_runs_status_next_on_id_idx" ON "dunning_runs"("status", "next_on", "id");

-- CreateIndex
CREATE INDEX "dunning_steps_tenant_id_idx" ON "dunning_steps"("tenant_id");

-- CreateIndex
CREATE UNIQUE INDEX "dunning_steps_run_id_kind_number_key" ON "dunning_steps"("run_id", "kind", "number");

-- CreateIndex
CREATE UNIQUE INDEX "invoices_number_key" ON "invoices"("number");

-- CreateIndex
CREATE INDEX "invoices_tenant_id_created_at_id_idx" ON "invoices"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "invoices_tenant_id_status_created_at_id_idx" ON "invoices"("tenant_id", "status", "created_at", "id");

-- CreateIndex
CREATE INDEX "invoices_subscription_id_created_at_id_idx" ON "invoices"("subscription_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "invoices_created_at_id_idx" ON "invoices"("created_at", "id");

-- CreateIndex
CREATE INDEX "invoices_status_created_at_id_idx" ON "invoices"("status", "created_at", "id");

-- CreateIndex
CREATE INDEX "invoices_issue_date_id_idx" ON "invoices"("issue_date", "id");

-- CreateIndex
CREATE INDEX "invoices_due_date_id_idx" ON "invoices"("due_date", "id");

-- CreateIndex
CREATE INDEX "invoices_total_id_idx" ON "invoices"("total", "id");

-- CreateIndex
CREATE INDEX "invoices_fiscal_year_serial_idx" ON "invoices"("fiscal_year", "serial");

-- CreateIndex
CREATE INDEX "invoice_items_tenant_id_idx" ON "invoice_items"("tenant_id");

-- CreateIndex
CREATE INDEX "invoice_items_period_end_idx" ON "invoice_items"("period_end");

-- CreateIndex
CREATE UNIQUE INDEX "invoice_items_invoice_id_position_key" ON "invoice_items"("invoice_id", "position");

-- CreateIndex
CREATE UNIQUE INDEX "credit_notes_number_key" ON "credit_notes"("number");

-- CreateIndex
CREATE INDEX "credit_notes_tenant_id_created_at_id_idx" ON "credit_notes"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "credit_notes_invoice_id_idx" ON "credit_notes"("invoice_id");

-- CreateIndex
CREATE INDEX "credit_notes_created_at_id_idx" ON "credit_notes"("created_at", "id");

-- CreateIndex
CREATE INDEX "credit_notes_issue_date_id_idx" ON "credit_notes"("issue_date", "id");

-- CreateIndex
CREATE INDEX "credit_notes_fiscal_year_serial_idx" ON "credit_notes"("fiscal_year", "serial");

-- CreateIndex
CREATE INDEX "credit_note_items_tenant_id_idx" ON "credit_note_items"("tenant_id");

-- CreateIndex
CREATE INDEX "credit_note_items_invoice_item_id_idx" ON "credit_note_items"("invoice_item_id");

-- CreateIndex
CREATE UNIQUE INDEX "credit_note_items_credit_note_id_position_key" ON "credit_note_items"("credit_note_id", "position");

-- CreateIndex
CREATE INDEX "billing_entries_tenant_id_created_at_id_idx" ON "billing_entries"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "payment_methods_tenant_id_created_at_id_idx" ON "payment_methods"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "payment_methods_created_at_id_idx" ON "payment_methods"("created_at", "id");

-- CreateIndex
CREATE INDEX "payment_methods_status_created_at_id_idx" ON "payment_methods"("status", "created_at", "id");

-- CreateIndex
CREATE INDEX "payment_methods_gateway_order_id_idx" ON "payment_methods"("gateway_order_id");

-- CreateIndex
CREATE INDEX "payment_methods_gateway_token_id_idx" ON "payment_methods"("gateway_token_id");

-- CreateIndex
CREATE UNIQUE INDEX "payments_transaction_id_key" ON "payments"("transaction_id");

-- CreateIndex
CREATE INDEX "payments_tenant_id_created_at_id_idx" ON "payments"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "payments_invoice_id_created_at_id_idx" ON "payments"("invoice_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "payments_created_at_id_idx" ON "payments"("created_at", "id");

-- CreateIndex
CREATE INDEX "payments_status_created_at_id_idx" ON "payments"("status", "created_at", "id");

-- CreateIndex
CREATE INDEX "payments_gateway_order_id_idx" ON "payments"("gateway_order_id");

-- CreateIndex
CREATE INDEX "payment_allocations_tenant_id_idx" ON "payment_allocations"("tenant_id");

-- CreateIndex
CREATE INDEX "payment_allocations_payment_id_idx" ON "payment_allocations"("payment_id");

-- CreateIndex
CREATE INDEX "payment_allocations_invoice_id_idx" ON "payment_allocations"("invoice_id");

-- CreateIndex
CREATE UNIQUE INDEX "refunds_gateway_refund_id_key" ON "refunds"("gateway_refund_id");

-- CreateIndex
CREATE INDEX "refunds_tenant_id_created_at_id_idx" ON "refunds"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "refunds_payment_id_idx" ON "refunds"("payment_id");

-- CreateIndex
CREATE INDEX "refunds_credit_note_id_idx" ON "refunds"("credit_note_id");

-- CreateIndex
CREATE INDEX "refunds_status_created_at_idx" ON "refunds"("status", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "payment_links_gateway_link_id_key" ON "payment_links"("gateway_link_id");

-- CreateIndex
CREATE INDEX "payment_links_tenant_id_idx" ON "payment_links"("tenant_id");

-- CreateIndex
CREATE INDEX "payment_links_invoice_id_created_at_idx" ON "payment_links"("invoice_id", "created_at");

-- CreateIndex
CREATE INDEX "gateway_events_tenant_id_idx" ON "gateway_events"("tenant_id");

-- CreateIndex
CREATE INDEX "gateway_events_received_at_id_idx" ON "gateway_events"("received_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "gateway_events_gateway_event_id_key" ON "gateway_events"("gateway", "event_id");

-- CreateIndex
CREATE UNIQUE INDEX "subscription_plans_code_key" ON "subscription_plans"("code");

-- CreateIndex
CREATE UNIQUE INDEX "subscription_plans_name_key" ON "subscription_plans"("name");

-- CreateIndex
CREATE INDEX "subscription_plans_status_created_at_id_idx" ON "subscription_plans"("status", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "subscription_plan_versions_plan_id_number_key" ON "subscription_plan_versions"("plan_id", "number");

-- CreateIndex
CREATE UNIQUE INDEX "add_ons_code_key" ON "add_ons"("code");

-- CreateIndex
CREATE UNIQUE INDEX "coupons_code_key" ON "coupons"("code");

-- CreateIndex
CREATE INDEX "coupons_status_created_at_id_idx" ON "coupons"("status", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "tax_rates_sac_code_effective_from_key" ON "tax_rates"("sac_code", "effective_from");

-- CreateIndex
CREATE INDEX "revenue_reports_created_at_id_idx" ON "revenue_reports"("created_at", "id");

-- CreateIndex
CREATE INDEX "revenue_reports_type_created_at_id_idx" ON "revenue_reports"("type", "created_at", "id");

-- CreateIndex
CREATE INDEX "revenue_reports_expires_at_idx" ON "revenue_reports"("expires_at");

-- CreateIndex
CREATE INDEX "billing_checks_checked_at_idx" ON "billing_checks"("checked_at");

-- CreateIndex
CREATE INDEX "subscriptions_tenant_id_created_at_id_idx" ON "subscriptions"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "subscriptions_created_at_id_idx" ON "subscriptions"("created_at", "id");

-- CreateIndex
CREATE INDEX "subscriptions_plan_id_status_created_at_id_idx" ON "subscriptions"("plan_id", "status", "created_at", "id");

-- CreateIndex
CREATE INDEX "subscriptions_plan_version_id_idx" ON "subscriptions"("plan_version_id");

-- CreateIndex
CREATE INDEX "subscriptions_status_created_at_id_idx" ON "subscriptions"("status", "created_at", "id");

-- CreateIndex
CREATE INDEX "subscriptions_current_period_end_id_idx" ON "subscriptions"("current_period_end", "id");

-- CreateIndex
CREATE INDEX "subscriptions_trial_ends_on_id_idx" ON "subscriptions"("trial_ends_on", "id");

-- CreateIndex
CREATE INDEX "subscriptions_mrr_id_idx" ON "subscriptions"("mrr", "id");

-- CreateIndex
CREATE INDEX "subscription_changes_tenant_id_created_at_id_idx" ON "subscription_changes"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "subscription_changes_subscription_id_created_at_id_idx" ON "subscription_changes"("subscription_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "subscription_scheduled_changes_tenant_id_idx" ON "subscription_scheduled_changes"("tenant_id");

-- CreateIndex
CREATE INDEX "subscription_scheduled_changes_subscription_id_created_at_i_idx" ON "subscription_scheduled_changes"("subscription_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "subscription_coupons_tenant_id_idx" ON "subscription_coupons"("tenant_id");

-- CreateIndex
CREATE INDEX "subscription_coupons_subscription_id_idx" ON "subscription_coupons"("subscription_id");

-- CreateIndex
CREATE INDEX "subscription_coupons_coupon_id_idx" ON "subscription_coupons"("coupon_id");

-- CreateIndex
CREATE INDEX "subscription_add_ons_tenant_id_idx" ON "subscription_add_ons"("tenant_id");

-- CreateIndex
CREATE INDEX "subscription_add_ons_subscription_id_idx" ON "subscription_add_ons"("subscription_id");

-- CreateIndex
CREATE INDEX "subscription_add_ons_add_on_id_idx" ON "subscription_add_ons"("add_on_id");

-- AddForeignKey
ALTER TABLE "dunning_runs" ADD CONSTRAINT "dunning_runs_campaign_id_fkey" FOREIGN KEY ("campaign_id") REFERENCES "dunning_campaigns"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "dunning_runs" ADD CONSTRAINT "dunning_runs_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "dunning_steps" ADD CONSTRAINT "dunning_steps_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "dunning_runs"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "invoices" ADD CONSTRAINT "invoices_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "invoices" ADD CONSTRAINT "invoices_subscription_id_fkey" FOREIGN KEY ("subscription_id") REFERENCES "subscriptions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "invoice_items" ADD CONSTRAINT "invoice_items_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "credit_notes" ADD CONSTRAINT "credit_notes_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "credit_note_items" ADD CONSTRAINT "credit_note_items_credit_note_id_fkey" FOREIGN KEY ("credit_note_id") REFERENCES "credit_notes"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "credit_note_items" ADD CONSTRAINT "credit_note_items_invoice_item_id_fkey" FOREIGN KEY ("invoice_item_id") REFERENCES "invoice_items"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "billing_accounts" ADD CONSTRAINT "billing_accounts_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payment_methods" ADD CONSTRAINT "payment_methods_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payments" ADD CONSTRAINT "payments_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payments" ADD CONSTRAINT "payments_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payments" ADD CONSTRAINT "payments_payment_method_id_fkey" FOREIGN KEY ("payment_method_id") REFERENCES "payment_methods"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payment_allocations" ADD CONSTRAINT "payment_allocations_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payment_allocations" ADD CONSTRAINT "payment_allocations_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "refunds" ADD CONSTRAINT "refunds_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "refunds" ADD CONSTRAINT "refunds_credit_note_id_fkey" FOREIGN KEY ("credit_note_id") REFERENCES "credit_notes"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payment_links" ADD CONSTRAINT "payment_links_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscription_plan_versions" ADD CONSTRAINT "subscription_plan_versions_plan_id_fkey" FOREIGN KEY ("plan_id") REFERENCES "subscription_plans"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscriptions" ADD CONSTRAINT "subscriptions_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscriptions" ADD CONSTRAINT "subscriptions_plan_id_fkey" FOREIGN KEY ("plan_id") REFERENCES "subscription_plans"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscriptions" ADD CONSTRAINT "subscriptions_plan_version_id_fkey" FOREIGN KEY ("plan_version_id") REFERENCES "subscription_plan_versions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscriptions" ADD CONSTRAINT "subscriptions_payment_method_id_fkey" FOREIGN KEY ("payment_method_id") REFERENCES "payment_methods"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscription_changes" ADD CONSTRAINT "subscription_changes_subscription_id_fkey" FOREIGN KEY ("subscription_id") REFERENCES "subscriptions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscription_scheduled_changes" ADD CONSTRAINT "subscription_scheduled_changes_subscription_id_fkey" FOREIGN KEY ("subscription_id") REFERENCES "subscriptions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscription_coupons" ADD CONSTRAINT "subscription_coupons_subscription_id_fkey" FOREIGN KEY ("subscription_id") REFERENCES "subscriptions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscription_coupons" ADD CONSTRAINT "subscription_coupons_coupon_id_fkey" FOREIGN KEY ("coupon_id") REFERENCES "coupons"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscription_add_ons" ADD CONSTRAINT "subscription_add_ons_subscription_id_fkey" FOREIGN KEY ("subscription_id") REFERENCES "subscriptions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscription_add_ons" ADD CONSTRAINT "subscription_add_ons_add_on_id_fkey" FOREIGN KEY ("add_on_id") REFERENCES "add_ons"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Who sees and changes what.
SELECT app.protect_table('dunning_runs');
SELECT app.protect_table('dunning_steps');
SELECT app.protect_table('invoices');
SELECT app.protect_table('invoice_items');
SELECT app.protect_table('credit_notes');
SELECT app.protect_table('credit_note_items', append_only => true);
SELECT app.protect_table('billing_accounts');
SELECT app.protect_table('billing_entries', append_only => true);
SELECT app.protect_table('payment_methods');
SELECT app.protect_table('payments');
SELECT app.protect_table('payment_allocations', append_only => true);
SELECT app.protect_table('refunds');
SELECT app.protect_table('payment_links');
SELECT app.protect_table('gateway_events', auth_access => 'SELECT, INSERT');
SELECT app.protect_table('subscriptions');
SELECT app.protect_table('subscription_changes', append_only => true);
SELECT app.protect_table('subscription_scheduled_changes');
SELECT app.protect_table('subscription_coupons');
SELECT app.protect_table('subscription_add_ons');
SELECT app.share_table('subscription_plans');
SELECT app.share_table('subscription_plan_versions');
SELECT app.share_table('add_ons');
SELECT app.share_table('coupons');
SELECT app.share_table('tax_rates');
SELECT app.share_table('dunning_campaigns');
SELECT app.share_table('document_series');
SELECT app.share_table('test_clock');
SELECT app.keep_table_to_portal('revenue_reports');
SELECT app.keep_table_to_portal('billing_checks');

-- The next number of a series, which nobody else gets before this transaction has ended: the only way to one, since a
-- tenant that changes its plan finalizes an invoice in its own scope.
CREATE FUNCTION app.take_serial(kind text, fiscal_year text, prefix text) RETURNS int
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO public.document_series AS s (kind, fiscal_year, prefix, last_serial)
  VALUES (kind::public.document_kind, fiscal_year, prefix, 1)
  ON CONFLICT (kind, fiscal_year, prefix) DO UPDATE SET last_serial = s.last_serial + 1
  RETURNING last_serial
$$;
REVOKE ALL ON FUNCTION app.take_serial(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.take_serial(text, text, text) TO studyspot_tenant, studyspot_portal;

-- Counts one more redemption of a coupon, unless it is used up or no longer given. Whether it was counted.
CREATE FUNCTION app.redeem_coupon(coupon text, today date) RETURNS boolean
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH redeemed AS (
    UPDATE public.coupons SET redeemed_count = redeemed_count + 1
     WHERE id = coupon AND status = 'ACTIVE' AND (max_redemptions IS NULL OR redeemed_count < max_redemptions)
       AND (redeem_by IS NULL OR redeem_by >= today)
    RETURNING 1)
  SELECT EXISTS (SELECT FROM redeemed)
$$;
REVOKE ALL ON FUNCTION app.redeem_coupon(text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.redeem_coupon(text, date) TO studyspot_tenant, studyspot_portal;

-- What is on a document that was issued stays as it was (rule 17): beside its payment, only the columns named change.
CREATE FUNCTION app.guard_document() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  free text[] := TG_ARGV[0]::text[];
  document text := coalesce(OLD.number, OLD.id);
BEGIN
  IF TG_TABLE_NAME = 'invoices' AND OLD.status::text = 'DRAFT' THEN
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'The document % was issued and cannot be removed', document USING ERRCODE = 'restrict_violation';
  END IF;
  IF to_jsonb(NEW) - free <> to_jsonb(OLD) - free THEN
    RAISE EXCEPTION 'The document % was issued and cannot be changed', document USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.pdf_sha256 IS NOT NULL AND NEW.pdf_sha256 IS DISTINCT FROM OLD.pdf_sha256 THEN
    RAISE EXCEPTION 'The file of the document % is what it was', document USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.status <> OLD.status AND NOT (OLD.status || '>' || NEW.status) = ANY (TG_ARGV[1]::text[]) THEN
    RAISE EXCEPTION 'The document % is % and cannot become %', document, OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER invoices_guard BEFORE UPDATE OR DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION app.guard_document(
  '{status,amount_paid,amount_credited,amount_due,paid_at,voided_at,void_reason,uncollectible_at,sent_at,collect_after,pdf_key,pdf_sha256,pdf_bytes,version,updated_at}',
  '{OPEN>PAID,OPEN>VOID,OPEN>UNCOLLECTIBLE,UNCOLLECTIBLE>PAID,UNCOLLECTIBLE>OPEN,UNCOLLECTIBLE>VOID,PAID>OPEN,PAID>VOID}');
CREATE TRIGGER credit_notes_guard BEFORE UPDATE OR DELETE ON credit_notes FOR EACH ROW EXECUTE FUNCTION app.guard_document(
  '{status,voided_at,void_reason,pdf_key,pdf_sha256,pdf_bytes}', '{ISSUED>VOID}');

CREATE FUNCTION app.guard_invoice_items() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  item invoice_items := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  parent record;
BEGIN
  SELECT status, tenant_id INTO parent FROM invoices WHERE id = item.invoice_id;
  -- Gone with its draft.
  IF NOT FOUND THEN
    RETURN item;
  END IF;
  IF parent.status <> 'DRAFT' THEN
    RAISE EXCEPTION 'The lines of an invoice that was issued cannot be changed' USING ERRCODE = 'restrict_violation';
  END IF;
  IF parent.tenant_id <> item.tenant_id THEN
    RAISE EXCEPTION 'A line belongs to the tenant of its invoice' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN item;
END $$;
CREATE TRIGGER invoice_items_guard BEFORE INSERT OR UPDATE OR DELETE ON invoice_items
  FOR EACH ROW EXECUTE FUNCTION app.guard_invoice_items();

-- Payments move forward only (rule 23). One that failed may turn out to have come after all; money that came stays.
CREATE FUNCTION app.guard_payments() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  fixed text[] := '{id,tenant_id,invoice_id,amount,initiated_by,gateway,created_at}';
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Payments are not removed' USING ERRCODE = 'restrict_violation';
  END IF;
  IF EXISTS (SELECT FROM unnest(fixed) f WHERE to_jsonb(NEW) -> f IS DISTINCT FROM to_jsonb(OLD) -> f) THEN
    RAISE EXCEPTION 'What a payment is for and how much it is does not change' USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.status <> OLD.status AND NOT (OLD.status || '>' || NEW.status) = ANY (
       '{CREATED>AUTHORIZED,CREATED>UNKNOWN,CREATED>SUCCEEDED,CREATED>FAILED,UNKNOWN>AUTHORIZED,UNKNOWN>SUCCEEDED,UNKNOWN>FAILED,AUTHORIZED>SUCCEEDED,AUTHORIZED>FAILED,FAILED>AUTHORIZED,FAILED>SUCCEEDED}'::text[]) THEN
    RAISE EXCEPTION 'A payment that is % cannot become %', OLD.status, NEW.status USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payments_guard BEFORE UPDATE OR DELETE ON payments FOR EACH ROW EXECUTE FUNCTION app.guard_payments();

-- What was offered and what the tax was are history.
CREATE FUNCTION app.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'Rows of % are added, never changed or removed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER subscription_plan_versions_guard BEFORE UPDATE OR DELETE ON subscription_plan_versions
  FOR EACH ROW EXECUTE FUNCTION app.refuse_change();
CREATE TRIGGER tax_rates_guard BEFORE UPDATE OR DELETE ON tax_rates FOR EACH ROW EXECUTE FUNCTION app.refuse_change();

-- What must hold whatever the code does.
ALTER TABLE subscription_plan_versions
  ADD CONSTRAINT subscription_plan_versions_prices CHECK (monthly_price >= 0 AND annual_price >= 0 AND trial_days BETWEEN 0 AND 365);
ALTER TABLE add_ons ADD CONSTRAINT add_ons_prices CHECK (monthly_price >= 0 AND annual_price >= 0);
ALTER TABLE coupons
  ADD CONSTRAINT coupons_kind CHECK (
    CASE kind WHEN 'PERCENT' THEN percent IS NOT NULL AND percent > 0 AND percent <= 100 AND amount IS NULL
              ELSE amount IS NOT NULL AND amount > 0 AND percent IS NULL END),
  ADD CONSTRAINT coupons_duration CHECK ((duration = 'REPEATING') = (duration_months IS NOT NULL)),
  ADD CONSTRAINT coupons_redemptions CHECK (redeemed_count >= 0 AND (max_redemptions IS NULL OR redeemed_count <= max_redemptions));
ALTER TABLE tax_rates ADD CONSTRAINT tax_rates_rate CHECK (rate >= 0 AND rate <= 100);
ALTER TABLE subscriptions
  ADD CONSTRAINT subscriptions_period CHECK (current_period_end > current_period_start AND anchor_day BETWEEN 1 AND 31),
  ADD CONSTRAINT subscriptions_mrr CHECK (CASE WHEN status IN ('ACTIVE', 'PAST_DUE') THEN mrr >= 0 ELSE mrr = 0 END),
  ADD CONSTRAINT subscriptions_pause CHECK ((status = 'PAUSED') = (paused_on IS NOT NULL)),
  ADD CONSTRAINT subscriptions_end CHECK ((status IN ('CANCELLED', 'EXPIRED')) = (ended_on IS NOT NULL));
ALTER TABLE subscription_changes ADD CONSTRAINT subscription_changes_movement CHECK (
  CASE movement WHEN 'NEW' THEN mrr_before = 0 AND mrr_after > 0 WHEN 'REACTIVATION' THEN mrr_before = 0 AND mrr_after > 0
                WHEN 'CHURN' THEN mrr_before > 0 AND mrr_after = 0 WHEN 'EXPANSION' THEN mrr_after > mrr_before
                WHEN 'CONTRACTION' THEN mrr_after < mrr_before ELSE mrr_after = mrr_before END);
ALTER TABLE subscription_add_ons ADD CONSTRAINT subscription_add_ons_quantity CHECK (quantity BETWEEN 1 AND 1000);
ALTER TABLE invoices
  ADD CONSTRAINT invoices_number CHECK (
    CASE WHEN status = 'DRAFT' THEN number IS NULL AND serial IS NULL
         ELSE number IS NOT NULL AND serial IS NOT NULL AND fiscal_year IS NOT NULL AND issue_date IS NOT NULL
              AND due_date IS NOT NULL AND seller IS NOT NULL AND buyer IS NOT NULL AND supply IS NOT NULL
              AND place_of_supply IS NOT NULL AND length(number) <= 16 END),
  ADD CONSTRAINT invoices_sums CHECK (taxable = subtotal - discount_total AND total = taxable + cgst + sgst + igst + round_off
    AND total >= 0 AND abs(round_off) < 1),
  ADD CONSTRAINT invoices_taxes CHECK (supply IS NULL OR CASE supply WHEN 'INTRA_STATE' THEN igst = 0 AND cgst = sgst ELSE cgst = 0 AND sgst = 0 END),
  ADD CONSTRAINT invoices_due CHECK (amount_paid >= 0 AND amount_credited >= 0 AND amount_due >= 0 AND
    CASE WHEN status IN ('DRAFT', 'VOID') THEN amount_due = 0 AND amount_paid = 0 AND amount_credited = 0
         ELSE amount_due = total - amount_paid - amount_credited END),
  ADD CONSTRAINT invoices_paid CHECK (CASE status WHEN 'PAID' THEN amount_due = 0 WHEN 'OPEN' THEN amount_due > 0 ELSE true END),
  ADD CONSTRAINT invoices_occurrence CHECK (occurrence = 1 OR reason = 'SUBSCRIPTION_CHANGE');
ALTER TABLE invoice_items
  ADD CONSTRAINT invoice_items_sums CHECK (taxable = amount - discount AND total = taxable + cgst + sgst + igst);
ALTER TABLE credit_notes
  ADD CONSTRAINT credit_notes_sums CHECK (total = taxable + cgst + sgst + igst + round_off AND total > 0 AND length(number) <= 16),
  ADD CONSTRAINT credit_notes_use CHECK (credit_amount >= 0 AND refund_amount >= 0 AND offset_amount >= 0
    AND credit_amount + refund_amount + offset_amount = total);
ALTER TABLE credit_note_items ADD CONSTRAINT credit_note_items_sums CHECK (total = taxable + cgst + sgst + igst);
ALTER TABLE billing_accounts ADD CONSTRAINT billing_accounts_balance CHECK (credit_balance >= 0);
ALTER TABLE billing_entries ADD CONSTRAINT billing_entries_amount CHECK (amount <> 0 AND balance >= 0);
ALTER TABLE payments
  ADD CONSTRAINT payments_amount CHECK (amount > 0 AND amount_refunded >= 0 AND amount_refunded <= amount),
  ADD CONSTRAINT payments_success CHECK ((status = 'SUCCEEDED') = (succeeded_at IS NOT NULL)
    AND (status <> 'SUCCEEDED' OR received_on IS NOT NULL));
ALTER TABLE payment_allocations ADD CONSTRAINT payment_allocations_amount CHECK (amount <> 0);
ALTER TABLE refunds ADD CONSTRAINT refunds_amount CHECK (amount > 0);
ALTER TABLE test_clock ADD CONSTRAINT test_clock_one CHECK (id = 1);

-- One of these at a time.
CREATE UNIQUE INDEX subscriptions_one_live ON subscriptions (tenant_id) WHERE status IN ('TRIAL', 'ACTIVE', 'PAST_DUE', 'PAUSED');
CREATE UNIQUE INDEX subscription_scheduled_changes_one_pending ON subscription_scheduled_changes (subscription_id) WHERE status = 'PENDING';
CREATE UNIQUE INDEX subscription_coupons_once ON subscription_coupons (tenant_id, coupon_id);
CREATE UNIQUE INDEX subscription_add_ons_once ON subscription_add_ons (subscription_id, add_on_id) WHERE ends_on IS NULL;
CREATE UNIQUE INDEX invoices_once ON invoices (subscription_id, reason, period_start, occurrence)
  WHERE status <> 'VOID' AND subscription_id IS NOT NULL;
CREATE UNIQUE INDEX payments_one_live_attempt ON payments (invoice_id) WHERE status IN ('CREATED', 'AUTHORIZED', 'UNKNOWN');
CREATE UNIQUE INDEX payment_methods_one_default ON payment_methods (tenant_id) WHERE is_default;
CREATE UNIQUE INDEX dunning_campaigns_one_default ON dunning_campaigns (is_default) WHERE is_default;
CREATE UNIQUE INDEX dunning_runs_one_open ON dunning_runs (invoice_id) WHERE status = 'ACTIVE';

-- What jobs look for, and what figures are made of.
CREATE INDEX subscriptions_due_idx ON subscriptions (next_event_on, id) WHERE next_event_on IS NOT NULL;
CREATE INDEX invoices_collect_idx ON invoices (collect_after, id) WHERE status = 'OPEN' AND collect_after IS NOT NULL;
CREATE INDEX invoices_open_due_idx ON invoices (due_date, tenant_id) INCLUDE (amount_due) WHERE status = 'OPEN';
CREATE INDEX invoices_issued_idx ON invoices (issue_date) INCLUDE (status, taxable, total, amount_credited) WHERE number IS NOT NULL;
CREATE INDEX payment_methods_pending_idx ON payment_methods (created_at) WHERE status = 'PENDING';
CREATE INDEX payments_poll_idx ON payments (poll_after, id) WHERE status IN ('CREATED', 'AUTHORIZED', 'UNKNOWN');
CREATE INDEX payments_received_idx ON payments (received_on) INCLUDE (amount, method) WHERE status = 'SUCCEEDED';
CREATE INDEX subscription_changes_movement_idx ON subscription_changes (effective_on) INCLUDE (movement, mrr_before, mrr_after, tenant_id)
  WHERE movement IS NOT NULL;
CREATE INDEX gateway_events_open_idx ON gateway_events (received_at) WHERE processed_at IS NULL;
CREATE FUNCTION app.invoice_search_text(number text, buyer_name text, buyer_gstin text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN lower(coalesce(number, '') || ' ' || coalesce(buyer_name, '') || ' ' || coalesce(buyer_gstin, ''));
CREATE INDEX invoices_search_idx ON invoices USING gin (app.invoice_search_text(number, buyer_name, buyer_gstin) gin_trgm_ops);

-- What billing cannot do without on a new database: the tax on what is sold, and a way to dun.
INSERT INTO tax_rates (id, sac_code, description, rate, effective_from) VALUES
  ('ctax00000000000000saas997', '997331', 'Licensing services for the right to use computer software', 18, '2017-07-01'),
  ('ctax00000000000000smse998', '998413', 'Mobile telecommunications services, such as SMS', 18, '2017-07-01');
INSERT INTO dunning_campaigns (id, name, is_default, attempt_gaps, steps, updated_at) VALUES
  ('cdun000000000000000standa', 'Standard', true, '{1,8,4,7}',
   '[{"day": 1, "consequence": "REMINDER", "channels": ["EMAIL"]}, {"day": 10, "consequence": "WARNING", "channels": ["EMAIL"]},
     {"day": 14, "consequence": "BLOCK", "channels": ["EMAIL"]}, {"day": 21, "consequence": "CANCEL", "channels": ["EMAIL"]}]', now());
