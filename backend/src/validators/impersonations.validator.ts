import { z } from 'zod';
import { ImpersonationMode } from '../generated/prisma/enums.ts';
import { isoDate, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';

export const impersonationId = z.strictObject({ id });

const mode = z.enum(ImpersonationMode).meta({ description: 'Whether it may only read', example: 'READ_ONLY' });

export const startImpersonationBody = z
  .strictObject({
    userId: id.meta({ description: 'The platform user in whose name to act', example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    reason: text(500, 10).meta({
      description: 'Why; the library sees it',
      example: 'Meera cannot find her invoices, and asked us to look',
    }),
    ticket: text(60, 2).meta({ description: 'The ticket in which the customer asked for help', example: 'SUP-1042' }),
    mode: mode.default('READ_ONLY'),
    minutes: z.number().int().min(1).max(30).default(30).meta({ description: 'How long at most', example: 15 }),
  })
  .meta({ id: 'StartImpersonation' });

export const listImpersonationsQuery = pageQuery(['startedAt'])
  .omit({ sort: true, order: true })
  .extend({
    adminId: id.optional().meta({ description: 'Who acted', example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    userId: id.optional().meta({ description: 'In whose name', example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    tenantId: id.optional().meta({ description: 'In which library', example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    live: z.enum(['true', 'false']).optional().meta({ description: 'Only those that go on, or that are over' }),
  });

export const listTenantImpersonationsQuery = pageQuery(['startedAt']).omit({ sort: true, order: true });

export const impersonation = z
  .object({
    id,
    tenantId: id,
    adminId: z.string().meta({ example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    adminName: z.string().meta({ description: 'Who acted', example: 'Asha Menon' }),
    userId: z.string().meta({ example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    userName: z.string().meta({ description: 'In whose name', example: 'Meera Sharma' }),
    reason: z.string().meta({ example: 'Meera cannot find her invoices, and asked us to look' }),
    ticket: z.string().meta({ example: 'SUP-1042' }),
    mode,
    live: z.boolean().meta({ description: 'Whether it goes on', example: false }),
    startedAt: isoDate,
    expiresAt: isoDate,
    endedAt: isoDate.nullable(),
    endReason: z
      .string()
      .nullable()
      .meta({ description: 'Why it ended, such as EXPIRED, LOGOUT or CONSENT_WITHDRAWN', example: 'EXPIRED' }),
  })
  .meta({ id: 'Impersonation' });

export const impersonationStarted = z
  .object({
    impersonation,
    accessToken: z.string().meta({
      description: 'Send it as `Authorization: Bearer …`. There is no refresh token: it ends with the impersonation',
      example: 'eyJhbGciOiJIUzI1NiJ9.eyJ1c2VySWQiOiJjbTNrIn0.c2lnbmF0dXJl',
    }),
    tokenType: z.literal('Bearer').meta({ example: 'Bearer' }),
    expiresIn: z.number().int().meta({ description: 'Life of the access token in seconds', example: 900 }),
  })
  .meta({ id: 'ImpersonationStarted' });

export const supportAccessBody = z
  .strictObject({
    allowed: z.boolean().meta({ description: 'Whether support may act in the name of your people', example: false }),
  })
  .meta({ id: 'SetSupportAccess' });

export const supportAccess = z
  .object({
    allowed: z.boolean().meta({ example: false }),
    ended: z.number().int().meta({ description: 'Impersonations that this ended', example: 1 }),
  })
  .meta({ id: 'SupportAccess' });
