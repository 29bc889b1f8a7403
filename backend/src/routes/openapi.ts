import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiRequestBodyObject,
} from 'zod-openapi';
import { takesIdempotencyKey } from '../middleware/idempotency.middleware.ts';
import { ERROR_STATUS, type ErrorCode } from '../utils/errors.ts';
import { fileTypesOf } from '../utils/file-answer.ts';
import { pageShape } from '../utils/page.ts';
import type { Endpoint, Module } from './endpoint.ts';
import { exampleOf } from './openapi-examples.ts';

const errorSchema = z
  .object({
    success: z.literal(false),
    error: z.object({
      message: z.string().meta({ description: 'What was wrong and what to do, for people' }),
      code: z
        .enum(Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]])
        .meta({ description: 'What was wrong, for programs' }),
      statusCode: z.number().int(),
      details: z
        .looseObject({
          issues: z
            .array(
              z.object({ in: z.enum(['path', 'query', 'body', 'header']), field: z.string(), message: z.string() }),
            )
            .optional()
            .meta({ description: 'Each field that was wrong' }),
          retryAfterSeconds: z.number().optional(),
        })
        .optional(),
      requestId: z.string().meta({ description: 'Tell it to support' }),
    }),
  })
  .meta({ id: 'Error', description: 'The answer to every request that failed' });

const tenantHeader = z.string().optional().meta({
  description: 'Portal admins with tenants.access: work within this tenant only',
  example: 'cm3k8v1x40000qp2h9d7f5a6b',
});
const idempotencyHeader = z.string().min(8).max(200).meta({
  description: 'New for each request; the same again gives the first answer again',
  example: '5f0c4c1e-2a53-4c07-9c2b-8f4d1f3f6a10',
});
const ifMatchHeader = z.string().optional().meta({ description: 'The ETag that was answered', example: '"1"' });

/** The errors that follow from the declaration, and those that it names. */
function errorsOf(endpoint: Endpoint): ErrorCode[] {
  const { access, method, params, body, upload, signed, errors = [] } = endpoint;
  const isOpen = access === 'public';
  return [
    'validation_failed',
    ...(body || upload || signed
      ? (['malformed_request', 'payload_too_large', 'unsupported_media_type'] as const)
      : []),
    ...(signed ? (['unauthenticated'] as const) : []),
    ...(upload ? (['request_timeout'] as const) : []),
    ...(isOpen ? [] : (['unauthenticated', 'forbidden'] as const)),
    ...(typeof access === 'object' && 'tenant' in access ? (['tenant_mismatch', 'tenant_suspended'] as const) : []),
    ...(params || !isOpen ? (['not_found'] as const) : []),
    ...(method !== 'get' && !isOpen ? (['conflict'] as const) : []),
    ...(takesIdempotencyKey(endpoint) ? (['request_in_progress', 'idempotency_key_reused'] as const) : []),
    ...(endpoint.ifMatch ? (['version_mismatch'] as const) : []),
    ...(endpoint.rateLimit === 'none' ? [] : (['rate_limited'] as const)),
    ...errors,
    'internal_error',
    'service_unavailable',
  ];
}

function errorResponses(endpoint: Endpoint): Record<string, object> {
  const byStatus = new Map<number, Set<ErrorCode>>();
  for (const code of errorsOf(endpoint)) {
    const codes = byStatus.get(ERROR_STATUS[code]) ?? new Set();
    byStatus.set(ERROR_STATUS[code], codes.add(code));
  }
  const entries = [...byStatus].toSorted(([a], [b]) => a - b);
  return Object.fromEntries(entries.map(([status, codes]) => [String(status), errorResponse(status, [...codes])]));
}

const knownResponses = new Map<string, object>();

/** Operations with the same errors share one response of the document. */
function errorResponse(status: number, codes: ErrorCode[]): object {
  const id = `${status}_${codes.join('_')}`;
  const known = knownResponses.get(id);
  if (known) return known;
  const response = { id, ...describeErrors(status, codes) };
  knownResponses.set(id, response);
  return response;
}

const describeErrors = (status: number, codes: ErrorCode[]) => ({
  description: `${STATUS_CODES[status]}: ${codes.join(', ')}`,
  content: {
    'application/json': {
      schema: errorSchema,
      example: {
        success: false,
        error: {
          message: 'What was wrong and what to do.',
          code: codes[0],
          statusCode: status,
          requestId: 'b7e7c1b0-6a1e-4f3a-9d1c-2f4b8a6d5e30',
        },
      },
    },
  },
});

const accessText = ({ access, signed }: Pick<Endpoint, 'access' | 'signed'>): string => {
  if (signed) return 'For providers, who sign what they send.';
  if (access === 'public') return 'Open to everybody.';
  if (access === 'authenticated') return 'For everybody who is signed in.';
  if ('role' in access) return `Needs the role \`${access.role}\`.`;
  const who = access.tenant
    ? ', for portal admins and for users of a tenant, who reach their own tenant only'
    : ', for portal admins';
  return `Needs the permission \`${access.permission}\`${who}.`;
};

function successSchema(endpoint: Endpoint): z.ZodType {
  const shape = pageShape(endpoint.response);
  const success = z.literal(true).meta({ example: true });
  return shape
    ? z.object({ success, data: shape.items, meta: shape.meta })
    : z.object({ success, data: endpoint.response });
}

/** What the body of the answer is: JSON in the envelope, or a file. */
function contentOf(endpoint: Endpoint): Record<string, object> {
  const types = fileTypesOf(endpoint.response);
  if (types) return Object.fromEntries(types.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]));
  const answer = successSchema(endpoint);
  return { 'application/json': { schema: answer, example: exampleOf(answer, 'output') } };
}

function headersOf(endpoint: Endpoint): z.ZodObject | undefined {
  const isForAdmins = typeof endpoint.access === 'object' && 'permission' in endpoint.access;
  const headers = {
    ...(isForAdmins && { 'x-tenant-id': tenantHeader }),
    ...(takesIdempotencyKey(endpoint) && {
      'Idempotency-Key': endpoint.idempotency === 'required' ? idempotencyHeader : idempotencyHeader.optional(),
    }),
    ...(endpoint.ifMatch && { 'If-Match': ifMatchHeader }),
    ...(endpoint.signed && {
      [endpoint.signed.header]: z.string().meta({ description: endpoint.signed.description, example: 'a'.repeat(64) }),
    }),
  };
  return Object.keys(headers).length > 0 ? z.object(headers) : undefined;
}

const asSigned = z.looseObject({}).meta({ description: 'Whatever the provider sends' });

/** What the body of the request is: JSON, or a form with a file. */
function bodyContentOf({ body, upload, signed }: Endpoint): ZodOpenApiRequestBodyObject['content'] {
  if (signed) return { 'application/json': { schema: asSigned, example: {} } };
  if (!upload) return { 'application/json': { schema: body, example: body && exampleOf(body, 'input') } };
  const { field, maxBytes, description } = upload;
  const file = z.file().meta({ description: `${description} At most ${maxBytes} bytes.`, example: '(the file)' });
  const form = ((body ?? z.strictObject({})) as z.ZodObject).extend({ [field]: file });
  return { 'multipart/form-data': { schema: form, example: exampleOf(form, 'input') } };
}

function operationOf(endpoint: Endpoint, tag: string): ZodOpenApiOperationObject {
  const { params, query, body } = endpoint;
  const header = headersOf(endpoint);
  return {
    operationId: endpoint.operationId,
    summary: endpoint.summary,
    description: `${endpoint.description}\n\n${accessText(endpoint)}`,
    tags: [tag],
    security: endpoint.access === 'public' ? [] : [{ bearer: [] }],
    requestParams: {
      ...(params && { path: params as z.ZodObject }),
      ...(query && { query: query as z.ZodObject }),
      ...(header && { header }),
    },
    ...((body || endpoint.upload || endpoint.signed) && {
      requestBody: { required: true, content: bodyContentOf(endpoint) },
    }),
    responses: {
      [String(endpoint.status ?? 200)]: {
        description: STATUS_CODES[endpoint.status ?? 200] ?? 'OK',
        content: contentOf(endpoint),
      },
      ...errorResponses(endpoint),
    } as ZodOpenApiOperationObject['responses'],
  };
}

function pathsOf(modules: readonly Module[]): ZodOpenApiPathsObject {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const { prefix, tag, endpoints } of modules) {
    for (const endpoint of endpoints) {
      const path = `${prefix}${endpoint.path}`.replace(/\/$/, '').replace(/:(\w+)/g, '{$1}');
      (paths[`/api${path}`] ??= {})[endpoint.method] = operationOf(endpoint, tag);
    }
  }
  return paths;
}

/** The OpenAPI document, from the declarations alone. */
export const toOpenApi = (modules: readonly Module[]) =>
  createDocument({
    openapi: '3.1.0',
    info: {
      title: 'StudySpot Admin Portal API',
      version: '1.0.0',
      description:
        'The API with which the company behind StudySpot runs its business: its tenants, their people and everything between.',
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
      contact: {
        name: 'StudySpot engineering',
        url: 'https://studyspot.example/support',
        email: 'engineering@studyspot.example',
      },
    },
    servers: [{ url: '/', description: 'This server' }],
    tags: modules.map(({ tag, description }) => ({ name: tag, description })),
    paths: pathsOf(modules),
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Access token of POST /api/auth/login',
        },
      },
    },
  });
