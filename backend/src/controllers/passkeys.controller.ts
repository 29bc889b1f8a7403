import type { z } from 'zod';
import { beginPasskeySignIn, signInWithPasskey } from '../services/passkey-sign-in.service.ts';
import * as passkeys from '../services/passkeys.service.ts';
import { secondFactorOptions } from '../services/second-factor.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type { loginBody, loginOptionsBody, registerBody } from '../validators/passkeys.validator.ts';
import { deliver } from './refresh-cookie.ts';

export const listPasskeys = (ctx: ReadContext<Actor>, { query }: { query: { page: number; limit: number } }) =>
  passkeys.listPasskeys(ctx, query);

export const beginRegistration = (ctx: WriteContext<Actor>) => passkeys.beginRegistration(ctx);

export const register = (ctx: WriteContext<Actor>, { body }: { body: z.output<typeof registerBody> }) =>
  passkeys.register(ctx, body);

export async function removePasskey(ctx: WriteContext<Actor>, { params }: { params: { id: string } }) {
  await passkeys.removePasskey(ctx, params.id);
  return { done: true as const };
}

export const beginStepUp = (ctx: WriteContext<Actor>) => passkeys.beginStepUp(ctx);

export async function loginOptions(ctx: WriteContext<null>, { body }: { body: z.output<typeof loginOptionsBody> }) {
  const { challenge } = body;
  return { options: await (challenge === undefined ? beginPasskeySignIn(ctx) : secondFactorOptions(ctx, challenge)) };
}

export async function login(ctx: ManualContext<null>, { body }: { body: z.output<typeof loginBody> }) {
  const { refreshTokenIn, ...answer } = body;
  return deliver(ctx.cookies, await signInWithPasskey(ctx, answer), refreshTokenIn);
}
