import cors from 'cors';
import type { RequestHandler } from 'express';
import { environment } from '../config/environment.ts';

/** Browsers of the listed origins may call; every other origin is told nothing. */
export function crossOrigin(): RequestHandler {
  const answer = cors({
    origin: environment().CORS_ORIGINS,
    credentials: true,
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'If-Match', 'X-Request-Id', 'X-Tenant-Id'],
    exposedHeaders: [
      'ETag',
      'Idempotent-Replayed',
      'X-Impersonated-By',
      'X-Request-Id',
      'RateLimit-Limit',
      'RateLimit-Remaining',
      'RateLimit-Reset',
      'Retry-After',
    ],
    maxAge: 600,
  });
  // Only browsers on another site send Origin: nobody else needs an answer.
  return (request, response, next) => (request.headers.origin === undefined ? next() : answer(request, response, next));
}
