import type { Request } from 'express';
import { Passport } from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { accessTokenClaims, accessTokenSecretFor, TOKEN_AUDIENCE, TOKEN_ISSUER } from '../utils/token.ts';
import { actorOfSession } from '../services/principal.service.ts';
import { AppError } from '../utils/errors.ts';
import type { Actor } from '../types/context.ts';

const passport = new Passport();

passport.use(
  new Strategy(
    {
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: (_request, token: string, done) => {
        const secret = accessTokenSecretFor(token);
        done(secret ? null : new AppError('unauthenticated', signInAgain), secret);
      },
      algorithms: ['HS256'],
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
    },
    (payload: unknown, done) => {
      const claims = accessTokenClaims.safeParse(payload);
      if (!claims.success) return done(null, false);
      actorOfSession(claims.data).then(
        (actor) => done(null, actor ?? false),
        (error: unknown) => done(error, false),
      );
    },
  ),
);

const signInAgain = 'Sign in: the access token is missing, expired or no longer valid.';

/**
 * Who sends the request. The token proves the session; what they may do now comes from the database.
 * @throws AppError unauthenticated, the same for every reason
 */
export const authenticate = (request: Request): Promise<Actor> =>
  new Promise((resolve, reject) => {
    const answer = (error: unknown, actor: Actor | false | undefined) => {
      if (error) return reject(error);
      if (actor) return resolve(actor);
      return reject(new AppError('unauthenticated', signInAgain));
    };
    const middleware = passport.authenticate('jwt', { session: false }, answer) as (
      request: Request,
      response: undefined,
      next: (error: unknown) => void,
    ) => void;
    middleware(request, undefined, reject);
  });
