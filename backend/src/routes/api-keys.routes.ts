import * as keys from '../controllers/api-keys.controller.ts';
import { pageOf } from '../utils/page.ts';
import * as v from '../validators/api-keys.validator.ts';
import { endpoint, type Module } from './endpoint.ts';

export const apiKeysModule: Module = {
  tag: 'API keys',
  description: 'Secrets with which programs call the API in the name of whoever made them',
  prefix: '/security',
  endpoints: [
    endpoint({
      method: 'get',
      path: '/api-keys',
      operationId: 'listApiKeys',
      summary: 'List API keys',
      description: 'With what they may do and when they were last used; never their secrets.',
      access: { permission: 'security.keys' },
      query: v.listApiKeysQuery,
      response: pageOf(v.apiKey),
      handler: keys.listApiKeys,
    }),
    endpoint({
      method: 'post',
      path: '/api-keys',
      operationId: 'createApiKey',
      summary: 'Create an API key',
      description:
        'Scoped for what the caller holds, and never stronger than they are at the time it is used. The key is shown this once.',
      access: { permission: 'security.keys' },
      body: v.createApiKeyBody,
      response: v.apiKeyWithSecret,
      status: 201,
      stepUp: true,
      audit: 'security.api_key_create',
      // A kept answer would be a kept secret.
      idempotency: 'none',
      errors: ['exceeds_own_permissions', 'tenant_mismatch'],
      handler: keys.createApiKey,
    }),
    endpoint({
      method: 'post',
      path: '/api-keys/:id/rotate',
      operationId: 'rotateApiKey',
      summary: 'Rotate an API key',
      description:
        'Gives it a new secret, shown this once; the old one works on for the overlap. Only whoever made the key can.',
      access: { permission: 'security.keys' },
      params: v.apiKeyId,
      body: v.rotateApiKeyBody,
      response: v.apiKeyWithSecret,
      stepUp: true,
      audit: 'security.api_key_rotate',
      idempotency: 'none',
      errors: ['tenant_mismatch'],
      handler: keys.rotateApiKey,
    }),
    endpoint({
      method: 'delete',
      path: '/api-keys/:id',
      operationId: 'revokeApiKey',
      summary: 'Revoke an API key',
      description: 'It stops working at once, the secret of before a rotation too.',
      access: { permission: 'security.keys' },
      params: v.apiKeyId,
      response: v.apiKey,
      audit: 'security.api_key_revoke',
      handler: keys.revokeApiKey,
    }),
  ],
};
