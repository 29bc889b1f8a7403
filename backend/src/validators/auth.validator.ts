import { z } from 'zod';
import { email, isoDate, password, phone } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';

const account = z.object({ email: email.optional(), phone: phone.optional() });
const exactlyOne = (value: z.output<typeof account>) => (value.email === undefined) !== (value.phone === undefined);
const eitherOr = { message: 'give either email or phone', path: ['email'] };

const delivery = z.enum(['body', 'cookie']).default('body').meta({
  description: '`cookie` for browsers: an HttpOnly cookie that scripts cannot read. `body` for programs',
  example: 'body',
});

export const loginBody = z
  .strictObject({
    ...account.shape,
    password: z
      .string()
      .min(1)
      .max(200)
      .meta({ description: 'Password', format: 'password', example: 'StudySpot-Demo-2026' }),
    refreshTokenIn: delivery,
  })
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
    user: person,
  })
  .meta({ id: 'Tokens' });

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
