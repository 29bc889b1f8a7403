import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer } from 'smtp-server';

/** A mail server that takes the user `mailer` with this password, and keeps what it gets. */
export async function startMailServer(password: string) {
  const received: ParsedMail[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: (given, _, done) =>
      given.username === 'mailer' && given.password === password
        ? done(null, { user: 'mailer' })
        : done(Object.assign(new Error(`no ${given.password} here`), { responseCode: 535 })),
    onRcptTo: ({ address }, _, done) =>
      address.startsWith('nobody@') ? done(Object.assign(new Error('who?'), { responseCode: 550 })) : done(),
    onData: (stream, _, done) =>
      void simpleParser(stream)
        .then((mail) => received.push(mail))
        .then(() => done(), done),
  });
  server.on('error', () => undefined);
  const port = await new Promise<number>((resolve) => {
    const listening = server.listen(0, '127.0.0.1', () => resolve((listening.address() as AddressInfo).port));
  });
  return {
    received,
    port,
    url: (secret = password) => `smtp://mailer:${encodeURIComponent(secret)}@127.0.0.1:${port}`,
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}

/** Something that is no mail server, and says so at once. */
export async function startStranger(greeting: string) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.end(greeting);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
