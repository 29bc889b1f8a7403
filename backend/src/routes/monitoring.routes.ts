import * as monitoring from '../controllers/monitoring.controller.ts';
import * as v from '../validators/monitoring.validator.ts';
import { endpoint, type Module } from './endpoint.ts';

export const monitoringModule: Module = {
  tag: 'Monitoring',
  description: 'For load balancers and orchestrators',
  prefix: '/monitoring',
  endpoints: [
    endpoint({
      method: 'get',
      path: '/live',
      operationId: 'getLive',
      summary: 'Does the process answer',
      description: 'Touches neither database nor Redis.',
      access: 'public',
      response: v.live,
      rateLimit: 'none',
      handler: monitoring.getLive,
    }),
    endpoint({
      method: 'get',
      path: '/ready',
      operationId: 'getReady',
      summary: 'Can the process do its work',
      description: 'Answers 503 while the database does not answer or the process is stopping, without details.',
      access: 'public',
      response: v.ready,
      rateLimit: 'none',
      errors: ['service_unavailable'],
      handler: monitoring.getReady,
    }),
  ],
};
