import * as files from '../controllers/files.controller.ts';
import * as v from '../validators/files.validator.ts';
import { endpoint, type Module } from './endpoint.ts';

export const filesModule: Module = {
  tag: 'Files',
  description: 'Links to files, which answers of other modules give',
  prefix: '/files',
  endpoints: [
    endpoint({
      method: 'get',
      path: '/:token',
      operationId: 'getLinkedFile',
      summary: 'Fetch the file of a link',
      description:
        'The link is all it takes, for as long as it lives. One that was made for a person works only while they may still do what the file is for.',
      access: 'public',
      params: v.linkToken,
      response: v.linkedFile,
      transaction: 'manual',
      handler: files.getLinkedFile,
    }),
  ],
};
