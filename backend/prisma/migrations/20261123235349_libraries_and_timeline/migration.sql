-- Two people edit a library: it gets a version. The timeline reads the mails of a tenant newest first.

-- DropIndex
DROP INDEX "email_deliveries_tenant_id_idx";

-- AlterTable
ALTER TABLE "libraries" ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- CreateIndex
CREATE INDEX "email_deliveries_tenant_id_created_at_id_idx" ON "email_deliveries"("tenant_id", "created_at", "id");

-- A name means one library of the tenant. Where there are two already, the later one gets the end of its id behind it.
-- Row security binds the owner of the tables as well: the portal's scope sees every row.
SET LOCAL ROLE studyspot_portal;
UPDATE libraries l SET name = l.name || ' (' || right(l.id, 8) || ')'
 WHERE EXISTS (SELECT FROM libraries o WHERE o.tenant_id = l.tenant_id AND lower(o.name) = lower(l.name)
                 AND (o.created_at, o.id) < (l.created_at, l.id));
RESET ROLE;
CREATE UNIQUE INDEX libraries_name_key ON libraries (tenant_id, lower(name));
