import { DEVICE_COOKIE, DEVICE_DAYS, MOST_IN_COOKIE, shownDeviceTokens } from '../services/known-devices.service.ts';
import type { SignedIn } from '../services/sign-in.service.ts';
import type { Cookies } from '../types/context.ts';

const COOKIE = 'studyspot_refresh';
const PATH = '/api/auth/refresh';
const DEVICE_PATH = '/api/auth';

/**
 * Browsers get the refresh token where no script can read it, programs get it in the body (rule 2); and alike that by
 * which the device is recognised.
 */
export function deliver(cookies: Cookies, signedIn: SignedIn, place: 'body' | 'cookie') {
  const { refreshToken, refreshSeconds, deviceToken, ...rest } = signedIn;
  if (place === 'body') return { ...rest, refreshToken, ...(deviceToken && { deviceToken }) };
  cookies.set(COOKIE, refreshToken, { path: PATH, maxAgeSeconds: refreshSeconds });
  if (!deviceToken) return { ...rest, refreshToken: null };
  const others = shownDeviceTokens(cookies).filter((token) => token !== deviceToken);
  const kept = [deviceToken, ...others].slice(0, MOST_IN_COOKIE).join('~');
  cookies.set(DEVICE_COOKIE, kept, { path: DEVICE_PATH, maxAgeSeconds: DEVICE_DAYS * 86_400 });
  return { ...rest, refreshToken: null, deviceToken: null };
}

export const refreshCookie = (cookies: Cookies): string | undefined => cookies.get(COOKIE);

export const forgetRefreshCookie = (cookies: Cookies): void => cookies.clear(COOKIE, { path: PATH });
