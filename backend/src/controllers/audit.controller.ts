import type { z } from 'zod';
import * as audit from '../services/audit.service.ts';
import type { Actor, ReadContext } from '../types/context.ts';
import type * as v from '../validators/audit.validator.ts';

export const listAudit = (ctx: ReadContext<Actor>, { query }: { query: z.output<typeof v.listAuditQuery> }) =>
  audit.listAudit(ctx, query);

export const getAuditEntry = (ctx: ReadContext<Actor>, { params }: { params: { id: string } }) =>
  audit.getAuditEntry(ctx, params.id);

export const listActions = (_ctx: ReadContext<Actor>) => Promise.resolve(audit.auditCatalogue());

type History = { params: { type: string; id: string }; query: z.output<typeof v.historyQuery> };
export const listRecordHistory = (ctx: ReadContext<Actor>, { params, query }: History) =>
  audit.listRecordHistory(ctx, params, query);

export const checkIntegrity = (ctx: ReadContext<Actor>, { query }: { query: z.output<typeof v.integrityQuery> }) =>
  audit.checkIntegrity(ctx, query);
