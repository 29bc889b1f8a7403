import type { Access, Endpoint } from '../routes/endpoint.ts';
import { decideAccess, type Decision, type Demand } from '../services/access.policy.ts';
import { assertSteppedUp } from '../services/step-up.policy.ts';
import type { Actor } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { impersonationBars } from './impersonation.policy.ts';

/** What an endpoint that is declared so asks of its callers. */
function demandOf(access: Exclude<Access, 'public'>, tenantId: string | undefined): Demand {
  if (access === 'authenticated') return { openToTenants: true, tenantId };
  if ('role' in access) return { role: access.role, openToTenants: true, tenantId };
  return { permission: access.permission, openToTenants: access.tenant !== undefined, tenantId };
}

const refuse = (decision: Decision & { allowed: false }) => new AppError(decision.code, decision.message);

/**
 * Whether the caller may call this endpoint, naming this tenant. Permissions without `tenant` are for portal admins
 * alone, even if a role of platform users should hold them by mistake.
 * @param tenantId what `x-tenant-id` says, if it is there
 * @throws AppError naming what is missing
 */
export function authorize(endpoint: Endpoint, actor: Actor | null, tenantId: string | undefined): void {
  if (endpoint.access === 'public') return;
  if (!actor) throw new AppError('unauthenticated', 'Sign in first.');
  // First of all, so that whoever acts in another's name learns that this is why, whatever else may be missing.
  if (actor.impersonation && impersonationBars(endpoint, actor.impersonation.mode)) {
    const { mode } = actor.impersonation;
    const why =
      mode === 'READ_ONLY' ? 'This impersonation may only read.' : 'Money, credentials and exports are barred.';
    throw new AppError('impersonation_restricted', `${why} End it and use your own account.`);
  }
  const decision = decideAccess(actor, demandOf(endpoint.access, tenantId));
  if (!decision.allowed) throw refuse(decision);
  if (endpoint.stepUp) assertSteppedUp(actor);
}
