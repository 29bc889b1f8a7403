import { AppError } from './errors.ts';

type DatabaseError = {
  code?: unknown;
  message?: string;
  constraint?: string;
  table?: string;
  meta?: { driverAdapterError?: { cause?: Cause } };
  cause?: unknown;
};
type Cause = {
  kind?: string;
  originalCode?: string;
  constraint?: { fields?: string[]; index?: string };
  table?: string;
};

const causeOf = (error: DatabaseError): Cause | undefined =>
  error.meta?.driverAdapterError?.cause ?? (typeof error.cause === 'object' ? (error.cause as Cause) : undefined);

/** The SQLSTATE, whether the error came through Prisma or from the driver; or Prisma's own code. */
const codesOf = (error: DatabaseError): string[] =>
  [error.code, causeOf(error)?.originalCode].filter((code): code is string => typeof code === 'string');

const matches = (error: DatabaseError, ...codes: string[]) => codesOf(error).some((code) => codes.includes(code));

/** The database asks to run the transaction again: serialization failure or deadlock. */
export function isRetryable(error: unknown): boolean {
  const failure = error as DatabaseError;
  return matches(failure, '40001', '40P01', 'P2034') || causeOf(failure)?.kind === 'TransactionWriteConflict';
}

const unavailable = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  // Class 08, connection; 57P0x, the server stops or starts; 53300, too many connections
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  // A statement, a lock or an idle transaction ran into its limit
  '57014',
  '55P03',
  '25P03',
  // Prisma: unreachable, timed out, closed, no connection in time, transaction not begun in time
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2024',
  'P2028',
];
const unavailableText =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|not queryable|Client was closed|server closed the connection|Can't reach database|Transaction (API error|already closed)|Unable to start a transaction|connection to server|shutting down|recovery mode/i;

function isUnavailable(error: DatabaseError): boolean {
  const kind = causeOf(error)?.kind;
  return (
    matches(error, ...unavailable) ||
    ['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections'].includes(kind ?? '') ||
    unavailableText.test(error.message ?? '')
  );
}

/** `users_email_key` → `email`; of a table of several words `subscription_plans_code_key` → `code`. */
function fieldOf(error: DatabaseError): string | undefined {
  const { constraint, table = error.table } = causeOf(error) ?? {};
  const named = constraint?.fields?.at(-1)?.replaceAll('"', '');
  if (named) return camelCase(named);
  const index =
    constraint?.index ?? error.constraint ?? /constraint: `(\w+)`|constraint "(\w+)"/.exec(error.message ?? '')?.[1];
  const bare = index?.replace(/_(key|idx|fkey)$/, '');
  const column =
    table && bare?.startsWith(`${table}_`) ? bare.slice(table.length + 1) : bare?.split('_').slice(1).join('_');
  return column ? camelCase(column) : undefined;
}

const camelCase = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/**
 * What a failure of the database means to the caller; anything unforeseen is returned as it is, and becomes a 500.
 * The text of the database never reaches the caller.
 */
export function mapDatabaseError(error: unknown): unknown {
  if (error instanceof AppError || typeof error !== 'object' || error === null) return error;
  const failure = error as DatabaseError;
  const options = { cause: error };
  if (isRetryable(error)) {
    return new AppError('conflict', 'Somebody else changed the same at the same time. Try again.', undefined, options);
  }
  if (matches(failure, '23505', 'P2002')) {
    const field = fieldOf(failure);
    const issues = field ? [{ in: 'body' as const, field, message: 'is taken already' }] : undefined;
    return new AppError('conflict', `${field ?? 'It'} is taken already.`, { field, issues }, options);
  }
  if (matches(failure, '42501', 'P2025'))
    return new AppError('not_found', 'There is no such thing.', undefined, options);
  if (matches(failure, '23503', 'P2003')) {
    return new AppError(
      'conflict',
      'It refers to something that is not there, or something still refers to it.',
      undefined,
      options,
    );
  }
  if (isUnavailable(failure)) {
    return new AppError(
      'service_unavailable',
      'The database does not answer. Try again in a moment.',
      { retryAfterSeconds: 2 },
      options,
    );
  }
  return error;
}
