import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';

// OpenStack Swift with its S3 API: the peer that the driver of S3 is tested against. Only `test --all` asks for it.

const PACKAGES = ['swift', 'swift-proxy', 'swift-account', 'swift-container', 'swift-object', 'memcached'];
const PROGRAMS = [
  'swift-proxy-server',
  'swift-account-server',
  'swift-container-server',
  'swift-object-server',
  'memcached',
];
const INSTALL_TIMEOUT_MS = 300_000;

/**
 * Makes sure that the tests of the S3 driver can run: installs Debian's packages where this is Debian and the user root.
 * Nothing that they bring is started.
 *
 * @returns null when all is there, else a sentence that says what is missing
 */
export async function provisionSwift(): Promise<string | null> {
  if (PROGRAMS.every((name) => existsSync(`/usr/bin/${name}`))) return null;
  const command = `apt-get install --no-install-recommends ${PACKAGES.join(' ')}`;
  if (!existsSync('/etc/debian_version') || userInfo().uid !== 0) {
    return `the tests of S3 are skipped: they need OpenStack Swift (Debian: ${command})`;
  }
  try {
    await aptGet(['update']);
    await aptGet(['install', '-y', '--no-install-recommends', ...PACKAGES]);
    return null;
  } catch (error) {
    return `the tests of S3 are skipped: ${command} has failed (${String(error)})`;
  }
}

function aptGet(args: string[]): Promise<void> {
  // In this runlevel Debian starts no service that it installs.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const child = spawn('apt-get', args, { env, stdio: 'ignore', timeout: INSTALL_TIMEOUT_MS });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`it ended with ${code}`))));
  });
}
