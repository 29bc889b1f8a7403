import type { z } from 'zod';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, invalidField, orNotFound } from '../utils/errors.ts';
import { page } from '../utils/page.ts';
import { seal } from '../utils/secret-box.ts';
import type { auditStream, putStreamBody } from '../validators/audit-stream.validator.ts';
import { lockStream, lockStreamName, streamRows } from './audit-streams.queries.ts';
import { assertMayBeCalled, OutboundRefused } from './outbound-http.service.ts';

type Stream = z.input<typeof auditStream>;
type Body = z.output<typeof putStreamBody>;

/** What the secret of a stream is sealed for. */
export const secretPurpose = (name: string): string => `audit-stream:${name}`;

export const listStreams = (ctx: ReadContext, query: { page: number; limit: number }) =>
  page<Stream>(ctx, query, streamRows());

/**
 * Makes a stream, or changes the one of that name. A new one begins with the oldest rows that there are.
 * @throws AppError validation_failed for an address that must not be called; version_required and version_mismatch for
 *   one that is there
 */
export async function putStream(
  ctx: ManualContext<Actor>,
  name: string,
  body: Body,
  ifMatch: number | undefined,
): Promise<Stream> {
  await assertMayBeCalled(body.url).catch((error: unknown) => {
    throw error instanceof OutboundRefused ? invalidField('url', error.message) : error;
  });
  return ctx.transact(async (tx) => {
    await tx.sql.one(lockStreamName(name));
    const existing = await tx.sql.one<{ id: string; version: number }>(lockStream(name));
    if (existing) await changeStream(tx, { ...existing, name }, body, ifMatch);
    else await makeStream(tx, name, body, ifMatch);
    if (body.enabled) tx.enqueue('webhook.audit-streams', {});
    return orNotFound(await tx.sql.one<Stream>(streamRows(name).rows), 'stream');
  });
}

const told = ({ url, enabled, secret }: Body) => ({ url, enabled, ...(secret && { signing: 'changed' }) });

async function makeStream(ctx: WriteContext, name: string, body: Body, ifMatch: number | undefined): Promise<void> {
  if (ifMatch !== undefined) throw new AppError('version_mismatch', 'There is no such stream: leave out If-Match.');
  const { secret, url, enabled } = body;
  if (!secret) throw invalidField('secret', 'is missing: a new stream needs one');
  await ctx.db.auditStream.create({ data: { name, url, enabled, sealedSecret: seal(secret, secretPurpose(name)) } });
  ctx.audit({ resource: 'audit_stream', resourceId: name, tenantId: null, after: told(body) });
}

async function changeStream(
  ctx: WriteContext,
  { id, name, version }: { id: string; name: string; version: number },
  body: Body,
  ifMatch: number | undefined,
): Promise<void> {
  if (ifMatch === undefined) {
    throw new AppError(
      'version_required',
      `The stream ${name} is there: send If-Match with the version you have read.`,
    );
  }
  if (ifMatch !== version) {
    throw new AppError('version_mismatch', 'Somebody has changed the stream since you read it. Read it again.', {
      version,
    });
  }
  const { secret, url, enabled } = body;
  const before = await ctx.db.auditStream.findUniqueOrThrow({ where: { id }, select: { url: true, enabled: true } });
  await ctx.db.auditStream.update({
    where: { id },
    data: {
      url,
      enabled,
      ...(secret && { sealedSecret: seal(secret, secretPurpose(name)) }),
      version: { increment: 1 },
      // Whoever changed it has done something about the failures: it is tried at once.
      consecutiveFailures: 0,
      lastError: null,
      retryAt: null,
    },
  });
  ctx.audit({ resource: 'audit_stream', resourceId: name, tenantId: null, before, after: told(body) });
}
