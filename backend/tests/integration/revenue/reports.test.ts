import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { runJob, setClock } from '../../support/billing.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startReportTests, type ReportTests } from './reports-support.ts';

let tests: ReportTests;
let app: ReportTests['app'];
beforeAll(async () => {
  tests = await startReportTests();
  ({ app } = tests);
});
afterAll(() => tests.close());

const ageing = { type: 'AGEING', format: 'CSV' };

describe('A report', () => {
  it('is noted down, written by a job, and fetched', async () => {
    const by = await app.elevatedToken({ role: 'finance', name: 'Asha Menon' });
    const asked = await tests.ask(ageing, by);
    expectSuccess(asked, 202);
    const { id } = asked.body.data;
    expect(asked.body.data).toMatchObject({
      type: 'AGEING',
      format: 'CSV',
      filter: { day: '2026-11-26' },
      status: 'PENDING',
      link: null,
      requestedBy: { name: 'Asha Menon' },
    });
    expectError(await app.call('GET', `/api/revenue/reports/${id}/download`, { token: by }), 404, 'not_found');
    const [job] = await app.query(`select payload from outbox_messages where job = 'report.revenue'`);
    expect(job).toEqual({ payload: { reportId: id } });
    await runJob('report.revenue', { reportId: id });
    const { body } = await tests.look(id, by);
    expect(body.data).toMatchObject({ status: 'READY', rows: 0, sizeBytes: expect.any(Number) });
    const answer = await tests.download(id, by);
    const content = Buffer.from(await answer.arrayBuffer());
    expect(answer.headers.get('content-type')).toContain('text/csv');
    expect(answer.headers.get('content-disposition')).toContain(`ageing-${id}.csv`);
    expect(createHash('sha256').update(content).digest('hex')).toBe(body.data.sha256);
    const linked = await fetch(body.data.link.url.replace(/^https?:\/\/[^/]+/, app.url));
    expect(Buffer.from(await linked.arrayBuffer()).equals(content)).toBe(true);
    const audit = await app.query<{ action: string }>(
      `select action from audit_logs where resource = 'revenue_report' and resource_id = $1 order by created_at`,
      [id],
    );
    expect(audit.map(({ action }) => action)).toEqual([
      'revenue.report_create',
      'revenue.report_download',
      'revenue.report_download',
    ]);
  });

  it('is the same file however often its job runs, and gone after a day', async () => {
    const id = await tests.asked(ageing);
    await runJob('report.revenue', { reportId: id });
    const { body: before } = await tests.look(id);
    await runJob('report.revenue', { reportId: id });
    expect((await tests.look(id)).body.data).toMatchObject({ sha256: before.data.sha256, status: 'READY' });
    const [row] = await app.query<{ key: string }>(`select storage_key as key from revenue_reports where id = $1`, [
      id,
    ]);
    const file = path.join(process.env.DATA_DIR as string, 'files', row!.key);
    expect(existsSync(file), file).toBe(true);
    await runJob('cleanup.revenue-reports', {});
    expect(existsSync(file)).toBe(true);
    setClock('2026-11-27T12:05:00+05:30');
    expectError(await app.call('GET', `/api/revenue/reports/${id}/download`, { token: tests.token }), 404, 'not_found');
    expect((await tests.look(id)).body.data.link).toBeNull();
    setClock('2026-11-28T12:00:00+05:30');
    await runJob('cleanup.revenue-reports', {});
    expect(existsSync(file)).toBe(false);
    expect((await tests.look(id)).body.data.status).toBe('EXPIRED');
    setClock('2026-11-26T18:00:00+05:30');
  });

  it('is listed, the newest first, and by its kind', async () => {
    const mrr = await tests.asked({ type: 'MRR', format: 'JSON', fromMonth: '2026-01', toMonth: '2026-11' });
    const { body } = await app.call('GET', '/api/revenue/reports?limit=100', { token: tests.token });
    expect(body.data[0]).toMatchObject({ id: mrr, filter: { fromMonth: '2026-01', toMonth: '2026-11' }, link: null });
    expect(body.meta.total).toBe(body.data.length);
    const { body: only } = await app.call('GET', '/api/revenue/reports?type=MRR', { token: tests.token });
    expect(only.data.map(({ id }: { id: string }) => id)).toEqual([mrr]);
    const { body: oldest } = await app.call('GET', '/api/revenue/reports?order=asc&limit=1', { token: tests.token });
    expect(oldest.data[0].id).not.toBe(mrr);
  });

  it.each<[object, string]>([
    [{ type: 'GSTR1', format: 'XML', month: '2026-10' }, 'format'],
    [{ type: 'JOURNAL', format: 'JSON', from: '2026-10-01', to: '2026-10-31' }, 'format'],
    [{ type: 'GSTR1', format: 'JSON' }, 'month'],
    [{ type: 'GSTR1', format: 'JSON', month: '2026-12' }, 'month'],
    [{ type: 'GSTR1', format: 'JSON', month: '2026-10', gstin: '27AAPFU0939F1ZX' }, 'gstin'],
    [{ type: 'GSTR1', format: 'JSON', month: '2026-10', day: '2026-10-01' }, 'day'],
    [{ ...ageing, day: '2026-11-27' }, 'day'],
    [{ ...ageing, month: '2026-10' }, 'month'],
    [{ type: 'JOURNAL', format: 'XML', from: '2026-10-01' }, 'to'],
    [{ type: 'JOURNAL', format: 'XML', from: '2026-10-02', to: '2026-10-01' }, 'from'],
    [{ type: 'JOURNAL', format: 'XML', from: '2025-10-01', to: '2026-10-01' }, 'to'],
    [{ type: 'MRR', format: 'CSV', fromMonth: '2023-10', toMonth: '2026-10' }, 'fromMonth'],
    [{ type: 'MRR', format: 'CSV', fromMonth: '2026-11', toMonth: '2026-10' }, 'fromMonth'],
    [{ type: 'BALANCE', format: 'CSV' }, 'type'],
  ])('%j is refused', async (body, field) => {
    const by = await app.elevatedToken({ role: 'finance' });
    expectError(await tests.ask(body, by), 400, 'validation_failed', `body ${field}`);
  });

  it('is for finance, who has just proved who they are; not for auditors, sales, support, owners or from within a tenant', async () => {
    expectError(await tests.ask(ageing, await app.adminToken({ role: 'finance' })), 403, 'step_up_required');
    const id = await tests.asked(ageing);
    await runJob('report.revenue', { reportId: id });
    const owner = await app.buildOwner();
    const others = [
      await app.elevatedToken({ role: 'auditor' }),
      await app.elevatedToken({ role: 'sales' }),
      await app.elevatedToken({ role: 'support' }),
      (await app.signInElevated(owner)).token,
    ];
    for (const token of others) {
      expectError(await tests.ask(ageing, token), 403, 'forbidden');
      expectError(await tests.look(id, token), 403, 'forbidden');
      expectError(await app.call('GET', '/api/revenue/reports', { token }), 403, 'forbidden');
      expectError(await app.call('GET', `/api/revenue/reports/${id}/download`, { token }), 403, 'forbidden');
    }
    const headers = { 'x-tenant-id': owner.tenantId as string };
    expectError(await tests.ask(ageing, tests.token, headers), 403, 'tenant_mismatch');
    expectError(await tests.look(id, tests.token, headers), 403, 'tenant_mismatch');
    expectError(await tests.look(newId()), 404, 'not_found');
  });

  it('keeps its link to who asked for it, and while they may', async () => {
    const finance = await app.buildAdmin({ role: 'finance' });
    const { token } = await app.signInElevated(finance);
    const id = await tests.asked(ageing);
    await runJob('report.revenue', { reportId: id });
    const { url } = (await tests.look(id, token)).body.data.link;
    const here = url.replace(/^https?:\/\/[^/]+/, app.url);
    expect((await fetch(here)).status).toBe(200);
    await app.query(`delete from role_assignments where user_id = $1`, [finance.id]);
    expect((await fetch(here)).status).toBe(404);
  });
});

describe('The report of the MRR', () => {
  it('tells by month and tenant what the figures tell of all', async () => {
    const plan = await tests.figures.plan();
    const asha = await tests.figures.history({ plan }, [
      ['2026-09-10', 300],
      ['2026-11-05', 200],
    ]);
    const bharat = await tests.figures.history({ plan }, [
      ['2026-09-30', 999],
      ['2026-10-01', 0],
    ]);
    const report = await tests.writtenJson({ type: 'MRR', fromMonth: '2026-09', toMonth: '2026-11' });
    const of = (month: string, { tenantId }: { tenantId: string }) =>
      report.rows.find((row: { month: string; tenantId: string }) => row.month === month && row.tenantId === tenantId);
    const none = { new: '0.00', expansion: '0.00', contraction: '0.00', churn: '0.00', reactivation: '0.00' };
    expect(of('2026-09', asha)).toEqual({
      month: '2026-09',
      complete: true,
      tenantId: asha.tenantId,
      name: expect.any(String),
      opening: '0.00',
      ...none,
      new: '300.00',
      closing: '300.00',
    });
    expect(of('2026-10', asha)).toMatchObject({ opening: '300.00', ...none, closing: '300.00' });
    expect(of('2026-10', bharat)).toMatchObject({ opening: '999.00', churn: '-999.00', closing: '0.00' });
    expect(of('2026-11', asha)).toMatchObject({ complete: false, contraction: '-100.00', closing: '200.00' });
    expect(of('2026-11', bharat)).toBeUndefined();
    expect(report).toMatchObject({ report: 'mrr', from: '2026-09', to: '2026-11', closingMrr: '200.00' });
    const { body } = await app.call('GET', '/api/revenue/metrics/mrr-movements?from=2026-11', { token: tests.token });
    expect(body.data.months[0].closing).toBe('200.00');
  });

  it('is a table as well, in which what is lost is a number', async () => {
    const rows = await tests.writtenRows({ type: 'MRR', fromMonth: '2026-10', toMonth: '2026-10' });
    expect(rows).toHaveLength(2);
    expect(new Set(rows.map(({ Churn }) => Churn))).toEqual(new Set(['-999.00', '0.00']));
  });
});
