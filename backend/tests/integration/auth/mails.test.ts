import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handlers } from '../../../src/jobs/index.ts';
import { jobs as definitions, type JobName, type JobPayload } from '../../../src/queues/index.ts';
import { createTestDatabase, ownerQuery, type TestDatabase } from '../../support/database.ts';
import { factoriesFor } from '../../support/factories.ts';
import { inTransaction, jobsOn, until } from '../jobs/support.ts';

let database: TestDatabase;
let jobs: ReturnType<typeof jobsOn>;
let build: ReturnType<typeof factoriesFor>;
beforeAll(async () => {
  database = await createTestDatabase();
  jobs = jobsOn(database, {});
  build = factoriesFor(database, () => Promise.reject(new Error('there is no API here')));
  await jobs.start({ jobs: definitions, handlers });
});
afterAll(() => jobs.close());

const enqueue = <Name extends JobName>(job: Name, payload: JobPayload<Name>) =>
  inTransaction((ctx) => ctx.enqueue(job, payload));
const allDone = () =>
  until('all jobs are done', async () => {
    const rows = await ownerQuery<{ n: number }>(
      database,
      `select (select count(*) from outbox_messages where published_at is null)::int
            + (select count(*) from bullmq.job where state not in ('completed', 'failed') and name like 'email.%')::int as n`,
    );
    return rows[0]?.n === 0;
  });

/** The mails that went to an address, oldest first. */
function mailsTo(address: string): string[] {
  const folder = path.join(jobs.dataDir, 'outbox');
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));
  const mails = files.toSorted().map((name) => readFileSync(path.join(folder, name), 'utf8'));
  return mails.filter((mail) => mail.startsWith(`To: ${address}\n`));
}
const tokensOf = (userId: string) =>
  ownerQuery<{ purpose: string; token_hash: string }>(
    database,
    'select purpose, token_hash from one_time_tokens where user_id = $1 order by created_at',
    [userId],
  );
const hashOfLink = (mail = '') =>
  createHash('sha256')
    .update(/token=([\w-]+)/.exec(mail)?.[1] ?? '')
    .digest('hex');

describe('However often a new password is asked for', () => {
  it('nobody gets more than three mails an hour, also when all ask at once; others get theirs', async () => {
    const [flooded, other] = [await build.buildOwner(), await build.buildOwner()];
    const email = flooded.email as string;
    await Promise.all(
      Array.from({ length: 12 }, (_, n) => enqueue('email.password-reset', { email, askedFrom: `203.0.113.${n}` })),
    );
    await enqueue('email.password-reset', { email: other.email as string });
    await allDone();
    expect(mailsTo(email)).toHaveLength(3);
    expect(await tokensOf(flooded.id)).toHaveLength(3);
    expect(mailsTo(other.email as string)).toHaveLength(1);
    expect(await ownerQuery(database, 'select 1 from dead_letters')).toEqual([]);

    await ownerQuery(database, `update one_time_tokens set created_at = now() - interval '61 minutes'`);
    await enqueue('email.password-reset', { email });
    await allDone();
    expect(mailsTo(email)).toHaveLength(4);
  });

  it('an admin who was only invited gets none: an invitation can be withdrawn', async () => {
    const admin = await build.buildAdmin({ role: 'support', status: 'PENDING', password: false });
    await enqueue('email.password-reset', { email: admin.email as string });
    await allDone();
    expect(mailsTo(admin.email as string)).toEqual([]);
    expect(await tokensOf(admin.id)).toEqual([]);
  });
});

describe('The mail to confirm an address', () => {
  it('goes to the new one, with a link that is known by its hash alone', async () => {
    const owner = await build.buildOwner();
    await ownerQuery(database, `update users set pending_email = 'new@people.example' where id = $1`, [owner.id]);
    await enqueue('email.verify-email', { userId: owner.id });
    await allDone();
    expect(mailsTo(owner.email as string)).toEqual([]);
    const [mail] = mailsTo('new@people.example');
    expect(mail).toContain('https://portal.studyspot.example/verify-email?token=');
    expect(mail).toContain('24 hours');
    expect(await tokensOf(owner.id)).toEqual([{ purpose: 'EMAIL_VERIFICATION', token_hash: hashOfLink(mail) }]);
  });

  it('goes nowhere when there is nothing to confirm any more', async () => {
    const owner = await build.buildOwner();
    await ownerQuery(database, `update users set email_verified = true where id = $1`, [owner.id]);
    await enqueue('email.verify-email', { userId: owner.id });
    await allDone();
    expect(mailsTo(owner.email as string)).toEqual([]);
    expect(await tokensOf(owner.id)).toEqual([]);
  });

  it('has its counterpart to the address that is given up', async () => {
    const owner = await build.buildOwner();
    await enqueue('email.address-changing', { userId: owner.id, to: 'old@people.example' });
    await allDone();
    const [mail] = mailsTo('old@people.example');
    expect(mail).toContain('If it was not you, choose a new password at once');
    expect(mail).not.toContain('token=');
  });
});

describe('The mail about a new device', () => {
  it('tells which, from where and when, and what to do', async () => {
    const owner = await build.buildOwner();
    const told = { device: 'Chrome on Windows', place: 'India', address: '203.0.113.7' };
    await enqueue('email.new-sign-in', { userId: owner.id, ...told });
    await allDone();
    const [mail] = mailsTo(owner.email as string);
    expect(mail).toContain('with Chrome on Windows, from India (address 203.0.113.7)');
    expect(mail).toContain('(India time)');
    expect(mail).toContain('choose a new password at once');
  });
});
