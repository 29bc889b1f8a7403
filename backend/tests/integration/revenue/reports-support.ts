import { parse } from 'csv-parse/sync';
import { expect } from 'vitest';
import { noon, resetClock, runJob, setClock } from '../../support/billing.ts';
import { figuresFor } from '../../support/revenue-figures.ts';
import { startTestApp } from '../../support/server.ts';

/** The API, somebody who may make reports, and the 26th of November 2026. */
export async function startReportTests() {
  const app = await startTestApp();
  setClock(noon('2026-11-26'));
  const token = await app.elevatedToken();

  const ask = (body: object, by = token, headers = {}) =>
    app.call('POST', '/api/revenue/reports', { token: by, body, headers });
  const look = (id: string, by = token, headers = {}) =>
    app.call('GET', `/api/revenue/reports/${id}`, { token: by, headers });
  const download = (id: string, by = token) =>
    fetch(`${app.url}/api/revenue/reports/${id}/download`, { headers: { authorization: `Bearer ${by}` } });

  /** Asks for a report, in the name of somebody new: they are limited by person. */
  async function asked(body: object): Promise<string> {
    const answer = await ask(body, await app.elevatedToken({ role: 'finance' }));
    expect(answer.status, answer.text).toBe(202);
    return answer.body.data.id as string;
  }

  /** The text of a report, written as a worker would. */
  async function written(body: object): Promise<string> {
    const id = await asked(body);
    await runJob('report.revenue', { reportId: id });
    const answer = await download(id);
    const text = await answer.text();
    expect(answer.status, text.slice(0, 300)).toBe(200);
    return text;
  }

  const writtenJson = async (body: object) => JSON.parse(await written({ ...body, format: 'JSON' }));

  /** The rows of a CSV, each by what stands above it. */
  async function writtenRows(body: object): Promise<Record<string, string>[]> {
    const text = await written({ ...body, format: 'CSV' });
    const [headings = [], ...rows]: string[][] = parse(text, { bom: true, record_delimiter: '\r\n' });
    return rows.map((row) => Object.fromEntries(row.map((cell, index) => [headings[index], cell])));
  }

  const close = async () => {
    resetClock();
    await app.close();
  };
  return {
    app,
    token,
    figures: figuresFor(app),
    ask,
    look,
    download,
    asked,
    written,
    writtenJson,
    writtenRows,
    close,
  };
}

export type ReportTests = Awaited<ReturnType<typeof startReportTests>>;
