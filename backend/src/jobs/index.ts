import type { JobName } from '../queues/index.ts';
import type { JobHandler } from '../queues/job-context.ts';
import { cleanUpExpired } from './cleanup-expired.job.ts';
import { sendPasswordChanged } from './email-password-changed.job.ts';
import { sendPasswordReset } from './email-password-reset.job.ts';
import { sendWelcome } from './email-welcome.job.ts';
import { verifyAudit } from './report-audit-verification.job.ts';

/** What runs each kind of job. One that is declared and not handled does not compile. */
export const handlers: { [Name in JobName]: JobHandler<Name> } = {
  'email.password-reset': sendPasswordReset,
  'email.welcome': sendWelcome,
  'email.password-changed': sendPasswordChanged,
  'cleanup.expired': cleanUpExpired,
  'report.audit-verification': verifyAudit,
};
