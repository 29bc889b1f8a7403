import type { SubscriptionStatus } from '../generated/prisma/enums.ts';
import { AppError } from '../utils/errors.ts';

/** From where a subscription may go where. Whatever is not here is refused. */
export const SUBSCRIPTION_TRANSITIONS: Readonly<Record<SubscriptionStatus, readonly SubscriptionStatus[]>> = {
  TRIAL: ['ACTIVE', 'EXPIRED', 'CANCELLED'],
  ACTIVE: ['PAST_DUE', 'PAUSED', 'CANCELLED'],
  PAST_DUE: ['ACTIVE', 'CANCELLED'],
  PAUSED: ['ACTIVE', 'CANCELLED'],
  CANCELLED: ['ACTIVE'],
  EXPIRED: ['ACTIVE'],
};

/** Those that have not ended: at most one of a tenant. */
export const LIVE_STATUSES: readonly SubscriptionStatus[] = ['TRIAL', 'ACTIVE', 'PAST_DUE', 'PAUSED'];

export const isLive = (status: SubscriptionStatus): boolean => LIVE_STATUSES.includes(status);

/** @throws AppError invalid_transition, naming what is allowed */
export function assertSubscriptionTransition(from: SubscriptionStatus, to: SubscriptionStatus): void {
  const allowed = SUBSCRIPTION_TRANSITIONS[from];
  if (allowed.includes(to)) return;
  throw new AppError(
    'invalid_transition',
    `The subscription is ${from} and cannot become ${to}: it can become ${allowed.join(', ')}.`,
    {
      from,
      to,
      allowed,
    },
  );
}
