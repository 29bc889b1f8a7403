import type { NextFunction, Request, Response } from 'express';
import { logger } from '../config/logger.ts';
import { mapDatabaseError } from '../utils/database-errors.ts';
import { AppError } from '../utils/errors.ts';
import { errorBody } from '../utils/response.ts';
import { factsOf } from './logger.middleware.ts';

/** The one place where errors become answers. What was not foreseen is logged whole and answered without a word of the inside. */
export function answerError(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  if (response.headersSent) return next(error);
  const { requestId, operationId } = factsOf(response);
  const failure = toAppError(error);
  if (failure.statusCode >= 500) logger.error('A request failed', { requestId, operationId, error });
  else if (failure.cause)
    logger.warn('A request was refused', { requestId, operationId, code: failure.code, error: failure.cause });
  if (failure.details?.retryAfterSeconds) response.setHeader('Retry-After', failure.details.retryAfterSeconds);
  if (failure.statusCode === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  response.setHeader('Cache-Control', 'no-store');
  response.status(failure.statusCode).json(errorBody(failure, requestId));
}

function toAppError(error: unknown): AppError {
  const mapped = mapDatabaseError(error);
  if (mapped instanceof AppError) return mapped;
  if (mapped instanceof URIError) return new AppError('malformed_request', 'The path is not valid percent-encoding.');
  return new AppError('internal_error', 'Something went wrong on our side. Tell support the requestId.');
}

export function answerNotFound(request: Request, _response: Response, next: NextFunction): void {
  next(new AppError('not_found', `There is no ${request.method} ${request.path.slice(0, 200)}. See /api/docs.`));
}
