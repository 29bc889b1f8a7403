import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import { logAccess } from '../config/logger.ts';
import { countRequest } from '../config/metrics.ts';
import type { Actor } from '../types/context.ts';
import { normalAddress } from '../utils/ip-address.ts';

/** What the access log tells of a request, beyond HTTP; the router fills it in. */
export type RequestFacts = {
  requestId: string;
  ip: string;
  operationId?: string;
  actor?: Actor;
  tenantId?: string | null;
};

export const factsOf = (response: Response): RequestFacts => response.locals as RequestFacts;

const acceptable = /^[\w-]{8,64}$/;

/**
 * Gives each request an id (the caller's, if it sends a sane `x-request-id`) and writes one line when it is over.
 * The line has no query string, headers or bodies: they may hold personal data.
 */
export function requestLog(request: Request, response: Response, next: NextFunction): void {
  const began = process.hrtime.bigint();
  const given = request.headers['x-request-id'];
  const facts = factsOf(response);
  facts.requestId = typeof given === 'string' && acceptable.test(given) ? given : randomUUID();
  facts.ip = normalAddress(request.ip);
  response.setHeader('X-Request-Id', facts.requestId);
  response.once('close', () => {
    const status = response.writableFinished ? response.statusCode : 499;
    const ms = Number((process.hrtime.bigint() - began) / 1000n) / 1000;
    countRequest(facts.operationId, status, ms);
    logAccess({
      requestId: facts.requestId,
      method: request.method,
      operation: facts.operationId,
      status,
      ms,
      userId: facts.actor?.id,
      tenantId: facts.tenantId ?? undefined,
      ip: facts.ip,
    });
  });
  next();
}
