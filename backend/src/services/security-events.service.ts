import type { SecurityEventSeverity, SecurityEventType } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import type { ErrorCode } from '../utils/errors.ts';
import { newId } from '../utils/ids.ts';
import { runInTransaction, type ContextBase } from './context.service.ts';

/** How much each kind of event matters. */
const severities: Record<SecurityEventType, SecurityEventSeverity> = {
  NEW_DEVICE: 'LOW',
  IMPOSSIBLE_TRAVEL: 'HIGH',
  REFRESH_REUSE: 'HIGH',
  CROSS_TENANT: 'HIGH',
  KEY_MISUSE: 'HIGH',
  ACCOUNT_LOCKED: 'MEDIUM',
  PASSKEY_COUNTER: 'CRITICAL',
  IMPERSONATION_REFUSED: 'LOW',
};

export type NewSecurityEvent = {
  type: SecurityEventType;
  /** Default: the tenant of the context. */
  tenantId?: string | null;
  userId?: string | null;
  sessionId?: string | null;
  apiKeyId?: string | null;
  details: object;
};

/** The same again within this time, and not yet resolved, is the same event: a loop fills no list. */
const SAME_EVENT = '10 minutes';

/** Puts something on the list of what somebody should look at. The audit row is the caller's. */
export async function raiseSecurityEvent(ctx: WriteContext, event: NewSecurityEvent): Promise<void> {
  const { type, userId = null, sessionId = null, apiKeyId = null, details } = event;
  const tenantId = event.tenantId === undefined ? ctx.tenantId : event.tenantId;
  const ip = ctx.client.ip || null;
  await ctx.db.$executeRaw`
    insert into security_events (id, tenant_id, type, severity, user_id, session_id, api_key_id, ip_address, user_agent, details, created_at)
    select ${newId()}, ${tenantId}, ${type}::security_event_type, ${severities[type]}::security_event_severity, ${userId},
           ${sessionId}, ${apiKeyId}, ${ip}, ${ctx.client.userAgent}, ${JSON.stringify(details)}::jsonb, ${ctx.now}
     where not exists (
       select from security_events
        where type = ${type}::security_event_type and user_id is not distinct from ${userId}
          and api_key_id is not distinct from ${apiKeyId} and ip_address is not distinct from ${ip}
          and resolved_at is null and created_at > ${ctx.now}::timestamptz - ${SAME_EVENT}::interval)`;
}

type Refused = { operationId: string; named: string | undefined };

/**
 * Writes down, in the tenant's own trail, what was refused and should be known: a person who names another tenant
 * (architecture, layer 2), and an impersonation that tries more than it may. Other refusals are everyday.
 */
export async function recordRefusal(base: ContextBase, code: ErrorCode, refused: Refused): Promise<void> {
  const { actor } = base;
  if (!actor || (code !== 'tenant_mismatch' && code !== 'impersonation_restricted')) return;
  const isCrossTenant = code === 'tenant_mismatch';
  const details = { operationId: refused.operationId, ...(isCrossTenant && { named: refused.named?.slice(0, 100) }) };
  await runInTransaction(base, {}, async (ctx) => {
    await raiseSecurityEvent(ctx, {
      type: isCrossTenant ? 'CROSS_TENANT' : 'IMPERSONATION_REFUSED',
      userId: actor.kind === 'user' ? actor.id : null,
      apiKeyId: actor.kind === 'apiKey' ? actor.id : null,
      sessionId: actor.sessionId || null,
      details,
    });
    ctx.audit({
      action: isCrossTenant ? 'security.cross_tenant' : 'security.impersonation_refused',
      resource: isCrossTenant ? 'tenant' : 'impersonation',
      outcome: 'DENIED',
      details,
    });
  });
}
