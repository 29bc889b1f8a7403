import * as reports from '../controllers/revenue-reports.controller.ts';
import { pageOf } from '../utils/page.ts';
import * as v from '../validators/revenue-reports.validator.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

const access = { permission: 'revenue.reports' } as const;
const errors = ['tenant_mismatch'] as const;

/** Files of figures, below /revenue: for portal admins, outside of a tenant. */
export const revenueReportsEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/reports',
    operationId: 'listRevenueReports',
    summary: 'List reports of revenue',
    description: 'Those that were asked for, by anybody, the newest first. Their files are there for 24 hours.',
    access,
    query: v.listReportsQuery,
    response: pageOf(v.revenueReport),
    errors,
    handler: reports.listReports,
  }),
  endpoint({
    method: 'post',
    path: '/reports',
    operationId: 'createRevenueReport',
    summary: 'Have a report of revenue made',
    description:
      'In the background: the GSTR-1 of a month, as the offline tool of the GST portal writes it or as one CSV whose column `section` says where a row stands; what tenants owe as of a day, by age; what is invoiced and not earned as of a day; the journal of some days for Tally, whose vouchers all balance; or the movements of the MRR by month and tenant. In CSV text that a spreadsheet would run has an apostrophe in front.',
    access,
    body: v.createReportBody,
    response: v.revenueReport,
    status: 202,
    audit: 'revenue.report_create',
    stepUp: true,
    rateLimit: { points: 20, seconds: 60 },
    errors: [...errors, 'conflict'],
    handler: reports.createReport,
  }),
  endpoint({
    method: 'get',
    path: '/reports/:id',
    operationId: 'getRevenueReport',
    summary: 'How far a report of revenue is',
    description:
      'Once it is ready with a link that fetches the file without a token, for ten minutes, for the caller alone.',
    access,
    params: v.reportId,
    response: v.revenueReport,
    errors,
    handler: reports.getReport,
  }),
  endpoint({
    method: 'get',
    path: '/reports/:id/download',
    operationId: 'downloadRevenueReport',
    summary: 'Download a report of revenue',
    description: 'For 24 hours after it was made. Each download leaves an audit row.',
    access,
    params: v.reportId,
    response: v.reportFile,
    transaction: 'manual',
    errors,
    handler: reports.downloadReport,
  }),
];
