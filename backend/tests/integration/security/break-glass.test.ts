import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
let breakGlass: typeof import('../../../src/services/break-glass.service.ts');
beforeAll(async () => {
  app = await startTestApp();
  breakGlass = await import('../../../src/services/break-glass.service.ts');
});
afterAll(() => app.close());

const WHY = 'Nobody gets in any more';
const lastAudit = async () =>
  (
    await app.query(
      `select action, actor_type, user_agent, resource, resource_id, changes from audit_logs order by created_at desc, sequence desc limit 1`,
    )
  )[0];
const addRule = async (network: string) => {
  const id = newId();
  await app.query(
    `insert into ip_rules (id, effect, audience, network, note) values ($1, 'DENY', 'ADMINS', $2::inet, 'Of a test')`,
    [id, network],
  );
  return id;
};

describe('The command line', () => {
  it('removes address rules, all or one, and says so in the trail', async () => {
    const token = await app.adminToken();
    const [one, two] = [await addRule('127.0.0.0/8'), await addRule('0.0.0.0/1')];
    expectError(await app.call('GET', '/api/auth/me', { token }), 403, 'address_refused');
    expect(await breakGlass.removeIpRules(WHY, one)).toBe(1);
    expect(await app.query('select id from ip_rules')).toEqual([{ id: two }]);
    await expect(breakGlass.removeIpRules(WHY, one)).rejects.toMatchObject({ code: 'not_found' });
    expect(await breakGlass.removeIpRules(WHY)).toBe(1);
    expectSuccess(await app.call('GET', '/api/auth/me', { token }));
    expect(await lastAudit()).toMatchObject({
      action: 'security.break_glass',
      actor_type: 'SYSTEM',
      user_agent: 'command line',
      resource: 'ip_rule',
      changes: { reason: WHY, removed: 1 },
    });
  });

  it('lifts lock-outs', async () => {
    const [one, two] = [await app.buildAdmin(), await app.buildAdmin()];
    for (const { id } of [one, two]) {
      await app.query(
        `insert into lockouts (id, user_id, account, kind, throttle_key, failures, locked_until)
         values ($1, $2, 'me…mple', 'PASSWORD', $3, 6, now() + interval '1 hour')`,
        [newId(), id, `password|${id}|10.1.2.3`],
      );
    }
    expect(await breakGlass.liftLockouts(WHY, one.email as string)).toBe(1);
    expect(await lastAudit()).toMatchObject({ action: 'security.break_glass', resource: 'user', resource_id: one.id });
    expect(await breakGlass.liftLockouts(WHY)).toBe(1);
    await expect(breakGlass.liftLockouts(WHY, 'nobody@people.example')).rejects.toMatchObject({ code: 'not_found' });
  });

  it("takes an admin's second factors and sessions, and sends them a link", async () => {
    const admin = await app.buildAdmin();
    const { token } = await app.signIn(admin);
    const earlier = await app.buildOneTimeToken({ id: admin.id, tenantId: null });
    await app.query(
      `insert into totp_credentials (user_id, sealed_secret, confirmed_at) values ($1, 'v1.a.b.c', now())`,
      [admin.id],
    );
    await breakGlass.resetAdminAccess(WHY, admin.email as string);
    expectError(await app.call('GET', '/api/auth/me', { token }), 401, 'unauthenticated');
    expect(await app.query('select user_id from totp_credentials where user_id = $1', [admin.id])).toEqual([]);
    const body = { token: earlier, password: 'seven-blue-study-lamps' };
    expectError(await app.call('POST', '/api/auth/reset-password', { body }), 400, 'token_invalid');
    const mails = await app.query(`select payload from outbox_messages where job = 'email.password-reset'`);
    expect(mails).toContainEqual({ payload: { email: admin.email } });
    expect(await lastAudit()).toMatchObject({ resource: 'admin', resource_id: admin.id, changes: { reason: WHY } });
  });

  it('does nothing for people of a library, for those who left, and for nobody', async () => {
    const owner = await app.buildOwner();
    const left = await app.buildAdmin({ status: 'INACTIVE' });
    for (const { email } of [owner, left]) {
      await expect(breakGlass.resetAdminAccess(WHY, email as string)).rejects.toMatchObject({ code: 'conflict' });
    }
    await expect(breakGlass.resetAdminAccess(WHY, 'nobody@people.example')).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe('Its arguments', () => {
  /** Runs the program as from the shell. @returns what it said, and its exit code */
  async function run(...args: string[]) {
    const before = { argv: process.argv, exitCode: process.exitCode };
    const said: string[] = [];
    const listen = (text: unknown) => void said.push(String(text));
    const spies = [
      vi.spyOn(console, 'log').mockImplementation(listen),
      vi.spyOn(console, 'error').mockImplementation(listen),
    ];
    process.argv = ['node', 'break-glass.js', ...args];
    process.exitCode = 0;
    vi.resetModules();
    try {
      await import('../../../src/break-glass.ts');
      return { said: said.join('\n'), exitCode: process.exitCode };
    } finally {
      Object.assign(process, before);
      for (const spy of spies) spy.mockRestore();
    }
  }

  it.each([
    [[], 'Usage:'],
    [['--help'], 'Usage:'],
    [['--remove-ip-rules'], '--reason'],
    [['--remove-ip-rules', '--reason', 'x'], '--reason'],
    [['--remove-ip-rule', "' or 1=1", '--reason', WHY], 'needs the id of a rule'],
    [['--reset-admin', 'somebody', '--reason', WHY], 'needs an email address'],
    [['--reset-admin', 'nobody@people.example', '--reason', WHY], 'There is no such account'],
    [['--everything', '--reason', WHY], '--everything'],
  ])('%j are refused with a word of help', async (args, help) => {
    const rule = await addRule('192.0.2.0/24');
    const { said, exitCode } = await run(...args);
    expect(said).toContain(help);
    expect(exitCode).toBe(1);
    expect(await app.query('select id from ip_rules')).toEqual([{ id: rule }]);
    await app.query('delete from ip_rules');
  });

  it('do several things at once', async () => {
    await addRule('192.0.2.0/24');
    const admin = await app.buildAdmin();
    const { said, exitCode } = await run(
      '--remove-ip-rules',
      '--lift-lockouts',
      '--reset-admin',
      admin.email as string,
      '--reason',
      WHY,
    );
    expect(exitCode, said).toBe(0);
    expect(said).toContain('Address rules removed: 1');
    expect(said).toContain(`${admin.email} has no second factor`);
    expect(await app.query('select id from ip_rules')).toEqual([]);
  });
});
