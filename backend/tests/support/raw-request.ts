import { request } from 'node:http';
import type { Answer } from './client.ts';

export type RawRequest = {
  method?: string;
  path: string;
  headers?: Record<string, string | string[]>;
  body?: Buffer[];
};

/** What fetch would put right or refuse to send. */
export const rawRequestTo =
  (url: string) =>
  ({ method = 'GET', path, headers = {}, body = [] }: RawRequest): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(url);
      // A connection of its own: one kept from before may be closed by now.
      const options = { hostname, port, method, path, headers, agent: false, timeout: 15_000 };
      const sent = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const plain = Object.entries(response.headers).map(
            ([name, value]) => [name, String(value)] as [string, string],
          );
          resolve({
            status: response.statusCode ?? 0,
            headers: new Headers(plain),
            text,
            body: text.startsWith('{') ? JSON.parse(text) : null,
          });
        });
      });
      sent.on('error', reject);
      for (const chunk of body) sent.write(chunk);
      sent.end();
    });
