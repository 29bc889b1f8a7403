import { Readable } from 'node:stream';
import type { Scenario } from './scenario.ts';

export const filesScenarios: Record<string, Scenario> = {
  getLinkedFile: async (app) => {
    const { linkTo } = await import('../../../../src/services/file-links.service.ts');
    const { fileKey, fileStorage } = await import('../../../../src/services/file-storage.service.ts');
    const { id } = await app.buildTenant();
    const key = fileKey(id, 'exports', 'people.csv');
    await fileStorage().put(key, Readable.from(['name']));
    const { url } = await linkTo(key, { seconds: 60, name: 'people.csv', type: 'text/csv' });
    return { answer: await app.call('GET', new URL(url).pathname) };
  },
};
