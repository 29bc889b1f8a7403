import { z } from 'zod';
import { isoDate } from '../utils/fields.ts';
import { delivery, deviceToken, tokens } from './auth.validator.ts';
import { assertion, signInChallenge } from './passkeys.validator.ts';

const code = z
  .string()
  .regex(/^\d{6}$/, 'must be the six digits that the app shows')
  .meta({ description: 'Six digits of the authenticator app', example: '492039' });

const recoveryCode = z
  .string()
  .min(12)
  .max(40)
  .regex(/^[\w\s-]+$/, 'must be a recovery code, such as 7QKM-X2PD-9HTW')
  .meta({ description: 'One of those that were shown when the app was turned on', example: '7QKM-X2PD-9HTW' });

const factors = { code: code.optional(), recoveryCode: recoveryCode.optional(), passkey: assertion.optional() };

const exactlyOne = (value: object, names: readonly string[]) =>
  names.filter((name) => (value as Record<string, unknown>)[name] !== undefined).length === 1;

export const verifyBody = z
  .strictObject({
    challenge: signInChallenge,
    ...factors,
    refreshTokenIn: delivery,
    deviceToken,
  })
  .refine((value) => exactlyOne(value, ['code', 'recoveryCode', 'passkey']), {
    message: 'give one of code, recoveryCode and passkey',
    path: ['code'],
  })
  .meta({
    id: 'VerifyMfa',
    example: { challenge: 'kq0dQ2J9Yx1m4J5uE6vT7wZ8aB3cD4eF5gH6iJ7kL8M', code: '492039', refreshTokenIn: 'body' },
  });

export const stepUpBody = z
  .strictObject({
    password: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .meta({ description: 'Only without a second factor', format: 'password', example: 'StudySpot-Demo-2026' }),
    ...factors,
  })
  .refine((value) => exactlyOne(value, ['password', 'code', 'recoveryCode', 'passkey']), {
    message: 'give one of password, code, recoveryCode and passkey',
    path: ['password'],
  })
  .meta({ id: 'StepUp', example: { password: 'StudySpot-Demo-2026' } });

const recoveryCodesLeft = z.number().int().nullable().meta({
  description: 'How many are left, where one was used; with three or fewer make new ones',
  example: null,
});

export const verified = tokens.extend({ recoveryCodesLeft }).meta({ id: 'VerifiedTokens' });

export const steppedUp = z
  .object({
    elevatedUntil: isoDate.meta({ description: 'Until then this session may do what needs it' }),
    recoveryCodesLeft,
  })
  .meta({ id: 'SteppedUp' });

export const secondFactors = z
  .object({
    enabled: z.boolean().meta({ description: 'Whether signing in needs more than the password', example: true }),
    totpSince: isoDate.nullable().meta({ description: 'Since when an authenticator app is on' }),
    passkeys: z.number().int().meta({ description: 'How many there are', example: 1 }),
    recoveryCodesLeft: z.number().int().meta({ description: 'How many are unused', example: 10 }),
    deadline: isoDate
      .nullable()
      .meta({ description: 'Until when one has to be set up; null where none has to, or there is one', example: null }),
  })
  .meta({ id: 'SecondFactors' });

export const totpSetup = z
  .object({
    secret: z.string().meta({ description: 'To type into the app', example: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' }),
    uri: z.string().meta({
      description: 'What the QR code says',
      example:
        'otpauth://totp/StudySpot:asha.menon%40studyspot.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=StudySpot',
    }),
    qrCode: z.string().meta({ description: 'PNG, as a data URI', example: 'data:image/png;base64,iVBORw0KGgo=' }),
  })
  .meta({ id: 'TotpSetup' });

export const confirmBody = z.strictObject({ code }).meta({ id: 'ConfirmTotp' });

export const recoveryCodes = z
  .object({
    recoveryCodes: z
      .array(z.string().meta({ example: '7QKM-X2PD-9HTW' }))
      .meta({ description: 'Shown this once; each works once', example: ['7QKM-X2PD-9HTW', 'M4RC-ZT8V-3WYB'] }),
  })
  .meta({ id: 'RecoveryCodes' });
