import type { Sql } from 'sql-template-tag';
import type { AuditAction } from '../config/audit-actions.ts';
import type { Permission } from '../config/permissions.ts';
import type { Log } from '../config/logger.ts';
import type { Transaction } from '../config/database.ts';
import type { AuditOutcome, ImpersonationMode, SessionRestriction } from '../generated/prisma/enums.ts';
import type { JobName, JobPayload } from '../queues/index.ts';

/** The signed-in person, or the API key, behind a request. */
export type Actor = {
  /** The person's, also where they are impersonated; the key's for an API key. */
  id: string;
  kind: 'user' | 'apiKey';
  type: 'ADMIN_USER' | 'PLATFORM_USER';
  name: string;
  email: string | null;
  /** The code of the role that tokens and logs show; what counts is `permissions`. */
  role: string;
  permissions: ReadonlySet<Permission>;
  /** A platform user's own tenant; null for portal admins. */
  tenantId: string | null;
  tenantStatus: string | null;
  /** Empty for an API key. */
  sessionId: string;
  /** Until then they count as having just proved who they are (step-up). */
  elevatedUntil: Date | null;
  /** What they have to do before they may do anything but look after their own account. */
  restriction: SessionRestriction | null;
  /** The portal admin who acts in this person's name. */
  impersonation: { id: string; adminId: string; adminName: string; mode: ImpersonationMode; expiresAt: Date } | null;
  /** Who made the key, for an API key: it is never stronger than they are now. */
  creator: { id: string; name: string } | null;
};

/** Which rows a transaction sees: one tenant's, everybody's (portal admins, system jobs), or what signing in needs. */
export type Scope = { role: 'tenant'; tenantId: string } | { role: 'portal' } | { role: 'auth' };

/** Runs SQL within the scope. Reads of one `batch` travel in one round trip. */
export type Reader = {
  many<Row>(query: Sql): Promise<Row[]>;
  one<Row>(query: Sql): Promise<Row | undefined>;
  batch<Rows extends unknown[][]>(...queries: { [Index in keyof Rows]: Sql }): Promise<Rows>;
};

export type Client = { ip: string; userAgent: string | null };

export type CookieOptions = { path: string; maxAgeSeconds: number };
export type Cookies = {
  get(name: string): string | undefined;
  set(name: string, value: string, options: CookieOptions): void;
  clear(name: string, options: Pick<CookieOptions, 'path'>): void;
};

type Base = {
  requestId: string;
  client: Client;
  cookies: Cookies;
  log: Log;
  /** When the request or job began. */
  now: Date;
  scope: Scope;
  /** The tenant in whose space this happens: a platform user's own, or the one that an admin named. */
  tenantId: string | null;
};

export type AuditEntry = {
  /** Only where one endpoint does several things; else the declared action. */
  action?: AuditAction;
  resource: string;
  resourceId?: string | null;
  /** The chain it goes to: a tenant's, or the platform's when null. Default: the tenant of the context. */
  tenantId?: string | null;
  outcome?: AuditOutcome;
  /** Who did it, where the context does not know: somebody who is just signing in. */
  actor?: { id: string; name: string };
  /** For an update: the fields that differ are recorded. */
  before?: object;
  after?: object;
  /** For anything else worth knowing. */
  details?: object;
};

export type EnqueueOptions = {
  /** The job's id in its queue: the same key is never queued twice. Default: a new one. */
  dedupeKey?: string;
  /** Not before this moment. */
  availableAt?: Date;
  /** Default: the tenant of the context. */
  tenantId?: string | null;
};

type WithActor<A> = A extends null ? { actor: null } : { actor: A };

/** What a handler that only reads gets. There is no `db`: reads are SQL, see `x.queries.ts`. */
export type ReadContext<A = Actor | null> = Base & WithActor<A> & { sql: Reader };

/** What a handler that writes gets. `db` is the transaction; it commits when the handler returns. */
export type WriteContext<A = Actor | null> = ReadContext<A> & {
  db: Transaction;
  audit(entry: AuditEntry): void;
  /** Hands a job over in the same transaction: it runs if and only if this commits. */
  enqueue<Name extends JobName>(job: Name, payload: JobPayload<Name>, options?: EnqueueOptions): void;
  /**
   * For what is no part of the transaction and may be lost, such as forgetting a cached answer: it runs once this has
   * committed, and its failure is logged. What must not be lost is a job.
   */
  afterCommit(work: () => Promise<void>): void;
};

/** What a handler gets that calls third parties or needs several transactions: nothing is open until `transact`. */
export type ManualContext<A = Actor | null> = ReadContext<A> & {
  /** @param scope where the declared one does not do, such as an audit row after a refusal */
  transact<Result>(work: (ctx: WriteContext<A>) => Promise<Result>): Promise<Result>;
};
