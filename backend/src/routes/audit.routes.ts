import * as audit from '../controllers/audit.controller.ts';
import { cursorPageOf } from '../utils/page.ts';
import * as v from '../validators/audit.validator.ts';
import { endpoint, type Module } from './endpoint.ts';

export const auditModule: Module = {
  tag: 'Audit',
  description: 'Who did what: a trail that shows when it is tampered with',
  prefix: '/audit',
  endpoints: [
    endpoint({
      method: 'get',
      path: '/',
      operationId: 'listAudit',
      summary: 'Search the audit trail',
      description: 'Newest first, by page or on from a cursor.',
      access: { permission: 'audit.read' },
      query: v.listAuditQuery,
      response: cursorPageOf(v.auditEntry),
      handler: audit.listAudit,
    }),
    endpoint({
      method: 'get',
      path: '/integrity',
      operationId: 'checkAuditIntegrity',
      summary: 'Verify the audit trail',
      description:
        'Recomputes the hashes of a chain (one for each tenant, one for the platform) and names the first link that does not hold. One call checks 100,000 rows at most.',
      access: { permission: 'audit.verify' },
      query: v.integrityQuery,
      response: v.integrity,
      rateLimit: { points: 20, seconds: 60 },
      handler: audit.checkIntegrity,
    }),
    endpoint({
      method: 'get',
      path: '/:id',
      operationId: 'getAuditEntry',
      summary: 'Get an audit entry',
      description: 'With what changed and its place in the chain.',
      access: { permission: 'audit.read' },
      params: v.auditId,
      response: v.auditEntryWhole,
      handler: audit.getAuditEntry,
    }),
  ],
};
