import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TenantStatus } from '../../src/generated/prisma/enums.ts';
import {
  assertTransition,
  statusAfterActivation,
  TENANT_TRANSITIONS,
} from '../../src/services/tenant-status.policy.ts';
import { AppError } from '../../src/utils/errors.ts';

const statuses = Object.values(TenantStatus);

/** Rule 11, written down a second time: a change of the policy has to be meant. */
const allowed = new Set([
  'TRIAL ACTIVE',
  'TRIAL SUSPENDED',
  'TRIAL INACTIVE',
  'TRIAL OFFBOARDING',
  'ACTIVE SUSPENDED',
  'ACTIVE INACTIVE',
  'ACTIVE OFFBOARDING',
  'SUSPENDED TRIAL',
  'SUSPENDED ACTIVE',
  'SUSPENDED INACTIVE',
  'SUSPENDED OFFBOARDING',
  'INACTIVE ACTIVE',
  'INACTIVE OFFBOARDING',
  'OFFBOARDING TRIAL',
  'OFFBOARDING ACTIVE',
  'OFFBOARDING SUSPENDED',
  'OFFBOARDING INACTIVE',
  'OFFBOARDING PURGED',
]);
const pairs = statuses.flatMap((from) => statuses.map((to) => ({ from, to })));

function refusal(from: TenantStatus, to: TenantStatus): AppError | undefined {
  try {
    assertTransition(from, to);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    return error as AppError;
  }
}

describe('The status of a tenant', () => {
  it.each(pairs)('$from → $to', ({ from, to }) => {
    const refused = refusal(from, to);
    if (allowed.has(`${from} ${to}`)) return expect(refused).toBeUndefined();
    expect(refused).toMatchObject({ code: 'invalid_transition', statusCode: 409 });
    expect(refused?.details).toEqual({ from, to, allowed: TENANT_TRANSITIONS[from] });
    expect(refused?.message).toContain(`The tenant is ${from} and cannot become ${to}`);
  });

  it('tells what is allowed instead, or that nothing is', () => {
    expect(refusal('INACTIVE', 'SUSPENDED')?.message).toBe(
      'The tenant is INACTIVE and cannot become SUSPENDED: it can become ACTIVE, OFFBOARDING.',
    );
    expect(refusal('PURGED', 'ACTIVE')?.message).toBe('The tenant is PURGED and cannot become ACTIVE: that is final.');
  });

  it('never leaves PURGED, and gets there through OFFBOARDING alone, whatever is tried', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...statuses), { maxLength: 30 }), (tries) => {
        let status: TenantStatus = 'TRIAL';
        for (const to of tries) {
          if (refusal(status, to)) continue;
          expect(status).not.toBe('PURGED');
          if (to === 'PURGED') expect(status).toBe('OFFBOARDING');
          status = to;
        }
      }),
    );
  });

  it('lets every status be reached from the first', () => {
    const reached = new Set<TenantStatus>(['TRIAL']);
    for (const status of reached) for (const next of TENANT_TRANSITIONS[status]) reached.add(next);
    expect([...reached].toSorted()).toEqual(statuses.toSorted());
  });
});

describe('Activating', () => {
  const now = new Date('2026-08-11T06:30:00Z');
  const tomorrow = new Date('2026-08-12T06:30:00Z');
  const yesterday = new Date('2026-08-10T06:30:00Z');

  it.each([
    { what: 'gives back what is left of a trial', status: 'SUSPENDED', from: 'TRIAL', ends: tomorrow, to: 'TRIAL' },
    { what: 'ends a trial whose time is up', status: 'SUSPENDED', from: 'TRIAL', ends: yesterday, to: 'ACTIVE' },
    { what: 'ends one that ends this very moment', status: 'SUSPENDED', from: 'TRIAL', ends: now, to: 'ACTIVE' },
    { what: 'ends one without an end', status: 'SUSPENDED', from: 'TRIAL', ends: null, to: 'ACTIVE' },
    { what: 'ends a suspension', status: 'SUSPENDED', from: 'ACTIVE', ends: tomorrow, to: 'ACTIVE' },
    { what: 'ends one without history', status: 'SUSPENDED', from: undefined, ends: tomorrow, to: 'ACTIVE' },
    { what: 'ends a running trial', status: 'TRIAL', from: undefined, ends: tomorrow, to: 'ACTIVE' },
    { what: 'ends a trial that was suspended once', status: 'TRIAL', from: 'TRIAL', ends: tomorrow, to: 'ACTIVE' },
    { what: 'opens an inactive tenant', status: 'INACTIVE', from: 'TRIAL', ends: tomorrow, to: 'ACTIVE' },
  ] as const)('$what', ({ status, from, ends, to }) => {
    expect(statusAfterActivation({ status, trialEndsAt: ends }, from, now)).toBe(to);
  });
});
