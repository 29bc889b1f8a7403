import { describe, expect, it } from 'vitest';
import { renderEmail } from '../../src/templates/email/render.ts';

const name = 'Meera Sharma';

describe('The mails about second factors', () => {
  it('say what was changed and what to do', async () => {
    const mail = await renderEmail('mfa-changed', {
      name,
      what: 'A passkey was added to your StudySpot account.',
      changedAt: '22 November 2026 at 6:45 pm (India time)',
      link: 'https://portal.example/forgot-password',
    });
    expect(mail.subject).toBe('Meera Sharma, the way you sign in to StudySpot was changed');
    for (const part of [mail.html, mail.text]) {
      expect(part).toContain('A passkey was added to your StudySpot account.');
      expect(part).toContain('https://portal.example/forgot-password');
    }
  });

  it('warn of few recovery codes', async () => {
    const mail = await renderEmail('recovery-codes-low', {
      name,
      left: 3,
      usedAt: '22 November 2026 at 6:45 pm (India time)',
      link: 'https://portal.example/account/security',
    });
    expect(mail.subject).toBe('Meera Sharma, you have 3 recovery codes left');
    expect(mail.text).toContain('https://portal.example/account/security');
  });
});
