import { generateSecret, generateURI, verify } from 'otplib';

const PERIOD_SECONDS = 30;

/** SHA-1, six digits, thirty seconds: the only settings that every authenticator app knows. */
const settings = { algorithm: 'sha1', digits: 6, period: PERIOD_SECONDS } as const;

/** 160 random bits, base32. */
export const newTotpSecret = (): string => generateSecret({ length: 20 });

/** What the QR code says. @param label by which the app lists it, such as the person's address */
export const totpUri = (secret: string, label: string): string =>
  generateURI({ issuer: 'StudySpot', label, secret, ...settings });

/**
 * The 30-second step to which a code belongs: the present one, or one to either side for clocks that differ.
 * @returns undefined when it belongs to none of them
 */
export async function totpStep(secret: string, code: string, now: Date): Promise<number | undefined> {
  const epoch = Math.floor(now.getTime() / 1000);
  const found = await verify({ secret, token: code, epoch, epochTolerance: PERIOD_SECONDS, ...settings });
  return found.valid && 'timeStep' in found ? found.timeStep : undefined;
}
