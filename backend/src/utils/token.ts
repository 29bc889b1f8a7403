import { createHash, createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { environment } from '../config/environment.ts';

export const TOKEN_ISSUER = 'studyspot';
export const TOKEN_AUDIENCE = 'studyspot-admin-api';

/** The claims of the source design, and `sid` (session) and `pv` (permission version). */
export const accessTokenClaims = z.object({
  userId: z.string(),
  email: z.string().nullable(),
  role: z.string(),
  tenantId: z.string().optional(),
  type: z.enum(['ADMIN_USER', 'PLATFORM_USER']),
  /** A hint: worth something only while `pv` is the person's current one. */
  permissions: z.array(z.string()),
  sid: z.string(),
  pv: z.number().int(),
  /** Seconds since 1970. */
  exp: z.number(),
});

export type AccessTokenClaims = z.output<typeof accessTokenClaims>;

const keyId = (secret: string): string => createHash('sha256').update(`kid:${secret}`).digest('hex').slice(0, 8);

/**
 * @param until no longer than to this moment
 * @returns a signed access token and its life in seconds
 */
export function signAccessToken(
  claims: Omit<AccessTokenClaims, 'exp'>,
  until?: Date,
): { token: string; expiresIn: number } {
  const { JWT_SECRET, ACCESS_TOKEN_SECONDS } = environment();
  const left = until ? Math.floor((until.getTime() - Date.now()) / 1000) : ACCESS_TOKEN_SECONDS;
  const expiresIn = Math.max(1, Math.min(ACCESS_TOKEN_SECONDS, left));
  const token = jwt.sign(claims, JWT_SECRET, {
    algorithm: 'HS256',
    keyid: keyId(JWT_SECRET),
    issuer: TOKEN_ISSUER,
    audience: TOKEN_AUDIENCE,
    expiresIn,
  });
  return { token, expiresIn };
}

let keys: Map<string, KeyObject> | undefined;

/**
 * The secret that the token's header names, if it is the current or the previous one. As a key object: given a text,
 * jsonwebtoken would try with every token whether it is a public key.
 */
export function accessTokenSecretFor(token: string): KeyObject | undefined {
  keys ??= new Map(
    [environment().JWT_SECRET, environment().JWT_SECRET_PREVIOUS]
      .filter((secret) => secret !== undefined)
      .map((secret) => [keyId(secret), createSecretKey(secret, 'utf8')]),
  );
  try {
    const header = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString()) as {
      kid?: unknown;
    };
    return typeof header.kid === 'string' ? keys.get(header.kid) : undefined;
  } catch {
    return undefined;
  }
}

export type RefreshTokenParts = { sessionId: string; generation: number; signature: string };

/**
 * The refresh token of a session's n-th rotation. It is derived, so that none is stored, and so that a second tab
 * can be given the active one again (rule 2). Without the server's key the stored seed is worth nothing.
 */
export function refreshTokenOf(session: { id: string; refreshSeed: string }, generation: number): string {
  const signature = createHmac('sha256', environment().REFRESH_TOKEN_SECRET)
    .update(`${session.id}.${generation}.${session.refreshSeed}`)
    .digest('base64url');
  return `${session.id}.${generation}.${signature}`;
}

const refreshTokenPattern = /^(c[a-z0-9]{24})\.(0|[1-9][0-9]{0,8})\.([\w-]{43})$/;

export function parseRefreshToken(token: string): RefreshTokenParts | undefined {
  const [, sessionId, generation, signature] = refreshTokenPattern.exec(token) ?? [];
  if (!sessionId || !generation || !signature) return undefined;
  return { sessionId, generation: Number(generation), signature };
}

/** Whether this server made the token for this session, at whatever rotation. Takes the same time either way. */
export function isGenuineRefreshToken(session: { id: string; refreshSeed: string }, parts: RefreshTokenParts): boolean {
  const genuine = Buffer.from(refreshTokenOf(session, parts.generation));
  const given = Buffer.from(`${parts.sessionId}.${parts.generation}.${parts.signature}`);
  return genuine.length === given.length && timingSafeEqual(genuine, given);
}
