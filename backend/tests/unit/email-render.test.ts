import { describe, expect, it } from 'vitest';
import { renderEmail, type EmailVariables } from '../../src/templates/email/render.ts';

const variables: EmailVariables['password-reset'] = {
  name: 'आशा वर्मा',
  link: 'https://portal.example/reset-password?token=abc',
  minutes: 30,
  askedAt: '22 November 2026 at 6:45 pm (India time)',
  askedFrom: null,
};

describe('rendering of mails', () => {
  it('fills in subject, HTML and text', async () => {
    const mail = await renderEmail('password-reset', variables);
    expect(mail.subject).toBe('आशा वर्मा, choose a new password for StudySpot');
    expect(mail.html).toContain('Hello आशा वर्मा,');
    expect(mail.html).toContain('<title>आशा वर्मा, choose a new password for StudySpot</title>');
    expect(mail.text).toContain('\nhttps://portal.example/reset-password?token=abc\n');
    expect(mail.text).toContain('for your StudySpot account on 22 November 2026');
    expect(mail.html + mail.text).not.toMatch(/\{\{|\{%|undefined|null/);
  });

  it('loads nothing from elsewhere: mails are read without leaving a trace', async () => {
    const { html } = await renderEmail('password-reset', variables);
    const addresses = [...html.matchAll(/(?:src|href|url\()\s*=?\s*["']?(https?:[^"')\s]+)/g)].map((match) => match[1]);
    expect(new Set(addresses)).toEqual(new Set([variables.link]));
  });

  it.each([
    ['markup', '<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['an attribute', '" onclick="x', '&#34; onclick=&#34;x'],
    ['template code', '{{ link }}{% raw %}', '{{ link }}{% raw %}'],
    ['an MJML tag', '<mj-image src="https://x.example"/>', '&lt;mj-image src=&#34;https://x.example&#34;/&gt;'],
  ])('%s in a name stays text', async (_, name, escaped) => {
    const mail = await renderEmail('password-reset', { ...variables, name });
    expect(mail.html).toContain(`Hello ${escaped},`);
    expect(mail.text).toContain(`Hello ${name},`);
    expect(mail.subject).toBe(`${name}, choose a new password for StudySpot`);
  });

  it('a line break or an invisible character in a name becomes a space in text and subject', async () => {
    const name = 'Asha\r\nBcc: everybody@x.example\u2028\u202Eeliv\0';
    const mail = await renderEmail('password-reset', { ...variables, name });
    expect(mail.subject).toBe('Asha Bcc: everybody@x.example eliv , choose a new password for StudySpot');
    expect(mail.text.split('\n')[0]).toBe('Hello Asha Bcc: everybody@x.example eliv ,');
  });

  it('refuses a mail with a variable missing, naming it', async () => {
    const { link: _, ...incomplete } = variables;
    await expect(renderEmail('password-reset', incomplete as typeof variables)).rejects.toThrow(
      'undefined variable: link',
    );
  });

  it('sees nothing of a value but its own fields', async () => {
    const inherited = Object.create({ name: 'inherited' }) as typeof variables;
    await expect(
      renderEmail('password-reset', Object.assign(inherited, { ...variables, name: undefined })),
    ).rejects.toThrow('name');
  });
});
