import type { Request, Response } from 'express';
import type { Cookies } from '../types/context.ts';

/** Cookies that scripts and other sites cannot reach. */
export function cookiesOf(request: Request, response: Response, secure: boolean): Cookies {
  const fixed = { httpOnly: true, sameSite: 'strict', secure } as const;
  return {
    get: (name) => readCookie(request.headers.cookie, name),
    set: (name, value, { path, maxAgeSeconds }) =>
      void response.cookie(name, value, { ...fixed, path, maxAge: maxAgeSeconds * 1000 }),
    clear: (name, { path }) => void response.clearCookie(name, { ...fixed, path }),
  };
}

function readCookie(header: string | undefined, name: string): string | undefined {
  const pair = header?.split(';').find((part) => part.trim().startsWith(`${name}=`));
  if (!pair) return undefined;
  try {
    return decodeURIComponent(pair.slice(pair.indexOf('=') + 1).trim());
  } catch {
    return undefined;
  }
}
