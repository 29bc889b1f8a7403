import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { modules } from '../../src/routes/index.ts';
import { exampleOf } from '../../src/routes/openapi-examples.ts';
import { toOpenApi } from '../../src/routes/openapi.ts';
import { fileTypesOf } from '../../src/utils/file-answer.ts';
import { pageShape } from '../../src/utils/page.ts';
import { backendFile } from '../../src/utils/backend-file.ts';
import { outdatedFiles } from '../../tools/generated-files.ts';

const run = promisify(execFile);
const root = backendFile('..');
const program = (name: string) => join(root, 'node_modules', '.bin', name);
const endpoints = modules.flatMap((module) => module.endpoints);
const operations = Object.values(toOpenApi(modules).paths ?? {}).flatMap((path) => Object.values(path));

describe('the OpenAPI document', () => {
  it('and .env.example and docs/permissions.md are what the code says: npm run generate', () => {
    expect(outdatedFiles()).toEqual([]);
  });

  it('has every endpoint, each with summary, description, tag, operationId and security', () => {
    expect(operations).toHaveLength(endpoints.length);
    for (const operation of operations) {
      expect(operation.summary, operation.operationId).toMatch(/^[A-Z].{3,60}$/);
      expect(operation.description.length, operation.operationId).toBeGreaterThan(20);
      expect(operation.tags, operation.operationId).toHaveLength(1);
      expect(operation.security, operation.operationId).toBeDefined();
    }
  });

  it('has for every operation an example of its answer and, where it takes one, of its body', () => {
    for (const operation of operations) {
      const success = Object.entries(operation.responses as object).find(([status]) => status.startsWith('2'))?.[1];
      const { 'application/json': json, ...files } = success.content;
      const isFile = Object.values(files).some((type) => (type as typeof json).schema.format === 'binary');
      if (!isFile) expect(json.example, operation.operationId).toBeDefined();
      if (operation.requestBody)
        for (const content of Object.values<{ example?: unknown }>(operation.requestBody.content))
          expect(content.example, operation.operationId).toBeDefined();
    }
  });

  it.each(endpoints)('$operationId: its examples are what it takes and answers', (endpoint) => {
    if (endpoint.body) expect(() => endpoint.body?.parse(exampleOf(endpoint.body, 'input'))).not.toThrow();
    if (fileTypesOf(endpoint.response)) return;
    const shape = pageShape(endpoint.response);
    const example = exampleOf(endpoint.response, 'output');
    const data = endpoint.response.parse(example);
    expect(data).toEqual(example);
    expect(shape ? Object.keys(data as object) : ['items', 'meta']).toEqual(['items', 'meta']);
  });

  it('passes the recommended rules of Redocly without a warning', async () => {
    const { stdout } = await run(program('redocly'), ['lint', 'backend/swagger.yaml', '--format=json'], { cwd: root });
    expect(JSON.parse(stdout).totals).toMatchObject({ errors: 0, warnings: 0 });
  }, 60_000);

  it('passes the recommended rules of Spectral without a warning', async () => {
    const { stdout } = await run(program('spectral'), ['lint', 'backend/swagger.yaml', '--fail-severity=hint'], {
      cwd: root,
    });
    expect(stdout).toContain('No results with a severity');
  }, 60_000);
});
