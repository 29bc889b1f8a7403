import { join } from 'node:path';
import pg from 'pg';
import { migrate, pendingMigrations } from '../backend/prisma/migrate.ts';
import { demoPassword } from '../backend/prisma/seed/accounts.ts';
import { benchTenantSlug } from '../backend/prisma/seed/large-tenants.ts';
import { seed } from '../backend/prisma/seed.ts';
import { prepareDatabase } from '../launcher/database-access.ts';
import { startPostgres } from '../launcher/local-postgres.ts';
import { startRedis } from '../launcher/local-redis.ts';
import { provisionRedis } from '../launcher/redis-packages.ts';
import { loadSecrets } from '../launcher/secrets.ts';

export type BenchDatabase = {
  /** What the servers under test need to reach it. */
  environment: Record<string, string>;
  /** Who signs in. */
  account: { email: string; password: string };
  /** A tenant with many people. */
  tenantId: string;
  tenants: number;
  users: number;
  invoices: number;
  /** As the owner of the tables. */
  ownerUrl: string;
  close(): Promise<void>;
};

/** A PostgreSQL and a Redis of the benchmarks' own, in DATA_DIR/bench, with the large seed. They are kept for the next run. */
export async function openBenchDatabase(): Promise<BenchDatabase> {
  const dataDir = join(process.env.DATA_DIR ?? '.data', 'bench');
  const secrets = await loadSecrets(dataDir);
  const postgres = await startPostgres({ dataDir });
  await provisionRedis(dataDir);
  const redis = await startRedis({ dataDir });
  const close = async () => void (await Promise.allSettled([postgres.stop(), redis?.stop()]));
  try {
    const given = { databaseUrl: postgres.url, appPassword: secrets.appPassword };
    const { appUrl } = await prepareDatabase(given, { migrate, pendingMigrations });
    await seed(postgres.url, { large: true, onProgress: (text) => console.log(text) });
    return {
      environment: {
        DATABASE_URL: appUrl,
        REDIS_URL: redis?.url ?? '',
        JWT_SECRET: secrets.jwtSecret,
        REFRESH_TOKEN_SECRET: secrets.refreshTokenSecret,
        ENCRYPTION_KEY: secrets.encryptionKey,
        DATA_DIR: dataDir,
      },
      account: { email: 'asha.menon@studyspot.example', password: demoPassword },
      ...(await facts(postgres.url)),
      ownerUrl: postgres.url,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Facts = { tenantId: string; tenants: number; users: number; invoices: number };

async function facts(url: string): Promise<Facts> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<Facts>(
      `select (select id from tenants where slug = $1) as "tenantId",
              (select count(*)::int from tenants) as tenants, (select count(*)::int from users) as users,
              (select count(*)::int from invoices) as invoices`,
      [benchTenantSlug],
    );
    if (!rows[0]?.tenantId) throw new Error('The large seed is not complete: run ./studyspot reset in DATA_DIR/bench');
    return rows[0];
  } finally {
    await client.end();
  }
}
