import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { simpleParser } from 'mailparser';
import { afterAll, describe, expect, it } from 'vitest';
import { localEmailProvider } from '../../src/providers/email-local.provider.ts';
import { smtpEmailProvider } from '../../src/providers/email-smtp.provider.ts';
import { MailRefused, type Mail } from '../../src/providers/email.provider.ts';

const mail: Mail = {
  from: 'StudySpot <no-reply@studyspot.example>',
  to: 'asha@x.example',
  subject: 'नमस्ते',
  html: '<p>नमस्ते</p>',
  text: 'नमस्ते',
  messageId: '<job-1@portal.example>',
  headers: { 'X-Template': 'welcome' },
};

describe('the local outbox', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'studyspot-outbox-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('keeps a mail twice, for a mail program and to read as it is, for its owner alone', async () => {
    const directory = path.join(root, 'kept', 'outbox');
    await localEmailProvider(directory).send(mail);
    const [name = '', plain = '', ...others] = readdirSync(directory).toSorted();
    expect(others).toEqual([]);
    expect(name).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z_welcome_asha-x\.example\.eml$/);
    expect(plain).toBe(name.replace(/eml$/, 'txt'));
    for (const file of [name, plain]) expect(statSync(path.join(directory, file)).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    const parsed = await simpleParser(readFileSync(path.join(directory, name)));
    expect(parsed).toMatchObject({ subject: 'नमस्ते', text: expect.stringContaining('नमस्ते'), messageId: mail.messageId });
    expect(readFileSync(path.join(directory, plain), 'utf8')).toBe('To: asha@x.example\nSubject: नमस्ते\n\nनमस्ते\n');
  });

  it('makes a harmless file name of any recipient', async () => {
    const directory = path.join(root, 'names');
    await localEmailProvider(directory).send({ ...mail, to: '../../../etc/x@आशा.example' });
    expect(readdirSync(directory)[0]).toMatch(/_welcome_\.\.-\.\.-\.\.-etc-x-\.example\.eml$/);
  });

  it('removes the oldest when there are more than 500', async () => {
    const directory = path.join(root, 'many');
    const provider = localEmailProvider(directory);
    await provider.send(mail);
    for (let n = 0; n < 510; n += 1) {
      const name = `2020-01-01T00-00-00.${String(n).padStart(3, '0')}Z`;
      for (const ending of ['eml', 'txt']) writeFileSync(path.join(directory, `${name}.${ending}`), '');
    }
    await Promise.all([provider.send(mail), provider.send({ ...mail, to: 'ravi@x.example' })]);
    const names = readdirSync(directory).toSorted();
    expect(names).toHaveLength(1_000);
    expect(names.filter((name) => name.includes('welcome'))).toHaveLength(6);
    expect(names.slice(0, 2)).toEqual(['2020-01-01T00-00-00.013Z.eml', '2020-01-01T00-00-00.013Z.txt']);
  });
});

describe.each([
  ['local', localEmailProvider(path.join(tmpdir(), 'studyspot-never-made'))],
  ['smtp', smtpEmailProvider('smtp://127.0.0.1:1')],
])('the %s provider', (_, provider) => {
  it.each([
    ['a line break in the subject', { subject: 'Hello\r\nBcc: everybody@x.example' }],
    ['a line break in the sender', { from: 'StudySpot <a@x.example>\nBcc: b@x.example' }],
    ['a line break in a header', { headers: { 'X-Template': 'a\nBcc: b@x.example' } }],
    ['a line break in the message id', { messageId: '<1@x>\r\nBcc: b@x.example' }],
    ['two recipients', { to: 'a@x.example, b@x.example' }],
    ['a recipient with a name', { to: 'A <a@x.example>' }],
    ['a recipient with a line break', { to: 'a@x.example\nBcc: b@x.example' }],
    ['no recipient', { to: '' }],
  ])('refuses %s, for good', async (__, part) => {
    await expect(provider.send({ ...mail, ...part })).rejects.toBeInstanceOf(MailRefused);
  });
});
