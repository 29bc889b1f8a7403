import pg from 'pg';
import { demoAccounts } from '../backend/prisma/seed/accounts.ts';

/** What a migrated database holds. */
export interface DemoDataState {
  /** Nobody has put a tenant into it yet. */
  empty: boolean;
  /** The accounts to try the product with are there. */
  accounts: boolean;
}

export async function inspectDemoData(ownerUrl: string): Promise<DemoDataState> {
  const client = new pg.Client({ connectionString: ownerUrl, connectionTimeoutMillis: 10_000, query_timeout: 30_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    // Row-level security binds owners too, unless they are superusers.
    await client.query('BEGIN; SET LOCAL ROLE studyspot_portal');
    const { rows } = await client.query<DemoDataState>(
      `SELECT NOT EXISTS (SELECT FROM tenants) AS empty, EXISTS (SELECT FROM users WHERE email = $1) AS accounts`,
      [demoAccounts[0]?.email],
    );
    await client.query('ROLLBACK');
    return rows[0] ?? { empty: false, accounts: false };
  } finally {
    await client.end();
  }
}
