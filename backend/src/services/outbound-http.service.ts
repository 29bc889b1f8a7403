import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net';
import { environment } from '../config/environment.ts';
import { normalAddress } from '../utils/ip-address.ts';

// Every address that somebody types in (webhooks, streams, health checks) is called through here, so that nobody makes
// this server talk to what only it can reach (rule 38).

/** The address must not be called. Its message is for the person who typed it in. */
export class OutboundRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'OutboundRefused';
  }
}

const forbidden = new BlockList();
const networks = {
  ipv4: [
    '0.0.0.0/8', // this network
    '10.0.0.0/8', // private
    '100.64.0.0/10', // carriers' NAT
    '127.0.0.0/8', // this machine
    '169.254.0.0/16', // link-local, metadata of clouds
    '172.16.0.0/12', // private
    '192.0.0.0/24', // protocol assignments
    '192.0.2.0/24', // documentation
    '192.88.99.0/24', // 6to4 relays
    '192.168.0.0/16', // private
    '198.18.0.0/15', // benchmarks
    '198.51.100.0/24', // documentation
    '203.0.113.0/24', // documentation
    '224.0.0.0/4', // multicast
    '240.0.0.0/4', // reserved, broadcast
  ],
  // Only 2000::/3 is handed out; within it these lead elsewhere or carry an IPv4 address in them.
  ipv6: ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
} as const;
for (const type of ['ipv4', 'ipv6'] as const) {
  for (const network of networks[type]) {
    const [address = '', prefix] = network.split('/');
    forbidden.addSubnet(address, Number(prefix), type);
  }
}
const handedOut = new BlockList();
handedOut.addSubnet('2000::', 3, 'ipv6');

/** Whether an address is one of the public internet. */
export function isPublicAddress(typed: string): boolean {
  const address = normalAddress(typed);
  if (!address) return false;
  if (isIPv6(address)) return handedOut.check(address, 'ipv6') && !forbidden.check(address, 'ipv6');
  return !forbidden.check(address, 'ipv4');
}

const isThisMachine = (address: string): boolean => /^127\.|^::1$/.test(normalAddress(address));

const mayCall = (address: string): boolean =>
  isPublicAddress(address) || (environment().OUTBOUND_ALLOW_LOCAL && isThisMachine(address));

const bareHost = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');

/**
 * What is wrong with an address before anybody looks up its name. `URL` has already written addresses such as
 * 0x7f000001 as what they are.
 * @throws OutboundRefused
 */
export function parseOutboundUrl(typed: string): URL {
  if (!URL.canParse(typed)) throw new OutboundRefused('must be a complete address such as https://siem.example/audit');
  const url = new URL(typed);
  const host = bareHost(url);
  const isLocal = host === 'localhost' || host.endsWith('.localhost') || (isIP(host) !== 0 && isThisMachine(host));
  const mayBeLocal = environment().OUTBOUND_ALLOW_LOCAL && isLocal;
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && mayBeLocal)) {
    throw new OutboundRefused('must begin with https://');
  }
  if (url.username || url.password) throw new OutboundRefused('must not hold a user name or a password');
  if ((isLocal && !mayBeLocal) || (isIP(host) !== 0 && !mayCall(host))) {
    throw new OutboundRefused('must lead to a server of the public internet');
  }
  return url;
}

const addressesOf = (host: string): Promise<LookupAddress[]> =>
  new Promise((resolve, reject) => {
    resolveName(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });

/** One address of a name; refused when any of its addresses is one that must not be called. */
async function checkedAddress(host: string): Promise<LookupAddress> {
  const addresses = await addressesOf(host);
  const [first] = addresses;
  if (!first || addresses.some(({ address }) => !mayCall(address))) {
    throw new OutboundRefused('must lead to a server of the public internet');
  }
  return first;
}

/** The connection goes to the very address that was checked: a name that changes its mind in between does not help. */
const lookup: LookupFunction = (host, options, done) => {
  checkedAddress(host).then(
    ({ address, family }) => (options.all ? done(null, [{ address, family }]) : done(null, address, family)),
    (error: NodeJS.ErrnoException) => done(error, '', 4),
  );
};

/**
 * Looks at an address when it is typed in. A name that cannot be looked up now is let pass: it is checked at each call.
 * @throws OutboundRefused
 */
export async function assertMayBeCalled(typed: string): Promise<void> {
  const host = bareHost(parseOutboundUrl(typed));
  if (isIP(host) !== 0) return;
  await checkedAddress(host).catch((error: unknown) => {
    if (error instanceof OutboundRefused) throw error;
  });
}

export type OutboundCall = {
  body: string;
  headers: Record<string, string>;
  timeoutMs: number;
  signal?: AbortSignal;
};
export type OutboundAnswer = { status: number; text: string };

const MOST_ANSWER_BYTES = 64 * 1024;

/**
 * Sends a POST. Redirects are answers like any other: nobody follows them. What is beyond 64 KiB of the answer is not
 * read.
 * @throws OutboundRefused, or Error when it could not be delivered in time
 */
export async function postOutbound(typed: string, call: OutboundCall): Promise<OutboundAnswer> {
  const url = parseOutboundUrl(typed);
  const timeUp = AbortSignal.timeout(call.timeoutMs);
  const signal = call.signal ? AbortSignal.any([timeUp, call.signal]) : timeUp;
  const options: RequestOptions = {
    method: 'POST',
    headers: { ...call.headers, 'content-length': String(Buffer.byteLength(call.body)) },
    lookup,
    agent: false,
    signal,
  };
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  try {
    return await new Promise((resolve, reject) => {
      const sent = request(url, options, (response) => void readAnswer(response).then(resolve, reject));
      sent.on('error', reject);
      sent.end(call.body);
    });
  } catch (error) {
    if (timeUp.aborted) throw new Error(`It did not answer within ${call.timeoutMs / 1000} s`, { cause: error });
    throw error;
  }
}

async function readAnswer(response: IncomingMessage): Promise<OutboundAnswer> {
  const status = response.statusCode ?? 0;
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > MOST_ANSWER_BYTES) break;
  }
  return { status, text: Buffer.concat(pieces).toString('utf8', 0, MOST_ANSWER_BYTES) };
}
