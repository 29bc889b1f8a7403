import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

// An authenticator with its browser, in software: it makes ES256 keys and signs as WebAuthn says, to the byte. What it
// is told to do wrong, it signs all the same, as an attacker's would.

const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();
const base64url = (data: string | Buffer): string => Buffer.from(data).toString('base64url');

/** As much of CBOR as an attestation needs: whole numbers, texts, bytes and maps. */
type Cbor = number | string | Buffer | Map<number | string, Cbor>;

function head(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 0x100) return Buffer.from([(major << 5) | 24, value]);
  return Buffer.from([(major << 5) | 25, value >> 8, value & 0xff]);
}

function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, item]) => [cbor(key), cbor(item)])]);
}

/** The public key as COSE: EC2, ES256, P-256, x, y. */
function coseKey(publicKey: KeyObject): Buffer {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  return cbor(
    new Map<number, Cbor>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x, 'base64url')],
      [-3, Buffer.from(y, 'base64url')],
    ]),
  );
}

const PRESENT = 0x01;
const VERIFIED = 0x04;
const WITH_CREDENTIAL = 0x40;

export type CreationOptions = { challenge: string; rp: { id?: string }; user: { id: string } };
export type RequestOptions = { challenge: string; rpId?: string };

/** What it is to do otherwise than it should. */
export type Deviation = {
  origin?: string;
  rpId?: string;
  challenge?: string;
  type?: string;
  crossOrigin?: boolean;
  /** False: its holder touched it, and proved nothing. */
  verified?: boolean;
  counter?: number;
  userHandle?: string | null;
  credentialId?: string;
  /** The attestation, with certificates for example. */
  statement?: { format: string; fields: Map<string, Cbor> };
};

/** @param origin of the page on which it is used */
export function softwareAuthenticator(origin: string) {
  const credentialId = randomBytes(16);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let counter = 0;
  let owner = '';

  function clientData(type: string, challenge: string, told: Deviation): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: told.type ?? type,
        challenge: told.challenge ?? challenge,
        origin: told.origin ?? origin,
        crossOrigin: told.crossOrigin ?? false,
      }),
    );
  }

  function authenticatorData(rpId: string | undefined, told: Deviation, credential?: Buffer): Buffer {
    const flags = PRESENT | (told.verified === false ? 0 : VERIFIED) | (credential ? WITH_CREDENTIAL : 0);
    counter = told.counter ?? counter + 1;
    const rest = Buffer.alloc(5);
    rest.writeUInt8(flags, 0);
    rest.writeUInt32BE(counter, 1);
    return Buffer.concat([sha256(told.rpId ?? rpId ?? ''), rest, credential ?? Buffer.alloc(0)]);
  }

  return {
    id: base64url(credentialId),

    /** `navigator.credentials.create()`: what `toJSON()` of its result gives. */
    create(options: CreationOptions, told: Deviation = {}) {
      owner = options.user.id;
      const id = told.credentialId ? Buffer.from(told.credentialId, 'base64url') : credentialId;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(id.length);
      const credential = Buffer.concat([Buffer.alloc(16), length, id, coseKey(publicKey)]);
      const { format, fields } = told.statement ?? { format: 'none', fields: new Map<string, Cbor>() };
      const attestation = cbor(
        new Map<string, Cbor>([
          ['fmt', format],
          ['attStmt', fields],
          ['authData', authenticatorData(options.rp.id, told, credential)],
        ]),
      );
      return {
        id: base64url(id),
        rawId: base64url(id),
        type: 'public-key',
        authenticatorAttachment: 'platform',
        clientExtensionResults: {},
        response: {
          clientDataJSON: base64url(clientData('webauthn.create', options.challenge, told)),
          attestationObject: base64url(attestation),
          transports: ['internal', 'hybrid'],
        },
      };
    },

    /** `navigator.credentials.get()`: what `toJSON()` of its result gives. */
    get(options: RequestOptions, told: Deviation = {}) {
      const data = authenticatorData(options.rpId, told);
      const client = clientData('webauthn.get', options.challenge, told);
      const signature = sign('sha256', Buffer.concat([data, sha256(client)]), privateKey);
      const id = told.credentialId ?? base64url(credentialId);
      return {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: base64url(client),
          authenticatorData: base64url(data),
          signature: base64url(signature),
          userHandle: told.userHandle === undefined ? owner : told.userHandle,
        },
      };
    },
  };
}

export type SoftwareAuthenticator = ReturnType<typeof softwareAuthenticator>;
