import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../support/client.ts';
import { expectError, expectSuccess } from '../support/expectations.ts';
import { startTestApp, type TestApp } from '../support/server.ts';
import { auditOf } from './auth/support.ts';

let app: TestApp;
let admin: string;
let other: string;
beforeAll(async () => {
  app = await startTestApp();
  [admin, other] = await Promise.all([app.adminToken(), app.adminToken()]);
});
afterAll(() => app.close());

const newTenant = (slug = `hall-${randomUUID().slice(0, 8)}`) => ({
  name: 'New Hall',
  slug,
  email: 'office@new.example',
  owner: { name: 'Meera', email: `${slug}@new.example` },
});

type Options = { token?: string; headers?: Record<string, string> };
const create = (body: object, key: string, { token = admin, headers }: Options = {}): Promise<Answer> =>
  app.call('POST', '/api/tenants', { token, body, headers: { 'idempotency-key': key, ...headers } });
const suspend = (id: string, key: string, { token = admin, headers }: Options = {}): Promise<Answer> =>
  app.call('POST', `/api/tenants/${id}/suspend`, {
    token,
    body: { reason: 'Unpaid since June' },
    headers: { 'idempotency-key': key, ...headers },
  });

const tenantsWith = (slug: string) => app.query(`select id from tenants where slug = $1`, [slug]);
const rowOf = async (key: string) =>
  (await app.query<Record<string, unknown>>(`select * from idempotency_keys where key = $1`, [key]))[0];
const isReplayed = (answer: Answer) => answer.headers.get('idempotent-replayed') === 'true';

/** As the key stands when the process that held it was killed in the middle of its work, nothing of which was kept. */
async function leaveHalfDone(key: string, tenantId: string, lockedUntil: string) {
  await app.query(
    `update idempotency_keys set response_status = null, response_body = null, locked_until = now() + $2::interval where key = $1`,
    [key, lockedUntil],
  );
  await app.query(`update tenants set status = 'ACTIVE' where id = $1`, [tenantId]);
}

describe('The same Idempotency-Key', () => {
  it('with the same request gets the same answer, and nothing is done again', async () => {
    const [key, body] = [randomUUID(), newTenant()];
    const first = await create(body, key);
    expectSuccess(first, 201);
    expect(isReplayed(first)).toBe(false);
    const again = await create(body, key);
    expect(again.status).toBe(201);
    expect(again.body).toEqual(first.body);
    expect(isReplayed(again)).toBe(true);
    expect(await tenantsWith(body.slug)).toHaveLength(1);
    expect(await auditOf(app, first)).toHaveLength(1);
    expect(await auditOf(app, again)).toEqual([]);
    const mails = await app.query(`select 1 from outbox_messages where tenant_id = $1`, [first.body.data.id]);
    expect(mails).toHaveLength(1);
  });

  it('with the same request in other words is the same: order of fields, spaces, capitals of an email', async () => {
    const [key, body] = [randomUUID(), newTenant()];
    const first = await create(body, key);
    const reordered = Object.fromEntries(Object.entries({ ...body, email: ' OFFICE@New.example ' }).toReversed());
    const again = await create(reordered, key, { headers: { 'user-agent': 'another' } });
    expect(again.body).toEqual(first.body);
    expect(isReplayed(again)).toBe(true);
  });

  it('with another body is a 422, and nothing is done', async () => {
    const [key, one, two] = [randomUUID(), newTenant(), newTenant()];
    expectSuccess(await create(one, key), 201);
    expectError(await create(two, key), 422, 'idempotency_key_reused');
    expect(await tenantsWith(two.slug)).toEqual([]);
    expect(isReplayed(await create(one, key))).toBe(true);
  });

  it('for another tenant in the path, or in the space of another tenant, is a 422', async () => {
    const key = randomUUID();
    const [one, two] = [await app.buildTenant(), await app.buildTenant()];
    expectSuccess(await suspend(one.id, key));
    expectError(await suspend(two.id, key), 422, 'idempotency_key_reused');
    expectError(await suspend(one.id, key, { headers: { 'x-tenant-id': one.id } }), 422, 'idempotency_key_reused');
    expect(await app.query(`select status from tenants where id = $1`, [two.id])).toEqual([{ status: 'ACTIVE' }]);
  });

  it('of ten at once one does the work; the others are told to wait, or get its answer', async () => {
    const [key, body] = [randomUUID(), newTenant()];
    const answers = await Promise.all(Array.from({ length: 10 }, () => create(body, key)));
    const done = answers.filter(({ status }) => status === 201);
    expect(done.filter((answer) => !isReplayed(answer))).toHaveLength(1);
    for (const answer of answers) {
      if (answer.status === 201) expect(answer.body).toEqual(done[0]?.body);
      else {
        expectError(answer, 409, 'request_in_progress');
        expect(answer.headers.get('retry-after')).toMatch(/^[12]$/);
      }
    }
    expect(await tenantsWith(body.slug)).toHaveLength(1);
    expect(isReplayed(await create(body, key))).toBe(true);
  });

  it('of two people does not meet', async () => {
    const [key, one, two] = [randomUUID(), newTenant(), newTenant()];
    const first = await create(one, key);
    const second = await create(two, key, { token: other });
    expectSuccess(second, 201);
    expect(second.body.data.slug).toBe(two.slug);
    expect(isReplayed(await create(one, key, { token: other }))).toBe(false);
    expect((await create(one, key)).body).toEqual(first.body);
  });

  it('for another operation is another key', async () => {
    const [key, { id }] = [randomUUID(), await app.buildTenant()];
    expectSuccess(await suspend(id, key));
    const activate = () =>
      app.call('POST', `/api/tenants/${id}/activate`, { token: admin, body: {}, headers: { 'idempotency-key': key } });
    expectSuccess(await activate());
    expect(isReplayed(await activate())).toBe(true);
  });

  it('is given back when the request fails, so that it can be put right', async () => {
    const key = randomUUID();
    const taken = newTenant();
    expectSuccess(await create(taken, randomUUID()), 201);
    expectError(await create(newTenant(taken.slug), key), 409, 'conflict', 'body slug');
    expect(await rowOf(key)).toBeUndefined();
    expectError(await create({ name: 'x' }, key), 400, 'validation_failed');
    expect(await rowOf(key)).toBeUndefined();
    const right = newTenant();
    expectSuccess(await create(right, key), 201);
    expect(isReplayed(await create(right, key))).toBe(true);
  });

  it('no longer helps who has lost the permission', async () => {
    const [key, body, user] = [randomUUID(), newTenant(), await app.buildAdmin()];
    const { token } = await app.signIn(user);
    expectSuccess(await create(body, key, { token }), 201);
    await app.query(`delete from role_assignments where user_id = $1`, [user.id]);
    await app.query(`update users set permission_version = permission_version + 1 where id = $1`, [user.id]);
    expectError(await create(body, key, { token }), 403, 'forbidden');
  });

  it('works within the space of a tenant', async () => {
    const [key, { id }] = [randomUUID(), await app.buildTenant()];
    const headers = { 'x-tenant-id': id };
    const first = await suspend(id, key, { headers });
    expectSuccess(first);
    const again = await suspend(id, key, { headers });
    expect(again.body).toEqual(first.body);
    expect(isReplayed(again)).toBe(true);
    expect(await rowOf(key)).toMatchObject({ tenant_id: id, response_status: 200 });
  });
});

describe('A key whose holder', () => {
  it('is at work makes others wait', async () => {
    const [key, { id }] = [randomUUID(), await app.buildTenant()];
    await suspend(id, key);
    await leaveHalfDone(key, id, '1 minute');
    const answer = await suspend(id, key);
    expectError(answer, 409, 'request_in_progress');
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(await app.query(`select status from tenants where id = $1`, [id])).toEqual([{ status: 'ACTIVE' }]);
  });

  it('has died is taken over, by one of those who ask again', async () => {
    const [key, { id }] = [randomUUID(), await app.buildTenant()];
    await suspend(id, key);
    await leaveHalfDone(key, id, '-1 second');
    const answers = await Promise.all(Array.from({ length: 5 }, () => suspend(id, key)));
    expect(answers.filter((answer) => answer.status === 200 && !isReplayed(answer))).toHaveLength(1);
    for (const answer of answers) if (answer.status !== 200) expectError(answer, 409, 'request_in_progress');
    expect(isReplayed(await suspend(id, key))).toBe(true);
    const history = await app.query(`select 1 from tenant_transitions where tenant_id = $1`, [id]);
    expect(history).toHaveLength(2);
  });

  it('has died is not taken over by another request', async () => {
    const [key, one, two] = [randomUUID(), await app.buildTenant(), await app.buildTenant()];
    await suspend(one.id, key);
    await leaveHalfDone(key, one.id, '-1 second');
    expectError(await suspend(two.id, key), 422, 'idempotency_key_reused');
  });

  it('was served a day ago is free, for another request and another tenant as well', async () => {
    const [key, one, two] = [randomUUID(), await app.buildTenant(), await app.buildTenant()];
    const within = (id: string) => suspend(id, key, { headers: { 'x-tenant-id': id } });
    expectSuccess(await within(one.id));
    await app.query(`update idempotency_keys set expires_at = now() - interval '1 second' where key = $1`, [key]);
    const answer = await within(two.id);
    expectSuccess(answer);
    expect(answer.body.data).toMatchObject({ id: two.id, status: 'SUSPENDED' });
    expect(isReplayed(answer)).toBe(false);
    expect(await rowOf(key)).toMatchObject({ tenant_id: two.id, response_status: 200 });
    expect(isReplayed(await within(two.id))).toBe(true);
  });
});

describe('An Idempotency-Key', () => {
  it.each([
    '',
    'short',
    'x'.repeat(201),
    'with a space',
    'tab\there!',
    'pä\xdfword-1',
    `${randomUUID()}, ${randomUUID()}`,
  ])('of the wrong shape, %j, is a 400', async (key) => {
    const body = newTenant();
    expectError(await create(body, key), 400, 'validation_failed', 'header Idempotency-Key');
    expect(await tenantsWith(body.slug)).toEqual([]);
  });

  it.each(['12345678', `'; drop table idempotency_keys; --`.replace(/ /g, '_'), '~!@#$%^&*()'])(
    'may be %s',
    async (key) => {
      const body = newTenant();
      expectSuccess(await create(body, key), 201);
      expect(isReplayed(await create(body, key))).toBe(true);
    },
  );

  it('is not needed: without one the same is done again, or refused for what it is', async () => {
    const body = newTenant();
    const send = () => app.call('POST', '/api/tenants', { token: admin, body });
    expectSuccess(await send(), 201);
    expectError(await send(), 409, 'conflict', 'body slug');
  });

  it('is not looked at where a repetition does no harm', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const headers = { 'idempotency-key': 'x' };
    const update = () => app.call('PUT', `/api/tenants/${tenantId}`, { token, body: { city: 'Sikar' }, headers });
    expectSuccess(await update());
    const again = await update();
    expectSuccess(again);
    expect(isReplayed(again)).toBe(false);
    expectSuccess(await app.call('GET', '/api/auth/me', { token, headers }));
    expectSuccess(await app.call('POST', '/api/auth/logout', { token, headers }));
  });
});
