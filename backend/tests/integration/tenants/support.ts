import { inflateRawSync } from 'node:zlib';
import type { Job } from 'bullmq';
import { handlers } from '../../../src/jobs/index.ts';
import type { JobEnvelope } from '../../../src/queues/backend.ts';
import type { JobName } from '../../../src/queues/index.ts';
import { jobContext } from '../../../src/queues/job-context.ts';
import { newId } from '../../../src/utils/ids.ts';
import type { TestApp } from '../../support/server.ts';

type Outboxed = { id: string; tenantId: string | null; job: JobName; payload: object; dedupeKey: string };

/** Runs a job as a worker would, at once and in this process. */
export async function runJob(
  name: JobName,
  {
    payload = {},
    tenantId = null,
    id = newId(),
    attempt = 1,
    signal = new AbortController().signal,
  }: { payload?: object; tenantId?: string | null; id?: string; attempt?: number; signal?: AbortSignal } = {},
): Promise<void> {
  const data = { payload, tenantId, requestId: null };
  const job = { id, name, data, attemptsMade: attempt - 1, timestamp: Date.now() } as unknown as Job<JobEnvelope>;
  const handle = handlers[name] as (ctx: ReturnType<typeof jobContext>, payload: unknown) => Promise<unknown>;
  await handle(jobContext(job, signal), payload);
}

/**
 * Runs what waits in the outbox under this name, each for its tenant, and marks it as done.
 * @param ofTenant of this tenant alone
 * @returns how many
 */
export async function runOutbox(app: TestApp, name: JobName, ofTenant?: string): Promise<number> {
  const rows = await app.query<Outboxed>(
    `update outbox_messages set published_at = now() where job = $1 and published_at is null and ($2::text is null or tenant_id = $2)
     returning id, tenant_id as "tenantId", job, payload, dedupe_key as "dedupeKey"`,
    [name, ofTenant ?? null],
  );
  for (const { payload, tenantId, dedupeKey } of rows) await runJob(name, { payload, tenantId, id: dedupeKey });
  return rows.length;
}

/** The files of a zip by their path, read by its directory at the end. */
export function unzipped(zip: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const count = zip.readUInt16LE(end + 10);
  for (let entry = 0, at = zip.readUInt32LE(end + 16); entry < count; entry += 1) {
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    const local = zip.readUInt32LE(at + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const packed = zip.subarray(start, start + zip.readUInt32LE(at + 20));
    files.set(name, zip.readUInt16LE(at + 10) === 8 ? inflateRawSync(packed) : packed);
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return files;
}

/** Puts the end of the grace, and where there is one the notice, so many hours into the past. */
export const moveGrace = (app: TestApp, tenantId: string, hours: number, noticeHours?: number) =>
  app.query(
    `update offboardings set grace_ends_at = now() - make_interval(hours => $2::int),
            notice_sent_at = case when $3::int is null then notice_sent_at else now() - make_interval(hours => $3::int) end
      where tenant_id = $1 and cancelled_at is null and purged_at is null`,
    [tenantId, hours, noticeHours ?? null],
  );
