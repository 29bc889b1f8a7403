import { readFileSync } from 'node:fs';
import type { Job } from 'bullmq';
import { handlers } from '../../../src/jobs/index.ts';
import type { JobEnvelope } from '../../../src/queues/backend.ts';
import type { JobName } from '../../../src/queues/index.ts';
import { jobContext } from '../../../src/queues/job-context.ts';
import { newId } from '../../../src/utils/ids.ts';
import { sendPeople } from '../../support/people-import.ts';
import type { TestApp } from '../../support/server.ts';

type Waiting = { id: string; job: JobName; payload: object; tenantId: string | null };

/** Runs what was handed over for an import, in the scope of its tenant, as a worker would. */
export async function runImportJobs(app: TestApp, importId: string): Promise<void> {
  const waiting = await app.query<Waiting>(
    `delete from outbox_messages where payload->>'importId' = $1 and available_at <= now()
     returning id, job, payload, tenant_id as "tenantId"`,
    [importId],
  );
  for (const job of waiting) await runJobOf(job);
}

/** @param attempt of the job, from 1; the last is told apart from the others */
export async function runJobOf(
  { job: name, payload, tenantId }: Pick<Waiting, 'job' | 'payload' | 'tenantId'>,
  { attempt = 1, signal = new AbortController().signal }: { attempt?: number; signal?: AbortSignal } = {},
): Promise<void> {
  const data = { payload, tenantId, requestId: null };
  const job = {
    id: newId(),
    name,
    data,
    attemptsMade: attempt - 1,
    timestamp: Date.now(),
  } as unknown as Job<JobEnvelope>;
  const handle = handlers[name] as (ctx: ReturnType<typeof jobContext>, payload: unknown) => Promise<unknown>;
  await handle(jobContext(job, signal), payload);
}

/** The API as an importer uses it. */
export function importerOf(app: TestApp, token: string) {
  const call = (method: string, path: string, options = {}) =>
    app.call(method, `/api/platform-users${path}`, { token, ...options });
  const get = async (id: string) => (await call('GET', `/imports/${id}`)).body.data;
  return {
    call,
    get,
    send: (content: string | Uint8Array, fields = {}) => sendPeople(app.call, token, content, fields),
    /** Sends a file and has it checked. */
    check: async (content: string | Uint8Array, fields = {}) => {
      const sent = await sendPeople(app.call, token, content, fields);
      if (sent.status !== 202) throw new Error(`Not taken: ${sent.text}`);
      await runImportJobs(app, sent.body.data.id);
      return get(sent.body.data.id);
    },
    /** Commits or undoes, and has it done. */
    act: async (id: string, act: 'commit' | 'undo') => {
      const answer = await call('POST', `/imports/${id}/${act}`);
      if (answer.status !== 202) throw new Error(`Not taken: ${answer.text}`);
      await runImportJobs(app, id);
      return get(id);
    },
    rows: async (id: string, query = '') => (await call('GET', `/imports/${id}/rows?limit=100${query}`)).body.data,
    errors: async (id: string) => (await call('GET', `/imports/${id}/errors`)).text,
  };
}

export const fixture = (name: string): Buffer => readFileSync(new URL(`../../fixtures/${name}`, import.meta.url));
