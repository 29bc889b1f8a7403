import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { expect } from 'vitest';
import { bufferSource } from '../../../src/services/import-sheet.ts';
import { xlsxRows } from '../../../src/services/import-xlsx.service.ts';
import { newId } from '../../../src/utils/ids.ts';
import { startTestApp } from '../../support/server.ts';
import { runPeopleExports } from './support.ts';

export type Owner = { owner: { id: string; email: string | null }; token: string; tenantId: string };
type Person = Record<string, string | boolean | null | undefined>;

/** The API with a place for files of its own, an owner and an admin who may export, and the calls that they make. */
export async function startExportTests() {
  const directory = mkdtempSync(path.join(tmpdir(), 'studyspot-people-'));
  const app = await startTestApp({ DATA_DIR: directory });

  async function elevatedOwner(): Promise<Owner> {
    const person = await app.buildOwner();
    const { token } = await app.signInElevated(person);
    return { owner: person, token, tenantId: person.tenantId as string };
  }

  const owner = await elevatedOwner();
  const admin = await app.elevatedToken();

  async function addPeople(tenantId: string, people: Person[]): Promise<string[]> {
    const rows = people.map((person) => ({ id: newId(), email: `${newId()}@people.example`, ...person }));
    await app.query(
      `insert into users (id, tenant_id, type, kind, name, email, phone, status, date_of_birth, library_id, member_number, joined_on,
                          course, job_title, deleted_at, created_at, updated_at)
       select id, $1, 'PLATFORM_USER', coalesce(kind, 'STUDENT')::person_kind, coalesce(name, 'Ravi Kumar'), email, phone,
              coalesce(status, 'ACTIVE')::user_status, born, library, number, joined, course, job, deleted, coalesce(created, now()), now()
         from jsonb_to_recordset($2) as p (id text, kind text, name text, email text, phone text, status text, born date, library text,
              number text, joined date, course text, job text, deleted timestamptz, created timestamptz)`,
      [tenantId, JSON.stringify(rows)],
    );
    return rows.map(({ id }) => id);
  }

  const ask = (body: object, token = owner.token, headers = {}) =>
    app.call('POST', '/api/platform-users/bulk-export', { token, body: { format: 'CSV', ...body }, headers });
  const look = (id: string, token = owner.token, headers = {}) =>
    app.call('GET', `/api/platform-users/exports/${id}`, { token, headers });
  const fetchFile = (id: string, token = owner.token, headers: Record<string, string> = {}) =>
    fetch(`${app.url}/api/platform-users/exports/${id}/download`, {
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
  const download = (id: string, token = owner.token, headers = {}) =>
    app.call('GET', `/api/platform-users/exports/${id}/download`, { token, headers });

  /** Each test asks in its own name: exports are limited by person. */
  async function asked(body: object, of: { tenantId: string } = owner, token?: string): Promise<string> {
    const asker = token ?? (await app.signInElevated(await app.buildOwner({ tenantId: of.tenantId }))).token;
    const answer = await ask(body, asker);
    expect(answer.status, answer.text).toBe(202);
    return answer.body.data.id as string;
  }
  async function contentOf(id: string, token = owner.token): Promise<Buffer> {
    await runPeopleExports(app);
    const answer = await fetchFile(id, token);
    const content = Buffer.from(await answer.arrayBuffer());
    expect(answer.status, content.toString().slice(0, 300)).toBe(200);
    return content;
  }
  const tableOf = (content: Buffer): string[][] => parse(content.toString(), { bom: true, record_delimiter: '\r\n' });
  async function exported(body: object, of = owner, token?: string): Promise<Record<string, string>[]> {
    const [headings = [], ...rows] = tableOf(await contentOf(await asked(body, of, token), token ?? of.token));
    return rows.map((row) => Object.fromEntries(row.map((cell, index) => [headings[index], cell])));
  }

  async function sheetOf(content: Buffer): Promise<string[][]> {
    const found: string[][] = [];
    for await (const rows of xlsxRows(bufferSource(content))) found.push(...rows.map(({ cells }) => cells));
    return found;
  }

  const ownerOf = async (tenantId: string) => app.signInElevated(await app.buildOwner({ tenantId }));

  const close = async () => {
    await app.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return {
    app,
    directory,
    owner,
    admin,
    elevatedOwner,
    ownerOf,
    addPeople,
    ask,
    look,
    fetchFile,
    download,
    asked,
    contentOf,
    tableOf,
    sheetOf,
    exported,
    close,
  };
}

export type ExportTests = Awaited<ReturnType<typeof startExportTests>>;
