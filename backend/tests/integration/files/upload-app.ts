import { readFile, stat } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { z } from 'zod';
import type { Module } from '../../../src/routes/endpoint.ts';
import type { Upload } from '../../../src/types/upload.ts';
import { clientOf } from '../../support/client.ts';

const fields = z.strictObject({
  title: z.string().max(50).optional().meta({ example: 'March' }),
  dryRun: z.enum(['true', 'false']).optional().meta({ example: 'true' }),
});
const answer = z
  .object({ name: z.string(), sizeBytes: z.number(), sha256: z.string(), mode: z.string(), text: z.string() })
  .meta({ example: { name: 'a.csv', sizeBytes: 1, sha256: '00', mode: '600', text: 'x' } });

/** What the handler saw, and how it is told to end. */
export const seen: { uploads: Upload[]; failure: Error | undefined; wait: Promise<void> | undefined } = {
  uploads: [],
  failure: undefined,
  wait: undefined,
};

/** An endpoint that takes a file, as a module would declare it, on a server of its own. */
export async function startUploadApp(maxBytes: number) {
  const { endpoint } = await import('../../../src/routes/endpoint.ts');
  const { toRouter } = await import('../../../src/routes/router.ts');
  const { requestLog } = await import('../../../src/middleware/logger.middleware.ts');
  const { answerError } = await import('../../../src/middleware/error.middleware.ts');
  const module: Module = {
    tag: 'Files',
    description: 'Takes files',
    prefix: '/files',
    endpoints: [
      endpoint({
        method: 'post',
        path: '/',
        operationId: 'takeFile',
        summary: 'Take a file',
        description: 'Takes a file and tells what it was.',
        access: 'authenticated',
        upload: { field: 'file', maxBytes, description: 'A text.' },
        body: fields,
        response: answer,
        status: 201,
        audit: { none: 'nothing is kept' },
        transaction: 'manual',
        handler: async (_ctx, { upload }) => {
          seen.uploads.push(upload);
          await seen.wait;
          if (seen.failure) throw seen.failure;
          const { path, ...told } = upload;
          const mode = ((await stat(path)).mode & 0o777).toString(8);
          return { ...told, mode, text: (await readFile(path, 'utf8')).slice(0, 100) };
        },
      }),
    ],
  };
  const app = express().use(requestLog).use('/api/files', toRouter(module)).use(answerError);
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    module,
    call: clientOf(url),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
