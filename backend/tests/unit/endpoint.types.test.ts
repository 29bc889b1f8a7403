import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { Transaction } from '../../src/config/database.ts';
import { endpoint, type Endpoint, type Module } from '../../src/routes/endpoint.ts';
import type { Actor, Reader, WriteContext } from '../../src/types/context.ts';
import { pageOf } from '../../src/utils/page.ts';

// What must not compile. The compiler checks this file with all others: an @ts-expect-error above a line without an
// error is an error itself. Nothing here is called over HTTP.

const about = { path: '/x', operationId: 'x', summary: 'x', description: 'x' } as const;
const get = { ...about, method: 'get' } as const;
const post = { ...about, method: 'post', audit: 'tenants.create' } as const;
const read = { permission: 'tenants.read' } as const;
const number = z.object({ n: z.number() });
const nothing = z.object({});
const answer = async () => ({ n: 1 });
const empty = async () => ({});

describe('A declaration does not compile', () => {
  it('without access', () => {
    // @ts-expect-error access has no default
    endpoint({ ...get, response: number, handler: answer });
  });

  it('with a permission, a role or a kind of access that does not exist', () => {
    // @ts-expect-error there is no such permission
    endpoint({ ...get, access: { permission: 'tenants.fly' }, response: number, handler: answer });
    // @ts-expect-error there is no such role
    endpoint({ ...get, access: { role: 'king' }, response: number, handler: answer });
    // @ts-expect-error nobody is let in like that
    endpoint({ ...get, access: 'everybody', response: number, handler: answer });
    // @ts-expect-error a tenant is required or the own
    endpoint({ ...get, access: { permission: 'tenants.read', tenant: 'any' }, response: number, handler: answer });
  });

  it('with a handler that answers something else', () => {
    // @ts-expect-error n is a number
    endpoint({ ...get, access: read, response: number, handler: async () => ({ n: 'one' }) });
    // @ts-expect-error n is missing
    endpoint({ ...get, access: read, response: number, handler: empty });
    // @ts-expect-error a list has meta as well
    endpoint({ ...get, access: read, response: pageOf(number), handler: async () => ({ items: [{ n: 1 }] }) });
  });

  it('as a write that does not say what is audited, or as a read that does', () => {
    // @ts-expect-error audit is missing
    endpoint({ ...about, method: 'post', access: read, response: number, handler: answer });
    // @ts-expect-error audit is missing
    endpoint({ ...about, method: 'put', access: read, response: number, handler: answer });
    // @ts-expect-error audit is missing
    endpoint({ ...about, method: 'delete', access: read, response: number, handler: answer });
    // @ts-expect-error no is no reason
    endpoint({ ...about, method: 'post', audit: false, access: read, response: number, handler: answer });
    // @ts-expect-error a read writes nothing
    endpoint({ ...get, audit: 'x.read', access: read, response: number, handler: answer });
    endpoint({
      ...about,
      method: 'post',
      audit: { none: 'changes nothing' },
      access: read,
      response: number,
      handler: answer,
    });
  });

  it('with a method, a status or a limit that does not exist', () => {
    // @ts-expect-error no such method
    endpoint({ ...about, method: 'fetch', access: read, response: number, handler: answer });
    // @ts-expect-error an answer is no redirection
    endpoint({ ...get, status: 302, access: read, response: number, handler: answer });
    // @ts-expect-error a limit has a time
    endpoint({ ...get, rateLimit: { points: 5 }, access: read, response: number, handler: answer });
    // @ts-expect-error a path begins with a slash
    endpoint({ ...get, path: 'x', access: read, response: number, handler: answer });
    // @ts-expect-error there is no such error
    endpoint({ ...get, errors: ['oops'], access: read, response: number, handler: answer });
  });
});

describe('A handler', () => {
  it('that reads has SQL within the scope, and nothing to write with', () => {
    endpoint({
      ...get,
      access: read,
      response: nothing,
      handler: async (ctx) => {
        expectTypeOf(ctx.sql).toEqualTypeOf<Reader>();
        expectTypeOf(ctx.actor).toEqualTypeOf<Actor>();
        expectTypeOf(ctx).not.toHaveProperty('db');
        expectTypeOf(ctx).not.toHaveProperty('audit');
        expectTypeOf(ctx).not.toHaveProperty('enqueue');
        expectTypeOf(ctx).not.toHaveProperty('transact');
        // @ts-expect-error a read has no db
        await ctx.db.tenant.count();
        return {};
      },
    });
  });

  it('that writes has the one transaction, and no way to another', () => {
    endpoint({
      ...post,
      access: read,
      response: nothing,
      handler: async (ctx) => {
        expectTypeOf(ctx.db).toEqualTypeOf<Transaction>();
        expectTypeOf(ctx.actor).toEqualTypeOf<Actor>();
        expectTypeOf(ctx).not.toHaveProperty('transact');
        // @ts-expect-error there is no such job
        ctx.enqueue('email.nonsense', {});
        // @ts-expect-error the payload of a welcome is a userId
        ctx.enqueue('email.welcome', { user: 'x' });
        // @ts-expect-error an audit row is about something
        ctx.audit({ details: {} });
        return {};
      },
    });
  });

  it('that is public knows nobody', () => {
    endpoint({
      ...get,
      access: 'public',
      response: nothing,
      handler: async (ctx) => {
        expectTypeOf(ctx.actor).toEqualTypeOf<null>();
        expectTypeOf(ctx).not.toHaveProperty('db');
        // @ts-expect-error nobody has signed in
        void (() => ctx.actor.id);
        return {};
      },
    });
  });

  it('that calls third parties has nothing open until it asks', () => {
    endpoint({
      ...post,
      access: read,
      transaction: 'manual',
      response: nothing,
      handler: async (ctx) => {
        expectTypeOf(ctx).not.toHaveProperty('db');
        expectTypeOf(ctx).not.toHaveProperty('audit');
        await ctx.transact(async (tx) => {
          expectTypeOf(tx).toEqualTypeOf<WriteContext<Actor>>();
        });
        return {};
      },
    });
  });

  it('gets what the schemas read, and nothing that was not declared', () => {
    endpoint({
      ...post,
      access: read,
      params: z.strictObject({ id: z.string() }),
      query: z.strictObject({ limit: z.coerce.number() }),
      body: z.strictObject({ a: z.string().transform((text) => text.length), b: z.boolean().optional() }),
      response: nothing,
      handler: async (_ctx, { params, query, body, ifMatch }) => {
        expectTypeOf(params).toEqualTypeOf<{ id: string }>();
        expectTypeOf(query).toEqualTypeOf<{ limit: number }>();
        expectTypeOf(body).toEqualTypeOf<{ a: number; b?: boolean | undefined }>();
        expectTypeOf(ifMatch).toEqualTypeOf<number | undefined>();
        // @ts-expect-error the body has no c
        void body.c;
        return {};
      },
    });
    endpoint({
      ...get,
      access: read,
      response: nothing,
      handler: async (_ctx, { params, query, body }) => {
        expectTypeOf({ params, query, body }).toEqualTypeOf<
          Record<'params' | 'query' | 'body', Record<string, never>>
        >();
        return {};
      },
    });
  });

  it('may answer what the response schema still turns into its output', () => {
    const moment = z.object({ at: z.date().transform((date) => date.toISOString()) });
    endpoint({ ...get, access: read, response: moment, handler: async () => ({ at: new Date() }) });
    // @ts-expect-error a text is what comes out, not what goes in
    endpoint({ ...get, access: read, response: moment, handler: async () => ({ at: '2026-08-11' }) });
  });
});

describe('What was declared', () => {
  it('is kept as it is, for the router and the document', () => {
    const declared = endpoint({ ...get, access: read, response: number, handler: answer });
    expectTypeOf(declared).toEqualTypeOf<Endpoint>();
    expectTypeOf([declared]).toExtend<Module['endpoints']>();
    expect(declared).toEqual({ ...get, access: read, response: number, handler: answer });
  });
});
