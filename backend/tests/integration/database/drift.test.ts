import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeSql } from '../../../prisma/tools/new-migration.ts';
import { schemaDrift } from '../../../prisma/tools/drift.ts';
import { readSchemaFiles, sqlToSchema } from '../../../prisma/tools/schema-engine.ts';
import { createTestDatabase, ownerQuery, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await createTestDatabase()));
afterAll(() => database.drop());

describe('schemaDrift', () => {
  it('is empty for a migrated database', async () => {
    expect(await schemaDrift(database.ownerUrl)).toBe('');
  });

  it('does not count what Prisma cannot express', async () => {
    await ownerQuery(
      database,
      `create index on tenants (lower(name));
       create index on tenants (city) where status = 'ACTIVE';
       alter table tenants add constraint tenants_named check (name <> '');
       create function app.nothing() returns int language sql return 1;`,
    );
    expect(await schemaDrift(database.ownerUrl)).toBe('');
  });

  it('finds columns, tables and enum values that only one side has', async () => {
    const changed = await createTestDatabase();
    try {
      await ownerQuery(changed, `alter table tenants add column nickname text; drop table tenant_notes`);
      const drift = await schemaDrift(changed.ownerUrl);
      expect(drift).toContain('ALTER TABLE "tenants" DROP COLUMN "nickname"');
      expect(drift).toContain('CREATE TABLE "tenant_notes"');
      expect(drift).not.toContain('CREATE TABLE "users"');
    } finally {
      await changed.drop();
    }
  });
});

const NEW_MODELS = `
model Branch {
  id       String @id
  tenantId String @map("tenant_id")

  @@index([tenantId])
  @@map("branches")
}

model Holiday {
  day DateTime @id @db.Date

  @@map("holidays")
}
`;

describe('a new migration', () => {
  const withChange = (change: (content: string) => string) =>
    readSchemaFiles().map((file) =>
      file.path === 'tenants.prisma' ? { ...file, content: change(file.content) } : file,
    );

  it('leads to the changed schema, with row security for the new tables', async () => {
    const files = withChange((content) => content + NEW_MODELS);
    const changed = await createTestDatabase();
    try {
      const sql = completeSql(await sqlToSchema(changed.ownerUrl, files));
      expect(sql).toContain("SELECT app.protect_table('branches');");
      expect(sql).toContain("SELECT app.share_table('holidays');");
      await ownerQuery(changed, sql);
      expect(await sqlToSchema(changed.ownerUrl, files)).toBe('');
    } finally {
      await changed.drop();
    }
  });

  it('has no transaction of its own, even where Prisma writes one', async () => {
    const files = withChange((content) => content.replace('  OFFBOARDING\n', ''));
    const changed = await createTestDatabase();
    try {
      const generated = await sqlToSchema(changed.ownerUrl, files);
      expect(generated).toMatch(/^BEGIN;$/m);
      const sql = completeSql(generated);
      expect(sql).not.toMatch(/^(BEGIN|COMMIT);$/m);
      expect(sql).not.toContain('Row-level security');
      await ownerQuery(changed, sql);
      expect(await sqlToSchema(changed.ownerUrl, files)).toBe('');
    } finally {
      await changed.drop();
    }
  });
});
