import { GatewayUnavailable, GatewayUnknown } from './payment-gateway.provider.ts';

export type RazorpayRequest = {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/v1`, with its ids encoded: `/orders`. */
  path: string;
  query?: Record<string, string>;
  body?: Record<string, unknown>;
  headers?: Record<string, string>;
};

export type RazorpayAnswer = { status: number; body: unknown };

/**
 * Carries a request to whoever answers as Razorpay does.
 * @throws GatewayUnavailable when it was not sent; GatewayUnknown when it may have been, and no answer came
 */
export type RazorpayTransport = (request: RazorpayRequest) => Promise<RazorpayAnswer>;

export type RazorpayAccess = {
  apiUrl: string;
  keyId: string;
  keySecret: string;
  /** How long an answer may take, in milliseconds. */
  answerMs?: number;
};

/** Longer than it takes undici to give up a connection (10 s), so that this is told from an answer that never came. */
const ANSWER_MS = 30_000;

/** Over HTTPS, with the key. Nothing is sent twice here: whether that is safe, the caller knows. */
export function razorpayHttp({ apiUrl, keyId, keySecret, answerMs = ANSWER_MS }: RazorpayAccess): RazorpayTransport {
  const authorization = `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString('base64')}`;
  return async ({ method, path, query, body, headers }) => {
    const url = new URL(`v1${path}`, apiUrl.endsWith('/') ? apiUrl : `${apiUrl}/`);
    url.search = new URLSearchParams(query).toString();
    try {
      const response = await fetch(url, {
        method,
        headers: {
          authorization,
          accept: 'application/json',
          ...(body && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body && { body: JSON.stringify(body) }),
        // The key must not follow an answer that leads elsewhere.
        redirect: 'error',
        signal: AbortSignal.timeout(answerMs),
      });
      return { status: response.status, body: jsonOf(await response.text()) };
    } catch (error) {
      const what = `${method} ${path}: ${reasonOf(error)}`;
      if (wasNotSent(error)) throw new GatewayUnavailable(`Razorpay is not reached. ${what}`, { cause: error });
      throw new GatewayUnknown(`Razorpay did not answer. ${what}`, { cause: error });
    }
  };
}

/** A page of a proxy is no answer of the API; its status says enough. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What goes wrong before the first byte of a request leaves: name, connection, certificate. */
const notSent =
  /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_CERT_ALTNAME_INVALID|CERT_.*|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*)$/;

/** `fetch` hides what happened in the cause; of several addresses that were tried each has one of its own. */
function codesOf(error: unknown): string[] {
  const { code, cause, errors } = (error ?? {}) as { code?: unknown; cause?: unknown; errors?: unknown[] };
  const deeper = [...(errors ?? []), ...(cause ? [cause] : [])].flatMap(codesOf);
  return deeper.length > 0 ? deeper : typeof code === 'string' ? [code] : [];
}

function wasNotSent(error: unknown): boolean {
  const codes = codesOf(error);
  return codes.length > 0 && codes.every((code) => notSent.test(code));
}

const reasonOf = (error: unknown): string => codesOf(error)[0] ?? (error instanceof Error ? error.name : 'unknown');
