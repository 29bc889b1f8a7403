import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { commandLine, processIds } from './processes.ts';

/** Whether this process could listen there. Any error but "in use" is thrown, such as a host that is not this one's. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The preferred port when it is free, else one that the system picks on 127.0.0.1. */
export async function choosePort(preferred?: number): Promise<number> {
  if (preferred && (await isPortFree(preferred))) return preferred;
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Says which program listens on a port, as far as the system tells: programs of other users stay unnamed. */
export function describePortOwner(port: number): string {
  const inodes = listeningInodes(port);
  for (const pid of processIds()) {
    if (holdsSocket(pid, inodes)) return `${commandLine(pid) || 'a program'} (process ${pid})`;
  }
  return 'another program';
}

/** Inodes of the sockets in state 0A (listening) on the port, from the tables of the Linux kernel. */
function listeningInodes(port: number): Set<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => readLines(table));
  const sockets = rows.map((row) => row.trim().split(/\s+/));
  return new Set(
    sockets.filter((field) => field[1]?.endsWith(suffix) && field[3] === '0A').map((field) => `socket:[${field[9]}]`),
  );
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

function holdsSocket(pid: number, inodes: Set<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
      try {
        return inodes.has(readlinkSync(`/proc/${pid}/fd/${descriptor}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}
