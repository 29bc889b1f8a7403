import { z } from 'zod';
import { isoDate, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { delivery, deviceToken } from './auth.validator.ts';

/** Of a sign-in that waits for its second factor. */
export const signInChallenge = z
  .string()
  .regex(/^[\w-]{43}$/, 'must be the challenge that the sign-in was answered with')
  .meta({
    description: 'As POST /api/auth/login answered it',
    example: 'kq0dQ2J9Yx1m4J5uE6vT7wZ8aB3cD4eF5gH6iJ7kL8M',
  });

/** Binary, as browsers write it in JSON. @param most characters */
const base64url = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[\w-]+$/, 'must be base64url');

const CREDENTIAL = 'nD3mYbX1vQ8sK2tR7wZ4eA';
const CLIENT_DATA =
  'eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiVjVxMnY4dTFvMG4zbTZsOWsyajVoOGcxZjRkN3MwYTNwNmk5dTJ5NXQ4ciIsIm9yaWdpbiI6Imh0dHBzOi8vcG9ydGFsLnN0dWR5c3BvdC5leGFtcGxlIn0';

const credential = {
  id: base64url(1400).meta({ description: 'Credential id', example: CREDENTIAL }),
  rawId: base64url(1400).meta({ description: 'The same', example: CREDENTIAL }),
  type: z.literal('public-key').meta({ example: 'public-key' }),
  authenticatorAttachment: z.string().max(40).nullish().meta({ description: 'Not used', example: 'platform' }),
  clientExtensionResults: z.looseObject({}).optional().meta({ description: 'Not used', example: {} }),
};
const clientDataJSON = base64url(4000).meta({ description: 'What the browser signed for', example: CLIENT_DATA });
const authenticatorData = base64url(4000).meta({
  description: 'Relying party, flags and counter',
  example: 'SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAQ',
});

/** What `PublicKeyCredential.toJSON()` gives after `navigator.credentials.get()`. */
export const assertion = z
  .strictObject({
    ...credential,
    response: z.strictObject({
      clientDataJSON,
      authenticatorData,
      signature: base64url(2000).meta({
        description: 'Over both',
        example: 'MEUCIQDKYzO2Q0Xb3mN8vB5cT1rW6yU9iP2aS4dF7gH0jK3lZwIgXcVbNmQwErTyUiOpAsDfGhJkLzXcVbNmQwErTyUiOpA',
      }),
      userHandle: base64url(200).nullish().meta({
        description: 'Whose passkey it is',
        example: 'Y20zazh2MXg0MDAwMHFwMmg5ZDdmNWE2Yg',
      }),
    }),
  })
  .meta({ id: 'PasskeyAssertion' });

const attestation = z
  .strictObject({
    ...credential,
    response: z.strictObject({
      clientDataJSON,
      attestationObject: base64url(40_000).meta({
        description: 'The new public key, CBOR',
        example: 'o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVikSZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2NFAAAAAA',
      }),
      transports: z
        .array(z.string().max(40).meta({ example: 'internal' }))
        .max(10)
        .optional()
        .meta({ description: 'How browsers reach the authenticator', example: ['internal', 'hybrid'] }),
      authenticatorData: authenticatorData.optional().meta({ description: 'Not used' }),
      publicKey: base64url(4000)
        .nullish()
        .meta({ description: 'Not used', example: 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE' }),
      publicKeyAlgorithm: z.number().int().optional().meta({ description: 'Not used', example: -7 }),
    }),
  })
  .meta({ id: 'PasskeyAttestation' });

export const registerBody = z
  .strictObject({
    name: text(60).meta({ description: 'By which its owner knows it', example: 'Phone' }),
    response: attestation.meta({
      description: 'What `PublicKeyCredential.toJSON()` gives after `navigator.credentials.create()`',
    }),
  })
  .meta({ id: 'RegisterPasskey' });

const challenge = z.string().meta({
  description: 'Base64url; to be signed within the time',
  example: 'V5q2v8u1o0n3m6l9k2j5h8g1f4d7s0a3p6i9u2y5t8r',
});
const timeout = z.number().optional().meta({ description: 'Milliseconds', example: 300_000 });
const userVerification = z
  .string()
  .optional()
  .meta({ description: 'The device makes sure who holds it', example: 'required' });
const knownCredentials = z
  .array(
    z.object({
      id: z.string().meta({ description: 'Credential id', example: CREDENTIAL }),
      type: z.string().meta({ example: 'public-key' }),
      transports: z
        .array(z.string().meta({ example: 'internal' }))
        .optional()
        .meta({ description: 'How it is reached' }),
    }),
  )
  .optional();

export const registrationOptions = z
  .object({
    options: z
      .object({
        challenge,
        rp: z
          .object({
            id: z.string().optional().meta({ example: 'portal.studyspot.example' }),
            name: z.string().meta({ example: 'StudySpot' }),
          })
          .meta({ description: 'For whom the passkey is' }),
        user: z
          .object({
            id: z.string().meta({ example: 'Y20zazh2MXg0MDAwMHFwMmg5ZDdmNWE2Yg' }),
            name: z.string().meta({ example: 'asha.menon@studyspot.example' }),
            displayName: z.string().meta({ example: 'Asha Menon' }),
          })
          .meta({ description: 'Whose it will be' }),
        pubKeyCredParams: z
          .array(z.object({ type: z.string().meta({ example: 'public-key' }), alg: z.number().meta({ example: -7 }) }))
          .meta({ description: 'Kinds of keys that are taken, the most wanted first' }),
        timeout,
        excludeCredentials: knownCredentials.meta({ description: 'Those that the person has already' }),
        authenticatorSelection: z
          .object({
            residentKey: z.string().optional().meta({ example: 'required' }),
            requireResidentKey: z.boolean().optional().meta({ example: true }),
            userVerification,
          })
          .optional()
          .meta({ description: 'What the authenticator has to be capable of' }),
        attestation: z.string().optional().meta({ description: 'No proof of the model is asked for', example: 'none' }),
      })
      .meta({ description: 'For `PublicKeyCredential.parseCreationOptionsFromJSON()`' }),
  })
  .meta({ id: 'PasskeyRegistrationOptions' });

export const assertionOptions = z
  .object({
    options: z
      .object({
        challenge,
        rpId: z.string().optional().meta({ description: 'Whose passkeys', example: 'portal.studyspot.example' }),
        timeout,
        userVerification,
        allowCredentials: knownCredentials.meta({ description: 'Left out: whichever the person picks' }),
      })
      .meta({ description: 'For `PublicKeyCredential.parseRequestOptionsFromJSON()`' }),
  })
  .meta({ id: 'PasskeyAssertionOptions' });

export const passkey = z
  .object({
    id,
    name: z.string().meta({ example: 'Phone' }),
    transports: z.array(z.string()).meta({ description: 'How it is reached', example: ['internal', 'hybrid'] }),
    backedUp: z.boolean().meta({ description: 'Whether it is copied to other devices of its owner', example: true }),
    createdAt: isoDate,
    lastUsedAt: isoDate.nullable(),
  })
  .meta({ id: 'Passkey' });

export const passkeyId = z.strictObject({ id });

export const loginOptionsBody = z
  .strictObject({
    challenge: signInChallenge.optional().meta({
      description: 'Of a sign-in with the password that waits for its second factor',
      example: 'kq0dQ2J9Yx1m4J5uE6vT7wZ8aB3cD4eF5gH6iJ7kL8M',
    }),
  })
  .meta({ id: 'PasskeyLoginOptions', example: {} });

export const loginBody = z
  .strictObject({ passkey: assertion, refreshTokenIn: delivery, deviceToken })
  .meta({ id: 'PasskeyLogin' });
