import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SubscriptionStatus } from '../../src/generated/prisma/enums.ts';
import {
  assertSubscriptionTransition,
  isLive,
  LIVE_STATUSES,
  SUBSCRIPTION_TRANSITIONS,
} from '../../src/services/subscription-status.policy.ts';
import { AppError } from '../../src/utils/errors.ts';

const statuses = Object.values(SubscriptionStatus);

/** Written down a second time: a change of the policy has to be meant. */
const allowed = new Set([
  'TRIAL ACTIVE',
  'TRIAL EXPIRED',
  'TRIAL CANCELLED',
  'ACTIVE PAST_DUE',
  'ACTIVE PAUSED',
  'ACTIVE CANCELLED',
  'PAST_DUE ACTIVE',
  'PAST_DUE CANCELLED',
  'PAUSED ACTIVE',
  'PAUSED CANCELLED',
  'CANCELLED ACTIVE',
  'EXPIRED ACTIVE',
]);

function refusal(from: SubscriptionStatus, to: SubscriptionStatus): AppError | undefined {
  try {
    assertSubscriptionTransition(from, to);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    return error as AppError;
  }
}

describe('The status of a subscription', () => {
  it.each(statuses.flatMap((from) => statuses.map((to) => ({ from, to }))))('$from → $to', ({ from, to }) => {
    const refused = refusal(from, to);
    if (allowed.has(`${from} ${to}`)) return expect(refused).toBeUndefined();
    expect(refused).toMatchObject({ code: 'invalid_transition', statusCode: 409 });
    expect(refused?.details).toEqual({ from, to, allowed: SUBSCRIPTION_TRANSITIONS[from] });
    expect(refused?.message).toContain(`The subscription is ${from} and cannot become ${to}: it can become`);
  });

  it('rule 20: is live until it has ended', () => {
    expect(statuses.filter(isLive).toSorted()).toEqual(['ACTIVE', 'PAST_DUE', 'PAUSED', 'TRIAL']);
    expect([...LIVE_STATUSES].toSorted()).toEqual(['ACTIVE', 'PAST_DUE', 'PAUSED', 'TRIAL']);
  });

  it('never comes back to a trial, and no pause begins while something is due, whatever is tried', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...statuses), { maxLength: 30 }), (tries) => {
        let status: SubscriptionStatus = 'TRIAL';
        for (const to of tries) {
          if (refusal(status, to)) continue;
          expect(to).not.toBe('TRIAL');
          if (to === 'PAUSED') expect(status).toBe('ACTIVE');
          // Whoever has ended begins again by paying, and in no other way.
          if (!isLive(status)) expect(to).toBe('ACTIVE');
          status = to;
        }
      }),
    );
  });
});
