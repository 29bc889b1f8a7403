import * as notes from '../controllers/tenant-notes.controller.ts';
import { cursorPageOf } from '../utils/page.ts';
import * as v from '../validators/tenant-notes.validator.ts';
import { tenantId } from '../validators/tenants.validator.ts';
import { endpoint } from './endpoint.ts';

/** What the company's own people know of a tenant; the tenant itself sees none of it. */
export const tenantNotesEndpoints = [
  endpoint({
    method: 'get',
    path: '/:id/notes',
    operationId: 'listTenantNotes',
    summary: 'List the notes about a tenant',
    description: "Newest first. Portal admins' own: the tenant never sees them.",
    access: { permission: 'tenants.read' },
    params: tenantId,
    query: v.listNotesQuery,
    response: cursorPageOf(v.note),
    handler: notes.listNotes,
  }),
  endpoint({
    method: 'post',
    path: '/:id/notes',
    operationId: 'createTenantNote',
    summary: 'Note something down about a tenant',
    description: 'Notes are not changed afterwards.',
    access: { permission: 'tenants.update' },
    params: tenantId,
    body: v.createNoteBody,
    response: v.note,
    status: 201,
    audit: 'tenants.note',
    handler: notes.createNote,
  }),
  endpoint({
    method: 'get',
    path: '/:id/timeline',
    operationId: 'getTenantTimeline',
    summary: 'See what happened to a tenant',
    description:
      'Newest first, from the audit trail, changes of status, notes, mails, imports and exports, and for those who may see it from what was subscribed to, billed, paid and dunned for. Read on with the cursor.',
    access: { permission: 'tenants.read' },
    params: tenantId,
    query: v.timelineQuery,
    response: cursorPageOf(v.timelineEvent),
    handler: notes.listTimeline,
  }),
];
