import type { Request } from 'express';
import { LRUCache } from 'lru-cache';
import { Passport } from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import {
  accessTokenClaims,
  accessTokenSecretFor,
  type AccessTokenClaims,
  TOKEN_AUDIENCE,
  TOKEN_ISSUER,
} from '../utils/token.ts';
import { actorOfApiKey } from '../services/api-key-principal.service.ts';
import type { ContextBase } from '../services/context.service.ts';
import { isWorthRemembering, principalBehind, type Principal } from '../services/principal.service.ts';
import { looksLikeApiKey } from '../utils/api-key.ts';
import { AppError } from '../utils/errors.ts';
import type { Actor } from '../types/context.ts';

const passport = new Passport();

passport.use(
  new Strategy(
    {
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: (_request, token: string, done) => {
        const secret = accessTokenSecretFor(token);
        // Its types know no key objects, jsonwebtoken does.
        done(secret ? null : new AppError('unauthenticated', signInAgain), secret as unknown as Buffer);
      },
      algorithms: ['HS256'],
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
    },
    (payload: unknown, done) => done(null, accessTokenClaims.safeParse(payload).data ?? false),
  ),
);

type Known = { claims: AccessTokenClaims; principal?: Principal };

/**
 * Tokens whose signature was found right, until they expire, and who was found behind them: what they allow is asked
 * anew each time all the same.
 */
const verified = new LRUCache<string, Known>({ max: 10_000 });

const knownToken = (header: string): Known | undefined => {
  const known = verified.get(header);
  return known && known.claims.exp * 1000 > Date.now() ? known : undefined;
};

const signInAgain = 'Sign in: the access token or API key is missing, expired or no longer valid.';

const bearer = /^bearer (\S+)$/i;

/**
 * Who sends the request. A token proves the session, a key itself; what they may do now comes from the database.
 * @param ip as `normalAddress` gives it
 * @param base of the request in the scope of sign-in, which only a key needs
 * @throws AppError unauthenticated, the same for every reason; address_refused
 */
export async function authenticate(request: Request, ip: string, base: () => ContextBase<null>): Promise<Actor> {
  const header = request.headers.authorization ?? '';
  const token = bearer.exec(header)?.[1] ?? '';
  const actor = looksLikeApiKey(token) ? await actorOfApiKey(base(), token) : await actorOfToken(request, header, ip);
  if (!actor) throw new AppError('unauthenticated', signInAgain);
  return actor;
}

async function actorOfToken(request: Request, header: string, ip: string): Promise<Actor | undefined> {
  const claims = knownToken(header)?.claims ?? (await verifyToken(request));
  const principal = await principalBehind(claims, ip);
  const remembered = principal && isWorthRemembering(principal, claims) ? principal : undefined;
  verified.set(header, { claims, ...(remembered && { principal: remembered }) });
  return principal?.actor;
}

/** Who sent an earlier request with this token: nothing may leave for them before it is sure that nothing has changed. */
export const rememberedPrincipal = (request: Request): Principal | undefined =>
  knownToken(request.headers.authorization ?? '')?.principal;

const verifyToken = (request: Request): Promise<AccessTokenClaims> =>
  new Promise((resolve, reject) => {
    const answer = (error: unknown, claims: AccessTokenClaims | false | undefined) => {
      if (claims) resolve(claims);
      else reject(error ?? new AppError('unauthenticated', signInAgain));
    };
    const middleware = passport.authenticate('jwt', { session: false }, answer) as (
      request: Request,
      response: undefined,
      next: (error: unknown) => void,
    ) => void;
    middleware(request, undefined, reject);
  });
