import { lookup } from 'node:dns/promises';
import { BlockList, isIPv6 } from 'node:net';
import { normalAddress } from '../utils/ip-address.ts';

// An admin names the mail server. One in the company's own network is usual, so private addresses are allowed; what
// never is a mail server but answers with secrets of the machine, or to everybody at once, is not.

const barred = new BlockList();
/** This host by another name, link-local (cloud metadata among it), multicast, reserved. */
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const)
  barred.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::', 128],
  ['fe80::', 10],
  ['ff00::', 8],
  ['64:ff9b::', 96],
] as const)
  barred.addSubnet(network, bits, 'ipv6');
/** Metadata services outside of the link-local range: Alibaba, Azure, AWS over IPv6. */
for (const address of ['100.100.100.200', '168.63.129.16']) barred.addAddress(address, 'ipv4');
barred.addAddress('fd00:ec2::254', 'ipv6');

/** Ports below 1024 belong to services; only these of them to mail servers. */
const mailPorts = new Set([25, 465, 587]);

export class MailServerBarred extends Error {}

const isBarred = (address: string): boolean => {
  const plain = normalAddress(address);
  return plain === '' || barred.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
};

/**
 * Where the mail server really is: connect to this address and to no other, so that a name cannot lead elsewhere once
 * it was checked.
 * @throws MailServerBarred for an address or port that is no mail server's; the error of the look-up
 */
export async function mailServerAddress(url: string): Promise<{ hostname: string; address: string; port: number }> {
  const { hostname: host, port: named, protocol } = new URL(url);
  const hostname = host.replace(/^\[(.*)\]$/, '$1');
  const port = Number(named) || (protocol === 'smtps:' ? 465 : 587);
  if (port < 1024 && !mailPorts.has(port)) {
    throw new MailServerBarred(`Port ${port} belongs to another service: use 25, 465, 587 or one from 1024 on.`);
  }
  const found = await lookup(hostname, { all: true });
  if (found.some(({ address }) => isBarred(address))) {
    throw new MailServerBarred('The host lies at an address that no mail server has, such as a metadata service.');
  }
  return { hostname, address: found[0]?.address ?? hostname, port };
}
