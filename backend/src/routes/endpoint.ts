import type { z } from 'zod';
import type { AuditAction } from '../config/audit-actions.ts';
import type { BuiltInRoleCode, Permission } from '../config/permissions.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type { Upload } from '../types/upload.ts';
import type { ErrorCode } from '../utils/errors.ts';

/**
 * Who may call.
 * - `public`: no token
 * - `authenticated`: anybody signed in, for their own data only
 * - `{ role }`: holders of that role
 * - `{ permission }`: portal admins who hold it
 * - `{ permission, tenant: 'own' }`: users of a tenant who hold it as well, and then see their own tenant only
 * - `{ permission, tenant: 'required' }`: within one tenant only; a portal admin names it in `x-tenant-id`
 */
export type Access =
  'public' | 'authenticated' | { role: BuiltInRoleCode } | { permission: Permission; tenant?: 'own' | 'required' };

type Method = 'get' | 'post' | 'put' | 'delete';
type ActorOf<A> = A extends 'public' ? null : Actor;

/** GET reads; the others write in one transaction, unless the handler asks to open its own. */
type ContextOf<M, T, A> = T extends 'manual'
  ? ManualContext<ActorOf<A>>
  : M extends 'get'
    ? ReadContext<ActorOf<A>>
    : WriteContext<ActorOf<A>>;

type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : Record<string, never>;

/** One file that comes as `multipart/form-data`, in a field of its own beside those of `body`. */
export type UploadRule = {
  /** The name of the field. */
  field: string;
  maxBytes: number;
  /** What is in it, and of which types. */
  description: string;
};

/** A provider's signature over the bytes of the body stands in for a token: the handler verifies it before it reads them. */
export type SignatureRule = {
  /** The header that carries it. */
  header: string;
  /** What it is made of. */
  description: string;
};

/** What was signed, as it came: parsing it and writing it again makes other bytes. */
export type SignedRequest = { rawBody: Buffer; header(name: string): string | undefined };

export type Input<P, Q, B, U = undefined, S = undefined> = {
  params: Output<P>;
  query: Output<Q>;
  /** Where a file comes along each field is sent as text: let the schemas of numbers and flags make them of it. */
  body: Output<B>;
  /** The file on disk. It is there until the handler is done. */
  upload: U extends UploadRule ? Upload : undefined;
  signed: S extends SignatureRule ? SignedRequest : undefined;
  /** The version of `If-Match`, where the endpoint takes one and the caller sent one. */
  ifMatch: number | undefined;
};

/** The action that the audit row of a write names; or why it needs none. */
export type AuditDeclaration = AuditAction | { none: string };

export type EndpointDeclaration<M extends Method, A extends Access, P, Q, B, R extends z.ZodType, T, U, S> = {
  method: M;
  /** Below the module's prefix. Literal paths come before those with parameters. */
  path: `/${string}`;
  operationId: string;
  summary: string;
  description: string;
  access: A;
  params?: P;
  query?: Q;
  body?: B;
  /** Takes a file; work on it before a transaction is opened, with `transaction: 'manual'`. */
  upload?: U;
  /** Called by a provider, with `access: 'public'`: the body comes raw, whatever it is, and not as `body`. */
  signed?: S;
  /** What `data` of the answer holds; `pageOf(item)` for lists. Anything undeclared does not leave. */
  response: R;
  /** Default 200. */
  status?: 200 | 201 | 202;
  /** Beyond the general limits: at most `points` calls in `seconds`, by user, or by address where public. */
  rateLimit?: { points: number; seconds: number } | 'none';
  /** POST of signed-in users takes an optional Idempotency-Key; money needs it. */
  idempotency?: 'required' | 'none';
  /** Takes `If-Match` with the version that the caller has seen; some changes are not made without. */
  ifMatch?: true | 'required';
  /** Only for somebody who proved within the last ten minutes who they are (POST /auth/step-up); never for API keys. */
  stepUp?: true;
  /** `manual` when the handler calls third parties: nothing is open until `ctx.transact`. */
  transaction?: T;
  /** Errors of the rules, beyond those that follow from the declaration; for the document. */
  errors?: readonly ErrorCode[];
  handler: (ctx: ContextOf<M, T, A>, input: Input<P, Q, B, U, S>) => Promise<z.input<R>>;
} & (M extends 'get' ? { audit?: never } : { audit: AuditDeclaration });

/** An endpoint whose types have done their work: what the router and the document need. */
export type Endpoint = {
  method: Method;
  path: `/${string}`;
  operationId: string;
  summary: string;
  description: string;
  access: Access;
  params?: z.ZodType;
  query?: z.ZodType;
  body?: z.ZodType;
  upload?: UploadRule;
  signed?: SignatureRule;
  response: z.ZodType;
  status?: 200 | 201 | 202;
  rateLimit?: { points: number; seconds: number } | 'none';
  idempotency?: 'required' | 'none';
  ifMatch?: true | 'required';
  stepUp?: true;
  transaction?: 'manual';
  errors?: readonly ErrorCode[];
  audit?: AuditDeclaration;
  // eslint-disable-next-line typescript/no-explicit-any -- each handler has a context and an input of its own
  handler: (ctx: any, input: any) => Promise<unknown>;
};

/** Declares one endpoint: the only place that says how it is reached, by whom, with what and what it answers. */
export const endpoint = <
  M extends Method,
  A extends Access,
  R extends z.ZodType,
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
  T extends 'manual' | undefined = undefined,
  U extends UploadRule | undefined = undefined,
  S extends SignatureRule | undefined = undefined,
>(
  declaration: EndpointDeclaration<M, A, P, Q, B, R, T, U, S>,
): Endpoint => declaration;

/** The endpoints of one module: a tag of the document and a prefix below `/api`. */
export type Module = { tag: string; description: string; prefix: `/${string}`; endpoints: readonly Endpoint[] };
