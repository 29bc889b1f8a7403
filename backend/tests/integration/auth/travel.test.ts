import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { countryDatabase } from '../../support/country-database.ts';
import { expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { claimsOf, login } from './support.ts';

const file = path.join(tmpdir(), `countries-${newId()}.mmdb`);
const INDIA = '203.0.113.7';
const NORWAY = '198.51.100.7';

let app: TestApp;
beforeAll(async () => {
  await writeFile(
    file,
    countryDatabase([
      { network: '203.0.113.0', bits: 24, country: 'IN' },
      { network: '198.51.100.0', bits: 24, country: 'NO' },
    ]),
  );
  app = await startTestApp({ COUNTRY_DATABASE: file });
});
afterAll(async () => {
  await app.close();
  await rm(file, { force: true });
});

const travels = (userId: string) =>
  app.query(
    `select severity, tenant_id, details from security_events where user_id = $1 and type = 'IMPOSSIBLE_TRAVEL'`,
    [userId],
  );
const letPass = (userId: string, interval: string) =>
  app.query(`update sessions set created_at = created_at - $2::interval where user_id = $1`, [userId, interval]);

describe('With a file of countries', () => {
  it('sessions and attempts tell where they are from', async () => {
    const user = await app.buildOwner();
    const { accessToken } = (await login(app, { email: user.email }, INDIA)).body.data;
    const { sid } = claimsOf(accessToken);
    const { body } = await app.call('GET', '/api/auth/sessions', { token: accessToken });
    expect(body.data).toEqual([expect.objectContaining({ id: sid, country: 'IN', ipAddress: INDIA })]);
    await login(app, { email: user.email, password: 'wrong-one' }, NORWAY);
    await login(app, { email: user.email, password: 'wrong-one' }, '192.0.2.1');
    await login(app, { email: user.email, password: 'wrong-one' }, '10.0.0.1');
    const attempts = await app.query(
      `select outcome, country from login_attempts where user_id = $1 order by created_at, id`,
      [user.id],
    );
    expect(attempts).toEqual([
      { outcome: 'SUCCESS', country: 'IN' },
      { outcome: 'WRONG_PASSWORD', country: 'NO' },
      { outcome: 'WRONG_PASSWORD', country: null },
      { outcome: 'WRONG_PASSWORD', country: null },
    ]);
  });

  it('a sign-in from another country within two hours is an event', async () => {
    const user = await app.buildOwner();
    expectSuccess(await login(app, { email: user.email }, INDIA));
    await letPass(user.id, '30 minutes');
    expectSuccess(await login(app, { email: user.email }, NORWAY));
    expect(await travels(user.id)).toEqual([
      { severity: 'HIGH', tenant_id: user.tenantId, details: { from: 'IN', to: 'NO', minutes: 30 } },
    ]);
  });

  it('one after a flight, from the same country or from an unknown place is none', async () => {
    const user = await app.buildOwner();
    for (const address of [INDIA, '10.9.8.7', '192.0.2.1', '203.0.113.99']) {
      expectSuccess(await login(app, { email: user.email }, address));
    }
    await letPass(user.id, '121 minutes');
    expectSuccess(await login(app, { email: user.email }, NORWAY));
    expect(await travels(user.id)).toEqual([]);
  });
});
