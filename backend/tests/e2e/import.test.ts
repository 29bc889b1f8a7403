import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clientOf } from '../support/client.ts';
import { createTestDatabase, ownerQuery, type TestDatabase } from '../support/database.ts';
import { factoriesFor } from '../support/factories.ts';
import {
  emptyRedis,
  endBackend,
  killBackends,
  startBackend,
  until,
  type BackendProcess,
} from '../support/processes.ts';
import { badKinds, correct, listOfStudents } from '../support/student-list.ts';
import { sendPeople } from '../support/people-import.ts';

// A whole library moves in: a file with mistakes is checked, corrected, imported and undone by a real worker, which is
// killed twice on the way.

const isWhole = Boolean(process.env.TEST_ALL);
const ROWS = isWhole ? 20_000 : 4_000;
const BAD_ROWS = isWhole ? 300 : 60;
const MOST_GROWTH_MB = 300;
const PATIENCE_MS = isWhole ? 300_000 : 60_000;

const directory = mkdtempSync(path.join(tmpdir(), 'studyspot-e2e-import-'));
let database: TestDatabase;
let environment: Record<string, string>;
let api: BackendProcess;
let make: ReturnType<typeof factoriesFor>;

const query = <Row extends Record<string, unknown>>(sql: string, values: unknown[] = []) =>
  ownerQuery<Row>(database, sql, values);

beforeAll(async () => {
  database = await createTestDatabase();
  environment = {
    DATABASE_URL: database.appUrl,
    REDIS_URL: await emptyRedis(13),
    DATA_DIR: directory,
    JOB_LOCK_SECONDS: '3',
  };
  api = await startBackend({ ...environment, ROLE: 'api' });
  make = factoriesFor(database, clientOf(api.url));
}, 60_000);

afterAll(async () => {
  await endBackend(api);
  await killBackends();
  rmSync(directory, { recursive: true, force: true });
  await database.drop();
}, 60_000);

/** Of a process, in MB: what it takes now, and the most it has taken. */
function memoryOf({ child }: BackendProcess): { now: number; peak: number } {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const megabytes = (name: string) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024);
  return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') };
}

type Import = { status: string; readRows: number; checkedRows: number; createdRows: number };

it(`imports ${ROWS} students and undoes it, whatever becomes of the worker`, { timeout: 2 * PATIENCE_MS }, async () => {
  const { token, tenantId } = await make.ownerWithToken();
  const taken = await make.buildOwner();
  const times: Record<string, number> = {};
  let started = performance.now();
  const lap = (name: string) => {
    times[name] = Math.round(performance.now() - started);
    started = performance.now();
  };
  const call = (method: string, at: string) => api.call(method, `/api/platform-users/imports/${at}`, { token });
  const look = async (id: string) => (await call('GET', id)).body.data as Import;
  const reaches = (id: string, status: string) =>
    until(`the import was ${status}`, async () => (await look(id)).status === status, PATIENCE_MS);

  let worker = await startBackend({ ...environment, ROLE: 'worker' });
  /** Kills the worker once something holds, and starts another. */
  const killWhen = async (what: string, id: string, holds: (found: Import) => boolean) => {
    await until(what, async () => holds(await look(id)), PATIENCE_MS);
    await endBackend(worker, 'SIGKILL');
    worker = await startBackend({ ...environment, ROLE: 'worker' });
  };

  // The dry run, with the worker killed in its midst.
  const list = listOfStudents(ROWS, BAD_ROWS, taken.email ?? '');
  lap('list');
  const sent = await sendPeople(api.call, token, list.csv);
  expect(sent.status, sent.text).toBe(202);
  const { id } = sent.body.data;
  lap('upload');
  await killWhen('a part was tried', id, ({ checkedRows }) => checkedRows > ROWS / 4);
  await reaches(id, 'VALIDATED');
  lap('dry run with a kill');
  expect(await look(id)).toMatchObject({
    totalRows: ROWS,
    readRows: ROWS,
    checkedRows: ROWS,
    validRows: ROWS - BAD_ROWS,
    invalidRows: BAD_ROWS,
  });
  expect(await query(`select id from users where tenant_id = $1 and import_id is not null`, [tenantId])).toEqual([]);
  expect(await query(`select id from people_import_newcomers`)).toEqual([]);

  // Each bad row says what is wrong with it, and is in the file of errors with it.
  const bad = await query<{ number: number; errors: { column: string; message: string }[] }>(
    `select number, errors from people_import_rows where import_id = $1 and status = 'INVALID' order by number`,
    [id],
  );
  expect(bad.map(({ number }) => number)).toEqual(list.bad.map(({ number }) => number));
  for (const [index, { errors }] of bad.entries()) {
    const told = errors.map(({ column, message }) => `${column} ${message}`).join('; ');
    expect(told, list.bad[index]?.kind).toMatch(badKinds[list.bad[index]?.kind ?? 'missing name']);
  }

  // The commit, with another kill.
  expect((await call('POST', `${id}/commit`)).status).toBe(202);
  await killWhen('a part was created', id, ({ createdRows }) => createdRows > ROWS / 4);
  await reaches(id, 'COMPLETED');
  lap('commit with a kill');
  const created = async () =>
    (
      await query<{ students: number; rows: number; parents: number }>(
        `select count(import_row)::int as students, count(distinct (import_id, import_row)) filter (where import_row is not null)::int as rows,
                (count(*) - count(import_row))::int as parents
           from users where tenant_id = $1 and kind <> 'OWNER'`,
        [tenantId],
      )
    )[0];
  const good = ROWS - BAD_ROWS;
  expect(await created()).toEqual({ students: good, rows: good, parents: list.parents });

  // The bad rows, corrected, are imported as a file of their own.
  const errors = await call('GET', `${id}/errors`);
  const again = await sendPeople(api.call, token, correct(errors.text), { name: 'corrected.csv' });
  expect(again.status, again.text).toBe(202);
  await reaches(again.body.data.id, 'VALIDATED');
  expect(await look(again.body.data.id)).toMatchObject({ validRows: BAD_ROWS, invalidRows: 0 });
  await call('POST', `${again.body.data.id}/commit`);
  await reaches(again.body.data.id, 'COMPLETED');
  expect(await created()).toMatchObject({ students: ROWS, rows: ROWS });
  lap('correction');

  // One worker does all of it once more without being disturbed: how fast it is, and how much memory it takes.
  for (const each of [again.body.data.id, id]) {
    await call('POST', `${each}/undo`);
    await reaches(each, 'UNDONE');
  }
  lap('undo');
  expect(await created()).toEqual({ students: 0, rows: 0, parents: 0 });
  await endBackend(worker);
  worker = await startBackend({ ...environment, ROLE: 'worker' });
  await sleep(500);
  const before = memoryOf(worker);
  started = performance.now();
  const quiet = await sendPeople(api.call, token, list.csv);
  await reaches(quiet.body.data.id, 'VALIDATED');
  lap('dry run alone');
  await call('POST', `${quiet.body.data.id}/commit`);
  await reaches(quiet.body.data.id, 'COMPLETED');
  lap('commit alone');
  expect(await created()).toEqual({ students: good, rows: good, parents: list.parents });
  const after = memoryOf(worker);
  const growth = after.peak - before.now;
  expect(growth, 'MB that the worker takes more than at its start').toBeLessThan(MOST_GROWTH_MB);
  console.log(JSON.stringify({ rows: ROWS, milliseconds: times, worker: { before: before.now, ...after, growth } }));
});
