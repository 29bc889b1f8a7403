import { isIP } from 'node:net';
import { z } from 'zod';
import {
  LockoutKind,
  LoginOutcome,
  SecurityEventSeverity,
  SecurityEventType,
  SignInMethod,
} from '../generated/prisma/enums.ts';
import { isoDate, moment, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { cursor, pageQuery } from '../utils/page.ts';

export const thingId = z.strictObject({ id });

const ipAddress = z
  .string()
  .trim()
  .max(60)
  .refine((address) => isIP(address) !== 0, 'must be an address, such as 203.0.113.7')
  .meta({ description: 'From which address', example: '203.0.113.7' });
const userId = id.meta({ description: 'Of whom', example: 'cm3k8v1x40000qp2h9d7f5a6b' });
const tenantId = id.meta({ description: 'In whose space', example: 'cm3k8v1x40000qp2h9d7f5a6b' });
const yesOrNo = z.enum(['true', 'false']);
const nullableText = (example: string) => z.string().nullable().meta({ example });

const newestFirst = pageQuery(['createdAt']).omit({ sort: true, order: true });
const since = {
  from: moment.optional().meta({ description: 'Then or later' }),
  to: moment.optional().meta({ description: 'Before' }),
};
const exactTime = isoDate.meta({
  description: 'ISO 8601, UTC, to the microsecond',
  example: '2026-08-11T06:30:00.123456Z',
});

/** Somebody, as far as a list shows them. */
const person = z
  .object({
    id,
    name: z.string().meta({ example: 'Asha Menon' }),
    email: nullableText('asha.menon@studyspot.example'),
    type: z.enum(['ADMIN_USER', 'PLATFORM_USER']).meta({ example: 'ADMIN_USER' }),
  })
  .nullable();

// Tries to sign in

const outcome = z.enum(LoginOutcome).meta({ description: 'How it ended', example: 'WRONG_PASSWORD' });
const country = z
  .string()
  .regex(/^[A-Z]{2}$/, 'must be two capital letters, such as IN')
  .meta({ description: 'ISO 3166-1 alpha-2, as far as the address tells', example: 'IN' });

export const listLoginAttemptsQuery = newestFirst.extend({
  cursor: cursor.optional(),
  userId: userId.optional(),
  tenantId: tenantId.optional(),
  outcome: outcome.optional(),
  ip: ipAddress.optional(),
  country: country.optional(),
  ...since,
});

export const loginAttempt = z
  .object({
    id,
    tenantId: nullableText('cm3k8v1x40000qp2h9d7f5a6b'),
    user: person.meta({ description: 'Null where there is no such account' }),
    account: z.string().meta({ description: 'What was typed, masked', example: 'as…mple' }),
    outcome,
    method: z.enum(SignInMethod).meta({ example: 'PASSWORD' }),
    ipAddress: nullableText('203.0.113.7'),
    country: nullableText('IN'),
    userAgent: nullableText('Mozilla/5.0 (X11; Linux x86_64)'),
    createdAt: exactTime,
  })
  .meta({ id: 'LoginAttempt' });

// Lock-outs

export const listLockoutsQuery = newestFirst.extend({
  userId: userId.optional(),
  history: yesOrNo.optional().meta({ description: 'true: also those that are over', example: 'false' }),
});

export const lockout = z
  .object({
    id,
    tenantId: nullableText('cm3k8v1x40000qp2h9d7f5a6b'),
    user: person.meta({ description: 'Null where there is no such account' }),
    account: z.string().meta({ description: 'What was typed, masked', example: 'as…mple' }),
    kind: z.enum(LockoutKind).meta({ example: 'PASSWORD' }),
    network: nullableText('203.0.113.7').meta({ description: 'The neighbourhood that waits; null: every new device' }),
    failures: z.number().int().meta({ example: 6 }),
    current: z.boolean().meta({ description: 'Whether it still holds', example: true }),
    createdAt: isoDate,
    lockedUntil: isoDate,
    liftedAt: isoDate.nullable(),
    liftedById: nullableText('cm3k8v1x40000qp2h9d7f5a6b'),
  })
  .meta({ id: 'Lockout' });

// Sessions

const holder = z.enum(['ADMIN', 'PLATFORM']).meta({ description: 'Of portal admins or of others', example: 'ADMIN' });

export const listAllSessionsQuery = newestFirst.extend({
  cursor: cursor.optional(),
  userId: userId.optional(),
  tenantId: tenantId.optional(),
  type: holder.optional(),
  ip: ipAddress.optional(),
  live: yesOrNo.optional().meta({ description: 'Only those that are live, or only those that are over' }),
});

export const anySession = z
  .object({
    id,
    tenantId: nullableText('cm3k8v1x40000qp2h9d7f5a6b'),
    user: person,
    live: z.boolean().meta({ example: true }),
    current: z.boolean().meta({ description: 'Whether this request belongs to it', example: false }),
    method: z.enum(SignInMethod).meta({ example: 'PASSWORD' }),
    mfa: z.boolean().meta({ description: 'Whether a second factor took part', example: true }),
    impersonationId: nullableText('cm3k8v1x40000qp2h9d7f5a6b'),
    device: nullableText('Firefox on Linux').meta({ description: 'As far as the user agent tells' }),
    ipAddress: nullableText('203.0.113.7'),
    country: nullableText('IN'),
    userAgent: nullableText('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'),
    createdAt: exactTime,
    lastSeenAt: isoDate,
    expiresAt: isoDate,
    revokedAt: isoDate.nullable(),
    revokedReason: nullableText('REVOKED'),
  })
  .meta({ id: 'AnySession' });

const reason = text(500, 5).meta({
  description: 'Why; it is kept in the audit trail',
  example: 'The laptop was stolen',
});

const targets = ['userId', 'tenantId', 'everyone'] as const;
export const revokeSessionsBody = z
  .strictObject({
    userId: userId.optional(),
    tenantId: tenantId.optional(),
    everyone: z
      .literal(true)
      .optional()
      .meta({ description: 'Everybody but the caller; needs a step-up', example: true }),
    reason,
  })
  .superRefine((body, check) => {
    const given = targets.filter((target) => body[target] !== undefined);
    const message = 'must stand alone: give exactly one of userId, tenantId and everyone';
    if (given.length === 1) return;
    for (const field of given.length > 0 ? given : ['userId'])
      check.addIssue({ code: 'custom', path: [field], message });
  })
  .meta({
    id: 'RevokeSessions',
    example: { userId: 'cm3k8v1x40000qp2h9d7f5a6b', reason: 'The laptop was stolen' },
  });

export const sessionsRevoked = z
  .object({ revoked: z.number().int().meta({ description: 'How many sessions were ended', example: 3 }) })
  .meta({ id: 'SessionsRevoked' });

// Events

const eventType = z.enum(SecurityEventType).meta({ description: 'What happened', example: 'REFRESH_REUSE' });
const severity = z.enum(SecurityEventSeverity).meta({ description: 'How much it matters', example: 'HIGH' });

export const listSecurityEventsQuery = newestFirst.extend({
  cursor: cursor.optional(),
  type: eventType.optional(),
  severity: severity.optional(),
  userId: userId.optional(),
  tenantId: tenantId.optional(),
  resolved: yesOrNo.optional().meta({ description: 'Only those that somebody has resolved, or only the others' }),
  ...since,
});

export const securityEvent = z
  .object({
    id,
    tenantId: nullableText('cm3k8v1x40000qp2h9d7f5a6b'),
    type: eventType,
    severity,
    user: person,
    sessionId: nullableText('cm3k8v1x40000qp2h9d7f5a6b'),
    apiKeyId: nullableText('cm3k8v1x40000qp2h9d7f5a6b'),
    ipAddress: nullableText('203.0.113.7'),
    userAgent: nullableText('curl/8.5.0'),
    details: z.record(z.string(), z.unknown()).meta({ example: { presented: 3, active: 7 } }),
    createdAt: exactTime,
    resolvedAt: isoDate.nullable(),
    resolvedById: nullableText('cm3k8v1x40000qp2h9d7f5a6b'),
    resolution: nullableText('It was a test of ours'),
  })
  .meta({ id: 'SecurityEvent' });

export const resolveEventBody = z
  .strictObject({
    resolution: text(1000, 5).meta({ description: 'What it was and what was done', example: 'It was a test of ours' }),
  })
  .meta({ id: 'ResolveSecurityEvent' });

// Posture

const finding = z.object({
  code: z.string().meta({ example: 'admins_without_second_factor' }),
  severity,
  title: z.string().meta({ example: 'Admins without a second factor' }),
  detail: z.string().meta({ example: '3 portal admins sign in with a password alone.' }),
  count: z.number().int().meta({ description: 'How many it concerns', example: 3 }),
  weight: z.number().int().meta({ description: 'What it takes from the score', example: 20 }),
  action: z
    .object({
      method: z.enum(['GET', 'POST', 'PUT', 'DELETE']).nullable().meta({ example: 'PUT' }),
      path: nullableText('/api/security/policies/mfa'),
      text: z.string().meta({ example: 'Demand a second factor of their roles.' }),
    })
    .meta({ description: 'What to do about it' }),
});

export const securityOverview = z
  .object({
    score: z.number().int().meta({ description: 'From 0 to 100: nothing was found', example: 80 }),
    checks: z.number().int().meta({ description: 'How many things were looked at', example: 14 }),
    findings: z.array(finding).meta({ description: 'The weightiest first' }),
    checkedAt: isoDate,
  })
  .meta({ id: 'SecurityOverview' });
