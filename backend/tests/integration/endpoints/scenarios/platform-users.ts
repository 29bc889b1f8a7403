import { fresh, type Scenario } from './scenario.ts';

const base = '/api/platform-users';
const reason = 'Has left the library';

/** Somebody of one kind, and what an owner of theirs gets to see. */
const ofKind =
  (path: string, role: 'owner' | 'student' | 'parent' | 'library_staff'): Scenario =>
  async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    const { id } = await app.buildUser({ role, tenantId });
    return { answer: await app.call('GET', `${base}/${path.replace(':id', id)}`, { token }) };
  };

export const platformUsersScenarios: Record<string, Scenario> = {
  listPeople: async (app) => {
    await app.buildUser({ role: 'student' });
    return { answer: await app.call('GET', base, { token: await app.adminToken() }) };
  },
  listOwners: ofKind('owners', 'owner'),
  listStudents: ofKind('students', 'student'),
  listParents: ofKind('parents', 'parent'),
  listStaff: ofKind('staff', 'library_staff'),
  getPerson: ofKind(':id', 'student'),
  getOwner: ofKind('owners/:id', 'owner'),
  getStudent: ofKind('students/:id', 'student'),
  getParent: ofKind('parents/:id', 'parent'),
  getStaffMember: ofKind('staff/:id', 'library_staff'),
  createPerson: async (app) => {
    const { token } = await app.ownerWithToken();
    const body = { kind: 'STAFF', name: 'Asha Menon', email: `asha-${fresh()}@staff.example`, jobTitle: 'Front desk' };
    return { answer: await app.call('POST', base, { token, body }) };
  },
  updatePerson: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    const { id } = await app.buildUser({ role: 'student', tenantId });
    return { answer: await app.call('PUT', `${base}/${id}`, { token, body: { course: 'NEET' } }) };
  },
  deletePerson: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    const { id } = await app.buildUser({ role: 'student', tenantId });
    return { answer: await app.call('DELETE', `${base}/${id}`, { token, body: { reason } }) };
  },
  activatePerson: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    const { id } = await app.buildUser({ role: 'student', tenantId, status: 'INACTIVE' });
    return { answer: await app.call('POST', `${base}/${id}/activate`, { token, body: {} }) };
  },
  deactivatePerson: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    const { id } = await app.buildUser({ role: 'student', tenantId });
    return { answer: await app.call('POST', `${base}/${id}/deactivate`, { token, body: { reason } }) };
  },
  resetPersonPassword: async (app) => {
    const { token, tenantId } = await app.ownerWithToken();
    const { id } = await app.buildUser({ role: 'student', tenantId });
    return { answer: await app.call('POST', `${base}/${id}/reset-password`, { token }) };
  },
};
