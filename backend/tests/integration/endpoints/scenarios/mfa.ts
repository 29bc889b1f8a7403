import { relyingParty } from '../../../../src/utils/webauthn.ts';
import { PASSWORD } from '../../../support/factories.ts';
import type { TestApp } from '../../../support/server.ts';
import { softwareAuthenticator } from '../../../support/software-authenticator.ts';
import { addPasskey, challengeFor, codeOf, passkeyLogin, stepUp, verify, withTotp } from '../../mfa/support.ts';
import { from, type Scenario } from './scenario.ts';

const authenticatorOf = () => softwareAuthenticator(relyingParty().origins[0] ?? '');

async function ownerWithPasskey(app: TestApp) {
  const { token } = await app.signInElevated(await app.buildOwner());
  return { token, ...(await addPasskey(app, token, { authenticator: authenticatorOf() })) };
}

export const mfaScenarios: Record<string, Scenario> = {
  verifyMfa: async (app) => {
    const { person, secret } = await withTotp(app, await app.buildOwner());
    return { answer: await verify(app, { challenge: await challengeFor(app, person), code: codeOf(secret) }) };
  },
  stepUp: async (app) => ({ answer: await stepUp(app, await app.adminToken(), { password: PASSWORD }) }),
  getSecondFactors: async (app) => ({
    answer: await app.call('GET', '/api/auth/mfa', { token: (await app.ownerWithToken()).token }),
  }),
  setUpTotp: async (app) => ({
    answer: await app.call('POST', '/api/auth/mfa/totp/setup', { token: await app.adminToken() }),
  }),
  confirmTotp: async (app) => {
    const token = await app.adminToken();
    const { secret } = (await app.call('POST', '/api/auth/mfa/totp/setup', { token })).body.data;
    return {
      answer: await app.call('POST', '/api/auth/mfa/totp/confirm', { token, body: { code: codeOf(secret) } }),
    };
  },
  turnOffTotp: async (app) => {
    const { token } = await withTotp(app, await app.buildOwner());
    return { answer: await app.call('DELETE', '/api/auth/mfa/totp', { token }) };
  },
  renewRecoveryCodes: async (app) => {
    const { token } = await withTotp(app, await app.buildOwner());
    return { answer: await app.call('POST', '/api/auth/mfa/recovery-codes', { token }) };
  },
  passkeyLoginOptions: async (app) => ({
    answer: await app.call('POST', '/api/auth/passkeys/login/options', { body: {}, ...from() }),
  }),
  passkeyLogin: async (app) => {
    const { authenticator } = await ownerWithPasskey(app);
    const { body } = await app.call('POST', '/api/auth/passkeys/login/options', { body: {}, ...from() });
    return { answer: await passkeyLogin(app, authenticator.get(body.data.options)) };
  },
  passkeyStepUpOptions: async (app) => {
    const { token } = await ownerWithPasskey(app);
    return { answer: await app.call('POST', '/api/auth/passkeys/step-up/options', { token }) };
  },
  passkeyRegistrationOptions: async (app) => ({
    answer: await app.call('POST', '/api/auth/passkeys/register/options', { token: await app.adminToken() }),
  }),
  registerPasskey: async (app) => ({
    answer: (await addPasskey(app, await app.adminToken(), { authenticator: authenticatorOf() })).answer,
  }),
  listPasskeys: async (app) => {
    const { token } = await ownerWithPasskey(app);
    return { answer: await app.call('GET', '/api/auth/passkeys', { token }) };
  },
  removePasskey: async (app) => {
    const { token, id } = await ownerWithPasskey(app);
    return { answer: await app.call('DELETE', `/api/auth/passkeys/${id}`, { token }) };
  },
};
