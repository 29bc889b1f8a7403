/** Every error the API answers with, and its HTTP status. */
export const ERROR_STATUS = {
  malformed_request: 400,
  validation_failed: 400,
  token_invalid: 400,
  unauthenticated: 401,
  invalid_credentials: 401,
  payment_failed: 402,
  forbidden: 403,
  tenant_mismatch: 403,
  tenant_required: 403,
  tenant_suspended: 403,
  step_up_required: 403,
  password_expired: 403,
  mfa_required: 403,
  address_refused: 403,
  impersonation_restricted: 403,
  exceeds_own_permissions: 403,
  last_super_admin: 409,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  conflict: 409,
  limit_reached: 409,
  invalid_transition: 409,
  request_in_progress: 409,
  version_mismatch: 412,
  version_required: 428,
  payload_too_large: 413,
  unsupported_media_type: 415,
  idempotency_key_reused: 422,
  rate_limited: 429,
  headers_too_large: 431,
  internal_error: 500,
  service_unavailable: 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** What was wrong with one field of the input. */
export type FieldIssue = { in: 'path' | 'query' | 'body' | 'header'; field: string; message: string };

export type ErrorDetails = { issues?: FieldIssue[]; retryAfterSeconds?: number; [name: string]: unknown };

/** An error whose message and details are meant for the caller. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails | undefined;

  constructor(code: ErrorCode, message: string, details?: ErrorDetails, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
    this.details = details;
  }

  get statusCode(): number {
    return ERROR_STATUS[this.code];
  }
}

/**
 * The row, or a 404. What belongs to another tenant is not seen by the query and ends here too: nobody learns that
 * it exists.
 */
export function orNotFound<Row>(row: Row | null | undefined, what: string): Row {
  if (row === null || row === undefined) throw new AppError('not_found', `There is no such ${what}.`);
  return row;
}

/**
 * What a rule finds wrong with one field that had the right shape.
 * @param told the sentence of the error, where the usual one does not do
 */
export function invalidField(
  field: string,
  message: string,
  told = `The body is not valid: ${field} ${message}`,
  place: FieldIssue['in'] = 'body',
): AppError {
  return new AppError('validation_failed', told, { issues: [{ in: place, field, message }] });
}

/**
 * Two people edit the same: the second is told instead of undoing what the first did.
 * @param seen the version of If-Match, if there was one
 * @throws AppError version_mismatch
 */
export function assertVersion(seen: number | undefined, current: number, what: string): void {
  if (seen === undefined || seen === current) return;
  throw new AppError(
    'version_mismatch',
    `Somebody has changed the ${what} since you read it. Read it again and repeat your change.`,
    { version: current },
  );
}
