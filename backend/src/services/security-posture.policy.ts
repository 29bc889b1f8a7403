import type { z } from 'zod';
import type { SecurityEventSeverity } from '../generated/prisma/enums.ts';
import type { securityOverview } from '../validators/security.validator.ts';
import type { Facts } from './security-overview.queries.ts';
import type { SecurityPolicy } from './security-policies.service.ts';

/** What the checks look at. */
export type Posture = Facts & { password: SecurityPolicy<'PASSWORD'>; mfa: SecurityPolicy<'MFA'> };

export type Finding = z.input<typeof securityOverview>['findings'][number];

type Check = {
  severity: SecurityEventSeverity;
  /** What it takes from 100 when something is found. */
  weight: number;
  title: string;
  /** How many it concerns; 0: nothing is found. */
  count: (posture: Posture) => number;
  detail: (count: number) => string;
  action: Finding['action'];
};

const act = (method: Finding['action']['method'], path: string | null, text: string): Finding['action'] => ({
  method,
  path,
  text,
});
const yes = (condition: boolean): number => (condition ? 1 : 0);
const many = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`;

const PASSWORD_DEFAULT_LENGTH = 12;

/** Everything that is looked at, and what it weighs: the whole of the score. */
export const CHECKS = {
  audit_trail_broken: {
    severity: 'CRITICAL',
    weight: 40,
    title: 'The audit trail did not pass its nightly check',
    count: ({ auditAlarms }) => auditAlarms,
    detail: (count) => `${many(count, 'check has', 'checks have')} failed for good and nobody has looked into it.`,
    action: act('GET', '/api/audit/integrity', 'Find the broken link, and who could have written to the database.'),
  },
  admins_without_second_factor: {
    severity: 'HIGH',
    weight: 20,
    title: 'Admins without a second factor',
    count: ({ adminsWithoutFactor }) => adminsWithoutFactor,
    detail: (count) => `${many(count, 'portal admin signs', 'portal admins sign')} in with a password alone.`,
    action: act('PUT', '/api/security/policies/mfa', 'Demand a second factor of their roles.'),
  },
  mfa_not_demanded: {
    severity: 'HIGH',
    weight: 10,
    title: 'Super admins need no second factor',
    count: ({ mfa }) => yes(!mfa.requiredRoles.includes('super_admin')),
    detail: () => 'The policy demands none of those who may do everything.',
    action: act('PUT', '/api/security/policies/mfa', 'Add super_admin to requiredRoles.'),
  },
  open_high_events: {
    severity: 'HIGH',
    weight: 15,
    title: 'Grave events that nobody has resolved',
    count: ({ openHighEvents }) => openHighEvents,
    detail: (count) => `${many(count, 'event of high severity waits', 'events of high severity wait')} for somebody.`,
    action: act('GET', '/api/security/events?resolved=false', 'Look into each and resolve it.'),
  },
  single_super_admin: {
    severity: 'MEDIUM',
    weight: 10,
    title: 'Only one super admin',
    count: ({ superAdmins }) => yes(superAdmins <= 1),
    detail: () => 'If that one account is lost, the command line is the only way back in.',
    action: act('POST', '/api/rbac/assignments', 'Make a second trusted person super admin.'),
  },
  many_super_admins: {
    severity: 'MEDIUM',
    weight: 8,
    title: 'More than three super admins',
    count: ({ superAdmins }) => (superAdmins > 3 ? superAdmins : 0),
    detail: (count) => `${count} people may do everything.`,
    action: act('GET', '/api/rbac/roles', 'Give some of them a role that fits what they do.'),
  },
  dormant_admins: {
    severity: 'MEDIUM',
    weight: 8,
    title: 'Admins who no longer sign in',
    count: ({ dormantAdmins }) => dormantAdmins,
    detail: (count) => `${many(count, 'active admin has', 'active admins have')} not signed in for 90 days.`,
    action: act('POST', '/api/admin-users/:id/deactivate', 'Deactivate those who have left.'),
  },
  weak_password_policy: {
    severity: 'MEDIUM',
    weight: 8,
    title: 'The password policy is weaker than it comes',
    count: ({ password }) =>
      yes(password.minLength < PASSWORD_DEFAULT_LENGTH || !password.refuseCommon || !password.refusePersonal),
    detail: () => 'Shorter, common or personal passwords are let through.',
    action: act('PUT', '/api/security/policies/password', 'Put it back to 12 characters and both refusals.'),
  },
  audit_not_anchored: {
    severity: 'MEDIUM',
    weight: 6,
    title: 'The audit trail was not anchored lately',
    count: ({ auditAnchors }) => yes(auditAnchors === 0),
    detail: () => 'No nightly anchor of the last three days: the jobs may not run.',
    action: act(null, null, 'See that a worker runs (ROLE=worker or ROLE=all), and read its log.'),
  },
  unused_api_keys: {
    severity: 'MEDIUM',
    weight: 5,
    title: 'API keys that nobody uses',
    count: ({ keysUnused }) => keysUnused,
    detail: (count) =>
      `${many(count, 'key was', 'keys were')} not used for 30 days, and ${count === 1 ? 'works' : 'work'}.`,
    action: act('DELETE', '/api/security/api-keys/:id', 'Revoke those that are not needed.'),
  },
  sealed_with_old_key: {
    severity: 'MEDIUM',
    weight: 5,
    title: 'Secrets that an old key seals',
    count: ({ sealedWithOldKey }) => sealedWithOldKey,
    detail: (count) => `${many(count, 'secret is', 'secrets are')} lost once ENCRYPTION_KEY_PREVIOUS is removed.`,
    action: act(null, null, 'Keep ENCRYPTION_KEY_PREVIOUS until each was set again.'),
  },
  no_admin_allow_list: {
    severity: 'LOW',
    weight: 4,
    title: 'Admins may come from anywhere',
    count: ({ adminAllowList }) => yes(adminAllowList === 0),
    detail: () => 'No rule limits from which addresses the portal is used.',
    action: act('POST', '/api/security/ip-rules', 'Allow the networks of the offices for ADMINS.'),
  },
  api_keys_from_everywhere: {
    severity: 'LOW',
    weight: 3,
    title: 'API keys that work from everywhere',
    count: ({ keysFromEverywhere }) => keysFromEverywhere,
    detail: (count) => `${many(count, 'key is', 'keys are')} bound to no network.`,
    action: act('POST', '/api/security/api-keys', 'Replace them by keys with allowedNetworks.'),
  },
  old_invites: {
    severity: 'LOW',
    weight: 3,
    title: 'Invitations that nobody accepts',
    count: ({ oldInvites }) => oldInvites,
    detail: (count) => `${many(count, 'invitation is', 'invitations are')} older than a week.`,
    action: act('POST', '/api/admin-users/:id/invite/revoke', 'Revoke those that are not wanted any more.'),
  },
  expiring_api_keys: {
    severity: 'LOW',
    weight: 2,
    title: 'API keys that end soon',
    count: ({ keysEndingSoon }) => keysEndingSoon,
    detail: (count) => `${many(count, 'key ends', 'keys end')} within two weeks.`,
    action: act('POST', '/api/security/api-keys', 'Make their successors in time.'),
  },
} as const satisfies Record<string, Check>;

/** What was found, the weightiest first, and what is left of 100. */
export function judgePosture(posture: Posture): { score: number; findings: Finding[] } {
  const findings = Object.entries<Check>(CHECKS).flatMap(([code, check]): Finding[] => {
    const count = check.count(posture);
    if (count === 0) return [];
    const { severity, title, weight, action } = check;
    return [{ code, severity, title, detail: check.detail(count), count, weight, action }];
  });
  const lost = findings.reduce((sum, { weight }) => sum + weight, 0);
  return { score: Math.max(0, 100 - lost), findings: findings.toSorted((a, b) => b.weight - a.weight) };
}
