import { z } from 'zod';
import { email, isoDate, password, phone, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';

const account = z.object({ email: email.optional(), phone: phone.optional() });
const exactlyOne = (value: z.output<typeof account>) => (value.email === undefined) !== (value.phone === undefined);
const eitherOr = { message: 'give either email or phone', path: ['email'] };

export const delivery = z.enum(['body', 'cookie']).default('body').meta({
  description: '`cookie` for browsers: an HttpOnly cookie that scripts cannot read. `body` for programs',
  example: 'body',
});

const currentPassword = z
  .string()
  .min(1)
  .max(200)
  .meta({ description: 'Password', format: 'password', example: 'StudySpot-Demo-2026' });

const DEVICE_TOKEN = 'cm3k8v1x40001qp2h9d7f5a6b.Qm9v2c5x8z1l4k7j0h3g6f9d2s5a8p1o4i7u0y3t6r9';

/** What a program sends back of an earlier sign-in, so that it is recognised; browsers send the cookie. */
export const deviceToken = z.string().max(100).optional().meta({
  description: 'The `deviceToken` of an earlier sign-in, for programs. What strangers try then keeps nobody out here',
  example: DEVICE_TOKEN,
});

export const loginBody = z
  .strictObject({ ...account.shape, password: currentPassword, refreshTokenIn: delivery, deviceToken })
  .refine(exactlyOne, eitherOr)
  .meta({
    id: 'Login',
    example: { email: 'asha.menon@studyspot.example', password: 'StudySpot-Demo-2026', refreshTokenIn: 'body' },
  });

export const forgotPasswordBody = z
  .strictObject(account.shape)
  .refine(exactlyOne, eitherOr)
  .meta({ id: 'ForgotPassword', example: { email: 'owner@saraswati-library.example' } });

const oneTimeToken = z
  .string()
  .regex(/^[\w-]{43}$/, 'must be the token of the link in the mail')
  .meta({
    description: 'From the link in the mail; works once',
    example: 'kq0dQ2J9Yx1m4J5uE6vT7wZ8aB3cD4eF5gH6iJ7kL8M',
  });

export const resetPasswordBody = z.strictObject({ token: oneTimeToken, password }).meta({ id: 'ResetPassword' });
export const verifyEmailBody = z.strictObject({ token: oneTimeToken }).meta({ id: 'VerifyEmail' });

const personName = text(120).meta({ description: 'Full name', example: 'Asha Menon' });

export const acceptInviteBody = z
  .strictObject({ token: oneTimeToken, name: personName, password })
  .meta({ id: 'AcceptInvite' });

export const changePasswordBody = z
  .strictObject({ currentPassword, newPassword: password })
  .meta({ id: 'ChangePassword' });

export const profileBody = z
  .strictObject({
    name: personName.optional(),
    phone: phone.nullable().optional(),
    email: email.optional().meta({
      description: 'A new address counts once it is confirmed by the link that goes to it; needs a step-up',
      example: 'asha.menon@studyspot.example',
    }),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), {
    message: 'give name, phone or email',
    path: ['name'],
  })
  .meta({ id: 'UpdateMe', example: { name: 'Asha Menon', phone: '+919829012345' } });

export const refreshBody = z
  .strictObject({
    refreshToken: z.string().max(200).optional().meta({
      description: 'Left out by browsers: they send the cookie',
      example: 'cm3k8v1x40000qp2h9d7f5a6b.0.V5q2v8u1o0n3m6l9k2j5h8g1f4d7s0a3p6i9u2y5t8r',
    }),
  })
  .meta({ id: 'Refresh' });

const person = z.object({
  id,
  name: z.string().meta({ example: 'Asha Menon' }),
  email: z.string().nullable().meta({ example: 'asha.menon@studyspot.example' }),
  type: z.enum(['ADMIN_USER', 'PLATFORM_USER']).meta({ example: 'ADMIN_USER' }),
  role: z.string().meta({ description: 'Code of the role that grants most', example: 'super_admin' }),
  tenantId: z.string().nullable().meta({ description: 'Null for portal admins', example: null }),
});

export const tokens = z
  .object({
    accessToken: z.string().meta({
      description: 'Send it as `Authorization: Bearer …`',
      example: 'eyJhbGciOiJIUzI1NiJ9.eyJ1c2VySWQiOiJjbTNrIn0.c2lnbmF0dXJl',
    }),
    tokenType: z.literal('Bearer').meta({ example: 'Bearer' }),
    expiresIn: z.number().int().meta({ description: 'Life of the access token in seconds', example: 900 }),
    refreshToken: z.string().nullable().meta({
      description: 'Null when it went into the cookie',
      example: 'cm3k8v1x40000qp2h9d7f5a6b.1.V5q2v8u1o0n3m6l9k2j5h8g1f4d7s0a3p6i9u2y5t8r',
    }),
    deviceToken: z.string().nullable().optional().meta({
      description: 'Send it with the next sign-in; null when it went into a cookie, not there after a refresh',
      example: DEVICE_TOKEN,
    }),
    user: person,
  })
  .meta({ id: 'Tokens' });

export const mfaRequired = z
  .object({
    mfaRequired: z.literal(true).meta({ example: true }),
    challenge: z.string().meta({
      description: 'Bring it to POST /auth/mfa/verify, with a second factor',
      example: 'kq0dQ2J9Yx1m4J5uE6vT7wZ8aB3cD4eF5gH6iJ7kL8M',
    }),
    methods: z
      .array(z.enum(['totp', 'recovery_code', 'passkey']))
      .meta({ description: 'What the person can answer with', example: ['totp', 'recovery_code'] }),
    expiresIn: z.number().int().meta({ description: 'Life of the challenge in seconds', example: 300 }),
  })
  .meta({ id: 'MfaRequired' });

export const loginAnswer = z.union([tokens, mfaRequired]);

const restriction = z.enum(['PASSWORD_EXPIRED', 'MFA_REQUIRED']).meta({
  description: 'What has to be done before the session is good for anything but the own account',
  example: 'MFA_REQUIRED',
});

export const me = person
  .extend({
    phone: z.string().nullable().meta({ example: '+919829012345' }),
    permissions: z.array(z.string()).meta({ example: ['tenants.read'] }),
    tenant: z
      .object({
        id,
        name: z.string().meta({ example: 'Saraswati Reading Hall' }),
        slug: z.string().meta({ example: 'saraswati-reading-hall' }),
        status: z.string().meta({ example: 'ACTIVE' }),
      })
      .nullable()
      .meta({ description: 'The library of a platform user' }),
    pendingEmail: z
      .string()
      .nullable()
      .meta({ description: 'A new address that waits to be confirmed', example: null }),
    emailVerified: z.boolean().meta({ example: true }),
    restriction: restriction.nullable(),
    passwordExpiresAt: isoDate.nullable().meta({ description: 'Null where passwords do not expire', example: null }),
    mfaEnabled: z.boolean().meta({ description: 'Whether sign-in asks for a second factor', example: true }),
    mfaDeadline: isoDate.nullable().meta({ description: 'Until then a second factor has to be set up', example: null }),
    elevatedUntil: isoDate.nullable().meta({ description: 'Until then no step-up is needed', example: null }),
    impersonation: z
      .object({
        id,
        adminName: z.string().meta({ example: 'Ravi Iyer' }),
        mode: z.enum(['READ_ONLY', 'READ_WRITE']).meta({ example: 'READ_ONLY' }),
        expiresAt: isoDate,
      })
      .nullable()
      .meta({ description: 'Who of the support acts in the name of this person' }),
    lastLoginAt: isoDate.nullable(),
    createdAt: isoDate,
  })
  .meta({ id: 'Me' });

export const session = z
  .object({
    id,
    current: z.boolean().meta({ description: 'Whether this request belongs to it', example: true }),
    ipAddress: z.string().nullable().meta({ example: '203.0.113.7' }),
    userAgent: z.string().nullable().meta({ example: 'Mozilla/5.0 (X11; Linux x86_64)' }),
    device: z.string().nullable().meta({ description: 'What the user agent says', example: 'Chrome on Windows' }),
    country: z.string().nullable().meta({ description: 'ISO 3166-1; null where it is not known', example: 'IN' }),
    method: z.enum(['PASSWORD', 'PASSKEY', 'IMPERSONATION']).meta({ example: 'PASSWORD' }),
    mfa: z.boolean().meta({ description: 'Whether a second factor took part', example: true }),
    impersonated: z.boolean().meta({ description: 'Whether somebody of the support acts in it', example: false }),
    createdAt: isoDate,
    lastSeenAt: isoDate.meta({ description: 'When it last signed in or refreshed' }),
    expiresAt: isoDate,
  })
  .meta({ id: 'Session' });

export const sessionId = z.strictObject({ id });
export const accepted = z
  .object({ message: z.string().meta({ example: 'If there is such an account, a mail is on its way.' }) })
  .meta({ id: 'Accepted' });
export const done = z.object({ done: z.literal(true).meta({ example: true }) }).meta({ id: 'Done' });
export const revoked = z
  .object({ revoked: z.number().int().meta({ description: 'How many sessions were ended', example: 2 }) })
  .meta({ id: 'Revoked' });
