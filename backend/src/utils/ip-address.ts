import { isIPv4, isIPv6 } from 'node:net';

/**
 * The address alone, and IPv4 that arrives as IPv6 as IPv4 (rule 7). Proxies may add brackets, a port or a zone. What
 * is no address becomes an empty text: whoever sends it cannot choose which neighbour to count as.
 */
export function normalAddress(given: string | undefined): string {
  if (!given || isIPv4(given)) return given ?? '';
  const bare = given
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
    .replace(/^([\d.]+):\d+$/, '$1')
    .replace(/%.*$/, '');
  if (isIPv4(bare)) return bare;
  return isIPv6(bare) ? (mappedIPv4(groupsOf(bare)) ?? bare) : '';
}

/** What counts as one neighbour: the address itself for IPv4, the /64 that a home or phone is given for IPv6. */
export function addressPrefix(ip: string): string {
  if (!isIPv6(ip)) return ip;
  const network = groupsOf(ip).slice(0, 4);
  return `${network.map((group) => group.toString(16)).join(':')}::/64`;
}

/** The eight numbers of an IPv6 address without a zone. */
function groupsOf(ip: string): number[] {
  const [head = '', tail = ''] = ip.replace(/[\d.]+\.[\d.]+$/, twoGroups).split('::');
  const left = numbersOf(head);
  const right = numbersOf(tail);
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}

const numbersOf = (part: string): number[] => (part ? part.split(':').map((group) => Number.parseInt(group, 16)) : []);

function twoGroups(ipv4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

function mappedIPv4(groups: number[]): string | undefined {
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  return isMapped ? [high >> 8, high & 255, low >> 8, low & 255].join('.') : undefined;
}

/** A network as the database keeps it, such as `203.0.113.0/24`; or why what was typed is none. */
export type ParsedNetwork = { network: string; length: number; family: 4 | 6 } | { problem: string };

/**
 * An address or a network in CIDR. IPv4 that is written as IPv6 becomes IPv4. Bits behind the prefix are refused and
 * not masked: who typed `203.0.113.7/24` may have meant the one address or the whole network.
 */
export function parseNetwork(typed: string): ParsedNetwork {
  const [address = '', prefix, ...rest] = typed.split('/');
  if (rest.length > 0 || (!isIPv4(address) && !isIPv6(address)) || address.includes('%')) {
    return { problem: 'must be an address or a network, such as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32' };
  }
  const bits = isIPv4(address) ? 32 : 128;
  const given = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (given < 0 || given > bits) return { problem: `must have a prefix from /0 to /${bits}` };
  const mapped = bits === 128 && given >= 96 ? mappedIPv4(groupsOf(address)) : undefined;
  return wholeNetwork(mapped ?? address, mapped === undefined ? given : given - 96);
}

function wholeNetwork(address: string, length: number): ParsedNetwork {
  const family = isIPv4(address) ? 4 : 6;
  const size = family === 4 ? 8 : 16;
  const parts = family === 4 ? address.split('.').map(Number) : groupsOf(address);
  const whole = parts.map((part, index) => part & maskOf(length - index * size, size));
  if (whole.some((part, index) => part !== parts[index])) {
    const suggested = family === 4 ? whole.join('.') : whole.map((part) => part.toString(16)).join(':');
    return {
      problem: `has bits behind its prefix: write ${suggested}/${length} for the network, or leave out /${length} for the address`,
    };
  }
  return { network: `${address}/${length}`, length, family };
}

/** The highest `length` of `size` bits. */
const maskOf = (length: number, size: number): number => {
  const ones = Math.min(size, Math.max(0, length));
  return (2 ** ones - 1) * 2 ** (size - ones);
};
