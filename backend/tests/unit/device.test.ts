import { describe, expect, it } from 'vitest';
import { deviceName } from '../../src/services/device.service.ts';

describe('The name of a device', () => {
  it.each([
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
      'Chrome on Windows',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
      'Safari on iOS',
    ],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0', 'Firefox on Linux'],
    ['Kiosk/1.0', 'Kiosk'],
    ['Kiosk\u0000\u202e/1.0 (quiet)', 'Kiosk'],
    ['x'.repeat(400), 'x'.repeat(60)],
    ['/', '/'],
    ['   ', null],
    ['', null],
    [null, null],
  ])('of %j is %j', (userAgent, name) => {
    expect(deviceName(userAgent)).toBe(name);
  });
});
