import type { z } from 'zod';
import * as auth from '../services/auth.service.ts';
import { verifyEmail as confirmEmail, resendVerification } from '../services/email-verification.service.ts';
import * as invites from '../services/invite-acceptance.service.ts';
import * as passwordChange from '../services/password-change.service.ts';
import * as passwordReset from '../services/password-reset.service.ts';
import { updateProfile } from '../services/profile.service.ts';
import * as refreshing from '../services/refresh.service.ts';
import * as sessions from '../services/sessions.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type {
  acceptInviteBody,
  changePasswordBody,
  forgotPasswordBody,
  loginBody,
  profileBody,
  refreshBody,
  resetPasswordBody,
  verifyEmailBody,
} from '../validators/auth.validator.ts';
import { deliver, forgetRefreshCookie, refreshCookie } from './refresh-cookie.ts';

export async function login(ctx: ManualContext<null>, { body }: { body: z.output<typeof loginBody> }) {
  const answer = await auth.login(ctx, body);
  return 'mfaRequired' in answer ? answer : deliver(ctx.cookies, answer, body.refreshTokenIn);
}

/** A refresh that loses never clears the cookie: another tab may just have been given a better one. */
export async function refresh(ctx: ManualContext<null>, { body }: { body: z.output<typeof refreshBody> }) {
  const place = body.refreshToken === undefined ? 'cookie' : 'body';
  return deliver(ctx.cookies, await refreshing.refresh(ctx, body.refreshToken ?? refreshCookie(ctx.cookies)), place);
}

export async function logout(ctx: WriteContext<Actor>) {
  await auth.logout(ctx);
  forgetRefreshCookie(ctx.cookies);
  return { done: true as const };
}

export async function forgotPassword(ctx: WriteContext<null>, { body }: { body: z.output<typeof forgotPasswordBody> }) {
  passwordReset.requestPasswordReset(ctx, body);
  return { message: 'If there is such an account, a mail is on its way.' };
}

export async function resetPassword(ctx: ManualContext<null>, { body }: { body: z.output<typeof resetPasswordBody> }) {
  await passwordReset.resetPassword(ctx, body);
  return { done: true as const };
}

export async function changePassword(
  ctx: ManualContext<Actor>,
  { body }: { body: z.output<typeof changePasswordBody> },
) {
  await passwordChange.changePassword(ctx, body);
  return { done: true as const };
}

export async function acceptInvite(ctx: ManualContext<null>, { body }: { body: z.output<typeof acceptInviteBody> }) {
  await invites.acceptInvite(ctx, body);
  return { done: true as const };
}

export async function verifyEmail(ctx: ManualContext<null>, { body }: { body: z.output<typeof verifyEmailBody> }) {
  await confirmEmail(ctx, body.token);
  return { done: true as const };
}

export async function resendEmailVerification(ctx: WriteContext<Actor>) {
  await resendVerification(ctx);
  return { message: 'A mail is on its way.' };
}

export async function updateMe(ctx: WriteContext<Actor>, { body }: { body: z.output<typeof profileBody> }) {
  await updateProfile(ctx, body);
  return auth.getMe(ctx);
}

export const getMe = (ctx: ReadContext<Actor>) => auth.getMe(ctx);

export const listSessions = (ctx: ReadContext<Actor>, { query }: { query: { page: number; limit: number } }) =>
  sessions.listSessions(ctx, query);

export async function revokeSession(ctx: WriteContext<Actor>, { params }: { params: { id: string } }) {
  await sessions.revokeSession(ctx, params.id);
  return { revoked: 1 };
}

export const revokeOtherSessions = async (ctx: WriteContext<Actor>) => ({
  revoked: await sessions.revokeOtherSessions(ctx),
});
