import type { z } from 'zod';
import { errorBody, failureOf } from './payment-gateway-razorpay-entities.ts';
import type { RazorpayAnswer, RazorpayRequest, RazorpayTransport } from './payment-gateway-razorpay-http.ts';
import { GatewayRefused, GatewayUnavailable, GatewayUnknown } from './payment-gateway.provider.ts';

export type Ask = <Schema extends z.ZodType>(
  request: RazorpayRequest & { movesMoney?: boolean },
  schema: Schema,
) => Promise<z.output<Schema>>;

/** Sends requests and reads the answer: what the schema says, or one of our three errors. */
export const asking =
  (transport: RazorpayTransport): Ask =>
  async ({ movesMoney = false, ...request }, schema) => {
    const what = `${request.method} ${request.path}`;
    const unclear = (why: string, options: { paymentId?: string; cause?: unknown } = {}): Error =>
      movesMoney
        ? new GatewayUnknown(`${what}: ${why}`, options)
        : new GatewayUnavailable(`${what}: ${why}`, { cause: options.cause });
    const answer = await transport(request).catch((cause: unknown) => {
      throw cause instanceof GatewayUnknown ? unclear('no answer came', { cause }) : cause;
    });
    if (answer.status < 200 || answer.status > 299) throw problemOf(what, answer, unclear);
    const read = schema.safeParse(answer.body);
    if (read.success) return read.data;
    throw unclear(`the answer is of a shape that we do not know: ${read.error.issues[0]?.path.join('.')}`);
  };

/** Of an answer that is none. */
function problemOf(
  what: string,
  { status, body }: RazorpayAnswer,
  unclear: (why: string, options?: { paymentId?: string }) => Error,
): Error {
  const error = errorBody.safeParse(body).data?.error;
  const why = `${status} ${error?.description ?? ''}`.trim();
  const paymentId = error?.metadata?.payment_id ?? undefined;
  // A key that is wrong today is put right tomorrow: nobody's payment was refused.
  if (status === 429 || status === 401 || status === 403) return new GatewayUnavailable(`${what}: ${why}`);
  const isInFlight = status === 409 && /in progress/i.test(why);
  if (status >= 500 || status === 408 || isInFlight) return unclear(why, { paymentId });
  return new GatewayRefused(`${what}: ${why}`, { failure: error && failureOf(error), paymentId });
}

/** What was asked for is not there: Razorpay has no 404 for that. */
export const isMissing = (error: unknown): boolean =>
  error instanceof GatewayRefused && /does not exist/i.test(error.message);
