import { createHmac } from 'node:crypto';
import type { JobContext } from '../queues/job-context.ts';
import { canonicalJson, sha256 } from '../utils/canonical-json.ts';
import { unseal } from '../utils/secret-box.ts';
import { recordOfLink, type Link } from './audit-integrity.service.ts';
import { claimStreams, savePositions, undelivered } from './audit-streams.queries.ts';
import { secretPurpose } from './audit-streams.service.ts';
import { OutboundRefused, postOutbound } from './outbound-http.service.ts';

const ROWS_A_DELIVERY = 500;
/** More than one delivery takes; a worker that dies leaves its streams to the next after this long. */
const LEASE_SECONDS = 60;
const TIMEOUT_MS = 10_000;
/** So that other streams get their turn: what is left goes with the next job. */
const MOST_DELIVERIES = 200;
const FIRST_PAUSE_SECONDS = 60;
const LONGEST_PAUSE_SECONDS = 3600;

type Claimed = { id: string; name: string; url: string; sealedSecret: string; version: number };
type Outcome = { rows: number; failed: number };

/** The pause after so many failures in a row: a minute, then twice as long each time, an hour at most. */
export const pauseSeconds = (failures: number): number =>
  Math.min(FIRST_PAUSE_SECONDS * 2 ** Math.min(failures - 1, 20), LONGEST_PAUSE_SECONDS);

/**
 * What signs a delivery: HMAC-SHA-256 over timestamp, delivery and body, hex. The timestamp lets the receiver refuse
 * what somebody recorded and sends again.
 */
export const signatureOf = (secret: string, timestamp: string, delivery: string, body: string): string =>
  createHmac('sha256', secret).update(`${timestamp}.${delivery}.${body}`).digest('hex');

/** Delivers to every stream that is due. Any number may run: each stream is with one of them at a time. */
export async function deliverStreams(ctx: JobContext): Promise<Outcome> {
  const claimed = await ctx.transact(({ sql }) => sql.many<Claimed>(claimStreams(ctx.now, LEASE_SECONDS)));
  const outcomes = await Promise.all(claimed.map((stream) => deliverStream(ctx, stream)));
  return outcomes.reduce((sum, { rows, failed }) => ({ rows: sum.rows + rows, failed: sum.failed + failed }), {
    rows: 0,
    failed: 0,
  });
}

async function deliverStream(ctx: JobContext, stream: Claimed): Promise<Outcome> {
  let rows = 0;
  try {
    for (let deliveries = 0; deliveries < MOST_DELIVERIES && !ctx.job.signal.aborted; deliveries += 1) {
      const batch = await ctx.sql.many<Link & { position: number }>(undelivered(stream.id, ROWS_A_DELIVERY));
      if (batch.length === 0) break;
      await send(ctx, stream, batch);
      const goesOn = await saveProgress(ctx, stream, batch);
      rows += batch.length;
      if (!goesOn) break;
    }
    await ctx.transact(({ db }) =>
      db.auditStream.updateMany({ where: { id: stream.id }, data: { leasedUntil: null } }),
    );
    return { rows, failed: 0 };
  } catch (error) {
    // The process stops: that says nothing of the receiver.
    if (ctx.job.signal.aborted) throw error;
    await noteFailure(ctx, stream, error);
    return { rows, failed: 1 };
  }
}

async function send(ctx: JobContext, stream: Claimed, batch: (Link & { position: number })[]): Promise<void> {
  const body = batch
    .map(({ position: _position, ...link }) =>
      canonicalJson({ record: recordOfLink(link), previousHash: link.previousHash, hash: link.hash }),
    )
    .join('\n');
  const timestamp = String(Math.floor(Date.now() / 1000));
  // The same rows have the same id, so that the receiver knows a delivery that comes twice.
  const delivery = sha256(`${stream.id}\n${body}`).slice(0, 32);
  const secret = unseal(stream.sealedSecret, secretPurpose(stream.name));
  const { status } = await postOutbound(stream.url, {
    body,
    headers: {
      'content-type': 'application/x-ndjson',
      'user-agent': 'StudySpot-Audit/1',
      'x-studyspot-delivery': delivery,
      'x-studyspot-timestamp': timestamp,
      'x-studyspot-signature': `v1=${signatureOf(secret, timestamp, delivery, body)}`,
    },
    timeoutMs: TIMEOUT_MS,
    signal: ctx.job.signal,
  });
  if (status < 200 || status > 299) throw new DeliveryRefused(`It answered ${status}`);
}

/** Its message holds nothing that the receiver said. */
class DeliveryRefused extends Error {}

/** Until here everything has arrived. @returns whether the stream is still as it was when it was claimed */
async function saveProgress(ctx: JobContext, stream: Claimed, batch: Link[]): Promise<boolean> {
  const last = new Map(batch.map(({ chain, tenantId, sequence }) => [chain, { chain, tenantId, sequence }]));
  return ctx.transact(async ({ db }) => {
    await db.$executeRaw(savePositions(stream.id, [...last.values()]));
    const leasedUntil = new Date(Date.now() + LEASE_SECONDS * 1000);
    const { count } = await db.auditStream.updateMany({
      where: { id: stream.id, version: stream.version, enabled: true },
      data: { lastDeliveredAt: new Date(), consecutiveFailures: 0, lastError: null, retryAt: null, leasedUntil },
    });
    return count === 1;
  });
}

async function noteFailure(ctx: JobContext, stream: Claimed, error: unknown): Promise<void> {
  const lastError = reasonOf(error);
  ctx.log.warn('Audit rows could not be streamed; they wait', { stream: stream.name, error: lastError });
  await ctx.transact(async ({ db }) => {
    const { consecutiveFailures } = await db.auditStream.update({
      where: { id: stream.id },
      data: { consecutiveFailures: { increment: 1 }, lastError, leasedUntil: null },
      select: { consecutiveFailures: true },
    });
    const retryAt = new Date(Date.now() + pauseSeconds(consecutiveFailures) * 1000);
    await db.auditStream.update({ where: { id: stream.id }, data: { retryAt } });
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof OutboundRefused) return `The address ${error.message}`;
  const { code, message } = error as NodeJS.ErrnoException;
  return (code ? `It could not be reached (${code})` : message).slice(0, 300);
}
