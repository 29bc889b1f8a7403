import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../support/client.ts';
import { expectError, expectSuccess } from '../support/expectations.ts';
import { rawRequestTo, type RawRequest } from '../support/raw-request.ts';
import { startTestApp, type TestApp } from '../support/server.ts';

let app: TestApp;
let admin: string;
let owner: string;
let tenantId: string;
beforeAll(async () => {
  app = await startTestApp();
  admin = await app.adminToken();
  ({ token: owner, tenantId } = await app.ownerWithToken());
});
afterAll(() => app.close());

const MEBIBYTE = 1024 * 1024;
const newTenant = (slug = `hall-${randomUUID().slice(0, 8)}`) => ({
  name: 'New Hall',
  slug,
  email: 'office@new.example',
  owner: { name: 'Meera', email: `${slug}@new.example` },
});
const create = (body: unknown, headers?: Record<string, string>) =>
  app.call('POST', '/api/tenants', { token: admin, body, headers });
const createRaw = (rawBody: string, headers?: Record<string, string>) =>
  app.call('POST', '/api/tenants', { token: admin, rawBody, headers });

const send = (raw: RawRequest): Promise<Answer> => rawRequestTo(app.url)(raw);

/** The server is none the worse for it. */
async function expectAlive(): Promise<void> {
  expectSuccess(await app.call('GET', '/api/auth/me', { token: owner }));
}

describe('A body that is no JSON', () => {
  it.each([
    '{',
    '{"name": }',
    "{'name': 'x'}",
    '{"name": "x"',
    'name=x',
    '{"a":1}{"b":2}',
    '[1,',
    '\u0000',
    '{"name":"\u0000"}',
    '   ',
    '{"name":NaN}',
    '<xml/>',
    '{"name":"\\ud8"}',
  ])('%j is a 400 that says so', async (rawBody) => {
    const answer = await createRaw(rawBody);
    expectError(answer, 400, 'malformed_request');
    expect(answer.body.error.message).toMatch(/not valid JSON/);
  });

  it('but bytes that are no UTF-8 within a text is refused or kept as well-formed text', async () => {
    const body = Buffer.concat([
      Buffer.from('{"name":"Hall '),
      Buffer.from([0xff, 0xfe, 0xc0, 0x80]),
      Buffer.from('"}'),
    ]);
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${owner}`,
      'content-length': String(body.length),
    };
    const answer = await send({ method: 'PUT', path: `/api/tenants/${tenantId}`, headers, body: [body] });
    expectSuccess(answer);
    expect(answer.body.data.name).toBe('Hall \ufffd\ufffd\ufffd\ufffd');
  });
});

describe('A body of another kind', () => {
  it.each([
    ['null', 'null'],
    ['a list', '[]'],
    ['a list with the right object in it', JSON.stringify([newTenant()])],
    ['a number', '7'],
    ['a text', '"name"'],
    ['true', 'true'],
  ])('%s is a 400: it must be an object', async (_what, rawBody) => {
    const answer = await createRaw(rawBody);
    expectError(answer, 400, 'validation_failed');
    expect(answer.body.error.message).toBe('The body is not valid: must be an object');
    const onSuspend = await app.call('POST', `/api/tenants/${tenantId}/suspend`, { token: admin, rawBody });
    expectError(onSuspend, 400, 'validation_failed');
  });

  it('is a 400 where there should be none', async () => {
    for (const rawBody of ['{"everywhere":true}', '[]', 'null']) {
      const answer = await app.call('POST', '/api/auth/logout', { token: owner, rawBody });
      expectError(answer, 400, 'validation_failed');
      expectError(await app.call('DELETE', '/api/auth/sessions', { token: owner, rawBody }), 400, 'validation_failed');
    }
    await expectAlive();
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/jsonp',
    'text/json',
    'json',
    'application/json; charset=latin1',
    'application/json; charset=utf-99',
  ])('with the content type %s is a 415', async (type) => {
    expectError(await create(newTenant(), { 'content-type': type }), 415, 'unsupported_media_type');
  });

  it('without a content type is a 415', async () => {
    const body = Buffer.from(JSON.stringify(newTenant()));
    const headers = { authorization: `Bearer ${admin}`, 'content-length': String(body.length) };
    expectError(
      await send({ method: 'POST', path: '/api/tenants', headers, body: [body] }),
      415,
      'unsupported_media_type',
    );
  });

  it('in a compression that is not known is a 415; one that is none, a 400', async () => {
    expectError(await create(newTenant(), { 'content-encoding': 'zstd-9' }), 415, 'unsupported_media_type');
    expectError(await create(newTenant(), { 'content-encoding': 'gzip' }), 400, 'malformed_request');
  });

  it('that is missing is a 400 that names what is missing', async () => {
    const answer = await app.call('POST', '/api/tenants', { token: admin });
    for (const field of ['name', 'email', 'owner']) expectError(answer, 400, 'validation_failed', `body ${field}`);
    expect(answer.body.error.details.issues).toContainEqual({
      in: 'body',
      field: 'name',
      message: 'is missing: it must be text',
    });
  });
});

describe('A body that is too large', () => {
  const authorized = () => ({ authorization: `Bearer ${admin}`, 'content-type': 'application/json' });
  const padded = (size: number) => `{"name":"${'x'.repeat(size)}"}`;

  it('of 2 MB is a 413 that tells the limit', async () => {
    const answer = await createRaw(padded(2 * MEBIBYTE));
    expectError(answer, 413, 'payload_too_large');
    expect(answer.body.error.message).toContain('1024 KiB');
    await expectAlive();
  });

  it('by one byte is a 413; that just fits is read', async () => {
    expectError(await createRaw(padded(MEBIBYTE - 10)), 413, 'payload_too_large');
    expectError(await createRaw(padded(MEBIBYTE - 11)), 400, 'validation_failed', 'body name');
  });

  it('sent in pieces, its length untold, is a 413', async () => {
    const body = Array.from({ length: 40 }, () => Buffer.from('x'.repeat(64 * 1024)));
    const answer = await send({
      method: 'POST',
      path: '/api/tenants',
      headers: { ...authorized(), 'transfer-encoding': 'chunked' },
      body,
    });
    expectError(answer, 413, 'payload_too_large');
    await expectAlive();
  });

  it('once it is inflated is a 413: 300 MB in 300 kB', async () => {
    const bomb = gzipSync(Buffer.alloc(300 * MEBIBYTE, 'x'));
    expect(bomb.length).toBeLessThan(MEBIBYTE / 2);
    const headers = { ...authorized(), 'content-encoding': 'gzip', 'content-length': String(bomb.length) };
    const answer = await send({ method: 'POST', path: '/api/tenants', headers, body: [bomb] });
    expectError(answer, 413, 'payload_too_large');
    await expectAlive();
  });

  it('is not even read of somebody who may not send it', async () => {
    const body = padded(2 * MEBIBYTE);
    expectError(await app.call('POST', '/api/tenants', { rawBody: body }), 401, 'unauthenticated');
    expectError(await app.call('POST', '/api/tenants', { token: owner, rawBody: body }), 403, 'forbidden');
  });

  it('but small and compressed is read', async () => {
    const body = gzipSync(JSON.stringify(newTenant()));
    const headers = { ...authorized(), 'content-encoding': 'gzip', 'content-length': String(body.length) };
    expectSuccess(await send({ method: 'POST', path: '/api/tenants', headers, body: [body] }), 201);
  });
});

describe('A body that is built to do harm', () => {
  it.each([
    ['deep lists', `{"name":${'['.repeat(400_000)}${']'.repeat(400_000)}}`, 'body name'],
    ['deep objects', `{"x":${'{"x":'.repeat(150_000)}1${'}'.repeat(150_000)}}`, 'body x'],
    ['60,000 fields', `{${Array.from({ length: 60_000 }, (_, index) => `"f${index}":1`).join()}}`, 'body f0'],
    ['one field of a very long name', `{"${'f'.repeat(500_000)}":1}`, `body ${'f'.repeat(100)}…`],
    ['__proto__', '{"__proto__":{"isAdmin":true}}', 'body __proto__'],
    ['constructor', '{"constructor":{"prototype":{"isAdmin":true}}}', 'body constructor'],
    ['toString', '{"toString":1}', 'body toString'],
    ['a nested __proto__', '{"owner":{"__proto__":{"isAdmin":true}}}', 'body owner.__proto__'],
    ['a name of NUL', '{"\\u0000":1}', 'body \u0000'],
    ['a name of half a character', '{"\\ud800":1}', 'body \ud800'],
  ])('%s is a 400', async (_what, rawBody, field) => {
    const answer = await createRaw(rawBody);
    expectError(answer, 400, 'validation_failed', field);
    expect(answer.text.length).toBeLessThan(20_000);
    expect(answer.body.error.details.issues.length).toBeLessThanOrEqual(50);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    await expectAlive();
  });

  it('with the same field twice counts the last, as everywhere', async () => {
    const { slug, ...rest } = newTenant();
    const text = JSON.stringify({ slug, ...rest }).replace('{', '{"slug":"NOT A SLUG","name":7,');
    const answer = await createRaw(text);
    expectSuccess(answer, 201);
    expect(answer.body.data).toMatchObject({ slug, name: 'New Hall' });
  });

  it.each([
    ['NUL', 'Hall\u0000'],
    ['a control character', 'Hall\u001b[2J'],
    ['half a character', 'Hall\ud800'],
    ['the other half', '\udc00Hall'],
    ['nothing but spaces', '     '],
    ['a number', 12],
    ['a list', ['Hall']],
    ['an object', { $ne: '' }],
    ['true', true],
    ['null', null],
    ['120 characters and one', 'x'.repeat(121)],
  ])('with %s for a name is a 400 that names it', async (_what, name) => {
    const answer = await create({ ...newTenant(), name });
    expectError(answer, 400, 'validation_failed', 'body name');
    expectError(
      await create({ ...newTenant(), owner: { ...newTenant().owner, name } }),
      400,
      'validation_failed',
      'body owner.name',
    );
    const update = await app.call('PUT', `/api/tenants/${tenantId}`, { token: owner, body: { name } });
    expectError(update, 400, 'validation_failed', 'body name');
  });

  it.each([
    [{ email: 'no-email' }, 'body email', 'must be an email address'],
    [{ phone: '12' }, 'body phone', 'must be a phone number, such as'],
    [{ gstin: '27AAPFU0939F1ZW' }, 'body gstin', 'must be a GSTIN whose check character is right'],
    [{ state: 'XX' }, 'body state', 'must be one of JK, HP, '],
    [{ pincode: '012345' }, 'body pincode', 'must be six digits'],
    [{ slug: 'No Slug' }, 'body slug', 'must be lower-case letters and digits'],
    [{ slug: 'ab' }, 'body slug', 'must have at least 3 characters'],
    [{ timeZone: 'Asia/Atlantis' }, 'body timeZone', 'must be an IANA time zone'],
    [{ trialDays: 91 }, 'body trialDays', 'must be 90 or less'],
    [{ trialDays: -1 }, 'body trialDays', 'must be 0 or more'],
    [{ trialDays: 1.5 }, 'body trialDays', 'must be a whole number'],
    [{ trialDays: '14' }, 'body trialDays', 'must be a number'],
    [{ addressLine: 'x'.repeat(301) }, 'body addressLine', 'must have at most 300 characters'],
    [{ owner: 'Meera' }, 'body owner', 'must be an object'],
    [{ owner: { name: 'Meera' } }, 'body owner.email', 'is missing: it must be text'],
    [{ status: 'ACTIVE' }, 'body status', 'is not known here'],
    [{ owner: { ...newTenant().owner, role: 'super_admin' } }, 'body owner.role', 'is not known here'],
  ])('%j is a 400 that says what was expected', async (changes, field, message) => {
    const answer = await create({ ...newTenant(), ...changes });
    expectError(answer, 400, 'validation_failed', field);
    expect(answer.body.error.details.issues[0].message).toContain(message);
  });

  it('tells everything that is wrong at once', async () => {
    const answer = await app.call('POST', '/api/tenants?dry=1', {
      token: admin,
      body: { name: 'x', phone: '1', owner: {}, nonsense: 1 },
    });
    const fields = [
      'query dry',
      'body name',
      'body email',
      'body phone',
      'body owner.name',
      'body owner.email',
      'body nonsense',
    ];
    for (const field of fields) expectError(answer, 400, 'validation_failed', field);
  });
});

describe('What is taken already is a 409 that names it:', () => {
  it('a slug', async () => {
    const body = newTenant();
    expectSuccess(await create(body), 201);
    const answer = await create({ ...newTenant(), slug: body.slug });
    expectError(answer, 409, 'conflict', 'body slug');
    expect(answer.body.error.message).toBe('slug is taken already.');
  });

  it("an owner's email, in any case, of whomever", async () => {
    const [{ email }, body] = [await app.buildAdmin(), newTenant()];
    for (const spelled of [email, email?.toUpperCase()]) {
      const answer = await create({ ...body, owner: { name: 'Meera', email: spelled } });
      expectError(answer, 409, 'conflict', 'body owner.email');
    }
    expect(await app.query(`select 1 from tenants where slug = $1`, [body.slug])).toEqual([]);
  });

  it('the same of ten who are equally fast: one gets it', async () => {
    const { slug } = newTenant();
    const answers = await Promise.all(Array.from({ length: 10 }, () => create({ ...newTenant(), slug })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const answer of answers) if (answer.status !== 201) expectError(answer, 409, 'conflict', 'body slug');
  });
});
