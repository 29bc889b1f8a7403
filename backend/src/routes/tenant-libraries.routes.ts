import * as libraries from '../controllers/tenant-libraries.controller.ts';
import { pageOf } from '../utils/page.ts';
import * as v from '../validators/tenant-libraries.validator.ts';
import { tenantId } from '../validators/tenants.validator.ts';
import { endpoint } from './endpoint.ts';

/** The reading rooms of a tenant. */
export const tenantLibrariesEndpoints = [
  endpoint({
    method: 'get',
    path: '/:id/libraries',
    operationId: 'listLibraries',
    summary: 'List the libraries of a tenant',
    description: 'Its reading rooms, each with how many students and staff are assigned to it.',
    access: { permission: 'tenants.read', tenant: 'own' },
    params: tenantId,
    query: v.listLibrariesQuery,
    response: pageOf(v.libraryView),
    handler: libraries.listLibraries,
  }),
  endpoint({
    method: 'post',
    path: '/:id/libraries',
    operationId: 'createLibrary',
    summary: 'Add a library',
    description: 'No two libraries of a tenant have the same name, whatever its case.',
    access: { permission: 'tenants.update', tenant: 'own' },
    params: tenantId,
    body: v.createLibraryBody,
    response: v.libraryView,
    status: 201,
    audit: 'tenants.library_create',
    errors: ['conflict', 'limit_reached'],
    handler: libraries.createLibrary,
  }),
  endpoint({
    method: 'put',
    path: '/:id/libraries/:libraryId',
    operationId: 'updateLibrary',
    summary: 'Change a library',
    description:
      'Only the fields that are sent change. With If-Match the change is refused when somebody else was faster.',
    access: { permission: 'tenants.update', tenant: 'own' },
    params: v.libraryOfTenant,
    body: v.updateLibraryBody,
    response: v.libraryView,
    audit: 'tenants.library_update',
    ifMatch: true,
    errors: ['conflict', 'limit_reached'],
    handler: libraries.updateLibrary,
  }),
  endpoint({
    method: 'delete',
    path: '/:id/libraries/:libraryId',
    operationId: 'deleteLibrary',
    summary: 'Remove a library',
    description: 'Refused while people are assigned to it; the answer says how many.',
    access: { permission: 'tenants.update', tenant: 'own' },
    params: v.libraryOfTenant,
    response: v.libraryView,
    audit: 'tenants.library_delete',
    ifMatch: true,
    errors: ['conflict'],
    handler: libraries.deleteLibrary,
  }),
];
