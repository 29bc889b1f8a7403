import type { Socket } from 'node:net';
import { STATUS_CODES, type Server } from 'node:http';
import { newId } from '../utils/ids.ts';
import { AppError } from '../utils/errors.ts';
import { errorBody } from '../utils/response.ts';

/** What cannot be read as a request never reaches the app: it is answered here, in the envelope of every error. */
export function answerUnreadable(server: Server): void {
  const answering = new WeakSet<object>();
  server.prependListener('request', ({ socket }, response) => {
    answering.add(socket);
    response.once('close', () => answering.delete(socket));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Gone already, or in the middle of another answer.
    if (error.code === 'ECONNRESET' || !socket.writable || answering.has(socket)) socket.destroy();
    else socket.end(answerTo(error.code));
  });
}

/** A whole HTTP answer. */
function answerTo(problem: string | undefined): string {
  const refusal = refusalOf(problem);
  const requestId = newId();
  const body = JSON.stringify(errorBody(refusal, requestId));
  const head = [
    `HTTP/1.1 ${refusal.statusCode} ${STATUS_CODES[refusal.statusCode]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Cache-Control: no-store',
    'Connection: close',
  ];
  return [...head, '', body].join('\r\n');
}

function refusalOf(code: string | undefined): AppError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new AppError('headers_too_large', 'The headers are larger than 16 KiB. Send fewer cookies or shorter ones.');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new AppError('request_timeout', 'The request took too long to arrive. Send it again.');
  }
  return new AppError('malformed_request', 'This is not a valid HTTP request.');
}
