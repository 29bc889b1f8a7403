-- An impersonation ends with either session that it hangs on: its own, and that of the admin who began it, whatever
-- ended it. And indexes for the lists of the security module.

-- AlterTable
ALTER TABLE "impersonations" ADD COLUMN     "admin_session_id" TEXT;

-- CreateIndex
CREATE INDEX "sessions_ip_address_created_at_id_idx" ON "sessions"("ip_address", "created_at", "id");

-- CreateIndex
CREATE INDEX "login_attempts_country_created_at_id_idx" ON "login_attempts"("country", "created_at", "id");

-- CreateIndex
CREATE INDEX "impersonations_user_id_started_at_id_idx" ON "impersonations"("user_id", "started_at", "id");

-- CreateIndex
CREATE INDEX "impersonations_admin_session_id_idx" ON "impersonations"("admin_session_id");

-- A new password ends sessions in the scope of sign-in.
GRANT UPDATE ON impersonations TO studyspot_auth;

CREATE FUNCTION app.end_impersonations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE public.impersonations SET ended_at = NEW.revoked_at, end_reason = NEW.revoked_reason::text
   WHERE (id = NEW.impersonation_id OR admin_session_id = NEW.id) AND ended_at IS NULL AND expires_at > NEW.revoked_at;
  RETURN NULL;
END $$;

-- Only portal admins, who have no tenant, begin impersonations.
CREATE TRIGGER end_impersonations AFTER UPDATE OF revoked_at ON sessions FOR EACH ROW
  WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL AND (NEW.impersonation_id IS NOT NULL OR NEW.tenant_id IS NULL))
  EXECUTE FUNCTION app.end_impersonations();

-- Neither a refresh nor anything else makes an impersonation longer than it may be.
ALTER TABLE sessions
  ADD CONSTRAINT sessions_impersonation_half_an_hour
    CHECK (impersonation_id IS NULL OR expires_at <= created_at + interval '30 minutes');
