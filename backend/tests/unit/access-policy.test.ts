import { describe, expect, it } from 'vitest';
import type { Permission } from '../../src/config/permissions.ts';
import { decideAccess, type Demand, type Subject } from '../../src/services/access.policy.ts';

const OWN = 'cm3k8v1x40000qp2h9d7f5a6b';
const OTHER = 'cm3k8v1x40001qp2h9d7f5a6b';
const holding = (...permissions: Permission[]) => new Set(permissions);

const admin: Subject = {
  kind: 'user',
  type: 'ADMIN_USER',
  role: 'support',
  permissions: holding('tenants.read'),
  tenantId: null,
  tenantStatus: null,
  restriction: null,
};
const owner: Subject = { ...admin, type: 'PLATFORM_USER', role: 'owner', tenantId: OWN, tenantStatus: 'ACTIVE' };
const read: Demand = { permission: 'tenants.read', openToTenants: true };
const staffOnly: Demand = { permission: 'tenants.read', openToTenants: false };
const ownAccount: Demand = { openToTenants: true };

const cases: [what: string, Subject, Demand, rule: string, allowed: boolean][] = [
  ['an admin with the permission', admin, staffOnly, 'granted', true],
  ['an admin without it', { ...admin, permissions: holding() }, read, 'not_granted', false],
  ['an owner with it, where tenants may ask', owner, read, 'granted', true],
  ['an owner with it, where they may not', owner, staffOnly, 'staff_only', false],
  ['an owner without it', { ...owner, permissions: holding() }, read, 'not_granted', false],
  ['an owner who names their tenant', owner, { ...read, tenantId: OWN }, 'granted', true],
  ['an owner who names another', owner, { ...read, tenantId: OTHER }, 'other_tenant', false],
  [
    'an owner who names another for their own account',
    owner,
    { ...ownAccount, tenantId: OTHER },
    'other_tenant',
    false,
  ],
  ['an owner who names nothing at all', owner, { ...read, tenantId: '' }, 'other_tenant', false],
  ['an owner who is suspended', { ...owner, tenantStatus: 'SUSPENDED' }, read, 'tenant_suspended', false],
  [
    'an owner who is suspended, for their account',
    { ...owner, tenantStatus: 'SUSPENDED' },
    ownAccount,
    'own_account',
    true,
  ],
  ['an owner on trial', { ...owner, tenantStatus: 'TRIAL' }, read, 'granted', true],
  ['an owner who is off-boarding', { ...owner, tenantStatus: 'OFFBOARDING' }, read, 'tenant_suspended', false],
  ['an owner without a tenant', { ...owner, tenantId: null }, read, 'no_tenant', false],
  [
    'an admin within a tenant',
    { ...admin, permissions: holding('tenants.read', 'tenants.access') },
    { ...read, tenantId: OWN },
    'granted',
    true,
  ],
  ['an admin within a tenant, without access', admin, { ...read, tenantId: OWN }, 'no_tenant_access', false],
  ['an admin within a tenant, for their account', admin, { ...ownAccount, tenantId: OWN }, 'own_account', true],
  ['a key, for an account', { ...admin, kind: 'apiKey' }, ownAccount, 'person_only', false],
  ['a key with the permission', { ...admin, kind: 'apiKey' }, staffOnly, 'granted', true],
  ['an old password', { ...admin, restriction: 'PASSWORD_EXPIRED' }, read, 'session_restricted', false],
  ['a missing second factor', { ...admin, restriction: 'MFA_REQUIRED' }, read, 'session_restricted', false],
  [
    'a missing second factor, for the account',
    { ...admin, restriction: 'MFA_REQUIRED' },
    ownAccount,
    'own_account',
    true,
  ],
  ['the role', admin, { role: 'support', openToTenants: true }, 'role_held', true],
  ['another role', admin, { role: 'super_admin', openToTenants: true }, 'role_missing', false],
  [
    'the role, with an old password',
    { ...admin, restriction: 'PASSWORD_EXPIRED' },
    { role: 'support', openToTenants: true },
    'session_restricted',
    false,
  ],
];

describe('Access is decided by the first rule that speaks', () => {
  it.each(cases)('for %s', (_, subject, demand, rule, allowed) => {
    expect(decideAccess(subject, demand)).toMatchObject({ rule, allowed });
  });

  it('and a refusal says what to do', () => {
    for (const [, subject, demand, , allowed] of cases) {
      const decision = decideAccess(subject, demand);
      if (!allowed)
        expect(decision).toMatchObject({ code: expect.any(String), message: expect.stringMatching(/^[A-Zx].{15,}/) });
    }
  });
});
