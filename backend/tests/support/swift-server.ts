import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

// OpenStack Swift, which speaks the protocol of S3 and checks signatures as AWS does: a peer that nobody here wrote.

const PROGRAMS = [
  'swift-proxy-server',
  'swift-account-server',
  'swift-container-server',
  'swift-object-server',
  'memcached',
];
const KINDS = ['account', 'container', 'object'] as const;
const START_MS = 50_000;
const PYTHON = '/usr/bin/python3';
/** Which process has which part of the data: one device for each kind. */
const RINGS = `
import json, sys
from swift.common.ring import RingBuilder
for kind, port in json.loads(sys.argv[1]).items():
    builder = RingBuilder(4, 1, 1)
    builder.add_dev({'id': 0, 'region': 1, 'zone': 1, 'weight': 1, 'device': 'sda1', 'meta': '',
                     'ip': '127.0.0.1', 'port': port, 'replication_ip': '127.0.0.1', 'replication_port': port})
    builder.rebalance()
    builder.get_ring().save(kind + '.ring.gz')
`;

const programFile = (name: string): string | undefined =>
  ['/usr/bin', '/usr/local/bin', ...(process.env.PATH ?? '').split(path.delimiter)]
    .map((directory) => path.join(directory, name))
    .find((file) => existsSync(file));

/** What is missing to run it; empty when all is there. `./studyspot test --all` installs it on Debian. */
export const missingOfSwift = (): string[] => PROGRAMS.filter((name) => !programFile(name));

export type SwiftServer = {
  endpoint: string;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  forcePathStyle: true;
  close(): Promise<void>;
};

/** Starts it on free ports, in a temporary folder, with one bucket. */
export async function startSwift(): Promise<SwiftServer> {
  const root = mkdtempSync(path.join(tmpdir(), 'studyspot-swift-'));
  const children: ChildProcess[] = [];
  // Also when the tests break off.
  const kill = (): void => children.forEach((child) => void child.kill('SIGKILL'));
  process.once('exit', kill);
  const close = async (): Promise<void> => {
    process.off('exit', kill);
    await Promise.all(children.map(ended));
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const [proxy, memcached, ...storage] = await freePorts(2 + KINDS.length);
    const ports = Object.fromEntries(KINDS.map((kind, index) => [kind, storage[index] as number]));
    const access = { accessKeyId: 'test:tester', secretAccessKey: 'the-secret-of-the-tester', region: 'us-east-1' };
    writeConfiguration(root, ports, { proxy: proxy as number, memcached: memcached as number }, access.secretAccessKey);
    children.push(run('memcached', ['-l', '127.0.0.1', '-p', String(memcached), '-u', userInfo().username], root));
    for (const name of [...KINDS, 'proxy'])
      children.push(run(`swift-${name}-server`, [`${root}/${name}-server.conf`], root));
    // Asked before all are there, the proxy would count those that are not as broken, for a minute.
    await Promise.all([proxy, memcached, ...storage].map((port) => listening(port as number)));
    const server = { ...access, endpoint: `http://127.0.0.1:${proxy}`, bucket: 'files', forcePathStyle: true as const };
    await createBucket(server);
    return { ...server, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const run = (name: string, args: string[], cwd: string): ChildProcess =>
  spawn(programFile(name) ?? name, args, { cwd, stdio: 'ignore' });

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });

async function listening(port: number): Promise<void> {
  for (const until = Date.now() + START_MS; ;) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isThere) return;
    if (Date.now() > until) throw new Error(`A process of Swift does not listen on port ${port}`);
    await sleep(50);
  }
}

/** When the first bucket can be made all of its processes are there. */
async function createBucket(server: Omit<SwiftServer, 'close'>): Promise<void> {
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = server;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 });
  for (const until = Date.now() + START_MS; ;) {
    try {
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      return client.destroy();
    } catch (error) {
      if (Date.now() > until) throw error;
      await sleep(100);
    }
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function writeConfiguration(
  root: string,
  storage: Record<string, number>,
  ports: { proxy: number; memcached: number },
  secret: string,
): void {
  mkdirSync(path.join(root, 'srv', 'sda1'), { recursive: true });
  const write = (name: string, text: string) => writeFileSync(path.join(root, name), text);
  const common = `bind_ip = 127.0.0.1\nworkers = 0\nswift_dir = ${root}\nuser = ${userInfo().username}\nlog_level = ERROR\n`;
  write(
    'swift.conf',
    '[swift-hash]\nswift_hash_path_suffix = test\n[storage-policy:0]\nname = default\ndefault = yes\n',
  );
  // In one process: the command line of it would be started nine times.
  execFileSync(PYTHON, ['-c', RINGS, JSON.stringify(storage)], { cwd: root, stdio: 'ignore' });
  for (const [kind, port] of Object.entries(storage)) {
    write(
      `${kind}-server.conf`,
      `[DEFAULT]\n${common}bind_port = ${port}\ndevices = ${root}/srv\nmount_check = false\ndisable_fallocate = true\n` +
        `[pipeline:main]\npipeline = ${kind}-server\n[app:${kind}-server]\nuse = egg:swift#${kind}\n`,
    );
  }
  write(
    'proxy-server.conf',
    `[DEFAULT]\n${common}bind_port = ${ports.proxy}\n` +
      '[pipeline:main]\npipeline = catch_errors cache s3api tempauth bulk slo proxy-server\n' +
      '[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n' +
      '[filter:s3api]\nuse = egg:swift#s3api\ns3_acl = false\ncheck_bucket_owner = false\nlocation = us-east-1\n' +
      `[filter:tempauth]\nuse = egg:swift#tempauth\nuser_test_tester = ${secret} .admin\n` +
      '[filter:catch_errors]\nuse = egg:swift#catch_errors\n' +
      `[filter:cache]\nuse = egg:swift#memcache\nmemcache_servers = 127.0.0.1:${ports.memcached}\n` +
      '[filter:bulk]\nuse = egg:swift#bulk\n[filter:slo]\nuse = egg:swift#slo\n',
  );
}
