import type { TestApp } from '../../support/server.ts';

export type Place = { tenantId: string; token: string; userId: string; name: string };

/** A library with its owner, a student and a name that nobody else has. */
export async function buildPlace(app: TestApp, name: string): Promise<Place> {
  const tenant = await app.buildTenant({ name });
  const { owner, token } = await app.ownerWithToken({ tenantId: tenant.id });
  await app.buildUser({ role: 'student', tenantId: tenant.id, name: `Student of ${name}` });
  return { tenantId: tenant.id, token, userId: owner.id, name };
}

/** One page of the people whom somebody sees: their names. */
export async function peopleSeenBy(app: TestApp, tenantId: string, token: string, headers = {}): Promise<string[]> {
  const answer = await app.call('GET', `/api/tenants/${tenantId}/users?limit=100`, { token, headers });
  return answer.status === 200 ? answer.body.data.map((person: { name: string }) => person.name) : [];
}
