-- Imports of people: what a check of a file has found so far, how many rows there are, and who came along with a row.

-- Cancelling is a change of the status, which the worker sees before its next batch.
ALTER TABLE "people_imports" DROP COLUMN "cancel_requested",
ADD COLUMN     "total_rows" INTEGER NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "people_import_newcomers" (
    "id" TEXT NOT NULL,
    "import_id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "kind" "person_kind" NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT,
    "phone" TEXT,
    "member_number" TEXT,

    CONSTRAINT "people_import_newcomers_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "people_import_newcomers_import_id_phone_idx" ON "people_import_newcomers"("import_id", "phone");

-- CreateIndex
CREATE INDEX "people_import_newcomers_import_id_email_idx" ON "people_import_newcomers"("import_id", "email");

-- CreateIndex
CREATE INDEX "people_import_newcomers_import_id_member_number_idx" ON "people_import_newcomers"("import_id", "member_number");

-- CreateIndex
CREATE INDEX "people_import_newcomers_tenant_id_idx" ON "people_import_newcomers"("tenant_id");

-- AddForeignKey
ALTER TABLE "people_import_newcomers" ADD CONSTRAINT "people_import_newcomers_import_id_fkey" FOREIGN KEY ("import_id") REFERENCES "people_imports"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- A guardian whom a row brought along belongs to the import, and to no row of its own.
ALTER TABLE users DROP CONSTRAINT users_import_row,
  ADD CONSTRAINT users_import_row CHECK (import_row IS NULL OR import_id IS NOT NULL);

SELECT app.protect_table('people_import_newcomers');
