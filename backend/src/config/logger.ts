import winston from 'winston';
import { logStream } from './log-stream.ts';

export type LogFields = Record<string, unknown>;
export type Log = Record<'debug' | 'info' | 'warn' | 'error', (message: string, fields?: LogFields) => void>;

const secretName = /pass(word|phrase)|secret|token|authorization|cookie|api[-_]?key|otp|refresh|hash$|seed$/i;
const bearer = /\b(Bearer)\s+[\w.~+/=-]{6,}/gi;
const basic = /\b(Basic)\s+([a-z0-9+/]{4,}={0,2})/gi;
const jwt = /\beyJ[\w-]+\.[\w-]+\.[\w-]+/g;
const urlPassword = /(\/\/[^/\s:@]*:)[^@/\s]+@/g;

/** `Basic dXNlcjpwYXNz` is a secret, “the basic plan” is not. */
const isNameAndPassword = (base64: string): boolean => Buffer.from(base64, 'base64').includes(':');

/** A copy without anything that must not be written down: secrets by the name of their field, tokens by their look. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    return value
      .replace(bearer, '$1 [redacted]')
      .replace(basic, (said, scheme, word) => (isNameAndPassword(word) ? `${scheme} [redacted]` : said))
      .replace(jwt, '[redacted]')
      .replace(urlPassword, '$1[redacted]@');
  }
  if (typeof value === 'bigint') return String(value);
  if (value === null || typeof value !== 'object') return value;
  // A date that is none would end the line with an error.
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value;
  if (depth > 6) return '[too deep]';
  if (value instanceof Error) return redact(errorFields(value), depth + 1);
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      secretName.test(name) && item !== null && typeof item !== 'boolean' ? '[redacted]' : redact(item, depth + 1),
    ]),
  );
}

const errorFields = (error: Error): LogFields => ({
  name: error.name,
  message: error.message,
  ...('code' in error && { code: error.code }),
  stack: error.stack,
  ...(error.cause !== undefined && { cause: error.cause }),
});

/** JSON with the fields of a line as they come: they are plain values, redacted already. */
const jsonLine = winston.format((line) => {
  const { level, message, ...fields } = line;
  line[Symbol.for('message')] = JSON.stringify({ timestamp: new Date().toISOString(), level, message, ...fields });
  return line;
});

const output = logStream();

const winstonLogger = winston.createLogger({
  level: process.env.LOG_LEVEL ?? 'info',
  format: jsonLine(),
  transports: [new winston.transports.Stream({ stream: output })],
  silent: process.env.NODE_ENV === 'test' && !process.env.LOG_LEVEL,
  exitOnError: false,
});

const write = (level: keyof Log, fixed: LogFields) => (message: string, fields?: LogFields) => {
  if (!winstonLogger.isLevelEnabled(level)) return;
  winstonLogger.log(level, redact(message) as string, redact({ ...fixed, ...fields }) as LogFields);
};

/** A log whose lines all carry `fixed`, such as the id of the request. JSON, one line each, secrets redacted. */
export const logWith = (fixed: LogFields): Log => ({
  debug: write('debug', fixed),
  info: write('info', fixed),
  warn: write('warn', fixed),
  error: write('error', fixed),
});

export const logger: Log = logWith({});

/**
 * The line of one request, in the form of every other. Its fields are ours alone, so that nothing needs to be
 * redacted; it goes past Winston's stages, which cost more than the line.
 */
export function logAccess(fields: LogFields): void {
  if (!winstonLogger.isLevelEnabled('info') || winstonLogger.silent) return;
  output.write(
    `${JSON.stringify({ timestamp: new Date().toISOString(), level: 'info', message: 'request', ...fields })}\n`,
  );
}
