import { defineConfig } from 'prisma/config';

// For Prisma's own command line. Migrations are applied by prisma/migrate.ts, which keeps the same history.
export default defineConfig({
  schema: 'prisma/schema',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env.DATABASE_OWNER_URL ?? process.env.DATABASE_URL ?? '' },
});
