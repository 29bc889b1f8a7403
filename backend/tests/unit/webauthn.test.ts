import { afterEach, describe, expect, it, vi } from 'vitest';

async function partyWith(environment: Record<string, string>) {
  vi.resetModules();
  const needed = ['DATABASE_URL', 'JWT_SECRET', 'REFRESH_TOKEN_SECRET', 'ENCRYPTION_KEY'];
  for (const name of needed) vi.stubEnv(name, `postgres://localhost/${name}-0123456789012345`);
  for (const [name, value] of Object.entries({ PUBLIC_URL: '', CORS_ORIGINS: '', ...environment }))
    vi.stubEnv(name, value);
  return (await import('../../src/utils/webauthn.ts')).relyingParty();
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

describe('For whom passkeys are', () => {
  it('is the host of the portal, from its own pages', async () => {
    const party = await partyWith({ PUBLIC_URL: 'https://portal.studyspot.example/admin' });
    expect(party).toEqual({
      id: 'portal.studyspot.example',
      name: 'StudySpot',
      origins: ['https://portal.studyspot.example'],
    });
  });

  it('counts the pages under that name, and none that only ends alike', async () => {
    const { origins } = await partyWith({
      PUBLIC_URL: 'https://studyspot.example',
      CORS_ORIGINS:
        'https://app.studyspot.example, https://evilstudyspot.example,https://studyspot.example.evil.example,nonsense,https://studyspot.example:8443',
    });
    expect(origins).toEqual([
      'https://studyspot.example',
      'https://app.studyspot.example',
      'https://studyspot.example:8443',
    ]);
  });

  it.each(['http://127.0.0.1:4000', 'http://[::1]:4000'])(
    'is localhost on one’s own machine (%s)',
    async (PUBLIC_URL) => {
      expect(await partyWith({ PUBLIC_URL })).toMatchObject({ id: 'localhost', origins: ['http://localhost:4000'] });
    },
  );
});
