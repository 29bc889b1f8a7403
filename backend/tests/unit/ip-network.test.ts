import { describe, expect, it } from 'vitest';
import { parseNetwork } from '../../src/utils/ip-address.ts';

const networkOf = (typed: string) => {
  const parsed = parseNetwork(typed);
  return 'network' in parsed ? parsed.network : undefined;
};
const problemOf = (typed: string) => {
  const parsed = parseNetwork(typed);
  return 'problem' in parsed ? parsed.problem : undefined;
};

describe('A network', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7/32'],
    ['203.0.113.7/32', '203.0.113.7/32'],
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['128.0.0.0/1', '128.0.0.0/1'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['255.255.255.254/31', '255.255.255.254/31'],
    ['2001:db8::', '2001:db8::/128'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['2001:db8:8000::/33', '2001:db8:8000::/33'],
    ['::/0', '::/0'],
    ['::ffff:203.0.113.7', '203.0.113.7/32'],
    ['::ffff:cb00:7107', '203.0.113.7/32'],
    ['::ffff:203.0.113.0/120', '203.0.113.0/24'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
  ])('%s is %s', (typed, network) => {
    expect(networkOf(typed)).toBe(network);
  });

  it.each([
    ['203.0.113.7/24', '203.0.113.0/24'],
    ['203.0.113.7/0', '0.0.0.0/0'],
    ['203.0.113.255/31', '203.0.113.254/31'],
    ['2001:db8::1/32', '2001:db8:0:0:0:0:0:0/32'],
    ['::ffff:203.0.113.7/120', '203.0.113.0/24'],
  ])('%s has bits behind its prefix, and may mean %s', (typed, suggested) => {
    expect(problemOf(typed)).toContain(suggested);
  });

  it.each([
    '',
    '/24',
    'localhost',
    '203.0.113',
    '203.0.113.256',
    '203.0.113.0/',
    '203.0.113.0/33',
    '203.0.113.0/+8',
    '203.0.113.0/1e1',
    '203.0.113.0/24/24',
    '2001:db8::/129',
    'fe80::1%eth0',
    '0x7f.1',
    '٢٠٣.0.113.0/24',
  ])('%j is none', (typed) => {
    expect(problemOf(typed)).toMatch(/^must /);
  });
});
