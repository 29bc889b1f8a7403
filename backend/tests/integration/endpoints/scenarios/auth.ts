import { PASSWORD } from '../../../support/factories.ts';
import { from, type Scenario } from './scenario.ts';

export const authScenarios: Record<string, Scenario> = {
  login: async (app) => {
    const user = await app.buildOwner();
    return {
      answer: await app.call('POST', '/api/auth/login', { body: { email: user.email, password: PASSWORD }, ...from() }),
    };
  },
  logout: async (app) => ({ answer: await app.call('POST', '/api/auth/logout', { token: await app.adminToken() }) }),
  refresh: async (app) => {
    const { refreshToken } = await app.signIn(await app.buildOwner());
    return { answer: await app.call('POST', '/api/auth/refresh', { body: { refreshToken }, ...from() }) };
  },
  forgotPassword: async (app) => ({
    answer: await app.call('POST', '/api/auth/forgot-password', {
      body: { email: 'nobody@people.example' },
      ...from(),
    }),
  }),
  resetPassword: async (app) => {
    const user = await app.buildOwner();
    const token = await app.buildOneTimeToken(user);
    return {
      answer: await app.call('POST', '/api/auth/reset-password', {
        body: { token, password: 'three-quiet-reading-rooms' },
        ...from(),
      }),
    };
  },
  changePassword: async (app) => ({
    answer: await app.call('POST', '/api/auth/change-password', {
      token: await app.adminToken(),
      body: { currentPassword: PASSWORD, newPassword: 'three-quiet-reading-rooms' },
    }),
  }),
  acceptInvite: async (app) => {
    const admin = await app.buildAdmin({ role: 'support', status: 'PENDING', password: false });
    const token = await app.buildOneTimeToken(admin, 'INVITE');
    return {
      answer: await app.call('POST', '/api/auth/accept-invite', {
        body: { token, name: 'Asha Verma', password: 'three-quiet-reading-rooms' },
        ...from(),
      }),
    };
  },
  verifyEmail: async (app) => {
    const token = await app.buildOneTimeToken(await app.buildOwner(), 'EMAIL_VERIFICATION');
    return { answer: await app.call('POST', '/api/auth/verify-email', { body: { token }, ...from() }) };
  },
  resendEmailVerification: async (app) => ({
    answer: await app.call('POST', '/api/auth/verify-email/resend', { token: (await app.ownerWithToken()).token }),
  }),
  updateMe: async (app) => ({
    answer: await app.call('PUT', '/api/auth/me', { token: await app.adminToken(), body: { name: 'Asha Verma' } }),
  }),
  getMe: async (app) => ({
    answer: await app.call('GET', '/api/auth/me', { token: (await app.ownerWithToken()).token }),
  }),
  listSessions: async (app) => ({
    answer: await app.call('GET', '/api/auth/sessions', { token: await app.adminToken() }),
  }),
  revokeSession: async (app) => {
    const user = await app.buildAdmin();
    await app.signIn(user);
    const { token } = await app.signIn(user);
    const { body } = await app.call('GET', '/api/auth/sessions', { token });
    const other = (body.data as { id: string; current: boolean }[]).find(({ current }) => !current);
    return { answer: await app.call('DELETE', `/api/auth/sessions/${other?.id}`, { token }) };
  },
  revokeOtherSessions: async (app) => ({
    answer: await app.call('DELETE', '/api/auth/sessions', { token: await app.adminToken() }),
  }),
};
