import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { Endpoint } from '../../src/routes/endpoint.ts';
import { modules } from '../../src/routes/index.ts';
import { newId } from '../../src/utils/ids.ts';
import { exampleBody, neededHeaders, requestOf } from '../support/example-request.ts';
import { someAddress } from '../support/factories.ts';
import { expectError } from '../support/expectations.ts';
import { startTestApp, type TestApp } from '../support/server.ts';

// Loops over the body of every endpoint that is declared: what it does not name cannot be set through it, however deep.

let app: TestApp;
let admin: string;
beforeAll(async () => {
  app = await startTestApp();
  admin = await app.elevatedToken();
});
afterAll(() => app.close());

const writes = modules
  .flatMap(({ prefix, endpoints }) =>
    endpoints.map((endpoint) => ({ endpoint, path: `/api${prefix}${endpoint.path}` })),
  )
  .filter(({ endpoint }) => endpoint.body)
  .map((one) => ({ ...one, name: one.endpoint.operationId }));

/** A call by somebody who may do everything, from an address of its own. */
async function send(endpoint: Endpoint, path: string, rawBody: string) {
  const headers = { 'x-forwarded-for': someAddress(), ...neededHeaders(endpoint) };
  const token = endpoint.access === 'public' ? undefined : await tokenWithin(endpoint);
  const request = endpoint.upload ? requestOf(endpoint, JSON.parse(rawBody) as Record<string, unknown>) : { rawBody };
  return app.call(endpoint.method.toUpperCase(), path.replace(/:\w+/g, newId()), { token, headers, ...request });
}

const used = new Map<string, number>();
/** A limit of the endpoint must not answer in place of the validation. */
async function tokenWithin({ operationId, rateLimit }: Endpoint): Promise<string> {
  const most = typeof rateLimit === 'object' ? rateLimit.points : Number.POSITIVE_INFINITY;
  const calls = (used.get(operationId) ?? 0) + 1;
  used.set(operationId, calls);
  return calls < most ? admin : app.elevatedToken();
}

/** What would be worth setting: who somebody is, whose row it is, what they may do, what they prove it with. */
const coveted: Record<string, unknown> = {
  tenant_id: newId(),
  type: 'ADMIN_USER',
  passwordHash: '$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA',
  permissionVersion: 1,
  emailVerified: true,
  isAdmin: true,
  builtIn: true,
  createdAt: '2020-01-01T00:00:00Z',
  deletedAt: null,
  elevatedUntil: '2999-01-01T00:00:00Z',
  createdById: newId(),
  secretHash: 'x',
};
const namesItself = (endpoint: Endpoint, key: string) =>
  Object.hasOwn((endpoint.body as unknown as z.ZodObject).shape ?? {}, key);

describe('A body cannot set', () => {
  it.each(writes)('what $name does not name', async ({ endpoint, path }) => {
    for (const [key, value] of Object.entries({ ...coveted, role: 'super_admin', tenantId: newId(), id: newId() })) {
      if (namesItself(endpoint, key)) continue;
      const answer = await send(endpoint, path, JSON.stringify({ ...exampleBody(endpoint), [key]: value }));
      expectError(answer, 400, 'validation_failed');
      expect(answer.text).toContain(`"${key}"`);
    }
  });

  it.each(writes)('a prototype, in $name', async ({ endpoint, path }) => {
    const body = JSON.stringify(exampleBody(endpoint)).slice(0, -1);
    const comma = body.length > 1 ? ',' : '';
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      const answer = await send(endpoint, path, `${body}${comma}"${key}":{"isAdmin":true,"role":"super_admin"}}`);
      expect(answer.status, answer.text).toBe(400);
      expectError(answer, 400, answer.body.error.code);
    }
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });
});

type Field = { name: string; schema: z.ZodType };
const fieldsOf = (endpoint: Endpoint): Field[] =>
  Object.entries((endpoint.body as unknown as z.ZodObject).shape ?? {}).map(([name, schema]) => ({
    name,
    schema: schema as z.ZodType,
  }));
const takes = ({ schema }: Field, value: unknown) => schema.safeParse(value).success;

describe('Too much of a good thing is refused', () => {
  const fields = writes.flatMap((one) =>
    fieldsOf(one.endpoint).map((field) => ({ ...one, field, fieldName: field.name })),
  );

  it.each(fields)('in $fieldName of $name', async ({ endpoint, path, field }) => {
    const huge: unknown[] = [
      // What makes a careless pattern try every way to split it.
      `${'a'.repeat(60_000)}!`,
      `${'1-'.repeat(30_000)}x`,
      `a@${'a.'.repeat(30_000)}`,
      ' '.repeat(60_000),
      Array.from({ length: 10_001 }, () => 'x'),
      Array.from({ length: 10_001 }, () => ({})),
      Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`k${index}`, index])),
      JSON.parse(`${'['.repeat(1_000)}${']'.repeat(1_000)}`),
    ];
    for (const value of huge) {
      expect(takes(field, value), `${field.name} takes ${JSON.stringify(value).slice(0, 40)}`).toBe(false);
      const answer = await send(endpoint, path, JSON.stringify({ ...exampleBody(endpoint), [field.name]: value }));
      expectError(answer, 400, 'validation_failed');
      expect(answer.text.length, 'the answer does not give it back').toBeLessThan(10_000);
    }
  });
});
