import type { Request } from 'express';
import { IDEMPOTENCY_HOURS, IDEMPOTENCY_LOCK_SECONDS } from '../config/constants.ts';
import type { Transaction } from '../config/database.ts';
import { withScope } from '../config/scope.ts';
import type { Endpoint } from '../routes/endpoint.ts';
import type { Actor, Scope } from '../types/context.ts';
import type { Upload } from '../types/upload.ts';
import { canonicalJson, sha256 } from '../utils/canonical-json.ts';
import { AppError } from '../utils/errors.ts';
import { newId } from '../utils/ids.ts';

export const IDEMPOTENCY_HEADER = 'idempotency-key';

type Holder = { actor: Actor; scope: Scope; tenantId: string | null };

type StoredAnswer = { status: number; body: unknown };

export type Reservation = {
  id: string;
  /** Keeps the answer, in the transaction of the write: both are there or neither is. */
  complete(db: Transaction, answer: StoredAnswer): Promise<void>;
  /** Gives the key back after a failure: nothing was done, so that the same request may be sent again. */
  release(): Promise<void>;
};

type Row = {
  id: string;
  request_hash: string;
  response_status: number | null;
  response_body: unknown;
  reserved: boolean;
};

/** POST of signed-in people takes a key; nothing else repeats harm when sent twice. */
export const takesIdempotencyKey = (endpoint: Endpoint): boolean =>
  endpoint.idempotency === 'required' ||
  (endpoint.method === 'post' && endpoint.access !== 'public' && endpoint.idempotency !== 'none');

/**
 * Reserves the key before anything is done (rule 24).
 * @returns the earlier answer, where the same request was answered already; undefined where no key was sent
 * @throws AppError idempotency_key_reused for another request under the same key, request_in_progress while the first
 *   is being worked on
 */
export async function reserveIdempotencyKey(
  endpoint: Endpoint,
  request: Request,
  who: Holder,
  { params, query, body, upload }: { params: unknown; query: unknown; body: unknown; upload?: Upload | undefined },
): Promise<{ replay: StoredAnswer } | { reservation: Reservation } | undefined> {
  const key = readKey(endpoint, request.get(IDEMPOTENCY_HEADER));
  if (!key) return undefined;
  const requestHash = sha256(
    canonicalJson(
      JSON.parse(
        JSON.stringify([who.tenantId, params, query, body ?? null].concat(upload ? [upload.sha256, upload.name] : [])),
      ),
    ),
  );
  // An admin's keys are looked up across tenants: the same key in another tenant's space is another request.
  const scope: Scope = who.actor.type === 'ADMIN_USER' ? { role: 'portal' } : who.scope;
  const row = await reserve(endpoint.operationId, key, requestHash, { ...who, scope });
  if (row.reserved) return { reservation: reservationOf(row.id, scope) };
  if (row.request_hash !== requestHash) {
    throw new AppError(
      'idempotency_key_reused',
      'This Idempotency-Key was used for another request. Make a new one for each request.',
    );
  }
  if (row.response_status === null) {
    throw new AppError('request_in_progress', 'The same request is being worked on. Ask again in a moment.', {
      retryAfterSeconds: 2,
    });
  }
  return { replay: { status: row.response_status, body: row.response_body } };
}

function readKey(endpoint: Endpoint, header: string | undefined): string | undefined {
  if (header === undefined && endpoint.idempotency !== 'required') return undefined;
  if (header !== undefined && /^[\x21-\x7e]{8,200}$/.test(header)) return header;
  const message = 'must be 8 to 200 visible ASCII characters, such as a UUID, new for each request';
  throw new AppError('validation_failed', `The header Idempotency-Key ${message}.`, {
    issues: [{ in: 'header', field: 'Idempotency-Key', message }],
  });
}

/** One statement, so that of two at once exactly one gets it; a key whose holder died is taken over. */
async function reserve(
  operationId: string,
  key: string,
  requestHash: string,
  { actor, scope, tenantId }: Holder,
): Promise<Row> {
  const id = newId();
  return withScope(scope, async (db) => {
    const taken = await db.$queryRaw<Row[]>`
      insert into idempotency_keys (id, tenant_id, actor_id, operation_id, key, request_hash, locked_until, expires_at)
      values (${id}, ${tenantId}, ${actor.id}, ${operationId}, ${key}, ${requestHash},
              now() + ${IDEMPOTENCY_LOCK_SECONDS} * interval '1 second', now() + ${IDEMPOTENCY_HOURS} * interval '1 hour')
      on conflict (actor_id, operation_id, key) do update
        set id = excluded.id, tenant_id = excluded.tenant_id, request_hash = excluded.request_hash,
            locked_until = excluded.locked_until, expires_at = excluded.expires_at, response_status = null, response_body = null
        where idempotency_keys.expires_at < now()
           or (idempotency_keys.response_status is null and idempotency_keys.locked_until < now()
               and idempotency_keys.request_hash = excluded.request_hash)
      returning id, request_hash, response_status, response_body, true as reserved`;
    if (taken[0]) return taken[0];
    const [held] = await db.$queryRaw<Row[]>`
      select id, request_hash, response_status, response_body, false as reserved from idempotency_keys
       where actor_id = ${actor.id} and operation_id = ${operationId} and key = ${key}`;
    if (!held)
      throw new AppError('request_in_progress', 'The same request was just given up. Send it again.', {
        retryAfterSeconds: 1,
      });
    return held;
  });
}

const reservationOf = (id: string, scope: Scope): Reservation => ({
  id,
  complete: async (db, { status, body }) => {
    const kept = await db.$executeRaw`
      update idempotency_keys set response_status = ${status}, response_body = ${JSON.stringify(body)}::jsonb where id = ${id}`;
    if (kept !== 1)
      throw new AppError('request_in_progress', 'The same request was taken over by another. Ask again in a moment.');
  },
  release: async () => {
    await withScope(scope, async (db) => {
      await db.$executeRaw`delete from idempotency_keys where id = ${id} and response_status is null`;
    });
  },
});
