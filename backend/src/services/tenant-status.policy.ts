import type { TenantStatus } from '../generated/prisma/enums.ts';
import { AppError } from '../utils/errors.ts';

/** From where a tenant may go where (rule 11). Whatever is not here is refused. */
export const TENANT_TRANSITIONS: Readonly<Record<TenantStatus, readonly TenantStatus[]>> = {
  TRIAL: ['ACTIVE', 'SUSPENDED', 'INACTIVE', 'OFFBOARDING'],
  ACTIVE: ['SUSPENDED', 'INACTIVE', 'OFFBOARDING'],
  SUSPENDED: ['TRIAL', 'ACTIVE', 'INACTIVE', 'OFFBOARDING'],
  INACTIVE: ['ACTIVE', 'OFFBOARDING'],
  OFFBOARDING: ['TRIAL', 'ACTIVE', 'SUSPENDED', 'INACTIVE', 'PURGED'],
  PURGED: [],
};

/** @throws AppError invalid_transition, naming what is allowed */
export function assertTransition(from: TenantStatus, to: TenantStatus): void {
  const allowed = TENANT_TRANSITIONS[from];
  if (allowed.includes(to)) return;
  const choice = allowed.length > 0 ? `it can become ${allowed.join(', ')}` : 'that is final';
  throw new AppError('invalid_transition', `The tenant is ${from} and cannot become ${to}: ${choice}.`, {
    from,
    to,
    allowed,
  });
}

/** Suspending interrupts a trial; activating gives back what is left of it. */
export function statusAfterActivation(
  tenant: { status: TenantStatus; trialEndsAt: Date | null },
  suspendedFrom: TenantStatus | null | undefined,
  now: Date,
): TenantStatus {
  const trialGoesOn =
    tenant.status === 'SUSPENDED' &&
    suspendedFrom === 'TRIAL' &&
    tenant.trialEndsAt !== null &&
    tenant.trialEndsAt > now;
  return trialGoesOn ? 'TRIAL' : 'ACTIVE';
}
