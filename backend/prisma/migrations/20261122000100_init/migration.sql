-- Identity, roles, tenants, audit, and the tables that jobs and idempotent requests need.

-- CreateEnum
CREATE TYPE "actor_type" AS ENUM ('USER', 'SYSTEM', 'ANONYMOUS');

-- CreateEnum
CREATE TYPE "audit_outcome" AS ENUM ('SUCCESS', 'FAILURE', 'DENIED');

-- CreateEnum
CREATE TYPE "user_type" AS ENUM ('PLATFORM_USER', 'ADMIN_USER');

-- CreateEnum
CREATE TYPE "person_kind" AS ENUM ('OWNER', 'STAFF', 'STUDENT', 'PARENT');

-- CreateEnum
CREATE TYPE "user_status" AS ENUM ('ACTIVE', 'INACTIVE', 'SUSPENDED', 'PENDING');

-- CreateEnum
CREATE TYPE "session_ending" AS ENUM ('LOGOUT', 'REVOKED', 'PASSWORD_RESET', 'REFRESH_REUSE', 'TENANT_SUSPENDED');

-- CreateEnum
CREATE TYPE "one_time_token_purpose" AS ENUM ('PASSWORD_RESET', 'WELCOME');

-- CreateEnum
CREATE TYPE "email_status" AS ENUM ('SENDING', 'SENT', 'FAILED');

-- CreateEnum
CREATE TYPE "permission_risk" AS ENUM ('LOW', 'MEDIUM', 'HIGH');

-- CreateEnum
CREATE TYPE "tenant_status" AS ENUM ('TRIAL', 'ACTIVE', 'SUSPENDED', 'INACTIVE', 'OFFBOARDING', 'PURGED');

-- CreateTable
CREATE TABLE "audit_logs" (
    "id" TEXT NOT NULL,
    "chain" TEXT NOT NULL,
    "sequence" INTEGER NOT NULL,
    "tenant_id" TEXT,
    "actor_type" "actor_type" NOT NULL,
    "actor_id" TEXT,
    "actor_name" TEXT,
    "action" TEXT NOT NULL,
    "resource" TEXT NOT NULL,
    "resource_id" TEXT,
    "outcome" "audit_outcome" NOT NULL,
    "changes" JSONB,
    "ip_address" TEXT,
    "user_agent" TEXT,
    "request_id" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "previous_hash" TEXT NOT NULL,
    "hash" TEXT NOT NULL,

    CONSTRAINT "audit_logs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_chains" (
    "chain" TEXT NOT NULL,
    "tenant_id" TEXT,
    "sequence" INTEGER NOT NULL,
    "hash" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "audit_chains_pkey" PRIMARY KEY ("chain")
);

-- CreateTable
CREATE TABLE "users" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "type" "user_type" NOT NULL,
    "kind" "person_kind",
    "name" TEXT NOT NULL,
    "email" TEXT,
    "phone" TEXT,
    "status" "user_status" NOT NULL DEFAULT 'PENDING',
    "password_hash" TEXT,
    "password_changed_at" TIMESTAMPTZ(3),
    "email_verified" BOOLEAN NOT NULL DEFAULT false,
    "permission_version" INTEGER NOT NULL DEFAULT 1,
    "last_login_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sessions" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "user_id" TEXT NOT NULL,
    "refresh_seed" TEXT NOT NULL,
    "refresh_generation" INTEGER NOT NULL DEFAULT 0,
    "rotations" TIMESTAMPTZ(3)[],
    "ip_address" TEXT,
    "user_agent" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),
    "revoked_reason" "session_ending",

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "one_time_tokens" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "user_id" TEXT NOT NULL,
    "purpose" "one_time_token_purpose" NOT NULL,
    "token_hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "one_time_tokens_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "settings" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "key" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "settings_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "outbox_messages" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "job" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "dedupe_key" TEXT NOT NULL,
    "request_id" TEXT,
    "available_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "published_at" TIMESTAMPTZ(3),

    CONSTRAINT "outbox_messages_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "dead_letters" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "queue" TEXT NOT NULL,
    "job" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "error" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL,
    "failed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "resolved_at" TIMESTAMPTZ(3),

    CONSTRAINT "dead_letters_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "email_deliveries" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "job_id" TEXT NOT NULL,
    "template" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "status" "email_status" NOT NULL,
    "message_id" TEXT NOT NULL,
    "error" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "sent_at" TIMESTAMPTZ(3),

    CONSTRAINT "email_deliveries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "actor_id" TEXT NOT NULL,
    "operation_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "request_hash" TEXT NOT NULL,
    "locked_until" TIMESTAMPTZ(3) NOT NULL,
    "response_status" INTEGER,
    "response_body" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "permissions" (
    "code" TEXT NOT NULL,
    "group" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "risk" "permission_risk" NOT NULL,

    CONSTRAINT "permissions_pkey" PRIMARY KEY ("code")
);

-- CreateTable
CREATE TABLE "roles" (
    "id" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "user_type" "user_type" NOT NULL,
    "built_in" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "roles_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "role_permissions" (
    "role_id" TEXT NOT NULL,
    "permission_code" TEXT NOT NULL,

    CONSTRAINT "role_permissions_pkey" PRIMARY KEY ("role_id","permission_code")
);

-- CreateTable
CREATE TABLE "role_assignments" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "user_id" TEXT NOT NULL,
    "role_id" TEXT NOT NULL,
    "assigned_by_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "role_assignments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tenants" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "slug" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "phone" TEXT,
    "gstin" TEXT,
    "address_line" TEXT,
    "city" TEXT,
    "state" TEXT,
    "pincode" TEXT,
    "time_zone" TEXT NOT NULL DEFAULT 'Asia/Kolkata',
    "status" "tenant_status" NOT NULL DEFAULT 'TRIAL',
    "trial_ends_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "tenants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tenant_transitions" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "from" "tenant_status",
    "to" "tenant_status" NOT NULL,
    "reason" TEXT,
    "actor_id" TEXT,
    "actor_name" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenant_transitions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "libraries" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "address_line" TEXT NOT NULL,
    "city" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "pincode" TEXT NOT NULL,
    "phone" TEXT,
    "seat_count" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "libraries_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_logs_tenant_id_created_at_id_idx" ON "audit_logs"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "audit_logs_created_at_id_idx" ON "audit_logs"("created_at", "id");

-- CreateIndex
CREATE INDEX "audit_logs_actor_id_created_at_id_idx" ON "audit_logs"("actor_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "audit_logs_action_created_at_id_idx" ON "audit_logs"("action", "created_at", "id");

-- CreateIndex
CREATE INDEX "audit_logs_resource_resource_id_created_at_id_idx" ON "audit_logs"("resource", "resource_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "audit_logs_outcome_created_at_id_idx" ON "audit_logs"("outcome", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "audit_logs_chain_sequence_key" ON "audit_logs"("chain", "sequence");

-- CreateIndex
CREATE INDEX "audit_chains_tenant_id_idx" ON "audit_chains"("tenant_id");

-- CreateIndex
CREATE UNIQUE INDEX "users_email_key" ON "users"("email");

-- CreateIndex
CREATE INDEX "users_tenant_id_created_at_id_idx" ON "users"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "users_tenant_id_kind_created_at_id_idx" ON "users"("tenant_id", "kind", "created_at", "id");

-- CreateIndex
CREATE INDEX "users_tenant_id_status_created_at_id_idx" ON "users"("tenant_id", "status", "created_at", "id");

-- CreateIndex
CREATE INDEX "users_tenant_id_name_id_idx" ON "users"("tenant_id", "name", "id");

-- CreateIndex
CREATE INDEX "users_phone_idx" ON "users"("phone");

-- CreateIndex
CREATE INDEX "users_type_created_at_idx" ON "users"("type", "created_at");

-- CreateIndex
CREATE INDEX "sessions_tenant_id_created_at_idx" ON "sessions"("tenant_id", "created_at");

-- CreateIndex
CREATE INDEX "sessions_user_id_created_at_idx" ON "sessions"("user_id", "created_at");

-- CreateIndex
CREATE INDEX "sessions_expires_at_idx" ON "sessions"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "one_time_tokens_token_hash_key" ON "one_time_tokens"("token_hash");

-- CreateIndex
CREATE INDEX "one_time_tokens_tenant_id_idx" ON "one_time_tokens"("tenant_id");

-- CreateIndex
CREATE INDEX "one_time_tokens_user_id_purpose_idx" ON "one_time_tokens"("user_id", "purpose");

-- CreateIndex
CREATE INDEX "one_time_tokens_expires_at_idx" ON "one_time_tokens"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "settings_tenant_id_key_key" ON "settings"("tenant_id", "key") NULLS NOT DISTINCT;

-- CreateIndex
CREATE UNIQUE INDEX "outbox_messages_dedupe_key_key" ON "outbox_messages"("dedupe_key");

-- CreateIndex
CREATE INDEX "outbox_messages_tenant_id_idx" ON "outbox_messages"("tenant_id");

-- CreateIndex
CREATE INDEX "outbox_messages_published_at_available_at_idx" ON "outbox_messages"("published_at", "available_at");

-- CreateIndex
CREATE INDEX "dead_letters_tenant_id_idx" ON "dead_letters"("tenant_id");

-- CreateIndex
CREATE INDEX "dead_letters_resolved_at_failed_at_idx" ON "dead_letters"("resolved_at", "failed_at");

-- CreateIndex
CREATE UNIQUE INDEX "dead_letters_queue_job_id_key" ON "dead_letters"("queue", "job_id");

-- CreateIndex
CREATE UNIQUE INDEX "email_deliveries_job_id_key" ON "email_deliveries"("job_id");

-- CreateIndex
CREATE INDEX "email_deliveries_tenant_id_idx" ON "email_deliveries"("tenant_id");

-- CreateIndex
CREATE INDEX "email_deliveries_created_at_idx" ON "email_deliveries"("created_at");

-- CreateIndex
CREATE INDEX "idempotency_keys_tenant_id_idx" ON "idempotency_keys"("tenant_id");

-- CreateIndex
CREATE INDEX "idempotency_keys_expires_at_idx" ON "idempotency_keys"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "idempotency_keys_actor_id_operation_id_key_key" ON "idempotency_keys"("actor_id", "operation_id", "key");

-- CreateIndex
CREATE UNIQUE INDEX "roles_code_key" ON "roles"("code");

-- CreateIndex
CREATE INDEX "role_permissions_permission_code_idx" ON "role_permissions"("permission_code");

-- CreateIndex
CREATE INDEX "role_assignments_tenant_id_idx" ON "role_assignments"("tenant_id");

-- CreateIndex
CREATE INDEX "role_assignments_role_id_idx" ON "role_assignments"("role_id");

-- CreateIndex
CREATE UNIQUE INDEX "role_assignments_user_id_role_id_key" ON "role_assignments"("user_id", "role_id");

-- CreateIndex
CREATE UNIQUE INDEX "tenants_slug_key" ON "tenants"("slug");

-- CreateIndex
CREATE INDEX "tenants_created_at_id_idx" ON "tenants"("created_at", "id");

-- CreateIndex
CREATE INDEX "tenants_status_created_at_id_idx" ON "tenants"("status", "created_at", "id");

-- CreateIndex
CREATE INDEX "tenants_city_created_at_id_idx" ON "tenants"("city", "created_at", "id");

-- CreateIndex
CREATE INDEX "tenants_state_created_at_id_idx" ON "tenants"("state", "created_at", "id");

-- CreateIndex
CREATE INDEX "tenants_name_id_idx" ON "tenants"("name", "id");

-- CreateIndex
CREATE INDEX "tenants_trial_ends_at_id_idx" ON "tenants"("trial_ends_at", "id");

-- CreateIndex
CREATE INDEX "tenant_transitions_tenant_id_created_at_id_idx" ON "tenant_transitions"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "libraries_tenant_id_created_at_idx" ON "libraries"("tenant_id", "created_at");

-- AddForeignKey
ALTER TABLE "users" ADD CONSTRAINT "users_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "one_time_tokens" ADD CONSTRAINT "one_time_tokens_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_permissions" ADD CONSTRAINT "role_permissions_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "roles"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_permissions" ADD CONSTRAINT "role_permissions_permission_code_fkey" FOREIGN KEY ("permission_code") REFERENCES "permissions"("code") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_assignments" ADD CONSTRAINT "role_assignments_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_assignments" ADD CONSTRAINT "role_assignments_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "roles"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tenant_transitions" ADD CONSTRAINT "tenant_transitions_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "libraries" ADD CONSTRAINT "libraries_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What a column type cannot say
ALTER TABLE users
  ADD CONSTRAINT users_reachable CHECK (email IS NOT NULL OR phone IS NOT NULL),
  ADD CONSTRAINT users_email_lower_case CHECK (email = lower(email)),
  ADD CONSTRAINT users_admin_has_no_tenant CHECK ((type = 'ADMIN_USER') = (tenant_id IS NULL)),
  ADD CONSTRAINT users_kind_of_platform_user CHECK ((type = 'ADMIN_USER') = (kind IS NULL));
ALTER TABLE tenants ADD CONSTRAINT tenants_email_lower_case CHECK (email = lower(email));
ALTER TABLE libraries ADD CONSTRAINT libraries_seat_count CHECK (seat_count BETWEEN 1 AND 10000);
ALTER TABLE audit_logs
  ADD CONSTRAINT audit_logs_chain_of_tenant CHECK (chain = coalesce(tenant_id, 'platform'));
ALTER TABLE audit_chains
  ADD CONSTRAINT audit_chains_chain_of_tenant CHECK (chain = coalesce(tenant_id, 'platform'));

-- Search for a part of any of the names by which a tenant is known
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE FUNCTION app.tenant_search_text(name text, slug text, email text, phone text, gstin text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN lower(name || ' ' || slug || ' ' || email || ' ' || coalesce(phone, '') || ' ' || coalesce(gstin, ''));
CREATE INDEX tenants_search_idx ON tenants USING gin (app.tenant_search_text(name, slug, email, phone, gstin) gin_trgm_ops);

-- Takes the lock of one audit chain until the end of the transaction, then reads its newest link. The function is
-- VOLATILE: the SELECT sees what was committed while it waited.
CREATE FUNCTION app.lock_audit_chain(chain_name text, OUT sequence int, OUT hash text, OUT now_utc text)
  LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('audit:' || chain_name, 0));
  SELECT c.sequence, c.hash INTO sequence, hash FROM public.audit_chains c WHERE c.chain = chain_name;
  sequence := coalesce(sequence, 0);
  hash := coalesce(hash, repeat('0', 64));
  now_utc := to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
END $$;

-- Row-level security and privileges
SELECT app.protect_table('tenants', tenant_column => 'id', auth_access => 'SELECT');
SELECT app.protect_table('libraries');
SELECT app.protect_table('tenant_transitions', append_only => true);
SELECT app.protect_table('users', auth_access => 'SELECT, UPDATE');
SELECT app.protect_table('sessions', auth_access => 'SELECT, INSERT, UPDATE');
SELECT app.protect_table('one_time_tokens', auth_access => 'SELECT, INSERT, UPDATE');
SELECT app.protect_table('role_assignments', auth_access => 'SELECT');
SELECT app.protect_table('audit_logs', append_only => true, auth_access => 'SELECT, INSERT');
SELECT app.protect_table('audit_chains', auth_access => 'SELECT, INSERT, UPDATE');
SELECT app.protect_table('settings');
SELECT app.protect_table('outbox_messages', auth_access => 'SELECT, INSERT');
SELECT app.protect_table('dead_letters');
SELECT app.protect_table('email_deliveries');
SELECT app.protect_table('idempotency_keys');
SELECT app.share_table('permissions');
SELECT app.share_table('roles');
SELECT app.share_table('role_permissions');
