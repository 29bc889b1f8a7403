import * as people from '../controllers/platform-users.controller.ts';
import { pageOf } from '../utils/page.ts';
import { accepted, done } from '../validators/auth.validator.ts';
import * as v from '../validators/platform-users.validator.ts';
import { endpoint, type Module } from './endpoint.ts';
import { peopleImportEndpoints } from './people-imports.routes.ts';
import { guardiansAndActivity, peopleCountsAndExports } from './platform-users-extras.routes.ts';

const beyondOwn = ['exceeds_own_permissions'] as const;
const notInAnothersName = ['exceeds_own_permissions', 'impersonation_restricted'] as const;
const change = { permission: 'users.update', tenant: 'own' } as const;
const read = { permission: 'users.read', tenant: 'own' } as const;
const ownFirst = 'People of a tenant see their own only, portal admins those of all tenants.';

const lists = [
  endpoint({
    method: 'get',
    path: '/',
    operationId: 'listPeople',
    summary: 'List the people of libraries',
    description: `Owners, staff, students and parents, with filters, search and sort, page by page. ${ownFirst}`,
    access: read,
    query: v.listPeopleQuery,
    response: pageOf(v.personRow),
    handler: people.listPeople,
  }),
  endpoint({
    method: 'get',
    path: '/owners',
    operationId: 'listOwners',
    summary: 'List the owners of libraries',
    description: 'With how many libraries their tenant has.',
    access: read,
    query: v.listPeopleOfKindQuery,
    response: pageOf(v.ownerRow),
    handler: people.listOwners,
  }),
  endpoint({
    method: 'get',
    path: '/students',
    operationId: 'listStudents',
    summary: 'List the students of libraries',
    description:
      'With course, whether they are under 18, how many guardians they have, and whether they may be written to for marketing.',
    access: read,
    query: v.listStudentsQuery,
    response: pageOf(v.studentRow),
    handler: people.listStudents,
  }),
  endpoint({
    method: 'get',
    path: '/parents',
    operationId: 'listParents',
    summary: 'List the parents of students',
    description: 'With for how many students they answer.',
    access: read,
    query: v.listPeopleOfKindQuery,
    response: pageOf(v.parentRow),
    handler: people.listParents,
  }),
  endpoint({
    method: 'get',
    path: '/staff',
    operationId: 'listStaff',
    summary: 'List the staff of libraries',
    description: 'With what they do.',
    access: read,
    query: v.listPeopleOfKindQuery,
    response: pageOf(v.staffRow),
    handler: people.listStaff,
  }),
  endpoint({
    method: 'post',
    path: '/',
    operationId: 'createPerson',
    summary: 'Add a person to a library',
    description:
      'With the role of their kind, which you must cover yourself, and the guardians of a student: one who is not there yet is added. Somebody of the same kind, phone and name is taken for the same person. Who is invited gets a mail with a link to choose a password.',
    access: { permission: 'users.create', tenant: 'own' },
    body: v.createPersonBody,
    response: v.person,
    status: 201,
    audit: 'users.create',
    errors: ['conflict', 'limit_reached', 'not_found', 'tenant_mismatch', ...notInAnothersName],
    handler: people.createPerson,
  }),
];

const ones = [
  endpoint({
    method: 'get',
    path: '/owners/:id',
    operationId: 'getOwner',
    summary: 'Get an owner of libraries',
    description: 'With the libraries of their tenant. Nobody of another kind.',
    access: read,
    params: v.personId,
    response: v.owner,
    handler: people.getOwner,
  }),
  endpoint({
    method: 'get',
    path: '/students/:id',
    operationId: 'getStudent',
    summary: 'Get a student',
    description: 'With their guardians. Nobody of another kind.',
    access: read,
    params: v.personId,
    response: v.student,
    handler: people.getStudent,
  }),
  endpoint({
    method: 'get',
    path: '/parents/:id',
    operationId: 'getParent',
    summary: 'Get a parent',
    description: 'With the students for whom they answer. Nobody of another kind.',
    access: read,
    params: v.personId,
    response: v.parent,
    handler: people.getParent,
  }),
  endpoint({
    method: 'get',
    path: '/staff/:id',
    operationId: 'getStaffMember',
    summary: 'Get a member of staff',
    description: 'With their library and what they do. Nobody of another kind.',
    access: read,
    params: v.personId,
    response: v.staffMember,
    handler: people.getStaffMember,
  }),
];

const byId = [
  endpoint({
    method: 'get',
    path: '/:id',
    operationId: 'getPerson',
    summary: 'Get a person of a library',
    description: 'Whatever they are, with what people of their kind have. The ETag is the version for a change.',
    access: read,
    params: v.personId,
    response: v.person,
    handler: people.getPerson,
  }),
  endpoint({
    method: 'put',
    path: '/:id',
    operationId: 'updatePerson',
    summary: 'Change a person of a library',
    description:
      'Only the fields that are sent change; what they are to the library does not. Email and phone of somebody who may do more than you stay. A new email ends their sessions, and every link that went to the old one.',
    access: change,
    params: v.personId,
    body: v.updatePersonBody,
    response: v.person,
    audit: 'users.update',
    ifMatch: true,
    errors: ['conflict', ...notInAnothersName],
    handler: people.updatePerson,
  }),
  endpoint({
    method: 'delete',
    path: '/:id',
    operationId: 'deletePerson',
    summary: 'Remove a person from a library',
    description:
      'Ends sessions, roles, credentials and links to others, and frees address and number. Not the last active owner, nor the only guardian of a student under 18. What they did stays in the audit trail.',
    access: { permission: 'users.delete', tenant: 'own' },
    params: v.personId,
    body: v.optionalReasonBody,
    response: done,
    audit: 'users.delete',
    errors: ['conflict', ...beyondOwn],
    handler: people.deletePerson,
  }),
  endpoint({
    method: 'post',
    path: '/:id/activate',
    operationId: 'activatePerson',
    summary: 'Activate a person of a library',
    description: 'Who was deactivated may sign in again. Who was invited becomes active without a password.',
    access: change,
    params: v.personId,
    body: v.optionalReasonBody,
    response: v.person,
    audit: 'users.activate',
    errors: ['invalid_transition', ...beyondOwn],
    handler: people.activatePerson,
  }),
  endpoint({
    method: 'post',
    path: '/:id/deactivate',
    operationId: 'deactivatePerson',
    summary: 'Deactivate a person of a library',
    description: 'Signs them out everywhere and makes their links worthless. Not the last active owner.',
    access: change,
    params: v.personId,
    body: v.reasonBody,
    response: v.person,
    audit: 'users.deactivate',
    errors: ['invalid_transition', 'conflict', ...beyondOwn],
    handler: people.deactivatePerson,
  }),
  endpoint({
    method: 'post',
    path: '/:id/reset-password',
    operationId: 'resetPersonPassword',
    summary: 'Send a person of a library a link for a password',
    description:
      'Who was invited gets the welcome again. The present password works until they have chosen another. At most three links an hour go to one person.',
    access: change,
    params: v.personId,
    response: accepted,
    status: 202,
    audit: 'users.reset_password',
    rateLimit: { points: 30, seconds: 3600 },
    errors: ['conflict', ...notInAnothersName],
    handler: people.resetPassword,
  }),
];

export const platformUsersModule: Module = {
  tag: 'Platform users',
  description: 'The people of libraries: owners, staff, students and parents',
  prefix: '/platform-users',
  // Literal paths come before those with an id.
  endpoints: [...lists, ...peopleCountsAndExports, ...peopleImportEndpoints, ...ones, ...byId, ...guardiansAndActivity],
};
