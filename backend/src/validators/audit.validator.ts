import { z } from 'zod';
import { ActorType, AuditOutcome } from '../generated/prisma/enums.ts';
import { isoDate, moment, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { normalAddress } from '../utils/ip-address.ts';
import { cursor, pageQuery } from '../utils/page.ts';

export const auditId = z.strictObject({ id });

const action = text(80).meta({ description: 'What was done', example: 'tenants.suspend' });
const resource = text(60).meta({ description: 'Kind of the thing it was done to', example: 'tenant' });
const actorType = z.enum(ActorType).meta({
  description: 'A person; the system by itself; nobody known; or an API key',
  example: 'USER',
});
const ipAddress = z
  .string()
  .max(60)
  .transform((typed, check) => {
    const address = normalAddress(typed);
    if (address) return address;
    check.addIssue({ code: 'custom', message: 'must be an IP address' });
    return z.NEVER;
  })
  .pipe(z.string());
const outcome = z.enum(AuditOutcome).meta({ description: 'How it ended', example: 'SUCCESS' });

export const auditFilters = {
  actorId: id.optional().meta({ description: 'Who did it' }),
  actorType: actorType.optional(),
  onBehalfOfId: id.optional().meta({ description: 'In whose name: who was impersonated, or made the API key' }),
  action: action.optional(),
  resource: resource.optional(),
  resourceId: text(100).optional().meta({ description: 'Id of the thing', example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
  tenantId: id.optional().meta({ description: 'In whose space it happened' }),
  outcome: outcome.optional(),
  ipAddress: ipAddress.optional().meta({ description: 'From this very address', example: '203.0.113.7' }),
  from: moment.optional().meta({ description: 'Then or later' }),
  to: moment.optional().meta({ description: 'Before' }),
};

/** Which rows, for a list and for an export. */
export const auditFilter = z.strictObject(auditFilters);

const listing = pageQuery(['createdAt']).omit({ sort: true, order: true }).extend({ cursor: cursor.optional() });

export const listAuditQuery = listing.extend(auditFilters);
export const historyQuery = listing.extend({ from: auditFilters.from, to: auditFilters.to });

export const recordOfHistory = z.strictObject({
  type: z
    .string()
    .max(60)
    .regex(/^[a-z]\w*$/, 'must be the kind of a record, such as tenant')
    .meta({ description: 'Kind of the record', example: 'tenant' }),
  id: z
    .string()
    .max(100)
    .regex(/^[\w:-]+(\.[\w:-]+)*$/, 'must be the id of a record')
    .meta({ description: 'Its id', example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
});

export const auditAction = z
  .object({
    code: z.string().meta({ example: 'tenants.suspend' }),
    description: z.string().meta({ example: 'Suspended a tenant' }),
    group: z.string().meta({ description: 'The part before the dot', example: 'tenants' }),
    kind: z.enum(['action', 'job']).meta({ description: 'Done by somebody, or by a job', example: 'action' }),
  })
  .meta({ id: 'AuditAction' });
export const auditActions = z.array(auditAction);

const actor = z
  .object({
    type: actorType,
    id: z.string().nullable().meta({ example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    name: z.string().nullable().meta({ example: 'Asha Menon' }),
  })
  .meta({ description: 'Who did it, as they were called then' });

export const auditEntry = z
  .object({
    id,
    tenantId: z.string().nullable().meta({ description: 'Null: the platform', example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    actor,
    onBehalfOf: z
      .object({
        id: z.string().meta({ example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
        name: z.string().nullable().meta({ example: 'Ravi Sharma' }),
      })
      .nullable()
      .meta({ description: 'In whose name: who was impersonated, or made the API key', example: null }),
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
    diff: z
      .array(
        z.object({
          field: z.string().meta({ example: 'status' }),
          from: z.unknown().meta({ example: 'ACTIVE' }),
          to: z.unknown().meta({ example: 'SUSPENDED' }),
        }),
      )
      .meta({ description: 'The fields that changed, before and after' }),
    userAgent: z.string().nullable().meta({ example: 'curl/8.5.0' }),
    chain: z.string().meta({ description: "The tenant's id, or `platform`", example: 'platform' }),
    sequence: z.number().int().meta({ description: 'Place in the chain, from 1', example: 42 }),
    previousHash: hash,
    hash,
  })
  .meta({ id: 'AuditEntryWhole' });

const integrityCursor = z
  .string()
  .max(80)
  .transform((encoded, check) => {
    const [, chain, sequence] =
      /^(platform|c[a-z0-9]{24})~(\d{1,10})$/.exec(Buffer.from(encoded, 'base64url').toString()) ?? [];
    if (chain && Number(sequence) < 2 ** 31) return { chain, sequence: Number(sequence) };
    check.addIssue({ code: 'custom', message: 'must be the nextCursor of an earlier answer' });
    return z.NEVER;
  })
  .pipe(z.object({ chain: z.string(), sequence: z.number() }))
  .meta({ description: 'nextCursor of the check before: it goes on from there', example: 'cGxhdGZvcm1-MTAwMDAw' });

export const chainName = z
  .string()
  .regex(/^(platform|c[a-z0-9]{24})$/, "must be platform or a tenant's id")
  .meta({ description: "A tenant's id or `platform`", example: 'platform' });

export const integrityQuery = z
  .strictObject({
    chain: chainName.optional().meta({
      description: "A tenant's id or `platform`. Default: every chain, as far as one call reaches",
      example: 'platform',
    }),
    cursor: integrityCursor.optional(),
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
      .meta({ description: 'False when there was more than one call checks: go on with nextCursor', example: true }),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: 'Pass it as `cursor` to check what follows; null at the end', example: null }),
    chains: z.number().int().meta({ description: 'Chains that were checked', example: 1 }),
    rows: z.number().int().meta({ description: 'Rows that were checked', example: 1000 }),
    breaks: z
      .array(
        z.object({
          chain: z.string().meta({ example: 'platform' }),
          sequence: z.number().int().meta({ description: 'The first link that does not hold', example: 17 }),
          reason: z.enum(['altered', 'unlinked', 'missing', 'truncated', 'head', 'rewritten', 'vanished']).meta({
            description:
              'A row was changed; does not follow the one before it; is not there; is not there at the end; the ' +
              'record of where the chain ends does not agree with its last row; it is another row than the one that ' +
              'was anchored; or nothing is left of the chain but its anchor',
            example: 'altered',
          }),
        }),
      )
      .meta({ description: 'The first broken link of each chain that is not whole', example: [] }),
  })
  .meta({ id: 'AuditIntegrity' });
