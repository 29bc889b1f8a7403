import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { simpleParser } from 'mailparser';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { localEmailProvider } from '../../../src/providers/email-local.provider.ts';
import { closeEmailProvider } from '../../../src/providers/email.ts';
import { MailRefused, type MailAttachment } from '../../../src/providers/email.provider.ts';
import { jobs, type JobName } from '../../../src/queues/index.ts';
import { buildBilledTenant, noon, resetClock, runJob, setClock } from '../../support/billing.ts';
import { expectError } from '../../support/expectations.ts';
import type { TestApp } from '../../support/server.ts';
import { startMailServer } from '../settings/mail-server.ts';
import { payOn, startDesk, type Desk } from './invoices-support.ts';

let server: Awaited<ReturnType<typeof startMailServer>>;
let app: TestApp;
let finance: Desk;
let token: string;
let tenantId: string;
beforeAll(async () => {
  server = await startMailServer('pass word');
  const mails = { EMAIL_PROVIDER: 'smtp', SMTP_URL: server.url() };
  ({ app, finance, token, tenantId } = await startDesk({}, mails));
});
afterAll(async () => {
  await closeEmailProvider();
  await app.close();
  await server.close();
});
beforeEach(() => void (server.received.length = 0));
afterEach(resetClock);

type Outboxed = { job: JobName; payload: never; tenantId: string | null; key: string };

/** What was handed over of this kind, in the order in which it was. */
const handedOver = (job: JobName) =>
  app.query<Outboxed>(
    `update outbox_messages set published_at = now() where job = $1 and published_at is null
     returning job, payload, tenant_id as "tenantId", dedupe_key as key`,
    [job],
  );
async function send(job: 'email.invoice' | 'email.credit-note') {
  const rows = await handedOver(job);
  for (const row of rows) await runJob(job, row.payload, row.tenantId);
  return rows;
}
const pdfOf = async (route: string) => {
  const response = await fetch(`${app.url}/api/revenue${route}/pdf`, { headers: { authorization: `Bearer ${token}` } });
  return Buffer.from(await response.arrayBuffer());
};

describe('Mailing an invoice', () => {
  it('brings its PDF whole to where invoices of the tenant go, with what is due, and notes when', async () => {
    setClock(noon('2026-08-11'));
    const invoice = await finance.issue(tenantId, [{ unitPrice: '250000.00' }]);
    const answer = await finance.post(`/invoices/${invoice.id}/send`, {}, {});
    expect(answer.status, answer.text).toBe(202);
    expect(answer.body.data).toEqual({
      invoiceId: invoice.id,
      number: invoice.number,
      to: 'accounts@saraswati.example',
    });
    expect((await finance.read(invoice.id)).sentAt).toBeNull();
    expect(await send('email.invoice')).toMatchObject([{ tenantId, payload: { invoiceId: invoice.id } }]);
    const [mail] = server.received;
    expect(mail?.to).toMatchObject({ text: 'accounts@saraswati.example' });
    expect(mail?.subject).toBe(`Invoice ${invoice.number} from StudySpot over ₹2,95,000.00`);
    for (const part of [mail?.text, mail?.html as string]) {
      expect(part).toContain(`Invoice ${invoice.number} of 11 August 2026 over ₹2,95,000.00 is attached.`);
      expect(part).toContain('₹2,95,000.00 is to be paid by 18 August 2026.');
      expect(part).toContain(`/billing/invoices?id=${invoice.id}`);
    }
    expect(mail?.attachments).toHaveLength(1);
    const [attached] = mail?.attachments ?? [];
    expect(attached).toMatchObject({
      filename: `Invoice-${invoice.number?.replaceAll('/', '-')}.pdf`,
      contentType: 'application/pdf',
    });
    const pdf = await pdfOf(`/invoices/${invoice.id}`);
    expect(attached?.content.equals(pdf)).toBe(true);
    expect((await finance.read(invoice.id)).sentAt).toMatch(/^2026-08-11T06:30/);
  });

  it('goes to another address where one is named, and once more each time', async () => {
    const invoice = await finance.issue(tenantId);
    await finance.post(`/invoices/${invoice.id}/send`, { to: 'ca@accountants.example' }, {});
    await finance.post(`/invoices/${invoice.id}/send`, { to: 'ca@accountants.example' }, {});
    const rows = await send('email.invoice');
    expect(new Set(rows.map(({ key }) => key)).size).toBe(2);
    expect(server.received.map(({ to }) => (to as { text: string }).text)).toEqual([
      'ca@accountants.example',
      'ca@accountants.example',
    ]);
  });

  it('says so where nothing is to be paid any more, and is not sent where it was voided since', async () => {
    const paid = await finance.issue(tenantId);
    await payOn(app, paid, '590.00');
    const voided = await finance.issue(tenantId);
    for (const { id } of [paid, voided]) await finance.post(`/invoices/${id}/send`, {}, {});
    await finance.post(`/invoices/${voided.id}/void`, { reason: 'Billed by mistake' });
    await send('email.invoice');
    expect(server.received).toHaveLength(1);
    expect(server.received[0]?.text).toContain('It is settled: there is nothing to pay.');
  });

  it('is for what was issued and holds', async () => {
    const draft = await finance.draft(tenantId);
    expectError(await finance.post(`/invoices/${draft.id}/send`, {}, {}), 409, 'invalid_transition');
    const voided = await finance.issue(tenantId);
    await finance.post(`/invoices/${voided.id}/void`, { reason: 'Billed by mistake' });
    expectError(await finance.post(`/invoices/${voided.id}/send`, {}, {}), 409, 'invalid_transition');
    expectError(
      await finance.post(`/invoices/${voided.id}/send`, { to: 'a@x.example, b@x.example' }, {}),
      400,
      'validation_failed',
    );
    expect(await handedOver('email.invoice')).toEqual([]);
  });

  it('goes out to a tenant that is shut out', () => {
    expect([jobs['email.invoice'].whenShutOut, jobs['email.credit-note'].whenShutOut]).toEqual(['run', 'run']);
  });
});

describe('A credit note', () => {
  it('is mailed when it is issued, with its PDF and where its total goes', async () => {
    const { tenantId: of } = await buildBilledTenant(app);
    const invoice = await finance.issue(of, [{ unitPrice: '1000.00' }]);
    await payOn(app, invoice, '180.00');
    const note = await finance.credit(invoice.id, { full: true, reason: 'CANCELLATION' });
    expect(await send('email.credit-note')).toMatchObject([{ tenantId: of, key: `credit-note-${note.id}` }]);
    const [mail] = server.received;
    expect(mail?.subject).toBe(`Credit note ${note.number} from StudySpot over ₹1,180.00`);
    for (const part of [mail?.text, mail?.html as string]) {
      expect(part).toContain(`It takes back from invoice ${invoice.number}: cancellation.`);
      expect(part).toContain('₹1,000.00 is set off against what is due of the invoice.');
      expect(part).toContain('₹180.00 is put to your credit balance');
      expect(part).not.toContain('goes back by the way you paid');
    }
    const [attached] = mail?.attachments ?? [];
    expect(attached?.filename).toBe(`CreditNote-${note.number.replaceAll('/', '-')}.pdf`);
    const pdf = await pdfOf(`/credit-notes/${note.id}`);
    expect(attached?.content.equals(pdf)).toBe(true);
  });

  it('that was voided since is not mailed', async () => {
    const { tenantId: of } = await buildBilledTenant(app);
    const note = await finance.credit((await finance.issue(of)).id);
    await finance.post(`/credit-notes/${note.id}/void`, { reason: 'Issued for the wrong invoice' });
    await send('email.credit-note');
    expect(server.received).toEqual([]);
  });
});

describe('Files of mails', () => {
  const mail = { from: 'a@x.example', to: 'b@x.example', subject: 's', html: '', text: 't', messageId: '<1@x>' };
  const file: MailAttachment = {
    filename: 'Invoice-1.pdf',
    content: Buffer.from('%PDF-1.7'),
    contentType: 'application/pdf',
  };
  const outbox = () => path.join(process.env.DATA_DIR as string, 'kept');

  it('are kept by the local provider in the mail, and named beside it', async () => {
    await localEmailProvider(outbox()).send({ ...mail, attachments: [file] });
    const [eml = '', txt = ''] = readdirSync(outbox()).toSorted();
    const parsed = await simpleParser(readFileSync(path.join(outbox(), eml)));
    expect(parsed.attachments).toMatchObject([{ filename: 'Invoice-1.pdf', content: file.content }]);
    expect(readFileSync(path.join(outbox(), txt), 'utf8')).toContain('Attached: Invoice-1.pdf, 8 bytes\n');
  });

  it.each(['../x.pdf', 'a/b.pdf', 'a\r\nBcc: b@x.example', '.hidden', '', 'a"b.pdf', 'x'.repeat(200)])(
    'are refused under the name %j, for good',
    async (filename) => {
      const refused = localEmailProvider(outbox()).send({ ...mail, attachments: [{ ...file, filename }] });
      await expect(refused).rejects.toBeInstanceOf(MailRefused);
    },
  );

  it('are refused with a type that is none', async () => {
    const attachments = [{ ...file, contentType: 'application/pdf\r\nX: y' }];
    await expect(localEmailProvider(outbox()).send({ ...mail, attachments })).rejects.toBeInstanceOf(MailRefused);
  });
});
