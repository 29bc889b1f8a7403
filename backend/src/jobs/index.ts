import type { JobName } from '../queues/index.ts';
import type { JobHandler } from '../queues/job-context.ts';
import { cleanUpAccess } from './cleanup-access.job.ts';
import { cleanUpAuditExports } from './cleanup-audit-exports.job.ts';
import { keepAuditMonths } from './cleanup-audit-months.job.ts';
import { cleanUpDataExports } from './cleanup-data-exports.job.ts';
import { cleanUpExpired } from './cleanup-expired.job.ts';
import { removeImportFile } from './cleanup-import-file.job.ts';
import { cleanUpLogos } from './cleanup-logos.job.ts';
import { runOffboardings } from './cleanup-offboarding.job.ts';
import { cleanUpImports } from './cleanup-imports.job.ts';
import { cleanUpRevenueReports } from './cleanup-revenue-reports.job.ts';
import { dun } from './dunning-run.job.ts';
import { sendDebitNotice } from './email-debit-notice.job.ts';
import { sendPaymentReceived } from './email-payment-received.job.ts';
import { sendAddressChanging } from './email-address-changing.job.ts';
import { sendDunning } from './email-dunning.job.ts';
import { sendImpersonationStarted } from './email-impersonation-started.job.ts';
import { sendCreditNote } from './email-credit-note.job.ts';
import { sendInvite } from './email-invite.job.ts';
import { sendInvoice } from './email-invoice.job.ts';
import { sendMfaChanged } from './email-mfa-changed.job.ts';
import { sendNewSignIn } from './email-new-sign-in.job.ts';
import { sendCertificate } from './email-offboarding-certificate.job.ts';
import { sendOffboarding } from './email-offboarding.job.ts';
import { sendPasswordChanged } from './email-password-changed.job.ts';
import { sendPasswordReset } from './email-password-reset.job.ts';
import { sendRecoveryCodesLow } from './email-recovery-codes-low.job.ts';
import { sendTrialEnding } from './email-trial-ending.job.ts';
import { sendVerifyEmail } from './email-verify-email.job.ts';
import { sendWelcome } from './email-welcome.job.ts';
import { commitImport } from './import-commit.job.ts';
import { undoImport } from './import-undo.job.ts';
import { validateImport } from './import-validate.job.ts';
import { runInvoiceBilling } from './invoice-billing-run.job.ts';
import { cancelPaymentLink } from './invoice-cancel-link.job.ts';
import { runInvoiceCollection } from './invoice-collection-run.job.ts';
import { endMandateAtGateway } from './invoice-end-mandate.job.ts';
import { workOnGatewayEvent } from './invoice-gateway-event.job.ts';
import { sendRefundToGateway } from './invoice-refund.job.ts';
import { checkTheBooks } from './invoice-check-books.job.ts';
import { anchorAudit } from './report-audit-anchors.job.ts';
import { exportAudit } from './report-audit-export.job.ts';
import { verifyAudit } from './report-audit-verification.job.ts';
import { exportPeople } from './report-people-export.job.ts';
import { exportPerson } from './report-person-export.job.ts';
import { reportRevenue } from './report-revenue.job.ts';
import { exportTenant } from './report-tenant-export.job.ts';
import { deliverAuditStreams } from './webhook-audit-streams.job.ts';
import { deliverSandboxGateway } from './webhook-sandbox-gateway.job.ts';

/** What runs each kind of job. One that is declared and not handled does not compile. */
export const handlers: { [Name in JobName]: JobHandler<Name> } = {
  'email.password-reset': sendPasswordReset,
  'email.welcome': sendWelcome,
  'email.password-changed': sendPasswordChanged,
  'email.new-sign-in': sendNewSignIn,
  'email.verify-email': sendVerifyEmail,
  'email.address-changing': sendAddressChanging,
  'email.mfa-changed': sendMfaChanged,
  'email.recovery-codes-low': sendRecoveryCodesLow,
  'email.invite': sendInvite,
  'email.invoice': sendInvoice,
  'email.credit-note': sendCreditNote,
  'email.impersonation-started': sendImpersonationStarted,
  'email.offboarding': sendOffboarding,
  'email.offboarding-certificate': sendCertificate,
  'email.trial-ending': sendTrialEnding,
  'email.dunning': sendDunning,
  'email.debit-notice': sendDebitNotice,
  'email.payment-received': sendPaymentReceived,
  'dunning.run': dun,
  'invoice.billing-run': runInvoiceBilling,
  'invoice.collection-run': runInvoiceCollection,
  'invoice.refund': sendRefundToGateway,
  'invoice.gateway-event': workOnGatewayEvent,
  'invoice.end-mandate': endMandateAtGateway,
  'invoice.cancel-link': cancelPaymentLink,
  'invoice.check-books': checkTheBooks,
  'cleanup.access': cleanUpAccess,
  'cleanup.expired': cleanUpExpired,
  'cleanup.audit-months': keepAuditMonths,
  'cleanup.audit-exports': cleanUpAuditExports,
  'cleanup.data-exports': cleanUpDataExports,
  'cleanup.import-file': removeImportFile,
  'cleanup.logos': cleanUpLogos,
  'cleanup.offboarding': runOffboardings,
  'cleanup.imports': cleanUpImports,
  'cleanup.revenue-reports': cleanUpRevenueReports,
  'import.validate': validateImport,
  'import.commit': commitImport,
  'import.undo': undoImport,
  'report.audit-anchors': anchorAudit,
  'report.audit-export': exportAudit,
  'report.audit-verification': verifyAudit,
  'report.people-export': exportPeople,
  'report.person-export': exportPerson,
  'report.revenue': reportRevenue,
  'report.tenant-export': exportTenant,
  'webhook.audit-streams': deliverAuditStreams,
  'webhook.sandbox-gateway': deliverSandboxGateway,
};
