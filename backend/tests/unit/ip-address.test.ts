import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressPrefix, normalAddress } from '../../src/utils/ip-address.ts';

const byte = fc.nat(255);
const ipv4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.'));
const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });

/** All spellings of the same eight groups: leading zeros, capitals, `::` for any run of zeros, a dotted tail. */
const spelling = fc.record({
  pad: fc.boolean(),
  capitals: fc.boolean(),
  dotted: fc.boolean(),
  from: fc.nat(7),
  zone: fc.constantFrom('', '%eth0', '%1'),
});

function spell(numbers: number[], how: { pad: boolean; capitals: boolean; dotted: boolean; from: number }): string {
  const texts = numbers.map((group) => group.toString(16).padStart(how.pad ? 4 : 1, '0'));
  if (how.dotted) {
    const [high = 0, low = 0] = numbers.slice(6);
    texts.splice(6, 2, [high >> 8, high & 255, low >> 8, low & 255].join('.'));
  }
  let to = how.from;
  const end = how.dotted ? 6 : 8;
  while (to < end && numbers[to] === 0) to += 1;
  const text = to > how.from ? `${texts.slice(0, how.from).join(':')}::${texts.slice(to).join(':')}` : texts.join(':');
  return how.capitals ? text.toUpperCase() : text;
}

const prefixOf = (numbers: number[]) =>
  `${numbers
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
const isMapped = (numbers: number[]) => numbers[5] === 0xffff && numbers.slice(0, 5).every((group) => group === 0);

describe('The address of a caller', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:cb00:7107', '203.0.113.7'],
    ['0:0:0:0:0:ffff:203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:51234', '203.0.113.7'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[::ffff:203.0.113.7]:443', '203.0.113.7'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:db8::1', '2001:db8::1'],
  ])('%s is %s', (given, address) => {
    expect(normalAddress(given)).toBe(address);
  });

  it.each([
    undefined,
    '',
    'unknown',
    '_hidden',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    ':::',
    '2001:db8::1::2',
    "' or 1=1",
  ])('%s is none', (given) => {
    expect(normalAddress(given)).toBe('');
  });

  it('written as IPv6 in any way is the same as in IPv4', () => {
    fc.assert(
      fc.property(ipv4, spelling, (address, how) => {
        const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
        const mapped = spell([0, 0, 0, 0, 0, 0xffff, a * 256 + b, c * 256 + d], how);
        fc.pre(isIPv6(mapped));
        expect(normalAddress(mapped + how.zone)).toBe(address);
      }),
    );
  });

  it('is an address or nothing, whatever a proxy writes, and stays what it is', () => {
    const anything = fc.oneof(
      ipv4,
      fc.ipV6(),
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'0123456789abf:.[]%'.split('')) }),
    );
    fc.assert(
      fc.property(anything, (given) => {
        const address = normalAddress(given);
        expect(address === '' || isIPv4(address) || isIPv6(address)).toBe(true);
        expect(normalAddress(address)).toBe(address);
      }),
    );
  });
});

describe('The neighbourhood of an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:DB8:0:0:ffff::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['a::b:c:d:e:1.2.3.4', 'a:0:b:c::/64'],
    ['::', '0:0:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, prefix) => {
    expect(addressPrefix(address)).toBe(prefix);
  });

  it('is its first 64 bits, however the address is written', () => {
    fc.assert(
      fc.property(groups, spelling, (numbers, how) => {
        fc.pre(!isMapped(numbers));
        const text = spell(numbers, how);
        fc.pre(isIPv6(text));
        expect(addressPrefix(text)).toBe(prefixOf(numbers));
        expect(addressPrefix(normalAddress(text + how.zone))).toBe(prefixOf(numbers));
      }),
    );
  });

  it('is the same for neighbours, and another one elsewhere', () => {
    fc.assert(
      fc.property(groups, groups, (one, other) => {
        const neighbour = [...one.slice(0, 4), ...other.slice(4)];
        expect(addressPrefix(spell(neighbour, { pad: false, capitals: false, dotted: false, from: 0 }))).toBe(
          addressPrefix(one.map((group) => group.toString(16)).join(':')),
        );
        fc.pre(one.slice(0, 4).join() !== other.slice(0, 4).join());
        expect(prefixOf(one)).not.toBe(prefixOf(other));
      }),
    );
  });
});
