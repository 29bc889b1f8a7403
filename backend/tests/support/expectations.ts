import { expect } from 'vitest';
import type { Answer } from './client.ts';

/** What must never leave: stacks, paths, SQL, names of tables, libraries and roles of the database. */
const inside =
  /node_modules|\/src\/|\.[jt]s:\d|\n\s+at |select .+ from|insert into|update .+ set|syntax error|relation "|column "|constraint|prisma|postgres|pg_|studyspot_|audit_logs|tenants_\w|users_\w|ECONN|undefined|\[object/i;

/** The envelope of an error, whole: nothing missing, nothing more, nothing of the inside. */
export function expectError(answer: Answer, status: number, code: string, field?: string): void {
  expect(answer.body, answer.text).toEqual({
    success: false,
    error: {
      message: expect.stringMatching(/^\S.{4,}/),
      code,
      statusCode: status,
      requestId: answer.headers.get('x-request-id'),
      ...(answer.body?.error?.details && { details: expect.any(Object) }),
    },
  });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(answer.text).not.toMatch(inside);
  if (field === undefined) return;
  const issues = answer.body.error.details?.issues as { in: string; field: string; message: string }[] | undefined;
  const issue = issues?.find((one) => `${one.in} ${one.field}`.trim() === field);
  expect(issue?.message, `${field} in ${answer.text}`).toMatch(/\S{2,}/);
  if (issues?.length === 1) expect(answer.body.error.message).toContain(issue?.field.split('.').at(-1));
}

export function expectSuccess(answer: Answer, status = 200): void {
  expect(answer.status, answer.text).toBe(status);
  expect(answer.body.success).toBe(true);
}
