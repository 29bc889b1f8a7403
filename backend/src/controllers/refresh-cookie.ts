import { environment } from '../config/environment.ts';
import type { SignedIn } from '../services/sign-in.service.ts';
import type { Cookies } from '../types/context.ts';

const COOKIE = 'studyspot_refresh';
const PATH = '/api/auth/refresh';

/** Browsers get the refresh token where no script can read it, programs get it in the body (rule 2). */
export function deliver(cookies: Cookies, { refreshToken, ...rest }: SignedIn, place: 'body' | 'cookie') {
  if (place === 'body') return { ...rest, refreshToken };
  cookies.set(COOKIE, refreshToken, { path: PATH, maxAgeSeconds: environment().REFRESH_TOKEN_DAYS * 86_400 });
  return { ...rest, refreshToken: null };
}

export const refreshCookie = (cookies: Cookies): string | undefined => cookies.get(COOKIE);

export const forgetRefreshCookie = (cookies: Cookies): void => cookies.clear(COOKIE, { path: PATH });
