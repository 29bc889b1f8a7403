import cors from 'cors';
import { environment } from '../config/environment.ts';

/** Browsers of the listed origins may call; every other origin is told nothing. */
export const crossOrigin = () =>
  cors({
    origin: environment().CORS_ORIGINS,
    credentials: true,
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'If-Match', 'X-Request-Id', 'X-Tenant-Id'],
    exposedHeaders: [
      'ETag',
      'X-Request-Id',
      'RateLimit-Limit',
      'RateLimit-Remaining',
      'RateLimit-Reset',
      'Retry-After',
    ],
    maxAge: 600,
  });
