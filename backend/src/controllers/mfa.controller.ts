import type { z } from 'zod';
import * as mfa from '../services/mfa.service.ts';
import * as codes from '../services/recovery-codes.service.ts';
import { verifySecondFactor } from '../services/second-factor.service.ts';
import * as steppingUp from '../services/step-up.service.ts';
import * as totp from '../services/totp.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type { confirmBody, stepUpBody, verifyBody } from '../validators/mfa.validator.ts';
import { deliver } from './refresh-cookie.ts';

export async function verifyMfa(ctx: ManualContext<null>, { body }: { body: z.output<typeof verifyBody> }) {
  const { refreshTokenIn, ...answer } = body;
  const { recoveryCodesLeft, ...signedIn } = await verifySecondFactor(ctx, answer);
  return { ...deliver(ctx.cookies, signedIn, refreshTokenIn), recoveryCodesLeft };
}

export const stepUp = (ctx: ManualContext<Actor>, { body }: { body: z.output<typeof stepUpBody> }) =>
  steppingUp.stepUp(ctx, body);

export const getSecondFactors = (ctx: ReadContext<Actor>) => mfa.getSecondFactors(ctx);

export const setUpTotp = (ctx: WriteContext<Actor>) => totp.setUpTotp(ctx);

export const confirmTotp = (ctx: WriteContext<Actor>, { body }: { body: z.output<typeof confirmBody> }) =>
  totp.confirmTotp(ctx, body.code);

export async function turnOffTotp(ctx: WriteContext<Actor>) {
  await totp.turnOffTotp(ctx);
  return { done: true as const };
}

export const renewRecoveryCodes = (ctx: WriteContext<Actor>) => codes.renewRecoveryCodes(ctx);
