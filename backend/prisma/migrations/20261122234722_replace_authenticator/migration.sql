-- Who has a new phone sets up its app while the old one still works.

-- AlterTable
ALTER TABLE "totp_credentials" ADD COLUMN     "next_sealed_secret" TEXT;
