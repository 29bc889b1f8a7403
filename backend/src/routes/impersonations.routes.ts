import * as impersonations from '../controllers/impersonations.controller.ts';
import { pageOf } from '../utils/page.ts';
import * as v from '../validators/impersonations.validator.ts';
import { endpoint, type Module } from './endpoint.ts';

export const impersonationsModule: Module = {
  tag: 'Impersonation',
  description: 'Portal admins act in the name of a platform user, for half an hour at most and in plain sight',
  prefix: '/security',
  endpoints: [
    endpoint({
      method: 'get',
      path: '/impersonations',
      operationId: 'listImpersonations',
      summary: 'List impersonations',
      description: 'Who acted in whose name, when and why; newest first.',
      access: { permission: 'security.read' },
      query: v.listImpersonationsQuery,
      response: pageOf(v.impersonation),
      handler: impersonations.listImpersonations,
    }),
    endpoint({
      method: 'post',
      path: '/impersonations',
      operationId: 'startImpersonation',
      summary: 'Act in the name of a platform user',
      description:
        'Answers an access token of that person, which only reads unless more was asked for. Money, credentials and exports are barred either way. What the caller had begun before ends. The owner of the library gets a mail.',
      access: { permission: 'security.impersonate' },
      body: v.startImpersonationBody,
      response: v.impersonationStarted,
      status: 201,
      stepUp: true,
      audit: 'security.impersonation_start',
      // A kept answer would be a kept token.
      idempotency: 'none',
      errors: ['exceeds_own_permissions', 'impersonation_restricted', 'tenant_suspended', 'tenant_mismatch'],
      handler: impersonations.startImpersonation,
    }),
    endpoint({
      method: 'delete',
      path: '/impersonations/:id',
      operationId: 'endImpersonation',
      summary: 'End an impersonation',
      description: "At once. The caller's own, or anybody's for who holds security.sessions.",
      access: { permission: 'security.impersonate' },
      params: v.impersonationId,
      response: v.impersonation,
      audit: 'security.impersonation_end',
      handler: impersonations.endImpersonation,
    }),
  ],
};
