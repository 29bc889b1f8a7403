import { z } from 'zod';
import { ActorType, AuditOutcome } from '../generated/prisma/enums.ts';
import { isoDate, moment, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { cursor, pageQuery } from '../utils/page.ts';

export const auditId = z.strictObject({ id });

const action = text(80).meta({ description: 'What was done', example: 'tenants.suspend' });
const resource = text(60).meta({ description: 'Kind of the thing it was done to', example: 'tenant' });
const outcome = z.enum(AuditOutcome).meta({ description: 'How it ended', example: 'SUCCESS' });

export const listAuditQuery = pageQuery(['createdAt'])
  .omit({ sort: true, order: true })
  .extend({
    cursor: cursor.optional(),
    actorId: id.optional().meta({ description: 'Who did it' }),
    action: action.optional(),
    resource: resource.optional(),
    resourceId: text(100).optional().meta({ description: 'Id of the thing', example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    tenantId: id.optional().meta({ description: 'In whose space it happened' }),
    outcome: outcome.optional(),
    from: moment.optional().meta({ description: 'Then or later' }),
    to: moment.optional().meta({ description: 'Before' }),
  });

const actor = z
  .object({
    type: z.enum(ActorType).meta({ example: 'USER' }),
    id: z.string().nullable().meta({ example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    name: z.string().nullable().meta({ example: 'Asha Menon' }),
  })
  .meta({ description: 'Who did it, as they were called then' });

export const auditEntry = z
  .object({
    id,
    tenantId: z.string().nullable().meta({ description: 'Null: the platform', example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    actor,
    action,
    resource,
    resourceId: z.string().nullable().meta({ example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    outcome,
    ipAddress: z.string().nullable().meta({ example: '203.0.113.7' }),
    requestId: z.string().nullable().meta({ example: 'b7e7c1b0-6a1e-4f3a-9d1c-2f4b8a6d5e30' }),
    createdAt: isoDate.meta({
      description: 'ISO 8601, UTC, to the microsecond',
      example: '2026-08-11T06:30:00.123456Z',
    }),
  })
  .meta({ id: 'AuditEntry' });

const changes = z
  .record(z.string(), z.unknown())
  .nullable()
  .meta({
    description: 'For an update `{ field: { from, to } }`, else what matters of the action. Secrets are redacted',
    example: { status: { from: 'ACTIVE', to: 'SUSPENDED' } },
  });
const hash = z
  .string()
  .meta({ description: 'SHA-256, hex', example: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' });

export const auditEntryWhole = auditEntry
  .extend({
    changes,
    userAgent: z.string().nullable().meta({ example: 'curl/8.5.0' }),
    chain: z.string().meta({ description: "The tenant's id, or `platform`", example: 'platform' }),
    sequence: z.number().int().meta({ description: 'Place in the chain, from 1', example: 42 }),
    previousHash: hash,
    hash,
  })
  .meta({ id: 'AuditEntryWhole' });

export const integrityQuery = z
  .strictObject({
    chain: z
      .string()
      .regex(/^(platform|c[a-z0-9]{24})$/, "must be platform or a tenant's id")
      .optional()
      .meta({
        description: "A tenant's id or `platform`. Default: every chain, as far as one call reaches",
        example: 'platform',
      }),
    from: z.coerce
      .number()
      .int()
      .min(1)
      .default(1)
      .meta({ description: 'First sequence number; needs `chain`', example: 1 }),
    to: z.coerce
      .number()
      .int()
      .min(1)
      .optional()
      .meta({ description: 'Last sequence number; needs `chain`', example: 1000 }),
  })
  .refine((query) => query.chain !== undefined || (query.from === 1 && query.to === undefined), {
    message: 'from and to need a chain',
    path: ['chain'],
  })
  .refine((query) => query.to === undefined || query.to >= query.from, {
    message: 'must not be before from',
    path: ['to'],
  });

export const integrity = z
  .object({
    intact: z.boolean().meta({ description: 'Whether everything that was checked is whole', example: true }),
    complete: z
      .boolean()
      .meta({ description: 'False when there was more than one call checks: name a chain and a range', example: true }),
    chains: z.number().int().meta({ description: 'Chains that were checked', example: 1 }),
    rows: z.number().int().meta({ description: 'Rows that were checked', example: 1000 }),
    breaks: z
      .array(
        z.object({
          chain: z.string().meta({ example: 'platform' }),
          sequence: z.number().int().meta({ description: 'The first link that does not hold', example: 17 }),
          reason: z.enum(['altered', 'unlinked', 'missing', 'truncated', 'head']).meta({
            description:
              'A row was changed; does not follow the one before it; is not there; is not there at the end; or the ' +
              'record of where the chain ends does not agree with its last row',
            example: 'altered',
          }),
        }),
      )
      .meta({ description: 'The first broken link of each chain that is not whole', example: [] }),
  })
  .meta({ id: 'AuditIntegrity' });
