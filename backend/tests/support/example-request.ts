import type { Endpoint } from '../../src/routes/endpoint.ts';
import { exampleOf } from '../../src/routes/openapi-examples.ts';
import type { CallOptions, FormFile } from './client.ts';

/** A PNG of one pixel: a file for endpoints that take one, which whoever is refused before does not get to look at. */
export const onePixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** Where another file is asked for. */
const exampleFiles: Record<string, FormFile> = {
  importPeople: { name: 'people.csv', content: Buffer.from('Name,Mobile\nRavi Kumar,98290 12345\n'), type: 'text/csv' },
};

export const exampleBody = ({ body }: Endpoint): Record<string, unknown> =>
  body ? (exampleOf(body, 'input') as Record<string, unknown>) : {};

/** Fields as the endpoint takes them: as JSON, or where it takes a file as a form, in which everything is text. */
export function requestOf(endpoint: Endpoint, fields: Record<string, unknown>): Pick<CallOptions, 'body' | 'form'> {
  if (!endpoint.upload) return { body: fields };
  const texts = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value),
  ]);
  const file = exampleFiles[endpoint.operationId] ?? { name: 'example.png', content: onePixel, type: 'image/png' };
  return { form: { ...(Object.fromEntries(texts) as Record<string, string>), [endpoint.upload.field]: file } };
}

let keys = 0;

/** The headers without which the endpoint takes nothing: a version, and a key that nobody used. */
export const neededHeaders = ({ ifMatch, idempotency }: Endpoint): Record<string, string> => ({
  ...(ifMatch === 'required' && { 'if-match': '"1"' }),
  ...(idempotency === 'required' && { 'idempotency-key': `example-${process.pid}-${(keys += 1)}` }),
});

/** The example of what the endpoint takes, if it takes anything. */
export const exampleRequest = (endpoint: Endpoint): Pick<CallOptions, 'body' | 'form'> =>
  endpoint.body || endpoint.upload ? requestOf(endpoint, exampleBody(endpoint)) : {};
