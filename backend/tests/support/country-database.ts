/** Addresses of a country: the first so many bits of an IPv4 address. */
export type CountryNetwork = { network: string; bits: number; country: string };

const marker = Buffer.concat([Buffer.from([0xab, 0xcd, 0xef]), Buffer.from('MaxMind.com')]);
const text = (value: string) => Buffer.concat([Buffer.from([0x40 | value.length]), Buffer.from(value)]);
const map = (...pairs: [string, Buffer][]) =>
  Buffer.concat([Buffer.from([0xe0 | pairs.length]), ...pairs.flatMap(([name, value]) => [text(name), value])]);
const uint = (type: 5 | 6, value: number) => Buffer.from([(type << 5) | 4, ...bytesOf(value, 4)]);
const bytesOf = (value: number, count: number) =>
  Array.from({ length: count }, (_, index) => (value >>> (8 * (count - 1 - index))) & 255);

type Node = { children: [Node | number | undefined, Node | number | undefined] };

/** A file in the format of MaxMind that knows a few networks: the format is public, the real files are large. */
export function countryDatabase(networks: readonly CountryNetwork[]): Buffer {
  const root: Node = { children: [undefined, undefined] };
  const entries = networks.map(({ country }) => map(['country', map(['iso_code', text(country)])]));
  const offsets = entries.map((_, index) => entries.slice(0, index).reduce((sum, entry) => sum + entry.length, 0));
  for (const [index, { network, bits }] of networks.entries()) {
    const address = network.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    let node = root;
    for (let bit = 0; bit < bits; bit += 1) {
      const side = Math.floor(address / 2 ** (31 - bit)) % 2 === 1 ? 1 : 0;
      if (bit === bits - 1) {
        node.children[side] = index;
        break;
      }
      const next = (node.children[side] ??= { children: [undefined, undefined] });
      if (typeof next === 'number') throw new Error('Networks must not overlap');
      node = next;
    }
  }
  const nodes = [root];
  for (const node of nodes) for (const child of node.children) if (typeof child === 'object') nodes.push(child);
  const pointer = (child: Node | number | undefined) =>
    child === undefined
      ? nodes.length
      : typeof child === 'number'
        ? nodes.length + 16 + (offsets[child] as number)
        : nodes.indexOf(child);
  const tree = Buffer.from(nodes.flatMap(({ children }) => children.flatMap((child) => bytesOf(pointer(child), 3))));
  const metadata = map(
    ['binary_format_major_version', uint(5, 2)],
    ['binary_format_minor_version', uint(5, 0)],
    ['database_type', text('Test')],
    ['ip_version', uint(5, 4)],
    ['node_count', uint(6, nodes.length)],
    ['record_size', uint(5, 24)],
  );
  return Buffer.concat([tree, Buffer.alloc(16), ...entries, marker, metadata]);
}
