import * as extras from '../controllers/platform-users-extras.controller.ts';
import { cursorPageOf } from '../utils/page.ts';
import { dataExport } from '../validators/data-export.validator.ts';
import { guardian } from '../validators/people.validator.ts';
import * as v from '../validators/platform-users-extras.validator.ts';
import { personId } from '../validators/platform-users.validator.ts';
import { endpoint } from './endpoint.ts';

const read = { permission: 'users.read', tenant: 'own' } as const;
const change = { permission: 'users.update', tenant: 'own' } as const;
const takeAway = { permission: 'users.export', tenant: 'own' } as const;

/** Literal paths of /platform-users: they come before those with an id. */
export const peopleCountsAndExports = [
  endpoint({
    method: 'get',
    path: '/analytics',
    operationId: 'getPeopleAnalytics',
    summary: 'Count the people of libraries',
    description:
      'By kind, status, month and city, who signs in, minors, who may be written to for marketing, and who cannot be reached by phone or email. Counted at most an hour ago. Portal admins see all tenants, or one with `tenantId`.',
    access: read,
    query: v.analyticsQuery,
    response: v.peopleAnalytics,
    handler: extras.getAnalytics,
  }),
  endpoint({
    method: 'post',
    path: '/bulk-export',
    operationId: 'createPeopleExport',
    summary: 'Export people to a file',
    description:
      'With the filters of the list, made in the background. In CSV what begins with = + - @, a tab or a return has an apostrophe in front, phones too, so that no spreadsheet runs it; in XLSX every cell is text and needs none. Also while the tenant is suspended.',
    access: takeAway,
    body: v.createPeopleExportBody,
    response: dataExport,
    status: 202,
    audit: 'users.export',
    stepUp: true,
    rateLimit: { points: 10, seconds: 60 },
    handler: extras.createExport,
  }),
  endpoint({
    method: 'get',
    path: '/exports/:jobId',
    operationId: 'getPeopleExport',
    summary: 'How far an export of people is',
    description:
      'Seen by all who may export people of the tenant, whoever asked for it; one of all tenants by portal admins alone.',
    access: takeAway,
    params: v.exportJob,
    response: dataExport,
    handler: extras.getExport,
  }),
  endpoint({
    method: 'get',
    path: '/exports/:jobId/download',
    operationId: 'downloadPeopleExport',
    summary: 'Download an export of people',
    description: 'For 24 hours after it was made. Each download leaves an audit row.',
    access: takeAway,
    params: v.exportJob,
    response: v.peopleFile,
    transaction: 'manual',
    handler: extras.downloadExport,
  }),
];

/** Paths below one person of /platform-users. */
export const guardiansAndActivity = [
  endpoint({
    method: 'get',
    path: '/:id/activity',
    operationId: 'listPersonActivity',
    summary: 'List what a person did and what was done to them',
    description:
      'Newest first, from the audit trail of their tenant, sign-ins with their device and place included; by page or on from a cursor.',
    access: read,
    params: personId,
    query: v.activityQuery,
    response: cursorPageOf(v.personActivity),
    handler: extras.listActivity,
  }),
  endpoint({
    method: 'post',
    path: '/:id/guardians',
    operationId: 'addGuardian',
    summary: 'Link a guardian to a student',
    description:
      'A parent who is there, by id, or by phone or email and name; one who is not there yet is added as a parent. A student has at most four.',
    access: change,
    params: personId,
    body: guardian,
    response: v.studentGuardians,
    audit: 'users.guardian_add',
    errors: ['conflict'],
    handler: extras.addGuardian,
  }),
  endpoint({
    method: 'delete',
    path: '/:id/guardians/:guardianId',
    operationId: 'removeGuardian',
    summary: 'Unlink a guardian from a student',
    description: 'The guardian stays as a parent. The last guardian of a student under 18 cannot be unlinked.',
    access: change,
    params: v.guardianOfStudent,
    response: v.studentGuardians,
    audit: 'users.guardian_remove',
    errors: ['conflict'],
    handler: extras.removeGuardian,
  }),
];
