import { z } from 'zod';
import { permissionCodes, type Permission } from '../config/permissions.ts';
import { isoDate, moment, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';
import { network } from './ip-rules.validator.ts';

export const apiKeyId = z.strictObject({ id });

const name = text(80, 2).meta({ description: 'What the key is for', example: 'Nightly export to the warehouse' });
const scopes = z
  .array(z.enum(permissionCodes as [Permission, ...Permission[]]))
  .min(1)
  .max(100)
  .refine((codes) => new Set(codes).size === codes.length, 'must not name anything twice')
  .meta({ description: 'What the key may do, as far as its creator may at that time', example: ['tenants.read'] });

export const createApiKeyBody = z
  .strictObject({
    name,
    scopes,
    expiresAt: moment
      .optional()
      .meta({ description: 'A year from now at the latest. Default: 90 days from now', example: '2027-01-31' }),
    allowedNetworks: z
      .array(network)
      .max(50)
      .default([])
      .meta({ description: 'Addresses and networks from which it works; none: from everywhere', example: [] }),
  })
  .meta({ id: 'CreateApiKey', example: { name: 'Nightly export to the warehouse', scopes: ['tenants.read'] } });

export const rotateApiKeyBody = z
  .strictObject({
    overlapHours: z
      .number()
      .int()
      .min(0)
      .max(168)
      .default(24)
      .meta({ description: 'How long the old secret works on', example: 24 }),
  })
  .meta({ id: 'RotateApiKey' });

const state = z.enum(['ACTIVE', 'EXPIRED', 'REVOKED']).meta({ description: 'Whether it works', example: 'ACTIVE' });

export const listApiKeysQuery = pageQuery(['createdAt'])
  .omit({ sort: true })
  .extend({ state: state.optional(), createdById: id.optional().meta({ description: 'Who made it' }) });

export const apiKey = z
  .object({
    id,
    name: z.string().meta({ example: 'Nightly export to the warehouse' }),
    prefix: z.string().meta({ description: 'How the key begins, after `ssk_`', example: '4f9c1b7a2e08' }),
    scopes: z.array(z.string()).meta({ example: ['tenants.read'] }),
    allowedNetworks: z.array(z.string()).meta({ example: ['203.0.113.0/24'] }),
    state,
    createdBy: z.object({ id, name: z.string().meta({ example: 'Asha Menon' }) }),
    createdAt: isoDate,
    expiresAt: isoDate,
    lastUsedAt: isoDate.nullable(),
    lastUsedIp: z.string().nullable().meta({ example: '203.0.113.7' }),
    rotatedAt: isoDate.nullable(),
    previousExpiresAt: isoDate.nullable().meta({ description: 'Until then the secret before the rotation works too' }),
    revokedAt: isoDate.nullable(),
  })
  .meta({ id: 'ApiKey' });

export const apiKeyWithSecret = apiKey
  .extend({
    key: z.string().meta({
      description: 'The whole key, shown this once. Send it as `Authorization: Bearer …`',
      example: 'ssk_4f9c1b7a2e08_kq0dQ2J9Yx1m4J5uE6vT7wZ8aB3cD4eF5gH6iJ7kL8M',
    }),
  })
  .meta({ id: 'ApiKeyWithSecret' });
