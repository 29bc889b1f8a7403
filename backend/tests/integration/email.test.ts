import { createHash } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { handlers } from '../../src/jobs/index.ts';
import { closeEmailProvider } from '../../src/providers/email.ts';
import { smtpEmailProvider } from '../../src/providers/email-smtp.provider.ts';
import { MailRefused } from '../../src/providers/email.provider.ts';
import { jobs as definitions, type JobName, type JobPayload } from '../../src/queues/index.ts';
import { manualContext } from '../../src/services/context.service.ts';
import { sendEmail } from '../../src/services/email.service.ts';
import { createTestDatabase, ownerQuery, type TestDatabase } from '../support/database.ts';
import { factoriesFor } from '../support/factories.ts';
import { inTransaction, jobsOn, until } from './jobs/support.ts';

type Received = ParsedMail & { envelope: string[] };

/** A mail server that answers as the test says: each entry of `trouble` is for one mail, then all goes well. */
function mailServer() {
  const received: Received[] = [];
  const trouble: ('temporary' | 'permanent' | 'drop' | 'sign-in')[] = [];
  const refuse = (responseCode: number, message: string) => Object.assign(new Error(message), { responseCode });
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _, done) =>
      trouble[0] !== 'sign-in' && username === 'mailer' && password === 'pass word'
        ? done(null, { user: username })
        : (trouble.shift(), done(refuse(535, 'wrong password'))),
    onRcptTo: (_, __, done) => {
      if (trouble[0] === 'temporary') return (trouble.shift(), done(refuse(451, 'try again later')));
      if (trouble[0] === 'permanent') return (trouble.shift(), done(refuse(550, 'no such mailbox')));
      done();
    },
    onData: (stream: SMTPServerDataStream, session: SMTPServerSession, done) => {
      if (trouble[0] === 'drop') {
        trouble.shift();
        sockets.get(portOf(session))?.destroy();
        return;
      }
      const keep = async () => {
        const mail = await simpleParser(stream);
        received.push(Object.assign(mail, { envelope: session.envelope.rcptTo.map(({ address }) => address) }));
      };
      keep().then(() => done(), done);
    },
  });
  const portOf = (session: SMTPServerSession) => (session as unknown as { remotePort: number }).remotePort;
  const sockets = new Map<number, Socket>();
  server.server.on('connection', (socket: Socket) => sockets.set(socket.remotePort ?? 0, socket));
  server.on('error', () => undefined);
  return {
    received,
    trouble,
    listen: () =>
      new Promise<string>((resolve) => {
        const listening = server.listen(0, '127.0.0.1', () =>
          resolve(`smtp://mailer:pass%20word@127.0.0.1:${(listening.address() as AddressInfo).port}`),
        );
      }),
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}

const server = mailServer();
let smtpUrl: string;
let database: TestDatabase;
let jobs: ReturnType<typeof jobsOn>;
let build: ReturnType<typeof factoriesFor>;

beforeAll(async () => {
  database = await createTestDatabase();
  build = factoriesFor(database, () => Promise.reject(new Error('there is no API here')));
  jobs = jobsOn(database, {});
  smtpUrl = await server.listen();
  Object.assign(process.env, { EMAIL_PROVIDER: 'smtp', SMTP_URL: smtpUrl });
  const quick = Object.entries(definitions).map(([name, job]) => [
    name,
    { ...job, backoffSeconds: 0.1, schedule: undefined },
  ]);
  await jobs.start({ jobs: Object.fromEntries(quick), handlers });
});
afterAll(async () => {
  await jobs.close();
  await closeEmailProvider();
  await server.close();
});
beforeEach(() => {
  server.received.length = server.trouble.length = 0;
});

const enqueue = <Name extends JobName>(job: Name, payload: JobPayload<Name>, dedupeKey?: string) =>
  inTransaction((ctx) => ctx.enqueue(job, payload, { dedupeKey }));
const deliveries = (recipient: string) =>
  ownerQuery<{
    status: string;
    subject: string;
    message_id: string;
    tenant_id: string;
    error: string | null;
    job_id: string;
  }>(database, 'select * from email_deliveries where recipient = $1', [recipient]);
const tokensOf = (userId: string) =>
  ownerQuery<{ purpose: string; token_hash: string; minutes: number }>(
    database,
    `select purpose, token_hash, round(extract(epoch from expires_at - created_at) / 60)::int as minutes
       from one_time_tokens where user_id = $1 order by created_at`,
    [userId],
  );
const tokenIn = (mail: Received | undefined): string => /token=([\w-]+)/.exec(mail?.text ?? '')?.[1] ?? '';
const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');
const mailArrives = (count = 1) => until(`${count} mails arrive`, () => server.received.length >= count);
/** Every job that was handed over is done with. */
const allDone = () =>
  until('all jobs are done', async () => {
    const rows = await ownerQuery<{ n: number }>(
      database,
      `select (select count(*) from outbox_messages where published_at is null)::int
            + (select count(*) from bullmq.job where state not in ('completed', 'failed'))::int as n`,
    );
    return rows[0]?.n === 0;
  });

describe('the mail with a link for a new password', () => {
  it('goes to the account and nobody else, in both parts, with a link that is known by its hash alone', async () => {
    const user = await build.buildOwner({ name: 'आशा वर्मा' });
    await enqueue(
      'email.password-reset',
      { email: ` ${user.email?.toUpperCase()} `, askedFrom: '203.0.113.9' },
      'reset:1',
    );
    await mailArrives();
    const [mail] = server.received;
    expect(mail?.envelope).toEqual([user.email]);
    expect(mail?.from?.text).toBe('"StudySpot" <no-reply@studyspot.example>');
    expect(mail?.subject).toBe('आशा वर्मा, choose a new password for StudySpot');
    expect(mail?.messageId).toBe('<reset%3A1@portal.studyspot.example>');
    expect(mail?.headers.get('auto-submitted')).toBe('auto-generated');
    for (const part of [mail?.text, mail?.html as string]) {
      expect(part).toContain('Hello आशा वर्मा,');
      expect(part).toContain('from the address 203.0.113.9 on ');
      expect(part).toContain('30 minutes');
      expect(part).toContain('If it was not you, ignore this mail');
    }
    const token = tokenIn(mail);
    expect(mail?.text).toContain(`https://portal.studyspot.example/reset-password?token=${token}\n`);
    expect(mail?.html).toContain(`href="https://portal.studyspot.example/reset-password?token=${token}"`);
    expect(await tokensOf(user.id)).toEqual([{ purpose: 'PASSWORD_RESET', token_hash: hashOf(token), minutes: 30 }]);

    await allDone();
    expect(await deliveries(user.email ?? '')).toMatchObject([
      { status: 'SENT', tenant_id: user.tenantId, message_id: mail?.messageId, subject: mail?.subject },
    ]);
    const kept = await ownerQuery(
      database,
      `select to_jsonb(o) from outbox_messages o union all select to_jsonb(j) from bullmq.job j union all
       select to_jsonb(e) from bullmq.event e union all select to_jsonb(d) from email_deliveries d union all
       select to_jsonb(t) from one_time_tokens t union all select to_jsonb(a) from audit_logs a`,
    );
    expect(JSON.stringify(kept)).toContain('reset%3A1');
    expect(JSON.stringify(kept)).not.toContain(token);
  });

  it('is for somebody who never chose a password what the welcome mail is', async () => {
    const user = await build.buildOwner({ status: 'PENDING', password: false });
    await enqueue('email.password-reset', { email: user.email ?? '' });
    await mailArrives();
    expect(await tokensOf(user.id)).toMatchObject([{ purpose: 'WELCOME', minutes: 30 }]);
  });

  it('goes to a phone only when one person alone can be meant', async () => {
    const [alone, shared] = ['+919800000001', '+919800000002'];
    const user = await build.buildUser({ role: 'student', phone: alone });
    await build.buildUser({ role: 'student', phone: alone, status: 'SUSPENDED' });
    await build.buildUser({ role: 'parent', phone: alone, email: null });
    await build.buildUser({ role: 'student', phone: shared });
    await build.buildUser({ role: 'parent', phone: shared });
    await enqueue('email.password-reset', { phone: alone });
    await enqueue('email.password-reset', { phone: shared });
    await allDone();
    expect(server.received.map(({ envelope }) => envelope)).toEqual([[user.email]]);
  });

  it('goes nowhere for an account that is not there, or closed; and that is no failure', async () => {
    const closed = await build.buildOwner({ status: 'SUSPENDED' });
    await enqueue('email.password-reset', { email: 'nobody@nowhere.example' }, 'nobody-1');
    await enqueue('email.password-reset', { email: closed.email ?? '' }, 'nobody-2');
    await enqueue('email.password-reset', { phone: '+919999999999' }, 'nobody-3');
    await allDone();
    expect(server.received).toEqual([]);
    expect(await ownerQuery(database, `select id from dead_letters where job_id like 'nobody-%'`)).toEqual([]);
  });

  it('needs an email or a phone, not both', async () => {
    await enqueue('email.password-reset', { email: 'a@x.example', phone: '+919999999999' }, 'both');
    await enqueue('email.password-reset', {}, 'neither');
    await allDone();
    const letters = await ownerQuery(database, `select job_id from dead_letters where job_id in ('both', 'neither')`);
    expect(letters).toHaveLength(2);
  });
});

describe('other mails', () => {
  it('welcome a new owner, for a week; somebody who has a password already is left alone', async () => {
    const tenant = await build.buildTenant({ name: 'ज्ञान दीप <b>Library</b>' });
    const owner = await build.buildOwner({ tenantId: tenant.id, status: 'PENDING', password: false, name: 'Ravi' });
    await enqueue('email.welcome', { userId: owner.id });
    await mailArrives();
    const [mail] = server.received;
    expect(mail?.subject).toBe('Welcome to StudySpot, Ravi');
    expect(mail?.text).toContain('ज्ञान दीप <b>Library</b> is now on StudySpot');
    expect(mail?.html).toContain('ज्ञान दीप &lt;b&gt;Library&lt;/b&gt; is now on StudySpot');
    expect(mail?.text).toContain(`/set-password?token=${tokenIn(mail)}`);
    expect(await tokensOf(owner.id)).toEqual([
      { purpose: 'WELCOME', token_hash: hashOf(tokenIn(mail)), minutes: 10_080 },
    ]);

    await enqueue('email.welcome', { userId: (await build.buildOwner()).id });
    await allDone();
    expect(server.received).toHaveLength(1);
  });

  it('tell of a changed password', async () => {
    const user = await build.buildOwner({ name: 'Meera' });
    await enqueue('email.password-changed', { userId: user.id });
    await mailArrives();
    expect(server.received[0]?.subject).toBe('Meera, your StudySpot password was changed');
    expect(server.received[0]?.text).toMatch(/was changed on \d{1,2} \w+ \d{4} at .+ \(India time\)/);
    expect(await tokensOf(user.id)).toEqual([]);
  });
});

describe('the conversation with the mail server', () => {
  it.each(['temporary', 'drop', 'sign-in'] as const)('%s trouble: the next try delivers, once', async (kind) => {
    const user = await build.buildOwner();
    await closeEmailProvider();
    server.trouble.push(kind);
    await enqueue('email.password-changed', { userId: user.id });
    await mailArrives();
    await allDone();
    expect(server.trouble).toEqual([]);
    expect(server.received).toHaveLength(1);
    const [delivery] = await deliveries(user.email ?? '');
    expect(delivery).toMatchObject({ status: 'SENT', error: null });
    const [job] = await ownerQuery(database, 'select attempts_made from bullmq.job where id = $1', [delivery?.job_id]);
    expect(job).toEqual({ attempts_made: 2 });
  });

  it('a mailbox that is not there: no second try, but a dead letter', async () => {
    const user = await build.buildOwner();
    server.trouble.push('permanent');
    await enqueue('email.password-changed', { userId: user.id }, 'no-mailbox');
    await allDone();
    const letters = await ownerQuery(
      database,
      `select attempts, error, queue from dead_letters where job_id = 'no-mailbox'`,
    );
    expect(letters).toMatchObject([
      { attempts: 1, queue: 'email', error: expect.stringContaining('550 no such mailbox') },
    ]);
    expect(await deliveries(user.email ?? '')).toMatchObject([
      { status: 'FAILED', error: expect.stringContaining('550') },
    ]);
    expect(server.received).toEqual([]);
  });

  it('two runs of one job: one mail', async () => {
    const user = await build.buildOwner();
    const base = {
      scope: { role: 'portal' as const },
      tenantId: null,
      requestId: 'twice',
      log: { debug() {}, info() {}, warn() {}, error() {} },
      now: new Date(),
      client: { ip: '', userAgent: null },
      cookies: { get: () => undefined, set: () => undefined, clear: () => undefined },
      actor: null,
    };
    const ctx = manualContext<null>(base, {});
    const variables = vi.fn(() => ({ name: 'Meera', link: 'https://x.example', changedAt: 'today' }));
    const order = {
      jobId: 'twice',
      template: 'password-changed',
      to: user.email ?? '',
      tenantId: null,
      variables,
    } as const;
    await sendEmail(ctx, order);
    await sendEmail(ctx, order);
    expect(server.received).toHaveLength(1);
    expect(variables).toHaveBeenCalledTimes(1);
  });

  it('keeps its connections: many mails need few of them', async () => {
    const users = await Promise.all(Array.from({ length: 12 }, () => build.buildOwner()));
    await Promise.all(users.map((user) => enqueue('email.password-changed', { userId: user.id })));
    await mailArrives(12);
    expect(new Set(server.received.flatMap(({ envelope }) => envelope)).size).toBe(12);
  });

  it('a server that says nothing is not waited for longer than the job may take', async () => {
    const { createServer } = await import('node:net');
    const silent = createServer(() => undefined);
    const port = await new Promise<number>((resolve) => {
      silent.listen(0, '127.0.0.1', () => resolve((silent.address() as AddressInfo).port));
    });
    const provider = smtpEmailProvider(`smtp://127.0.0.1:${port}`);
    const mail = { from: 'a@x.example', to: 'b@x.example', subject: 's', html: '', text: 't', messageId: '<1@x>' };
    const begun = Date.now();
    const refusal = await provider.send(mail, { signal: AbortSignal.timeout(300) }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Error);
    expect(refusal).not.toBeInstanceOf(MailRefused);
    expect(Date.now() - begun).toBeLessThan(2_000);
    await provider.close();
    silent.close();
    await sleep(0);
  });
});
