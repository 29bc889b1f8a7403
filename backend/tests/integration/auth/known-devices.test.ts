import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import type { Answer } from '../../support/client.ts';
import { PASSWORD, someAddress } from '../../support/factories.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { claimsOf, from, login } from './support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

type User = Awaited<ReturnType<TestApp['buildOwner']>>;
const WRONG = 'not-the-right-password';

const devicesOf = (userId: string) =>
  app.query<{ id: string; user_agent: string | null }>(
    `select id, user_agent from known_devices where user_id = $1 order by created_at, id`,
    [userId],
  );
const newDeviceEvents = (userId: string) =>
  app.query<{ session_id: string; details: object }>(
    `select session_id, details from security_events where user_id = $1 and type = 'NEW_DEVICE'`,
    [userId],
  );
const mailsOf = (answer: Answer) =>
  app.query(`select job, payload, tenant_id from outbox_messages where request_id = $1`, [
    answer.headers.get('x-request-id'),
  ]);
const tokenOf = (answer: Answer): string => answer.body.data.deviceToken;

/** Uses up what strangers may try on this account. */
const exhaust = async (user: User) => {
  await app.query(
    `insert into security_policies (type, value, updated_at) values ('LOCKOUT', '{"accountTriesPerHour": 10}', now())
     on conflict do nothing`,
  );
  await Promise.all(
    Array.from({ length: 12 }, () => login(app, { email: user.email, password: WRONG }, someAddress())),
  );
  expectError(await login(app, { email: user.email }), 401, 'invalid_credentials');
};

describe('A program', () => {
  it('is recognised by the token that it sends back: one device, no alarm', async () => {
    const user = await app.buildOwner();
    const first = await login(app, { email: user.email });
    const second = await login(app, { email: user.email, deviceToken: tokenOf(first) });
    expect(tokenOf(second)).toBe(tokenOf(first));
    const [device, ...others] = await devicesOf(user.id);
    expect(others).toEqual([]);
    expect(tokenOf(first)).toContain(`${device?.id}.`);
    expect(await newDeviceEvents(user.id)).toEqual([]);
    expect(await mailsOf(second)).toEqual([]);
    const { sid } = claimsOf(second.body.data.accessToken);
    expect(await app.query(`select known_device_id from sessions where id = $1`, [sid])).toEqual([
      { known_device_id: device?.id },
    ]);
  });

  it('without it is a new device, which is an event and a mail to the person', async () => {
    const user = await app.buildOwner();
    const first = await login(app, { email: user.email });
    expect(await mailsOf(first)).toEqual([]);
    const address = someAddress();
    const second = await app.call('POST', '/api/auth/login', {
      body: { email: user.email, password: PASSWORD },
      headers: { ...from(address), 'user-agent': 'Kiosk/1.0' },
    });
    expect(tokenOf(second)).not.toBe(tokenOf(first));
    expect(await newDeviceEvents(user.id)).toEqual([
      {
        session_id: claimsOf(second.body.data.accessToken).sid,
        details: { device: 'Kiosk', place: 'a local network' },
      },
    ]);
    expect(await mailsOf(second)).toEqual([
      {
        job: 'email.new-sign-in',
        payload: { userId: user.id, device: 'Kiosk', place: 'a local network', address },
        tenant_id: user.tenantId,
      },
    ]);
  });

  it('has so many at most: the one not seen for longest gives way', async () => {
    const user = await app.buildOwner();
    await app.query(
      `insert into known_devices (id, tenant_id, user_id, last_seen_at)
       select 'old-' || $1 || n, $2, $1, now() - n * interval '1 day' from generate_series(1, 20) n`,
      [user.id, user.tenantId],
    );
    const answer = await login(app, { email: user.email });
    const ids = (await devicesOf(user.id)).map(({ id }) => id);
    expect(ids).toHaveLength(20);
    expect(ids).not.toContain(`old-${user.id}20`);
    expect(ids).toContain(tokenOf(answer).split('.')[0]);
  });
});

describe('A browser', () => {
  const byCookie = (user: User, cookie?: string) =>
    app.call('POST', '/api/auth/login', {
      body: { email: user.email, password: PASSWORD, refreshTokenIn: 'cookie' },
      headers: { ...from(), ...(cookie && { cookie }) },
    });
  const deviceCookie = (answer: Answer) => {
    const header = answer.headers.getSetCookie().find((one) => one.startsWith('studyspot_devices='));
    return { pair: header?.split('; ')[0] as string, flags: header?.toLowerCase().split('; ').slice(1) };
  };

  it('keeps it in a cookie that only sign-in gets, and no script', async () => {
    const user = await app.buildOwner();
    const first = await byCookie(user);
    expect(first.body.data.deviceToken).toBeNull();
    const { pair, flags } = deviceCookie(first);
    expect(flags?.filter((flag) => !flag.startsWith('expires='))).toEqual([
      `max-age=${180 * 86_400}`,
      'path=/api/auth',
      'httponly',
      'samesite=strict',
    ]);
    const second = await byCookie(user, pair);
    expect(deviceCookie(second).pair).toBe(pair);
    expect(await devicesOf(user.id)).toHaveLength(1);
  });

  it('that several people share knows each of them', async () => {
    const [one, other] = [await app.buildOwner(), await app.buildOwner()];
    const { pair } = deviceCookie(await byCookie(one));
    const { pair: both } = deviceCookie(await byCookie(other, pair));
    expectSuccess(await byCookie(one, both));
    expectSuccess(await byCookie(other, both));
    for (const { id } of [one, other]) {
      expect(await devicesOf(id)).toHaveLength(1);
      expect(await newDeviceEvents(id)).toEqual([]);
    }
  });

  it.each([
    ['nothing', ''],
    ['separators only', '~~~'],
    ['very long text', 'x'.repeat(3000)],
    ['a broken escape', '%'],
  ])('with a cookie that holds %s is simply not known', async (_what, value) => {
    expectSuccess(await byCookie(await app.buildOwner(), `studyspot_devices=${value}`));
  });
});

describe('Only their own device helps somebody whose account strangers try:', () => {
  afterAll(() => app.query(`delete from security_policies`));

  const forgeries: Record<string, (own: { token: string; user: User }) => Promise<string> | string> = {
    "somebody else's": async () => tokenOf(await login(app, { email: (await app.buildOwner()).email })),
    'one with another signature': ({ token }) => `${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`,
    'one signed with the wrong key': ({ token, user }) => {
      const [id = ''] = token.split('.');
      const guessed = 'test-secret-of-refresh-tokens-012345678';
      return `${id}.${createHmac('sha256', guessed).update(`${user.id}.${id}`).digest('base64url')}`;
    },
    "their own device with somebody else's signature": async ({ token }) => {
      const other = tokenOf(await login(app, { email: (await app.buildOwner()).email }));
      return `${token.split('.')[0]}.${other.split('.')[1]}`;
    },
    'one that was never given': () => `${newId()}.${'A'.repeat(43)}`,
    'one that was removed': async ({ token, user }) => {
      await app.query(`delete from known_devices where user_id = $1`, [user.id]);
      return token;
    },
    'one that was not seen for half a year': async ({ token, user }) => {
      await app.query(`update known_devices set last_seen_at = now() - interval '181 days' where user_id = $1`, [
        user.id,
      ]);
      return token;
    },
  };

  it.each(Object.entries(forgeries))('%s does not', async (_what, forge) => {
    const user = await app.buildOwner();
    const token = tokenOf(await login(app, { email: user.email }));
    const forged = await forge({ token, user });
    await exhaust(user);
    expectError(await login(app, { email: user.email, deviceToken: forged }), 401, 'invalid_credentials');
  });

  it('theirs does, and has a count of its own', async () => {
    const user = await app.buildOwner();
    const [one, other] = [await login(app, { email: user.email }), await login(app, { email: user.email })].map(
      tokenOf,
    );
    await exhaust(user);
    expectSuccess(await login(app, { email: user.email, deviceToken: one }));
    for (let round = 0; round < 5; round += 1) {
      await login(app, { email: user.email, password: WRONG, deviceToken: one }, someAddress());
    }
    expectError(await login(app, { email: user.email, deviceToken: one }), 401, 'invalid_credentials');
    expectSuccess(await login(app, { email: user.email, deviceToken: other }));
  });

  it('a text that is no token is a 400 only where it is too long', async () => {
    const user = await app.buildOwner();
    expectSuccess(await login(app, { email: user.email, deviceToken: "' or 1=1 --" }));
    const long = await login(app, { email: user.email, deviceToken: 'x'.repeat(101) });
    expectError(long, 400, 'validation_failed', 'body deviceToken');
  });
});
