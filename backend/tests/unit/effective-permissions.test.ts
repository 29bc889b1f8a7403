import { describe, expect, it } from 'vitest';
import {
  earliestExpiry,
  effectivePermissions,
  grantedPermissions,
  type HeldOverride,
  type HeldRole,
} from '../../src/services/effective-permissions.policy.ts';

const role = (code: string, permissions: string[], expiresAt: Date | null = null): HeldRole => ({
  assignmentId: `assignment of ${code}`,
  roleId: `id of ${code}`,
  role: code,
  roleName: code.toUpperCase(),
  permissions,
  expiresAt,
});
const override = (effect: 'GRANT' | 'DENY', permission: string, expiresAt: Date | null = null): HeldOverride => ({
  id: `${effect} ${permission}`,
  permission,
  effect,
  reason: 'As was agreed',
  expiresAt,
});
const granted = (roles: HeldRole[], overrides: HeldOverride[]) =>
  [...grantedPermissions(effectivePermissions(roles, overrides))].toSorted();

describe('What a person may do', () => {
  it('is what any of their roles grants, and what was granted directly', () => {
    const roles = [role('finance', ['tenants.read']), role('auditor', ['tenants.read', 'audit.read'])];
    expect(granted(roles, [override('GRANT', 'audit.verify')])).toEqual(['audit.read', 'audit.verify', 'tenants.read']);
    expect(granted([], [])).toEqual([]);
  });

  it.each([
    ['one role', [role('auditor', ['audit.read'])], []],
    ['several roles', [role('auditor', ['audit.read']), role('super_admin', ['audit.read'])], []],
    ['a direct grant', [], [override('GRANT', 'audit.read')]],
    ['everything at once', [role('auditor', ['audit.read'])], [override('GRANT', 'audit.read')]],
  ])('is not what is denied directly, against %s, in whatever order (rule 6)', (_, roles, overrides) => {
    const denial = override('DENY', 'audit.read');
    expect(granted(roles, [...overrides, denial])).toEqual([]);
    expect(granted(roles, [denial, ...overrides])).toEqual([]);
  });

  it('is not what the program does not know', () => {
    expect(granted([role('x', ['tenants.fly', '__proto__', 'constructor'])], [override('GRANT', 'toString')])).toEqual(
      [],
    );
  });

  it('comes with every source, also of what is denied', () => {
    const ends = new Date('2026-12-01T00:00:00Z');
    const effective = effectivePermissions(
      [role('auditor', ['audit.read'], ends)],
      [override('GRANT', 'audit.read'), override('DENY', 'audit.read')],
    );
    expect(effective.get('audit.read')).toEqual({
      granted: false,
      sources: [
        { kind: 'role', assignmentId: 'assignment of auditor', role: 'auditor', roleName: 'AUDITOR', expiresAt: ends },
        { kind: 'grant', overrideId: 'GRANT audit.read', reason: 'As was agreed', expiresAt: null },
        { kind: 'denial', overrideId: 'DENY audit.read', reason: 'As was agreed', expiresAt: null },
      ],
    });
  });

  it('changes by itself when the first of them ends', () => {
    const [first, later] = [new Date('2026-12-01T00:00:00Z'), new Date('2027-01-01T00:00:00Z')];
    expect(earliestExpiry([role('a', []), role('b', [], later)], [override('DENY', 'audit.read', first)])).toEqual(
      first,
    );
    expect(earliestExpiry([role('a', [])], [override('GRANT', 'audit.read')])).toBeUndefined();
  });
});
