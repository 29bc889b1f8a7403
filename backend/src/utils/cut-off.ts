import type { IncomingMessage } from 'node:http';

/** So long what still comes after a refusal is read and thrown away, so that the sender gets to read the answer. */
const LINGER_MS = 2_500;

/** For a request that is refused while its body is still on its way: who goes on sending for long is cut off. */
export function cutOffLater(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  const cutting = setTimeout(() => request.destroy(), LINGER_MS).unref();
  const stop = (): void => clearTimeout(cutting);
  request.once('close', stop).once('end', stop).resume();
}
