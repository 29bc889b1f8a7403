import { z } from 'zod';
import { TenantStatus } from '../generated/prisma/enums.ts';
import { isoDate, money, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';

const reason = text(500, 5).meta({
  description: 'Why; it is kept in the history',
  example: 'The library closes at the end of the month',
});

export const offboardBody = z.strictObject({ reason }).meta({ id: 'OffboardTenant' });
export const cancelOffboardingBody = z.strictObject({ reason: reason.optional() }).meta({ id: 'CancelOffboarding' });
export const legalHoldBody = z
  .strictObject({
    inForce: z.boolean().meta({ description: 'True places a hold, false lifts it', example: true }),
    reason: reason.meta({ example: 'Order of the Rajasthan High Court in S.B. Civil Writ 1234/2026' }),
  })
  .meta({ id: 'SetLegalHold' });

const by = z.object({ id: z.string(), name: z.string() });

const offboarding = z.object({
  id,
  state: z.enum(['GRACE', 'PURGING', 'PURGED', 'CANCELLED']).meta({
    description: 'In its grace it can be called off',
    example: 'GRACE',
  }),
  reason: z.string().meta({ example: 'The library closes at the end of the month' }),
  statusBefore: z.enum(TenantStatus).meta({
    description: 'What the tenant is again when it is called off',
    example: 'ACTIVE',
  }),
  requestedBy: by.meta({ example: { id: 'cm3k8v1x40000qp2h9d7f5a6b', name: 'Asha Menon' } }),
  requestedAt: isoDate,
  graceEndsAt: isoDate.meta({ description: 'Nothing is removed before' }),
  noticeSentAt: isoDate.nullable().meta({
    description: 'When owners were told that the purge is near: 48 hours before at least',
  }),
  cancelledAt: isoDate.nullable(),
  cancelledByName: z.string().nullable().meta({ example: null }),
  purgeStartedAt: isoDate.nullable(),
  purgedAt: isoDate.nullable(),
  certificate: z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({ description: 'What was removed, and what is kept and why; after the purge', example: null }),
  certificateHash: z.string().nullable().meta({
    description: 'SHA-256 of the certificate as canonical JSON (RFC 8785), hex',
    example: null,
  }),
});

const legalHold = z.object({
  inForce: z.boolean().meta({ example: true }),
  reason: z.string().meta({ example: 'Order of the Rajasthan High Court in S.B. Civil Writ 1234/2026' }),
  placedByName: z.string().meta({ example: 'Asha Menon' }),
  placedAt: isoDate,
  liftedByName: z.string().nullable().meta({ example: null }),
  liftedAt: isoDate.nullable(),
  liftReason: z.string().nullable().meta({ example: null }),
});

const unsettled = z.object({
  openInvoices: z.number().int().meta({ example: 1 }),
  amountDue: money,
  paymentsUnderWay: z.number().int().meta({ description: 'Attempts whose end is not known', example: 0 }),
  refundsUnderWay: z.number().int().meta({ example: 0 }),
});

export const offboardingState = z
  .object({
    tenantId: z.string().meta({ example: 'cm3k8v1x40001qp2h9d7f5a6b' }),
    status: z.enum(TenantStatus).meta({ example: 'OFFBOARDING' }),
    offboarding: offboarding.nullable().meta({ description: 'The newest; null where there was none' }),
    unsettled: unsettled.nullable().meta({
      description: 'What is owed or under way: the purge waits until it is settled; null where nothing is',
    }),
    legalHold: legalHold.nullable().meta({ description: 'The newest; null where there was none' }),
  })
  .meta({ id: 'OffboardingState' });
