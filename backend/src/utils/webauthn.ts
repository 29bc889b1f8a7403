import { isIP } from 'node:net';
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { decodeAttestationObject, isoBase64URL } from '@simplewebauthn/server/helpers';
import { z } from 'zod';
import { environment } from '../config/environment.ts';

/** ES256, EdDSA and RS256: what authenticators of today can sign with (COSE numbers). */
export const PASSKEY_ALGORITHMS = [-7, -8, -257];

/** As `PublicKeyCredential.toJSON()` gives it after a sign-in. */
export type Assertion = {
  id: string;
  rawId: string;
  type: 'public-key';
  response: { clientDataJSON: string; authenticatorData: string; signature: string; userHandle?: string | null };
};

/** As `PublicKeyCredential.toJSON()` gives it after a registration. */
export type Attestation = {
  id: string;
  rawId: string;
  type: 'public-key';
  response: { clientDataJSON: string; attestationObject: string; transports?: string[] };
};

/**
 * For whom passkeys are made: the host of the portal, and the pages that may use them. Browsers know none for bare
 * addresses; on one's own machine the name is localhost.
 */
export function relyingParty(): { id: string; name: string; origins: string[] } {
  const { PUBLIC_URL, CORS_ORIGINS } = environment();
  const portal = new URL(PUBLIC_URL);
  if (isIP(portal.hostname.replace(/[[\]]/g, ''))) portal.hostname = 'localhost';
  const id = portal.hostname;
  const ofPortal = CORS_ORIGINS.filter((origin) => isUnder(id, origin)).map((origin) => new URL(origin).origin);
  return { id, name: 'StudySpot', origins: [...new Set([portal.origin, ...ofPortal])] };
}

const isUnder = (host: string, origin: string): boolean => {
  const named = URL.canParse(origin) ? new URL(origin).hostname : '';
  return named === host || named.endsWith(`.${host}`);
};

/** What the authenticator knows a person by. */
export const userHandleOf = (userId: string): string => Buffer.from(userId).toString('base64url');

const clientData = z.object({ challenge: z.string(), crossOrigin: z.boolean().optional() });

/** The challenge that a ceremony says it answers. Empty when it says none, or took place in somebody else's page. */
export function challengeOf(clientDataJSON: string): string {
  try {
    const read = clientData.safeParse(JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()));
    return read.success && read.data.crossOrigin !== true ? read.data.challenge : '';
  } catch {
    return '';
  }
}

/**
 * An attestation with certificates is refused unread: we ask for none, and to check one the library would fetch what
 * the certificates point to.
 */
const isWithoutCertificates = (attestationObject: string): boolean => {
  const decoded = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject));
  const format = decoded.get('fmt');
  return format === 'none' || (format === 'packed' && decoded.get('attStmt').get('x5c') === undefined);
};

export type NewCredential = {
  credentialId: string;
  publicKey: Uint8Array<ArrayBuffer>;
  counter: number;
  backedUp: boolean;
};

/**
 * The new credential, when everything about its registration is right: challenge, origin, relying party, presence and
 * verification of the person, and the shape of it all. @returns undefined for anything else
 */
export async function verifyAttestation(answer: Attestation, challenge: string): Promise<NewCredential | undefined> {
  const { id, origins } = relyingParty();
  if (challengeOf(answer.response.clientDataJSON) !== challenge) return undefined;
  try {
    if (!isWithoutCertificates(answer.response.attestationObject)) return undefined;
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: { ...answer, response: { ...answer.response, transports: [] }, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: origins,
      expectedRPID: id,
      requireUserVerification: true,
      supportedAlgorithmIDs: PASSKEY_ALGORITHMS,
    });
    if (!verified) return undefined;
    const { credential, credentialBackedUp } = registrationInfo;
    const { publicKey, counter } = credential;
    return { credentialId: credential.id, publicKey, counter, backedUp: credentialBackedUp };
  } catch {
    // The library throws for each thing that is wrong; which of them is nobody's business outside.
    return undefined;
  }
}

/**
 * The counter of the authenticator, when the assertion is genuine and answers this challenge. Whether the counter has
 * moved on is for the caller to see, who only then knows that the key itself signed it.
 */
export async function verifyAssertion(
  answer: Assertion,
  challenge: string,
  credential: { credentialId: string; publicKey: Uint8Array },
): Promise<{ counter: number; backedUp: boolean } | undefined> {
  const { id, origins } = relyingParty();
  const { userHandle, ...response } = answer.response;
  // The library looks at the challenge too, but lets pages of others embed ours where browsers do not name them.
  if (challengeOf(response.clientDataJSON) !== challenge) return undefined;
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        ...answer,
        response: { ...response, ...(userHandle && { userHandle }) },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: origins,
      expectedRPID: id,
      requireUserVerification: true,
      credential: { id: credential.credentialId, publicKey: Uint8Array.from(credential.publicKey), counter: 0 },
    });
    if (!verified) return undefined;
    return { counter: authenticationInfo.newCounter, backedUp: authenticationInfo.credentialBackedUp };
  } catch {
    return undefined;
  }
}
