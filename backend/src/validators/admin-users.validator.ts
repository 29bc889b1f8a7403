import { z } from 'zod';
import { permissionCodes } from '../config/permissions.ts';
import { AuditOutcome, PermissionEffect, SignInMethod, UserStatus } from '../generated/prisma/enums.ts';
import { email, isoDate, phone, search, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { cursor, pageQuery } from '../utils/page.ts';
import { future, permissionCode, roleName } from './rbac.validator.ts';

export const adminId = z.strictObject({ id });
export const adminSessionId = z.strictObject({ id, sessionId: id });

const name = text(120, 2).meta({ description: 'Name of the person', example: 'Ravi Kumar' });
const reason = text(500, 5).meta({
  description: 'Why; it is kept in the audit trail',
  example: 'Has left the company',
});
const status = z.enum(UserStatus).meta({
  description: 'PENDING: invited, and has not accepted yet',
  example: 'ACTIVE',
});

export const adminSortColumns = ['createdAt', 'name', 'lastLoginAt', 'status'] as const;
export const listAdminsQuery = pageQuery(adminSortColumns).extend({
  status: status.optional(),
  role: roleName.optional().meta({ description: 'Code or id of a role that they hold now' }),
  mfa: z
    .enum(['on', 'off'])
    .optional()
    .meta({ description: 'Whether they sign in with a second factor or a passkey', example: 'off' }),
  invited: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .meta({ description: 'Those who have yet to accept their invitation, or all others', example: 'true' }),
  q: search.optional().meta({ description: 'Part of name or email', example: 'ravi' }),
});

export const createAdminBody = z
  .strictObject({
    email: email.meta({ example: 'ravi.kumar@studyspot.example' }),
    name,
    phone: phone.nullable().optional(),
    roles: z
      .array(roleName)
      .min(1)
      .max(20)
      .refine((roles) => new Set(roles).size === roles.length, 'must name each role once')
      .meta({ description: 'Codes or ids of roles', example: ['support'] }),
  })
  .meta({ id: 'CreateAdmin' });

export const updateAdminBody = z
  .strictObject({ name, email: email.meta({ example: 'ravi.kumar@studyspot.example' }), phone: phone.nullable() })
  .partial()
  .refine((body) => Object.keys(body).length > 0, 'give at least one field to change')
  .meta({ id: 'UpdateAdmin' });

export const reasonBody = z.strictObject({ reason }).meta({ id: 'AdminReason' });
export const optionalReasonBody = z.strictObject({ reason: reason.optional() }).meta({ id: 'AdminOptionalReason' });

export const replacePermissionsBody = z
  .strictObject({
    permissions: z
      .array(
        z.strictObject({
          permission: permissionCode,
          effect: z.enum(PermissionEffect).meta({ description: 'A denial beats every grant', example: 'GRANT' }),
          reason: reason.meta({ example: 'Covers for Asha in May' }),
          expiresAt: future.optional(),
        }),
      )
      .max(permissionCodes.length)
      .refine((all) => new Set(all.map((one) => one.permission)).size === all.length, 'must name each permission once')
      .meta({ description: 'All direct grants and denials that the person is to have; what is left out ends' }),
  })
  .meta({ id: 'ReplaceAdminPermissions' });

export const toggleMfaBody = z
  .strictObject({
    enabled: z.boolean().meta({
      description: 'true: demand a second factor from now on. false: remove theirs, so that they set up a new one',
      example: false,
    }),
    reason: reason.meta({ example: 'Has lost the phone; identity checked by video call' }),
  })
  .meta({ id: 'ToggleAdminMfa' });

export const activityQuery = pageQuery(['createdAt'])
  .omit({ sort: true, order: true })
  .extend({ cursor: cursor.optional() });
export const adminSessionsQuery = pageQuery(['createdAt']).omit({ sort: true, order: true });

const heldRole = z.object({
  assignmentId: id,
  id,
  code: z.string().meta({ example: 'support' }),
  name: z.string().meta({ example: 'Support' }),
  expiresAt: isoDate.nullable(),
});

export const admin = z
  .object({
    id,
    name: z.string().meta({ example: 'Ravi Kumar' }),
    email: z.string().nullable().meta({ example: 'ravi.kumar@studyspot.example' }),
    phone: z.string().nullable().meta({ example: '+919829012345' }),
    status,
    roles: z.array(heldRole).meta({ description: 'Those that hold now' }),
    mfa: z.object({
      enabled: z.boolean().meta({ example: true }),
      requiredSince: isoDate.nullable().meta({ description: 'When a second factor was demanded of this person' }),
    }),
    invite: z
      .object({
        state: z.enum(['SENDING', 'OPEN', 'EXPIRED', 'REVOKED']).meta({
          description: 'SENDING: the mail is on its way. OPEN: a link works. EXPIRED: none does. REVOKED: taken back',
          example: 'OPEN',
        }),
        expiresAt: isoDate.nullable(),
      })
      .nullable()
      .meta({ description: 'Null once it was accepted' }),
    lastLoginAt: isoDate.nullable(),
    version: z.number().int().meta({ description: 'Send it back as If-Match when you change the admin', example: 1 }),
    createdAt: isoDate,
    updatedAt: isoDate,
  })
  .meta({ id: 'Admin' });

export const adminWhole = admin
  .extend({
    permissions: z
      .array(
        z.object({
          id,
          permission: z.string().meta({ example: 'audit.read' }),
          effect: z.enum(PermissionEffect).meta({ example: 'GRANT' }),
          reason: z.string().meta({ example: 'Covers for Asha in May' }),
          grantedById: z.string().nullable().meta({ example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
          expiresAt: isoDate.nullable(),
          createdAt: isoDate,
        }),
      )
      .meta({ description: 'Direct grants and denials that hold now, beside the roles' }),
  })
  .meta({ id: 'AdminWhole' });

const count = (description: string) => z.number().int().meta({ description, example: 3 });

export const adminAnalytics = z
  .object({
    total: count('All admins'),
    byStatus: z.object({
      ACTIVE: count('May sign in'),
      PENDING: count('Invited'),
      INACTIVE: count('Deactivated'),
      SUSPENDED: count('Suspended'),
    }),
    byRole: z.array(
      z.object({
        code: z.string().meta({ example: 'support' }),
        name: z.string().meta({ example: 'Support' }),
        admins: count('Who hold it now'),
      }),
    ),
    mfa: z.object({
      enabled: count('Active admins with a second factor or a passkey'),
      share: z.number().nullable().meta({ description: 'Of the active ones; null without any', example: 0.75 }),
    }),
    activeLast30Days: count('Active admins who signed in within 30 days'),
    pendingInvites: count('Have yet to accept'),
    dormant90Days: count('Active admins who have not signed in for 90 days'),
  })
  .meta({ id: 'AdminAnalytics' });

export const adminActivity = z
  .object({
    id,
    action: z.string().meta({ description: 'What was done', example: 'tenants.suspend' }),
    resource: z.string().meta({ example: 'tenant' }),
    resourceId: z.string().nullable().meta({ example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    tenantId: z.string().nullable().meta({ description: 'Null: the platform', example: null }),
    outcome: z.enum(AuditOutcome).meta({ example: 'SUCCESS' }),
    by: z.enum(['PERSON', 'API_KEY']).meta({ description: 'In person, or by an API key of theirs', example: 'PERSON' }),
    onBehalfOf: z
      .object({ id: z.string(), name: z.string().nullable() })
      .nullable()
      .meta({ description: 'The person they impersonated', example: null }),
    ipAddress: z.string().nullable().meta({ example: '203.0.113.7' }),
    requestId: z.string().nullable().meta({ example: 'b7e7c1b0-6a1e-4f3a-9d1c-2f4b8a6d5e30' }),
    createdAt: isoDate.meta({ description: 'To the microsecond', example: '2026-08-11T06:30:00.123456Z' }),
  })
  .meta({ id: 'AdminActivity' });

export const adminSession = z
  .object({
    id,
    method: z.enum(SignInMethod).meta({ description: 'How they proved who they are', example: 'PASSWORD' }),
    mfa: z.boolean().meta({ description: 'Whether a second factor took part', example: true }),
    ipAddress: z.string().nullable().meta({ example: '203.0.113.7' }),
    country: z.string().nullable().meta({ description: 'ISO 3166-1, as far as the address tells', example: 'IN' }),
    userAgent: z.string().nullable().meta({ example: 'Mozilla/5.0 (X11; Linux x86_64)' }),
    createdAt: isoDate,
    lastSeenAt: isoDate.meta({ description: 'When it last signed in or refreshed' }),
    expiresAt: isoDate,
  })
  .meta({ id: 'AdminSession' });

export const mfaToggled = z
  .object({
    status: z
      .enum(['DONE', 'PENDING_APPROVAL'])
      .meta({ description: 'PENDING_APPROVAL: another admin has to repeat it', example: 'DONE' }),
    approvalId: z.string().nullable().meta({ example: null }),
    expiresAt: isoDate.nullable().meta({ description: 'Until when it can be approved' }),
  })
  .meta({ id: 'AdminMfaToggled' });
