import { createPostgresBackend, Queue, Worker } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../../prisma/migrate.ts';
import { createTestDatabase, ownerQuery, withClient, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await createTestDatabase()));
afterAll(() => database.drop());

describe('the tables of BullMQ', () => {
  it('serve the API’s role: jobs one by one, in bulk, by schedule, done and swept away', async () => {
    const connection = { connectionString: database.appUrl, schema: 'bullmq', max: 2 };
    const queue = new Queue('contract', { connection }, createPostgresBackend);
    const done: string[] = [];
    const worker = new Worker(
      'contract',
      async (job) => void done.push(job.name),
      { connection },
      createPostgresBackend,
    );
    const errors: Error[] = [];
    queue.on('error', (error) => errors.push(error));
    worker.on('error', (error) => errors.push(error));
    try {
      await queue.add('one', {});
      await queue.addBulk([
        { name: 'two', data: {} },
        { name: 'three', data: {}, opts: { jobId: 'third' } },
      ]);
      await queue.upsertJobScheduler('clock', { every: 60_000 }, { name: 'tick' });
      await expect.poll(() => done.toSorted(), { timeout: 10_000 }).toEqual(['one', 'three', 'tick', 'two']);
      await worker.close();
      await queue.obliterate({ force: true });
      expect(await queue.getJobCounts('completed', 'waiting')).toEqual({ completed: 0, waiting: 0 });
    } finally {
      await worker.close();
      await queue.close();
    }
    expect(errors).toEqual([]);
    const owned = `select oid::regclass from pg_class where relowner = 'studyspot_app'::regrole and relpersistence <> 't'`;
    expect(await ownerQuery(database, owned)).toEqual([]);
  });

  it.each([
    'create table bullmq.t (id int)',
    'create sequence bullmq.s',
    'delete from bullmq.migration',
    'drop table bullmq.job',
  ])('refuse the API’s role: %s', async (sql) => {
    await withClient(database.appUrl, (client) =>
      expect(client.query(sql)).rejects.toThrow(/permission denied|must be owner/),
    );
  });

  it('are out of reach of the scopes and of other roles', async () => {
    const rows = await ownerQuery(
      database,
      `select r.rolname, has_schema_privilege(r.oid, 'bullmq', 'usage') as usage from pg_roles r
        where rolname in ('studyspot_tenant', 'studyspot_portal', 'studyspot_auth') order by 1`,
    );
    expect(rows.map(({ usage }) => usage)).toEqual([false, false, false]);
  });

  it('get their rights again when they were laid by another version', async () => {
    await ownerQuery(
      database,
      `comment on schema bullmq is 'bullmq 6.0.0, grants 1'; revoke insert on bullmq.job from studyspot_app;
       alter function bullmq.next_job_id(text) security invoker`,
    );
    const steps: string[] = [];
    await migrate(database.ownerUrl, { onStep: (name) => steps.push(name) });
    expect(steps).toEqual(['tables of the job queues']);
    const [row] = await ownerQuery(
      database,
      `select has_table_privilege('studyspot_app', 'bullmq.job', 'insert') as may,
              (select prosecdef from pg_proc where oid = 'bullmq.next_job_id(text)'::regprocedure) as definer`,
    );
    expect(row).toEqual({ may: true, definer: true });
  });
});
