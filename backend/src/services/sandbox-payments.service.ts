import { environment } from '../config/environment.ts';
import type { SandboxGateway, SandboxOutcome, SandboxWebhook } from '../providers/payment-gateway-sandbox.provider.ts';
import { GatewayRefused } from '../providers/payment-gateway.provider.ts';
import type { JobContext } from '../queues/job-context.ts';
import type { Actor, ManualContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { receiveWebhook } from './gateway-webhook.service.ts';
import { paymentSandbox } from './payment-gateway.service.ts';
import { linkById, type LinkRow } from './payment-links.queries.ts';
import { mandateById, type MandateRow } from './payment-methods.queries.ts';

// Outside production: what payers do at the sandbox gateway, and the way of what it tells to us.

const AT_ONCE = 500;
const TIMEOUT_MS = 10_000;

/** @throws AppError not_found where money is real */
function mustPlay(): SandboxGateway {
  const sandbox = paymentSandbox();
  if (!sandbox || environment().NODE_ENV === 'production') {
    throw new AppError('not_found', 'The payment gateway is a real one: only payers play their part.');
  }
  return sandbox;
}

/** The payer agrees to a mandate, and charges will end like that; or says no. @throws AppError not_found, conflict */
export async function completeMandate(
  ctx: ManualContext<Actor>,
  id: string,
  outcome: SandboxOutcome | 'rejected',
): Promise<{ delivered: number }> {
  const sandbox = mustPlay();
  const method = orNotFound(await ctx.sql.one<MandateRow>(mandateById(id)), 'payment method');
  await played(() => sandbox.completeMandate(method.gatewayOrderId ?? '', outcome));
  return deliver(ctx, sandbox);
}

/** Somebody follows a payment link and pays. @throws AppError not_found, conflict */
export async function payLink(
  ctx: ManualContext<Actor>,
  id: string,
  outcome: SandboxOutcome,
): Promise<{ delivered: number }> {
  const sandbox = mustPlay();
  const link = orNotFound(await ctx.sql.one<LinkRow>(linkById(id)), 'payment link');
  await played(() => sandbox.payLink(link.gatewayLinkId, outcome));
  return deliver(ctx, sandbox);
}

async function played(play: () => Promise<unknown>): Promise<void> {
  try {
    await play();
  } catch (cause) {
    if (!(cause instanceof GatewayRefused)) throw cause;
    throw new AppError('conflict', `The sandbox refuses it: ${cause.message}.`, {}, { cause });
  }
}

/** As if its webhooks had come over HTTP: verified, kept, and worked on by jobs. */
async function deliver(ctx: ManualContext<Actor>, sandbox: SandboxGateway): Promise<{ delivered: number }> {
  const webhooks = sandbox.takeWebhooks(AT_ONCE);
  for (const { body: rawBody, signature, eventId } of webhooks) {
    await ctx.transact((tx) => receiveWebhook(tx, sandbox.name, { rawBody, signature, eventId }));
    sandbox.markDelivered(eventId);
  }
  return { delivered: webhooks.length };
}

/** Sends what the sandbox has to tell to our own address, as a gateway would. What is not taken waits for the next time. */
export async function deliverSandboxWebhooks(ctx: JobContext): Promise<number> {
  const sandbox = paymentSandbox();
  if (!sandbox || environment().NODE_ENV === 'production') return 0;
  const url = new URL(`/api/payments/webhooks/${sandbox.name}`, environment().PUBLIC_URL);
  let delivered = 0;
  for (const webhook of sandbox.takeWebhooks(AT_ONCE)) {
    if (ctx.job.signal.aborted) break;
    const status = await post(url, webhook, ctx.job.signal);
    if (status !== 200) {
      ctx.log.warn('A webhook of the sandbox was not taken; it waits', { eventId: webhook.eventId, status });
      break;
    }
    sandbox.markDelivered(webhook.eventId);
    delivered += 1;
  }
  return delivered;
}

/**
 * The address is our own, of the configuration: nobody types it in.
 * @returns the status; 0 while nobody answers there, as when the API starts after the worker
 */
async function post(url: URL, { body, signature, eventId }: SandboxWebhook, signal: AbortSignal): Promise<number> {
  const sent = fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-razorpay-signature': signature,
      'x-razorpay-event-id': eventId,
    },
    body: new Uint8Array(body),
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  const response = await sent.catch(() => undefined);
  await response?.arrayBuffer();
  return response?.status ?? 0;
}
