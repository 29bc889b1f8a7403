import { pipeline } from 'node:stream/promises';
import compression from 'compression';
import express, { type Request, type Response, type Router } from 'express';
import { clockNow } from '../config/clock.ts';
import { environment } from '../config/environment.ts';
import { logWith } from '../config/logger.ts';
import { authenticate, rememberedPrincipal } from '../middleware/auth.middleware.ts';
import { reserveIdempotencyKey, takesIdempotencyKey, type Reservation } from '../middleware/idempotency.middleware.ts';
import { factsOf } from '../middleware/logger.middleware.ts';
import { limitActor, limitAddress } from '../middleware/rate-limit.middleware.ts';
import { authorize } from '../middleware/role.middleware.ts';
import { resolveSpace, TENANT_HEADER, type Space } from '../middleware/tenant.middleware.ts';
import { removeUpload } from '../middleware/upload.middleware.ts';
import { validateInput } from '../middleware/validation.middleware.ts';
import { PrincipalChanged, readerFor } from '../services/principal.service.ts';
import { recordRefusal } from '../services/security-events.service.ts';
import {
  manualContext,
  readContext,
  runInTransaction,
  type AuditRule,
  type ContextBase,
} from '../services/context.service.ts';
import type { Actor } from '../types/context.ts';
import { cookiesOf } from '../utils/cookies.ts';
import { contentDisposition } from '../utils/content-disposition.ts';
import { AppError } from '../utils/errors.ts';
import { fileTypesOf, INLINE_TYPES, type FileAnswer } from '../utils/file-answer.ts';
import { pageShape } from '../utils/page.ts';
import { successBody } from '../utils/response.ts';
import type { Endpoint, Module } from './endpoint.ts';

type Answer = { status: number; body: unknown; file?: FileAnswer };
type ReadInput = Awaited<ReturnType<typeof validateInput>>;

/** Whose rows may be seen before it is known who asks. */
const SIGN_IN: Space = { scope: { role: 'auth' }, tenantId: null };

/** The routes of a module. */
export function toRouter(module: Module): Router {
  const router = express.Router({ caseSensitive: true, strict: false });
  for (const declared of module.endpoints) {
    router[declared.method](declared.path, (request, response) => respond(declared, request, response));
  }
  return router;
}

async function respond(endpoint: Endpoint, request: Request, response: Response): Promise<void> {
  factsOf(response).operationId = endpoint.operationId;
  const answer = (await readAsBefore(endpoint, request, response)) ?? (await answerAnew(endpoint, request, response));
  if (answer.file) await sendFile(response, answer.file);
  else send(request, response, answer);
}

/** The way of every request, in order. */
async function answerAnew(endpoint: Endpoint, request: Request, response: Response): Promise<Answer> {
  const facts = factsOf(response);
  const actor = await identify(endpoint, request, response);
  if (actor) {
    facts.actor = actor;
    await limitActor(endpoint, actor, response);
  }
  await permit(endpoint, actor, request, response);
  const space = await resolveSpace(endpoint.access, actor, request.get(TENANT_HEADER));
  facts.tenantId = space.tenantId;
  const input = await validateInput(endpoint, request, response);
  try {
    return await answerInput(endpoint, contextBase(actor, space, request, response), input, request, response);
  } finally {
    await removeUpload(input.upload);
  }
}

async function answerInput(
  endpoint: Endpoint,
  base: ContextBase,
  input: ReadInput,
  request: Request,
  response: Response,
): Promise<Answer> {
  const { actor } = base;
  const reserved =
    actor && takesIdempotencyKey(endpoint)
      ? await reserveIdempotencyKey(endpoint, request, { ...base, actor }, input)
      : undefined;
  if (reserved && 'replay' in reserved) {
    response.setHeader('Idempotent-Replayed', 'true');
    return reserved.replay;
  }
  return perform(endpoint, base, input, response, reserved?.reservation);
}

/**
 * The same way for somebody who reads and was here before with the same token: who they are is asked in one message
 * with what they read, instead of before it. Whoever is no longer quite who they were, or is refused anything, is
 * answered anew.
 */
async function readAsBefore(endpoint: Endpoint, request: Request, response: Response): Promise<Answer | undefined> {
  const mayRead = endpoint.method === 'get' && endpoint.transaction !== 'manual' && endpoint.access !== 'public';
  const before = mayRead && request.get(TENANT_HEADER) === undefined ? rememberedPrincipal(request) : undefined;
  if (!before) return undefined;
  const facts = factsOf(response);
  const { actor } = before;
  const prepared = await prepareRead(endpoint, actor, request, response);
  if (!prepared) return undefined;
  const { space, input } = prepared;
  await limitActor(endpoint, actor, response);
  Object.assign(facts, { actor, tenantId: space.tenantId });
  const { reader, confirm } = readerFor(before, facts.ip, space.scope);
  try {
    const ctx = readContext(contextBase(actor, space, request, response), reader);
    const [outcome] = await Promise.allSettled([(async (): Promise<unknown> => endpoint.handler(ctx, input))()]);
    // Whatever came of it, an error too, is told only to who they were taken for.
    await confirm();
    if (outcome.status === 'rejected') throw outcome.reason;
    return presentResult(endpoint, outcome.value, response);
  } catch (error) {
    if (error instanceof PrincipalChanged) return undefined;
    throw error;
  }
}

/** @returns undefined where they are refused: as somebody else than before they may not be */
async function prepareRead(endpoint: Endpoint, actor: Actor, request: Request, response: Response) {
  try {
    authorize(endpoint, actor, undefined);
    const space = await resolveSpace(endpoint.access, actor, undefined);
    return { space, input: await validateInput(endpoint, request, response) };
  } catch {
    return undefined;
  }
}

async function identify(endpoint: Endpoint, request: Request, response: Response): Promise<Actor | null> {
  const { ip } = factsOf(response);
  if (endpoint.access === 'public') {
    await limitAddress(endpoint, ip, response);
    return null;
  }
  try {
    return await authenticate(request, ip, () => contextBase(null, SIGN_IN, request, response) as ContextBase<null>);
  } catch (error) {
    // Guessing tokens is limited by address; an outage of the database is not the caller's fault.
    const isRefusal = error instanceof AppError && ['unauthenticated', 'address_refused'].includes(error.code);
    if (isRefusal) await limitAddress(endpoint, ip, response);
    throw error;
  }
}

/** What is refused to a person of a tenant, or to somebody who acts in their name, may be worth writing down. */
async function permit(endpoint: Endpoint, actor: Actor | null, request: Request, response: Response): Promise<void> {
  if (actor?.impersonation) response.setHeader('X-Impersonated-By', actor.impersonation.adminId);
  const named = request.get(TENANT_HEADER);
  try {
    authorize(endpoint, actor, named);
  } catch (error) {
    if (actor?.tenantId && error instanceof AppError) {
      const space: Space = { scope: { role: 'tenant', tenantId: actor.tenantId }, tenantId: actor.tenantId };
      const base = contextBase(actor, space, request, response);
      await recordRefusal(base, error.code, { operationId: endpoint.operationId, named });
    }
    throw error;
  }
}

function contextBase(actor: Actor | null, space: Space, request: Request, response: Response): ContextBase {
  const { requestId, ip } = factsOf(response);
  return {
    ...space,
    actor,
    requestId,
    client: { ip, userAgent: request.get('user-agent')?.slice(0, 400) ?? null },
    cookies: cookiesOf(request, response, environment().PUBLIC_URL.startsWith('https:')),
    log: logWith({ requestId }),
    now: clockNow(),
  };
}

/** Runs the handler in the kind of context that its declaration asks for. */
async function perform(
  endpoint: Endpoint,
  base: ContextBase,
  input: ReadInput,
  response: Response,
  reservation?: Reservation,
): Promise<Answer> {
  const present = (result: unknown): Answer => presentResult(endpoint, result, response);
  if (endpoint.method === 'get' && endpoint.transaction !== 'manual') {
    return present(await endpoint.handler(readContext(base), input));
  }
  const rule = auditRule(endpoint, input);
  const giveBack = async (error: unknown): Promise<never> => {
    await reservation?.release();
    throw error;
  };
  if (endpoint.transaction !== 'manual') {
    return runInTransaction(base, rule, async (ctx) => {
      const done = present(await endpoint.handler(ctx, input));
      if (reservation) await reservation.complete(ctx.db, done);
      return done;
    }).catch(giveBack);
  }
  const done = present(await endpoint.handler(manualContext(base, rule), input).catch(giveBack));
  if (reservation) await runInTransaction(base, rule, ({ db }) => reservation.complete(db, done));
  return done;
}

/** A write whose handler told nothing leaves a row all the same. */
function auditRule(endpoint: Endpoint, input: ReadInput): AuditRule {
  if (typeof endpoint.audit !== 'string') return {};
  const { id } = (input.params ?? {}) as { id?: string };
  const resource = endpoint.audit.split('.')[0] ?? endpoint.audit;
  const isManual = endpoint.transaction === 'manual';
  return { action: endpoint.audit, ...(!isManual && { fallback: { resource, resourceId: id ?? null } }) };
}

/** Only what the response schema declares goes out; a result that does not fit it is an error of ours. */
function presentResult(endpoint: Endpoint, result: unknown, response: Response): Answer {
  const parsed = endpoint.response.safeParse(result);
  if (!parsed.success) {
    throw new Error(`The answer of ${endpoint.operationId} does not match its declaration`, { cause: parsed.error });
  }
  const status = endpoint.status ?? 200;
  if (fileTypesOf(endpoint.response)) return { status, body: null, file: parsed.data as FileAnswer };
  if (pageShape(endpoint.response)) {
    const { items, meta } = parsed.data as { items: unknown; meta: unknown };
    return { status, body: successBody(items, meta) };
  }
  const { version } = (parsed.data ?? {}) as { version?: unknown };
  if (typeof version === 'number') response.setHeader('ETag', `"${version}"`);
  return { status, body: successBody(parsed.data) };
}

/** Smaller answers fit into one packet anyway. */
const COMPRESSED_FROM_BYTES = 1024;
const compress = compression({ threshold: COMPRESSED_FROM_BYTES });

/**
 * Not `response.json`: that would hash every body for an ETag of its own, and answer 304 for ours. With its length
 * told, head and body leave in one write.
 */
function send(request: Request, response: Response, { status, body }: Answer): void {
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  if (length >= COMPRESSED_FROM_BYTES) compress(request, response, () => {});
  response.status(status).setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', length);
  response.setHeader('Cache-Control', 'no-store');
  response.end(text);
}

/**
 * To be saved, not shown: what is in it was written by others. But an image that we encoded may be shown, also by pages
 * of the portal at another address. A caller who goes away ends it quietly.
 */
async function sendFile(response: Response, { content, name, type, sizeBytes, inline }: FileAnswer): Promise<void> {
  const isShown = inline === true && INLINE_TYPES.includes(type);
  if (isShown) response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
  response.setHeader('Content-Type', type);
  if (sizeBytes !== undefined) response.setHeader('Content-Length', sizeBytes);
  response.setHeader('Content-Disposition', contentDisposition(name, isShown ? 'inline' : 'attachment'));
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  await pipeline(content, response).catch((error: unknown) => {
    if (!response.destroyed && !response.closed) throw error;
  });
}
