import * as monitoring from '../controllers/monitoring.controller.ts';
import * as v from '../validators/monitoring.validator.ts';
import { endpoint, type Module } from './endpoint.ts';

export const monitoringModule: Module = {
  tag: 'Monitoring',
  description: 'For load balancers, orchestrators and Prometheus',
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
    endpoint({
      method: 'get',
      path: '/metrics',
      operationId: 'getMetrics',
      summary: 'Figures for Prometheus',
      description:
        'Durations of requests by operation, the cache, jobs, connections and the process, in the text format of Prometheus. Give Prometheus an API key that holds nothing but this permission. Each process tells its own.',
      access: { permission: 'monitoring.read' },
      response: v.metricsText,
      handler: monitoring.getMetrics,
    }),
  ],
};
