import type { Response } from 'express';
import { RateLimiterRes } from 'rate-limiter-flexible';
import { environment } from '../config/environment.ts';
import { takePoint, type Allowance, type Limit } from '../config/limits.ts';
import type { Endpoint } from '../routes/endpoint.ts';
import type { Actor } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { addressPrefix } from '../utils/ip-address.ts';

async function consume(name: string, limit: Limit, key: string, response: Response): Promise<void> {
  try {
    tell(response, limit, await takePoint(name, limit, key));
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    tell(response, limit, { remaining: 0, milliseconds: refusal.msBeforeNext });
    const retryAfterSeconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000));
    throw new AppError('rate_limited', `Too many requests. Try again in ${retryAfterSeconds} s.`, {
      retryAfterSeconds,
    });
  }
}

function tell(response: Response, { points }: Limit, { remaining, milliseconds }: Allowance): void {
  response.setHeader('RateLimit-Limit', points);
  response.setHeader('RateLimit-Remaining', remaining);
  response.setHeader('RateLimit-Reset', Math.ceil(milliseconds / 1000));
}

/**
 * Requests without a valid token: all that one address sends, then what the endpoint allows on top. A provider sends
 * from few addresses what concerns many: the limit of its endpoint is the only one.
 */
export async function limitAddress(endpoint: Endpoint, ip: string, response: Response): Promise<void> {
  if (endpoint.rateLimit === 'none') return;
  const address = addressPrefix(ip);
  if (!endpoint.signed)
    await consume('ip', { points: environment().RATE_LIMIT_IP_PER_MINUTE, seconds: 60 }, address, response);
  if (endpoint.access === 'public' && endpoint.rateLimit) {
    await consume(endpoint.operationId, endpoint.rateLimit, address, response);
  }
}

/** Requests of a signed-in person: all of theirs, then what the endpoint allows on top. */
export async function limitActor(endpoint: Endpoint, actor: Actor, response: Response): Promise<void> {
  await consume('user', { points: environment().RATE_LIMIT_USER_PER_MINUTE, seconds: 60 }, actor.id, response);
  if (typeof endpoint.rateLimit === 'object')
    await consume(endpoint.operationId, endpoint.rateLimit, actor.id, response);
}
