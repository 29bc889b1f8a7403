import { sql, type Sql } from '../utils/sql.ts';

// How it is said what becomes of the rows of tenants in a table: `tenant-data.policy.ts` and `billing-data.policy.ts`.

export type TenantTable = {
  table: string;
  purge: Purge;
  export: Exported | { leftOut: string };
  /** Rows of the tenant that say so otherwise than by `tenant_id`: of jobs and requests of the portal that concern it. */
  alsoTheirs?: (tenantId: string) => Sql;
  person?: {
    /** Which rows are about somebody. */
    rows: (userId: string) => Sql;
    /** Whether an erasure removes them; else it says itself what it does. */
    erased?: true;
  };
};

export type Purge =
  | { does: 'delete'; /** Rows in one statement; fewer where each takes others with it. */ atOnce?: number }
  | {
      does: 'keep';
      why: string;
      /** What is personal in rows that stay, and what stands there afterwards. */
      blank?: Readonly<Record<string, string | null>>;
    };

export type Exported = {
  columns: readonly string[];
  /** By what rows are read on; together they are unique. */
  key: readonly string[];
  /** The columns that stay here, and why. */
  without?: Readonly<Record<string, string>>;
  /** Why it is in the export of a person, and not in that of the tenant. */
  forPersonAlone?: string;
};

export const remove: Purge = { does: 'delete' };
export const keep = (why: string): Purge => ({ does: 'keep', why });
/** Keeps rows without what is personal in them. */
export const keepBlank = (why: string, blank: Readonly<Record<string, string | null>>): Purge => ({
  does: 'keep',
  why,
  blank,
});

export const SECRET = 'a secret, or what one could be made of';
export const OWNER = 'always the tenant itself';
export const INTERNAL = 'kept by StudySpot about the tenant';
export const PASSING = 'serves a running process, and holds nothing that is not elsewhere';

export const ofUser = (userId: string): Sql => sql`user_id = ${userId}`;
export const person = { rows: ofUser, erased: true } as const;
export const tenantId = { tenant_id: OWNER };

export const names = (spaced: string): string[] => spaced.trim().split(/\s+/);
export const byId = ['id'] as const;
export const byTime = ['created_at', 'id'] as const;
