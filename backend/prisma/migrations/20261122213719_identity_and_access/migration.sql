-- Identity and access: second factors, passkeys, invitations, custom roles with overrides and expiry, security policies,
-- address rules, tries and lock-outs, events, API keys, impersonation; anchors, exports and streams of the audit trail;
-- the history of settings.

-- CreateEnum
CREATE TYPE "audit_anchor_reason" AS ENUM ('NIGHTLY', 'RETENTION');

-- CreateEnum
CREATE TYPE "audit_export_status" AS ENUM ('PENDING', 'RUNNING', 'READY', 'FAILED', 'EXPIRED');

-- CreateEnum
CREATE TYPE "audit_export_format" AS ENUM ('JSONL', 'CSV');

-- CreateEnum
CREATE TYPE "auth_challenge_purpose" AS ENUM ('SIGN_IN', 'PASSKEY_REGISTRATION', 'PASSKEY_SIGN_IN', 'PASSKEY_STEP_UP');

-- CreateEnum
CREATE TYPE "sign_in_method" AS ENUM ('PASSWORD', 'PASSKEY', 'IMPERSONATION');

-- CreateEnum
CREATE TYPE "session_restriction" AS ENUM ('PASSWORD_EXPIRED', 'MFA_REQUIRED');

-- CreateEnum
CREATE TYPE "permission_effect" AS ENUM ('GRANT', 'DENY');

-- CreateEnum
CREATE TYPE "security_policy_type" AS ENUM ('PASSWORD', 'SESSION', 'MFA', 'LOCKOUT');

-- CreateEnum
CREATE TYPE "ip_rule_effect" AS ENUM ('ALLOW', 'DENY');

-- CreateEnum
CREATE TYPE "ip_rule_audience" AS ENUM ('ADMINS', 'EVERYONE');

-- CreateEnum
CREATE TYPE "login_outcome" AS ENUM ('SUCCESS', 'MFA_PENDING', 'WRONG_PASSWORD', 'WRONG_CODE', 'UNKNOWN_ACCOUNT', 'LOCKED', 'NOT_ACTIVE', 'ADDRESS_REFUSED');

-- CreateEnum
CREATE TYPE "lockout_kind" AS ENUM ('PASSWORD', 'MFA');

-- CreateEnum
CREATE TYPE "security_event_type" AS ENUM ('NEW_DEVICE', 'IMPOSSIBLE_TRAVEL', 'REFRESH_REUSE', 'CROSS_TENANT', 'KEY_MISUSE', 'ACCOUNT_LOCKED', 'PASSKEY_COUNTER', 'IMPERSONATION_REFUSED');

-- CreateEnum
CREATE TYPE "security_event_severity" AS ENUM ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL');

-- CreateEnum
CREATE TYPE "impersonation_mode" AS ENUM ('READ_ONLY', 'READ_WRITE');

-- CreateEnum
CREATE TYPE "approval_kind" AS ENUM ('MFA_RESET');

-- AlterEnum
ALTER TYPE "actor_type" ADD VALUE 'API_KEY';

-- AlterEnum
ALTER TYPE "one_time_token_purpose" ADD VALUE 'INVITE';
ALTER TYPE "one_time_token_purpose" ADD VALUE 'EMAIL_VERIFICATION';

-- AlterEnum
ALTER TYPE "session_ending" ADD VALUE 'PASSWORD_CHANGED';
ALTER TYPE "session_ending" ADD VALUE 'MFA_RESET';
ALTER TYPE "session_ending" ADD VALUE 'DEACTIVATED';
ALTER TYPE "session_ending" ADD VALUE 'POLICY';
ALTER TYPE "session_ending" ADD VALUE 'IMPERSONATION_ENDED';

-- AlterTable
ALTER TABLE "audit_logs" ADD COLUMN     "on_behalf_of_id" TEXT,
ADD COLUMN     "on_behalf_of_name" TEXT;

-- AlterTable
ALTER TABLE "role_assignments" ADD COLUMN     "expires_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "roles" ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "sessions" ADD COLUMN     "country" TEXT,
ADD COLUMN     "elevated_until" TIMESTAMPTZ(3),
ADD COLUMN     "impersonation_id" TEXT,
ADD COLUMN     "known_device_id" TEXT,
ADD COLUMN     "method" "sign_in_method" NOT NULL DEFAULT 'PASSWORD',
ADD COLUMN     "mfa" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "restriction" "session_restriction";

-- AlterTable
ALTER TABLE "settings" ADD COLUMN     "secret" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "deleted_at" TIMESTAMPTZ(3),
ADD COLUMN     "former_email" TEXT,
ADD COLUMN     "mfa_required_since" TIMESTAMPTZ(3),
ADD COLUMN     "pending_email" TEXT,
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- CreateTable
CREATE TABLE "audit_anchors" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "chain" TEXT NOT NULL,
    "sequence" INTEGER NOT NULL,
    "hash" TEXT NOT NULL,
    "reason" "audit_anchor_reason" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_anchors_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_exports" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "requested_by_id" TEXT NOT NULL,
    "status" "audit_export_status" NOT NULL DEFAULT 'PENDING',
    "format" "audit_export_format" NOT NULL,
    "filter" JSONB NOT NULL,
    "rows" INTEGER NOT NULL DEFAULT 0,
    "storage_key" TEXT,
    "size_bytes" BIGINT,
    "sha256" TEXT,
    "error" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "audit_exports_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_streams" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "sealed_secret" TEXT NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "last_delivered_at" TIMESTAMPTZ(3),
    "consecutive_failures" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,
    "retry_at" TIMESTAMPTZ(3),

    CONSTRAINT "audit_streams_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_stream_positions" (
    "stream_id" TEXT NOT NULL,
    "chain" TEXT NOT NULL,
    "tenant_id" TEXT,
    "sequence" INTEGER NOT NULL,

    CONSTRAINT "audit_stream_positions_pkey" PRIMARY KEY ("stream_id","chain")
);

-- CreateTable
CREATE TABLE "totp_credentials" (
    "user_id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "sealed_secret" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "confirmed_at" TIMESTAMPTZ(3),
    "last_used_step" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "totp_credentials_pkey" PRIMARY KEY ("user_id")
);

-- CreateTable
CREATE TABLE "recovery_codes" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "user_id" TEXT NOT NULL,
    "code_hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "recovery_codes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "passkeys" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "credential_id" TEXT NOT NULL,
    "public_key" BYTEA NOT NULL,
    "counter" BIGINT NOT NULL,
    "transports" TEXT[],
    "backed_up" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "passkeys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "auth_challenges" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "user_id" TEXT,
    "purpose" "auth_challenge_purpose" NOT NULL,
    "challenge" TEXT NOT NULL,
    "session_id" TEXT,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "auth_challenges_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "known_devices" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "user_id" TEXT NOT NULL,
    "user_agent" TEXT,
    "country" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "known_devices_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "password_history" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "user_id" TEXT NOT NULL,
    "password_hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "password_history_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "setting_revisions" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "key" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "removed" BOOLEAN NOT NULL DEFAULT false,
    "value" JSONB,
    "secret" BOOLEAN NOT NULL DEFAULT false,
    "changed_by_id" TEXT,
    "changed_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "setting_revisions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "permission_overrides" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "user_id" TEXT NOT NULL,
    "permission_code" TEXT NOT NULL,
    "effect" "permission_effect" NOT NULL,
    "reason" TEXT NOT NULL,
    "granted_by_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "permission_overrides_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "security_policies" (
    "type" "security_policy_type" NOT NULL,
    "value" JSONB NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_by_id" TEXT,

    CONSTRAINT "security_policies_pkey" PRIMARY KEY ("type")
);

-- CreateTable
CREATE TABLE "ip_rules" (
    "id" TEXT NOT NULL,
    "effect" "ip_rule_effect" NOT NULL,
    "audience" "ip_rule_audience" NOT NULL,
    "network" INET NOT NULL,
    "note" TEXT NOT NULL,
    "created_by_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "ip_rules_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "login_attempts" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "user_id" TEXT,
    "account" TEXT NOT NULL,
    "outcome" "login_outcome" NOT NULL,
    "method" "sign_in_method" NOT NULL,
    "ip_address" TEXT,
    "country" TEXT,
    "user_agent" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "login_attempts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "lockouts" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "user_id" TEXT,
    "account" TEXT NOT NULL,
    "kind" "lockout_kind" NOT NULL,
    "network" TEXT,
    "throttle_key" TEXT NOT NULL,
    "failures" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "locked_until" TIMESTAMPTZ(3) NOT NULL,
    "lifted_at" TIMESTAMPTZ(3),
    "lifted_by_id" TEXT,

    CONSTRAINT "lockouts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "security_events" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "type" "security_event_type" NOT NULL,
    "severity" "security_event_severity" NOT NULL,
    "user_id" TEXT,
    "session_id" TEXT,
    "api_key_id" TEXT,
    "ip_address" TEXT,
    "user_agent" TEXT,
    "details" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "resolved_at" TIMESTAMPTZ(3),
    "resolved_by_id" TEXT,
    "resolution" TEXT,

    CONSTRAINT "security_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "secret_hash" TEXT NOT NULL,
    "previous_secret_hash" TEXT,
    "previous_expires_at" TIMESTAMPTZ(3),
    "scopes" TEXT[],
    "allowed_networks" INET[],
    "created_by_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "last_used_at" TIMESTAMPTZ(3),
    "last_used_ip" TEXT,
    "rotated_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "revoked_by_id" TEXT,

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "impersonations" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "admin_id" TEXT NOT NULL,
    "admin_name" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "user_name" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "ticket" TEXT NOT NULL,
    "mode" "impersonation_mode" NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),
    "end_reason" TEXT,

    CONSTRAINT "impersonations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "approvals" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "kind" "approval_kind" NOT NULL,
    "subject_id" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "requested_by_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "approved_by_id" TEXT,
    "approved_at" TIMESTAMPTZ(3),

    CONSTRAINT "approvals_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_anchors_tenant_id_idx" ON "audit_anchors"("tenant_id");

-- CreateIndex
CREATE INDEX "audit_anchors_reason_created_at_idx" ON "audit_anchors"("reason", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "audit_anchors_chain_sequence_reason_key" ON "audit_anchors"("chain", "sequence", "reason");

-- CreateIndex
CREATE INDEX "audit_exports_tenant_id_idx" ON "audit_exports"("tenant_id");

-- CreateIndex
CREATE INDEX "audit_exports_requested_by_id_created_at_idx" ON "audit_exports"("requested_by_id", "created_at");

-- CreateIndex
CREATE INDEX "audit_exports_expires_at_idx" ON "audit_exports"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "audit_streams_name_key" ON "audit_streams"("name");

-- CreateIndex
CREATE INDEX "audit_stream_positions_tenant_id_idx" ON "audit_stream_positions"("tenant_id");

-- CreateIndex
CREATE INDEX "totp_credentials_tenant_id_idx" ON "totp_credentials"("tenant_id");

-- CreateIndex
CREATE INDEX "recovery_codes_tenant_id_idx" ON "recovery_codes"("tenant_id");

-- CreateIndex
CREATE UNIQUE INDEX "recovery_codes_user_id_code_hash_key" ON "recovery_codes"("user_id", "code_hash");

-- CreateIndex
CREATE UNIQUE INDEX "passkeys_credential_id_key" ON "passkeys"("credential_id");

-- CreateIndex
CREATE INDEX "passkeys_tenant_id_idx" ON "passkeys"("tenant_id");

-- CreateIndex
CREATE INDEX "passkeys_user_id_created_at_idx" ON "passkeys"("user_id", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "auth_challenges_challenge_key" ON "auth_challenges"("challenge");

-- CreateIndex
CREATE INDEX "auth_challenges_tenant_id_idx" ON "auth_challenges"("tenant_id");

-- CreateIndex
CREATE INDEX "auth_challenges_user_id_idx" ON "auth_challenges"("user_id");

-- CreateIndex
CREATE INDEX "auth_challenges_expires_at_idx" ON "auth_challenges"("expires_at");

-- CreateIndex
CREATE INDEX "known_devices_tenant_id_idx" ON "known_devices"("tenant_id");

-- CreateIndex
CREATE INDEX "known_devices_user_id_last_seen_at_idx" ON "known_devices"("user_id", "last_seen_at");

-- CreateIndex
CREATE INDEX "known_devices_last_seen_at_idx" ON "known_devices"("last_seen_at");

-- CreateIndex
CREATE INDEX "password_history_tenant_id_idx" ON "password_history"("tenant_id");

-- CreateIndex
CREATE INDEX "password_history_user_id_created_at_idx" ON "password_history"("user_id", "created_at");

-- CreateIndex
CREATE INDEX "setting_revisions_key_created_at_id_idx" ON "setting_revisions"("key", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "setting_revisions_tenant_id_key_version_key" ON "setting_revisions"("tenant_id", "key", "version") NULLS NOT DISTINCT;

-- CreateIndex
CREATE INDEX "permission_overrides_tenant_id_idx" ON "permission_overrides"("tenant_id");

-- CreateIndex
CREATE INDEX "permission_overrides_permission_code_idx" ON "permission_overrides"("permission_code");

-- CreateIndex
CREATE INDEX "permission_overrides_expires_at_idx" ON "permission_overrides"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "permission_overrides_user_id_permission_code_key" ON "permission_overrides"("user_id", "permission_code");

-- CreateIndex
CREATE UNIQUE INDEX "ip_rules_effect_audience_network_key" ON "ip_rules"("effect", "audience", "network");

-- CreateIndex
CREATE INDEX "login_attempts_tenant_id_created_at_id_idx" ON "login_attempts"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "login_attempts_user_id_created_at_id_idx" ON "login_attempts"("user_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "login_attempts_outcome_created_at_id_idx" ON "login_attempts"("outcome", "created_at", "id");

-- CreateIndex
CREATE INDEX "login_attempts_ip_address_created_at_id_idx" ON "login_attempts"("ip_address", "created_at", "id");

-- CreateIndex
CREATE INDEX "login_attempts_created_at_id_idx" ON "login_attempts"("created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "lockouts_throttle_key_key" ON "lockouts"("throttle_key");

-- CreateIndex
CREATE INDEX "lockouts_tenant_id_idx" ON "lockouts"("tenant_id");

-- CreateIndex
CREATE INDEX "lockouts_user_id_idx" ON "lockouts"("user_id");

-- CreateIndex
CREATE INDEX "lockouts_locked_until_id_idx" ON "lockouts"("locked_until", "id");

-- CreateIndex
CREATE INDEX "security_events_tenant_id_created_at_id_idx" ON "security_events"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "security_events_user_id_created_at_id_idx" ON "security_events"("user_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "security_events_type_created_at_id_idx" ON "security_events"("type", "created_at", "id");

-- CreateIndex
CREATE INDEX "security_events_severity_created_at_id_idx" ON "security_events"("severity", "created_at", "id");

-- CreateIndex
CREATE INDEX "security_events_resolved_at_created_at_id_idx" ON "security_events"("resolved_at", "created_at", "id");

-- CreateIndex
CREATE INDEX "security_events_created_at_id_idx" ON "security_events"("created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_prefix_key" ON "api_keys"("prefix");

-- CreateIndex
CREATE INDEX "api_keys_tenant_id_idx" ON "api_keys"("tenant_id");

-- CreateIndex
CREATE INDEX "api_keys_created_by_id_idx" ON "api_keys"("created_by_id");

-- CreateIndex
CREATE INDEX "api_keys_created_at_id_idx" ON "api_keys"("created_at", "id");

-- CreateIndex
CREATE INDEX "impersonations_tenant_id_started_at_id_idx" ON "impersonations"("tenant_id", "started_at", "id");

-- CreateIndex
CREATE INDEX "impersonations_admin_id_started_at_id_idx" ON "impersonations"("admin_id", "started_at", "id");

-- CreateIndex
CREATE INDEX "impersonations_started_at_id_idx" ON "impersonations"("started_at", "id");

-- CreateIndex
CREATE INDEX "approvals_tenant_id_idx" ON "approvals"("tenant_id");

-- CreateIndex
CREATE INDEX "approvals_kind_subject_id_created_at_idx" ON "approvals"("kind", "subject_id", "created_at");

-- CreateIndex
CREATE INDEX "audit_logs_resource_id_created_at_id_idx" ON "audit_logs"("resource_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "audit_logs_ip_address_created_at_id_idx" ON "audit_logs"("ip_address", "created_at", "id");

-- CreateIndex
CREATE INDEX "audit_logs_on_behalf_of_id_created_at_id_idx" ON "audit_logs"("on_behalf_of_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "role_assignments_expires_at_idx" ON "role_assignments"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "sessions_impersonation_id_key" ON "sessions"("impersonation_id");

-- CreateIndex
CREATE INDEX "sessions_revoked_at_idx" ON "sessions"("revoked_at");

-- CreateIndex
CREATE INDEX "sessions_created_at_id_idx" ON "sessions"("created_at", "id");

-- AddForeignKey
ALTER TABLE "audit_stream_positions" ADD CONSTRAINT "audit_stream_positions_stream_id_fkey" FOREIGN KEY ("stream_id") REFERENCES "audit_streams"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "totp_credentials" ADD CONSTRAINT "totp_credentials_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "recovery_codes" ADD CONSTRAINT "recovery_codes_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "passkeys" ADD CONSTRAINT "passkeys_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "auth_challenges" ADD CONSTRAINT "auth_challenges_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "known_devices" ADD CONSTRAINT "known_devices_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "password_history" ADD CONSTRAINT "password_history_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "permission_overrides" ADD CONSTRAINT "permission_overrides_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "permission_overrides" ADD CONSTRAINT "permission_overrides_permission_code_fkey" FOREIGN KEY ("permission_code") REFERENCES "permissions"("code") ON DELETE CASCADE ON UPDATE CASCADE;

-- Somebody who left for good needs no address any more
ALTER TABLE users
  DROP CONSTRAINT users_reachable,
  ADD CONSTRAINT users_reachable CHECK (email IS NOT NULL OR phone IS NOT NULL OR deleted_at IS NOT NULL);
ALTER TABLE impersonations
  ADD CONSTRAINT impersonations_half_an_hour CHECK (expires_at <= started_at + interval '30 minutes');

-- For a table of the platform that tenants have no business with
CREATE FUNCTION app.keep_table_to_portal(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, studyspot_app, studyspot_tenant, studyspot_portal, studyspot_auth', target);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO studyspot_portal', target);
END $$;

-- Row-level security and privileges
SELECT app.protect_table('audit_anchors', append_only => true);
SELECT app.protect_table('audit_exports');
SELECT app.keep_table_to_portal('audit_streams');
SELECT app.protect_table('audit_stream_positions');
SELECT app.protect_table('totp_credentials', auth_access => 'SELECT, UPDATE');
SELECT app.protect_table('recovery_codes', auth_access => 'SELECT, UPDATE');
SELECT app.protect_table('passkeys', auth_access => 'SELECT, UPDATE');
SELECT app.protect_table('auth_challenges', auth_access => 'SELECT, INSERT, UPDATE');
SELECT app.protect_table('known_devices', auth_access => 'SELECT, INSERT, UPDATE');
SELECT app.protect_table('password_history', auth_access => 'SELECT, INSERT');
SELECT app.protect_table('setting_revisions', append_only => true);
SELECT app.protect_table('settings', auth_access => 'SELECT');
SELECT app.protect_table('permission_overrides', auth_access => 'SELECT');
SELECT app.share_table('security_policies');
SELECT app.share_table('ip_rules');
SELECT app.protect_table('login_attempts', auth_access => 'SELECT, INSERT');
SELECT app.protect_table('lockouts', auth_access => 'SELECT, INSERT, UPDATE');
SELECT app.protect_table('security_events', auth_access => 'SELECT, INSERT');
SELECT app.protect_table('api_keys', auth_access => 'SELECT, UPDATE');
SELECT app.protect_table('impersonations', auth_access => 'SELECT');
SELECT app.protect_table('approvals');

-- What the platform has set holds within a tenant too, where that has set nothing; secrets are none of its business
CREATE POLICY platform_rows ON settings FOR SELECT TO studyspot_tenant USING (tenant_id IS NULL AND NOT secret);
