import express, { type Request, type Response } from 'express';
import { z } from 'zod';
import { BODY_LIMIT_BYTES, REQUEST_TIMEOUT_SECONDS } from '../config/constants.ts';
import type { Endpoint, SignedRequest } from '../routes/endpoint.ts';
import type { Upload } from '../types/upload.ts';
import { cutOffLater } from '../utils/cut-off.ts';
import { AppError, type FieldIssue } from '../utils/errors.ts';
import { readForm, removeUpload } from './upload.middleware.ts';

const nothing = z.strictObject({});
const parseJson = express.json({ limit: BODY_LIMIT_BYTES, strict: false });
/** As it came: what is compressed was signed compressed or not, and nobody would know. */
const takeRaw = express.raw({ limit: BODY_LIMIT_BYTES, inflate: false, type: () => true });

type RawInput = { params: unknown; query: unknown; body: unknown };
type RawBody = { body: unknown; upload?: Upload | undefined; signed?: SignedRequest; issues?: FieldIssue[] };

/**
 * Everything the request says, checked against the declaration. All that is wrong is told at once. A file that came
 * along is the caller's to remove.
 */
export async function validateInput(endpoint: Endpoint, request: Request, response: Response) {
  const { body, upload, signed, issues = [] } = await readBody(endpoint, request, response);
  try {
    const raw = { params: request.params, query: request.query, body };
    return { ...check(endpoint, raw, request.headers['if-match'], issues), upload, signed };
  } catch (error) {
    await removeUpload(upload);
    throw error;
  }
}

function check(endpoint: Endpoint, raw: RawInput, ifMatchHeader: string | undefined, found: FieldIssue[]) {
  const issues: FieldIssue[] = [];
  const checkPart = (place: FieldIssue['in'], schema: z.ZodType | undefined, value: unknown): unknown => {
    const read = (schema ?? nothing).safeParse(value, { error: expectation });
    if (read.success) return read.data;
    issues.push(...read.error.issues.flatMap((issue) => fieldIssues(place, issue)));
    return undefined;
  };
  const params = checkPart('path', endpoint.params, raw.params);
  const query = checkPart('query', endpoint.query, raw.query);
  const body = checkPart('body', endpoint.body, raw.body);
  issues.push(...found);
  const ifMatch = endpoint.ifMatch ? versionOf(ifMatchHeader, issues) : undefined;
  if (endpoint.ifMatch === 'required' && ifMatchHeader === undefined && issues.length === 0) {
    throw new AppError('version_required', 'Send If-Match with the ETag of what you have read, such as "3".');
  }
  if (issues.length > 0) {
    const first = issues[0] as FieldIssue;
    const message = [first.field, first.message].filter(Boolean).join(' ');
    throw new AppError('validation_failed', `The ${first.in} is not valid: ${message}`, {
      issues: issues.slice(0, 50),
    });
  }
  return { params, query, body, ifMatch };
}

const kinds: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

/** What was expected, to follow the name of the field; what a schema says itself goes before this. */
function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type': {
      const kind = kinds[issue.expected];
      if (issue.input === undefined) return kind ? `is missing: it must be ${kind}` : 'is missing';
      return kind && `must be ${kind}`;
    }
    case 'invalid_value':
      return issue.input === undefined ? 'is missing' : `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must ${amount(issue.origin, Number(issue.minimum), 'or more', 'at least')}`;
    case 'too_big':
      return `must ${amount(issue.origin, Number(issue.maximum), 'or less', 'at most')}`;
    default:
      return undefined;
  }
}

function amount(origin: string, limit: number, after: string, before: string): string {
  if (origin === 'string') return `have ${before} ${limit} ${limit === 1 ? 'character' : 'characters'}`;
  if (origin === 'array') return `have ${before} ${limit} ${limit === 1 ? 'item' : 'items'}`;
  return `be ${limit} ${after}`;
}

function fieldIssues(place: FieldIssue['in'], issue: z.core.$ZodIssue): FieldIssue[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      in: place,
      field: shorten([...path, key].join('.')),
      message: 'is not known here',
    }));
  }
  return [{ in: place, field: shorten(path.join('.')), message: issue.message }];
}

const shorten = (name: string) => (name.length > 100 ? `${name.slice(0, 100)}…` : name);

function versionOf(header: string | undefined, issues: FieldIssue[]): number | undefined {
  if (header === undefined) return undefined;
  const version = /^"(\d{1,9})"$/.exec(header)?.[1];
  if (version) return Number(version);
  issues.push({ in: 'header', field: 'If-Match', message: 'must be the ETag that was answered, such as "3"' });
  return undefined;
}

/** Read only now: a caller who may not do this cannot make the server read a body. */
async function readBody(endpoint: Endpoint, request: Request, response: Response): Promise<RawBody> {
  const isEmpty =
    request.headers['transfer-encoding'] === undefined && !(Number(request.headers['content-length']) > 0);
  if (endpoint.signed) {
    const rawBody = isEmpty ? undefined : await readWith(takeRaw, request, response);
    return {
      body: {},
      signed: { rawBody: (rawBody as Buffer) ?? Buffer.alloc(0), header: (name) => request.get(name) },
    };
  }
  if (endpoint.upload) {
    if (isEmpty) return { body: {}, issues: [{ in: 'body', field: endpoint.upload.field, message: 'is missing' }] };
    const { fields, upload, issues } = await readForm(request, endpoint.upload);
    return { body: fields, upload, issues };
  }
  if (endpoint.method === 'get' || isEmpty) return { body: {} };
  if (!request.is('application/json')) {
    throw new AppError(
      'unsupported_media_type',
      'Send the body as JSON, with the header Content-Type: application/json.',
    );
  }
  return { body: await readWith(parseJson, request, response) };
}

async function readWith(parse: typeof parseJson, request: Request, response: Response): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => {
        reject(new AppError('request_timeout', 'The request took too long to arrive. Send it again.'));
        cutOffLater(request);
      }, REQUEST_TIMEOUT_SECONDS * 1000);
      parse(request, response, (error?: unknown) => (error ? reject(bodyError(error)) : resolve()));
    });
  } finally {
    clearTimeout(timer);
  }
  return request.body as unknown;
}

function bodyError(error: unknown): unknown {
  const { type, message } = error as { type?: string; message?: string };
  if (type === 'entity.too.large') {
    return new AppError('payload_too_large', `The body is larger than ${BODY_LIMIT_BYTES / 1024} KiB.`);
  }
  if (type === 'entity.parse.failed')
    return new AppError('malformed_request', `The body is not valid JSON: ${message}`);
  if (type === 'encoding.unsupported' || type === 'charset.unsupported') {
    return new AppError(
      'unsupported_media_type',
      'Send the body as UTF-8, plain or compressed with gzip, br or deflate.',
    );
  }
  return new AppError('malformed_request', 'The body could not be read.', undefined, { cause: error });
}
