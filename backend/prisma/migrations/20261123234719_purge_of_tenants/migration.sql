-- What the purge of a tenant needs (rule 12): where its certificate is sent, and the history of its settings removed.

-- AlterTable
ALTER TABLE "offboardings" ADD COLUMN     "contact_email" TEXT;

-- The history of settings stays append-only, but for that of a tenant that is being purged.
GRANT DELETE ON setting_revisions TO studyspot_portal;
CREATE POLICY purged_rows ON setting_revisions AS RESTRICTIVE FOR DELETE TO studyspot_portal
  USING (EXISTS (SELECT FROM offboardings o
                  WHERE o.tenant_id = setting_revisions.tenant_id AND o.purge_started_at IS NOT NULL
                    AND o.purged_at IS NULL));
