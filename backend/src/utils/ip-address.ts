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
