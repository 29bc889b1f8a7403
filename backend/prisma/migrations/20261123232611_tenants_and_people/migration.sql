-- The life of a tenant from onboarding to purge, its people with what is known of them, imports, exports.

-- CreateEnum
CREATE TYPE "guardian_relation" AS ENUM ('MOTHER', 'FATHER', 'GUARDIAN', 'OTHER');

-- CreateEnum
CREATE TYPE "import_status" AS ENUM ('VALIDATING', 'VALIDATED', 'COMMITTING', 'COMPLETED', 'CANCELLED', 'FAILED', 'UNDOING', 'UNDONE');

-- CreateEnum
CREATE TYPE "import_row_status" AS ENUM ('READ', 'VALID', 'INVALID', 'CREATED', 'UNDONE', 'KEPT');

-- CreateEnum
CREATE TYPE "sheet_format" AS ENUM ('CSV', 'XLSX');

-- CreateEnum
CREATE TYPE "export_subject" AS ENUM ('PEOPLE', 'TENANT', 'PERSON');

-- CreateEnum
CREATE TYPE "data_export_format" AS ENUM ('CSV', 'XLSX', 'ZIP');

-- CreateEnum
CREATE TYPE "data_export_status" AS ENUM ('PENDING', 'RUNNING', 'READY', 'FAILED', 'EXPIRED');

-- CreateEnum
CREATE TYPE "onboarding_step" AS ENUM ('PROFILE', 'GSTIN', 'FIRST_LIBRARY', 'BRANDING', 'STAFF', 'FIRST_STUDENT');

-- CreateEnum
CREATE TYPE "privacy_request_type" AS ENUM ('ACCESS', 'CORRECTION', 'ERASURE');

-- CreateEnum
CREATE TYPE "privacy_request_status" AS ENUM ('OPEN', 'IN_PROGRESS', 'COMPLETED', 'REJECTED');

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "course" TEXT,
ADD COLUMN     "date_of_birth" DATE,
ADD COLUMN     "erased_at" TIMESTAMPTZ(3),
ADD COLUMN     "import_id" TEXT,
ADD COLUMN     "import_row" INTEGER,
ADD COLUMN     "job_title" TEXT,
ADD COLUMN     "joined_on" DATE,
ADD COLUMN     "library_id" TEXT,
ADD COLUMN     "marketing_consent" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "member_number" TEXT,
ADD COLUMN     "search_text" TEXT NOT NULL DEFAULT '';

-- CreateTable
CREATE TABLE "guardianships" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "student_id" TEXT NOT NULL,
    "guardian_id" TEXT NOT NULL,
    "relation" "guardian_relation" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "guardianships_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "people_imports" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "status" "import_status" NOT NULL DEFAULT 'VALIDATING',
    "file_name" TEXT NOT NULL,
    "format" "sheet_format" NOT NULL,
    "storage_key" TEXT,
    "size_bytes" INTEGER NOT NULL,
    "sha256" TEXT NOT NULL,
    "columns" JSONB NOT NULL,
    "mapping" JSONB NOT NULL,
    "default_kind" "person_kind",
    "default_library" TEXT,
    "read_rows" INTEGER NOT NULL DEFAULT 0,
    "checked_rows" INTEGER NOT NULL DEFAULT 0,
    "valid_rows" INTEGER NOT NULL DEFAULT 0,
    "invalid_rows" INTEGER NOT NULL DEFAULT 0,
    "created_rows" INTEGER NOT NULL DEFAULT 0,
    "undone_rows" INTEGER NOT NULL DEFAULT 0,
    "kept_rows" INTEGER NOT NULL DEFAULT 0,
    "warnings" JSONB NOT NULL DEFAULT '[]',
    "error" TEXT,
    "cancel_requested" BOOLEAN NOT NULL DEFAULT false,
    "requested_by_id" TEXT NOT NULL,
    "requested_by_name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "validated_at" TIMESTAMPTZ(3),
    "committed_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "people_imports_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "people_import_rows" (
    "import_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "status" "import_row_status" NOT NULL DEFAULT 'READ',
    "cells" JSONB NOT NULL,
    "errors" JSONB,
    "user_id" TEXT,

    CONSTRAINT "people_import_rows_pkey" PRIMARY KEY ("import_id","number")
);

-- CreateTable
CREATE TABLE "data_exports" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT,
    "subject" "export_subject" NOT NULL,
    "format" "data_export_format" NOT NULL,
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

    CONSTRAINT "data_exports_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tenant_branding" (
    "tenant_id" TEXT NOT NULL,
    "display_name" TEXT,
    "tagline" TEXT,
    "primary_color" TEXT,
    "accent_color" TEXT,
    "logo_key" TEXT,
    "logo_width" INTEGER,
    "logo_height" INTEGER,
    "version" INTEGER NOT NULL DEFAULT 1,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "tenant_branding_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateTable
CREATE TABLE "billing_profiles" (
    "tenant_id" TEXT NOT NULL,
    "legal_name" TEXT NOT NULL,
    "gstin" TEXT,
    "email" TEXT NOT NULL,
    "address_line" TEXT NOT NULL,
    "city" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "pincode" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "billing_profiles_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateTable
CREATE TABLE "onboarding_skips" (
    "tenant_id" TEXT NOT NULL,
    "step" "onboarding_step" NOT NULL,
    "reason" TEXT NOT NULL,
    "skipped_by_id" TEXT NOT NULL,
    "skipped_by_name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "onboarding_skips_pkey" PRIMARY KEY ("tenant_id","step")
);

-- CreateTable
CREATE TABLE "tenant_notes" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "author_id" TEXT NOT NULL,
    "author_name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenant_notes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "offboardings" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "status_before" "tenant_status" NOT NULL,
    "requested_by_id" TEXT NOT NULL,
    "requested_by_name" TEXT NOT NULL,
    "requested_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "grace_ends_at" TIMESTAMPTZ(3) NOT NULL,
    "notice_sent_at" TIMESTAMPTZ(3),
    "cancelled_at" TIMESTAMPTZ(3),
    "cancelled_by_id" TEXT,
    "cancelled_by_name" TEXT,
    "purge_started_at" TIMESTAMPTZ(3),
    "purged" JSONB NOT NULL DEFAULT '{}',
    "purged_at" TIMESTAMPTZ(3),
    "certificate" JSONB,
    "certificate_hash" TEXT,

    CONSTRAINT "offboardings_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "legal_holds" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "placed_by_id" TEXT NOT NULL,
    "placed_by_name" TEXT NOT NULL,
    "placed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lifted_at" TIMESTAMPTZ(3),
    "lifted_by_id" TEXT,
    "lifted_by_name" TEXT,
    "lift_reason" TEXT,

    CONSTRAINT "legal_holds_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "privacy_requests" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "type" "privacy_request_type" NOT NULL,
    "status" "privacy_request_status" NOT NULL DEFAULT 'OPEN',
    "subject_id" TEXT NOT NULL,
    "subject_name" TEXT NOT NULL,
    "details" TEXT NOT NULL,
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "resolution" TEXT,
    "export_id" TEXT,
    "requested_by_id" TEXT NOT NULL,
    "requested_by_name" TEXT NOT NULL,
    "handled_by_id" TEXT,
    "handled_by_name" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "resolved_at" TIMESTAMPTZ(3),

    CONSTRAINT "privacy_requests_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "guardianships_tenant_id_created_at_idx" ON "guardianships"("tenant_id", "created_at");

-- CreateIndex
CREATE INDEX "guardianships_guardian_id_idx" ON "guardianships"("guardian_id");

-- CreateIndex
CREATE UNIQUE INDEX "guardianships_student_id_guardian_id_key" ON "guardianships"("student_id", "guardian_id");

-- CreateIndex
CREATE INDEX "people_imports_tenant_id_created_at_id_idx" ON "people_imports"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "people_imports_tenant_id_sha256_idx" ON "people_imports"("tenant_id", "sha256");

-- CreateIndex
CREATE INDEX "people_imports_created_at_id_idx" ON "people_imports"("created_at", "id");

-- CreateIndex
CREATE INDEX "people_import_rows_import_id_status_number_idx" ON "people_import_rows"("import_id", "status", "number");

-- CreateIndex
CREATE INDEX "people_import_rows_tenant_id_idx" ON "people_import_rows"("tenant_id");

-- CreateIndex
CREATE INDEX "data_exports_tenant_id_created_at_idx" ON "data_exports"("tenant_id", "created_at");

-- CreateIndex
CREATE INDEX "data_exports_requested_by_id_created_at_idx" ON "data_exports"("requested_by_id", "created_at");

-- CreateIndex
CREATE INDEX "data_exports_expires_at_idx" ON "data_exports"("expires_at");

-- CreateIndex
CREATE INDEX "tenant_notes_tenant_id_created_at_id_idx" ON "tenant_notes"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "offboardings_tenant_id_requested_at_idx" ON "offboardings"("tenant_id", "requested_at");

-- CreateIndex
CREATE INDEX "offboardings_grace_ends_at_idx" ON "offboardings"("grace_ends_at");

-- CreateIndex
CREATE INDEX "legal_holds_tenant_id_placed_at_idx" ON "legal_holds"("tenant_id", "placed_at");

-- CreateIndex
CREATE INDEX "privacy_requests_tenant_id_created_at_id_idx" ON "privacy_requests"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "privacy_requests_tenant_id_status_due_at_id_idx" ON "privacy_requests"("tenant_id", "status", "due_at", "id");

-- CreateIndex
CREATE INDEX "privacy_requests_subject_id_idx" ON "privacy_requests"("subject_id");

-- CreateIndex
CREATE INDEX "libraries_tenant_id_name_id_idx" ON "libraries"("tenant_id", "name", "id");

-- CreateIndex
CREATE INDEX "users_tenant_id_library_id_created_at_id_idx" ON "users"("tenant_id", "library_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "users_import_id_import_row_key" ON "users"("import_id", "import_row");

-- AddForeignKey
ALTER TABLE "users" ADD CONSTRAINT "users_library_id_fkey" FOREIGN KEY ("library_id") REFERENCES "libraries"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "guardianships" ADD CONSTRAINT "guardianships_student_id_fkey" FOREIGN KEY ("student_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "guardianships" ADD CONSTRAINT "guardianships_guardian_id_fkey" FOREIGN KEY ("guardian_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "people_import_rows" ADD CONSTRAINT "people_import_rows_import_id_fkey" FOREIGN KEY ("import_id") REFERENCES "people_imports"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tenant_branding" ADD CONSTRAINT "tenant_branding_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "billing_profiles" ADD CONSTRAINT "billing_profiles_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "onboarding_skips" ADD CONSTRAINT "onboarding_skips_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tenant_notes" ADD CONSTRAINT "tenant_notes_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "offboardings" ADD CONSTRAINT "offboardings_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "legal_holds" ADD CONSTRAINT "legal_holds_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "privacy_requests" ADD CONSTRAINT "privacy_requests_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What a column type cannot say
CREATE UNIQUE INDEX users_member_number_key ON users (tenant_id, member_number)
  WHERE member_number IS NOT NULL AND deleted_at IS NULL;
ALTER TABLE users
  ADD CONSTRAINT users_born_before_joining CHECK (date_of_birth IS NULL OR date_of_birth BETWEEN '1900-01-01' AND '2999-12-31'),
  ADD CONSTRAINT users_import_row CHECK ((import_id IS NULL) = (import_row IS NULL));
ALTER TABLE guardianships ADD CONSTRAINT guardianships_two_people CHECK (student_id <> guardian_id);
CREATE UNIQUE INDEX offboardings_one_open ON offboardings (tenant_id) WHERE cancelled_at IS NULL AND purged_at IS NULL;
CREATE UNIQUE INDEX legal_holds_one_in_force ON legal_holds (tenant_id) WHERE lifted_at IS NULL;
CREATE INDEX offboardings_due_idx ON offboardings (grace_ends_at) WHERE cancelled_at IS NULL AND purged_at IS NULL;
ALTER TABLE data_exports ADD CONSTRAINT data_exports_of_a_tenant CHECK (subject = 'PEOPLE' OR tenant_id IS NOT NULL);

-- How a name sounds, coarsely: the same for the spellings of an Indian name in Latin letters and in Devanagari.
-- `~` stands before each word. Vowels that one script writes and the other leaves out (a), aspiration (h) and doubled
-- letters go; what is written in two ways becomes one: Meera, Mira and मीरा are ~mir, Laxmi and लक्ष्मी ~lksmi.
CREATE FUNCTION app.name_key(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
  RETURN (
    SELECT regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace('~' || regexp_replace(
      translate(
        replace(replace(replace(replace(replace(replace(
          translate(
            replace(replace(
              regexp_replace(normalize(lower(name), NFKD), '[\u0300-\u036f\u093c]', '', 'g'),
              'ज्ञ', 'गय'), 'ृ', 'रि'),
            'कखगघङचछजझञटठडढणतथदधनपफबभमयरलळवशषसंँइईउऊएऐओऔऑिीुूेैोौॉअआहा्ः',
            'kkggnccjjnttddnttddnppbbmyrllvsssnniiuueiouoiiuueiouo'),
          'ee', 'i'), 'oo', 'u'), 'ou', 'u'), 'x', 'ks'), 'ck', 'k'), 'sch', 's'),
        'wfzqyah', 'vpjki'),
      '[^a-z]+', '~', 'g'), '~+', '~', 'g'), 'm([pb])', 'n\1', 'g'), 'n[gh]', 'n', 'g'), '(.)\1+', '\1', 'g'), '~$', '')
  );

-- By what a platform user is found: part of the name in either script, of the address, phone or number.
CREATE FUNCTION app.person_search_text(name text, email text, phone text, member_number text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN lower(name) || ' ' || coalesce(email, '') || ' ' || coalesce(phone, '') || ' '
    || lower(coalesce(member_number, '')) || ' ' || app.name_key(name);

CREATE FUNCTION app.set_person_search_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.search_text := app.person_search_text(NEW.name, NEW.email, NEW.phone, NEW.member_number);
  RETURN NEW;
END $$;
CREATE TRIGGER users_search_text BEFORE INSERT OR UPDATE OF name, email, phone, member_number, search_text ON users
  FOR EACH ROW EXECUTE FUNCTION app.set_person_search_text();
-- Row security binds the owner of the tables as well: the portal's scope sees every row.
SET LOCAL ROLE studyspot_portal;
UPDATE users SET name = name;
RESET ROLE;

-- Lists over the people of all tenants
CREATE INDEX users_people_created_idx ON users (created_at, id) WHERE type = 'PLATFORM_USER' AND deleted_at IS NULL;
CREATE INDEX users_people_kind_idx ON users (kind, created_at, id) WHERE type = 'PLATFORM_USER' AND deleted_at IS NULL;
CREATE INDEX users_people_status_idx ON users (status, created_at, id) WHERE type = 'PLATFORM_USER' AND deleted_at IS NULL;
CREATE INDEX users_people_name_idx ON users (name, id) WHERE type = 'PLATFORM_USER' AND deleted_at IS NULL;
CREATE INDEX users_people_search_idx ON users USING gin (search_text gin_trgm_ops)
  WHERE type = 'PLATFORM_USER' AND deleted_at IS NULL;
-- Whoever is entered twice: the same phone within a tenant
CREATE INDEX users_tenant_phone_idx ON users (tenant_id, phone) WHERE phone IS NOT NULL AND deleted_at IS NULL;

-- Tenants are found by the sound of their name too, and by city whatever its case.
DROP INDEX tenants_search_idx;
CREATE OR REPLACE FUNCTION app.tenant_search_text(name text, slug text, email text, phone text, gstin text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN lower(name || ' ' || slug || ' ' || email || ' ' || coalesce(phone, '') || ' ' || coalesce(gstin, ''))
    || ' ' || app.name_key(name);
CREATE INDEX tenants_search_idx ON tenants USING gin (app.tenant_search_text(name, slug, email, phone, gstin) gin_trgm_ops);
CREATE INDEX tenants_city_lower_idx ON tenants (lower(city), created_at, id);


-- Row-level security and privileges. Every new table needs one of these, else nobody can use it:
--   app.protect_table('t')                           rows of tenants: read and changed within their own tenant
--   app.protect_table('t', append_only => true)      … inserted and read, never changed or removed
--   app.protect_table('t', auth_access => 'SELECT')  … and this much for sign-in, before anybody is known
--   app.share_table('t')                             no tenant: everybody reads, portal admins change
SELECT app.protect_table('guardianships');
SELECT app.protect_table('people_imports');
SELECT app.protect_table('people_import_rows');
SELECT app.protect_table('data_exports');
SELECT app.protect_table('tenant_branding');
SELECT app.protect_table('billing_profiles');
SELECT app.protect_table('onboarding_skips');
SELECT app.protect_table('tenant_notes');
SELECT app.protect_table('offboardings');
SELECT app.protect_table('legal_holds');
SELECT app.protect_table('privacy_requests');
