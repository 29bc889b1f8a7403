import { isIPv6 } from 'node:net';

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** IPv4 addresses that arrive as IPv6 are the same address (rule 7). */
export const normalAddress = (ip: string | undefined): string => ip?.replace(mapped, '$1').replace(/%.*$/, '') ?? '';

/** What counts as one neighbour: the address itself for IPv4, the /64 that a home or phone is given for IPv6. */
export function addressPrefix(ip: string): string {
  if (!isIPv6(ip)) return ip;
  const [head = '', tail] = ip.split('::');
  const left = head ? head.split(':') : [];
  const right = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return `${[...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')}::/64`;
}
