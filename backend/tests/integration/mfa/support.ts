import { generateSync } from 'otplib';
import type { Answer } from '../../support/client.ts';
import { PASSWORD, someAddress } from '../../support/factories.ts';
import type { TestApp } from '../../support/server.ts';
import { softwareAuthenticator, type SoftwareAuthenticator } from '../../support/software-authenticator.ts';

export const PORTAL = 'https://portal.studyspot.example';

/** As an authenticator app shows it. @param steps so many times thirty seconds from now */
export const codeOf = (secret: string, steps = 0): string =>
  generateSync({ secret, epoch: Math.floor(Date.now() / 1000) + 30 * steps });

/** Six digits that the app shows neither now nor soon. */
export function wrongCode(secret: string): string {
  const right = new Set([-2, -1, 0, 1, 2].map((steps) => codeOf(secret, steps)));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.has(code)) ?? '666666';
}

export const from = (address = someAddress()) => ({ headers: { 'x-forwarded-for': address } });

type Person = { id: string; email: string | null };

export const login = (app: TestApp, person: Person, address?: string): Promise<Answer> =>
  app.call('POST', '/api/auth/login', { body: { email: person.email, password: PASSWORD }, ...from(address) });

export const verify = (app: TestApp, body: object, address?: string): Promise<Answer> =>
  app.call('POST', '/api/auth/mfa/verify', { body, ...from(address) });

export const stepUp = (app: TestApp, token: string, body: object): Promise<Answer> =>
  app.call('POST', '/api/auth/step-up', { token, body });

/** Signs in with the password and gives the challenge that waits for the second factor. */
export async function challengeFor(app: TestApp, person: Person, address?: string): Promise<string> {
  const answer = await login(app, person, address);
  if (answer.body?.data?.mfaRequired !== true) throw new Error(`No second factor was asked for: ${answer.text}`);
  return answer.body.data.challenge;
}

/** As if a code had last been used long ago: the ones of now are good again. */
export const forgetUsedCodes = (app: TestApp, { id }: { id: string }) =>
  app.query(`update totp_credentials set last_used_step = 0 where user_id = $1`, [id]);

/** Turns an authenticator app on, over HTTP. */
export async function withTotp<Owner extends Person>(app: TestApp, person: Owner) {
  const { token } = await app.signInElevated(person);
  const begun = await app.call('POST', '/api/auth/mfa/totp/setup', { token });
  const { secret } = begun.body.data as { secret: string };
  const confirmed = await app.call('POST', '/api/auth/mfa/totp/confirm', { token, body: { code: codeOf(secret) } });
  if (confirmed.status !== 200) throw new Error(`No authenticator app: ${confirmed.text}`);
  await forgetUsedCodes(app, person);
  return { person, token, secret, recoveryCodes: confirmed.body.data.recoveryCodes as string[] };
}

/** Adds a passkey, over HTTP. */
export async function addPasskey(
  app: TestApp,
  token: string,
  {
    authenticator = softwareAuthenticator(PORTAL),
    name = 'Phone',
  }: { authenticator?: SoftwareAuthenticator; name?: string } = {},
) {
  const begun = await app.call('POST', '/api/auth/passkeys/register/options', { token });
  if (begun.status !== 200) throw new Error(`No options: ${begun.text}`);
  const response = authenticator.create(begun.body.data.options);
  const answer = await app.call('POST', '/api/auth/passkeys/register', { token, body: { name, response } });
  if (answer.status !== 201) throw new Error(`No passkey: ${answer.text}`);
  return { authenticator, id: answer.body.data.id as string, answer };
}

export async function withPasskey<Owner extends Person>(app: TestApp, person: Owner) {
  const { token } = await app.signInElevated(person);
  return { person, token, ...(await addPasskey(app, token)) };
}

export async function loginOptions(app: TestApp, body: object = {}) {
  const answer = await app.call('POST', '/api/auth/passkeys/login/options', { body, ...from() });
  if (answer.status !== 200) throw new Error(`No options: ${answer.text}`);
  return answer.body.data.options as { challenge: string; rpId: string };
}

export const passkeyLogin = (app: TestApp, passkey: object): Promise<Answer> =>
  app.call('POST', '/api/auth/passkeys/login', { body: { passkey }, ...from() });

export const stepUpOptions = async (app: TestApp, token: string) =>
  (await app.call('POST', '/api/auth/passkeys/step-up/options', { token })).body.data.options as { challenge: string };

/** The outcomes of the audit rows of an action in somebody's name, or about their account. */
export const auditRows = (app: TestApp, action: string, userId: string) =>
  app.query<{ outcome: string; changes: Record<string, unknown> | null }>(
    `select outcome, changes from audit_logs
      where action = $1 and (actor_id = $2 or changes->>'account' = $2) order by created_at, sequence`,
    [action, userId],
  );

export const mailsTo = (app: TestApp, userId: string) =>
  app.query<{ job: string; payload: Record<string, unknown> }>(
    `select job, payload from outbox_messages where payload->>'userId' = $1 and job in ('email.mfa-changed', 'email.recovery-codes-low') order by created_at`,
    [userId],
  );
