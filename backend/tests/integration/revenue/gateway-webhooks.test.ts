import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPaymentMethod, runJob } from '../../support/billing.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import {
  buildDebtor,
  collect,
  creditOf,
  deliverAll,
  invoiceOf,
  paymentsOf,
  sendWebhook,
  signatureFor,
  startPaymentsApp,
  takenAtGateway,
  workOff,
  type PaymentsApp,
} from './payments-support.ts';

let app: PaymentsApp;
beforeAll(async () => {
  app = await startPaymentsApp({ RATE_LIMIT_IP_PER_MINUTE: '10' });
});
afterAll(() => app.close());

const eventsOf = (eventId: string) =>
  app.query<{ id: string; type: string; outcome: string | null; tenant_id: string | null }>(
    'select id, type, outcome, tenant_id from gateway_events where event_id = $1',
    [eventId],
  );
const countEvents = async () => (await app.query<{ n: number }>('select count(*)::int as n from gateway_events'))[0]?.n;

/** A charge whose outcome is not written down yet, with the webhooks that tell it. */
async function buildUnrecorded(tokenId = 'token_timeout_captured') {
  await deliverAll(app);
  const debtor = await buildDebtor(app);
  await buildPaymentMethod(app, debtor.tenantId, tokenId);
  expectSuccess(await collect(app, debtor.invoice.id, debtor.token));
  const webhooks = app.sandbox.takeWebhooks(100);
  for (const { eventId } of webhooks) app.sandbox.markDelivered(eventId);
  const named = (type: string) => {
    const found = webhooks.find(({ body }) => JSON.parse(body.toString()).event === type);
    if (!found) throw new Error(`There is no ${type}`);
    return found;
  };
  return { ...debtor, webhooks, named };
}

describe('rule 23: what the gateway tells', () => {
  it('is kept, worked on once, and answered alike each time', async () => {
    const { invoice, tenantId, named } = await buildUnrecorded();
    const captured = named('payment.captured');
    for (let times = 0; times < 3; times += 1) {
      const answer = await sendWebhook(app, captured);
      expectSuccess(answer);
      expect(answer.body.data).toEqual({ received: true });
    }
    await Promise.all(Array.from({ length: 5 }, () => sendWebhook(app, captured)));
    expect(await workOff(app, 'invoice.gateway-event')).toBe(1);
    expect(await eventsOf(captured.eventId)).toMatchObject([
      { type: 'payment.captured', outcome: 'payment_succeeded', tenant_id: tenantId },
    ]);
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ status: 'PAID', paid: '1180.00' });
    const [event] = await eventsOf(captured.eventId);
    await runJob('invoice.gateway-event', { eventRowId: event?.id ?? '' });
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ paid: '1180.00' });
    expect(await creditOf(app, tenantId)).toBe('0.00');
  });

  it('may come before the direct answer, and after it', async () => {
    const { paymentGateway } = await import('../../../src/services/payment-gateway.service.ts');
    const gateway = paymentGateway();
    const charge = gateway.charge.bind(gateway);
    gateway.charge = async (order) => {
      const payment = await charge(order);
      await deliverAll(app);
      return payment;
    };
    const { invoice, tenantId, token } = await buildDebtor(app);
    await buildPaymentMethod(app, tenantId);
    try {
      const answer = await collect(app, invoice.id, token);
      expectSuccess(answer);
      expect(answer.body.data).toMatchObject({ payment: { status: 'SUCCEEDED' }, invoice: { status: 'PAID' } });
    } finally {
      gateway.charge = charge;
    }
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ paid: '1180.00' });
    expect(await takenAtGateway(app, invoice.id)).toHaveLength(1);
    const after = await buildDebtor(app);
    await buildPaymentMethod(app, after.tenantId);
    expectSuccess(await collect(app, after.invoice.id, after.token));
    expect(await deliverAll(app)).toEqual(['payment.authorized', 'payment.captured', 'order.paid']);
    expect(await invoiceOf(app, after.invoice.id)).toMatchObject({ paid: '1180.00' });
    expect(await creditOf(app, after.tenantId)).toBe('0.00');
  });

  it('may come in any order: states only move forward', async () => {
    const { invoice, tenantId, webhooks } = await buildUnrecorded();
    expect(webhooks).toHaveLength(3);
    for (const webhook of webhooks.toReversed()) {
      expectSuccess(await sendWebhook(app, webhook));
      await workOff(app, 'invoice.gateway-event');
    }
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status: 'SUCCEEDED' }]);
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ paid: '1180.00' });
    expect(await creditOf(app, tenantId)).toBe('0.00');
  });

  it('all at once is worked on once', async () => {
    const { invoice, tenantId, webhooks } = await buildUnrecorded();
    await Promise.all(webhooks.map((webhook) => sendWebhook(app, webhook)));
    const rows = await app.query<{ payload: { eventRowId: string } }>(
      `update outbox_messages set published_at = now() where published_at is null and job = 'invoice.gateway-event' returning payload`,
    );
    const twice = [...rows, ...rows];
    await Promise.all(twice.map(({ payload }) => runJob('invoice.gateway-event', payload)));
    await runJob('invoice.collection-run', {});
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ status: 'PAID', paid: '1180.00' });
    expect(await creditOf(app, tenantId)).toBe('0.00');
    const used = await app.query('select 1 from payment_allocations where invoice_id = $1', [invoice.id]);
    expect(used).toHaveLength(1);
  });

  it('of a charge that failed is written down, and does not undo what came', async () => {
    const { invoice, named } = await buildUnrecorded('token_timeout_failed');
    await sendWebhook(app, named('payment.failed'));
    await workOff(app, 'invoice.gateway-event');
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status: 'FAILED', failure_code: 'payment_timed_out' }]);
    const paid = await buildUnrecorded();
    await sendWebhook(app, paid.named('payment.captured'));
    const failed = JSON.parse(paid.named('payment.captured').body.toString());
    failed.event = 'payment.failed';
    failed.payload.payment.entity.status = 'failed';
    await sendWebhook(app, { body: JSON.stringify(failed), eventId: 'evt_late_failure' });
    await workOff(app, 'invoice.gateway-event');
    expect(await paymentsOf(app, paid.invoice.id)).toMatchObject([{ status: 'SUCCEEDED' }]);
    expect(await eventsOf('evt_late_failure')).toMatchObject([{ outcome: 'known' }]);
  });

  it('over another amount than was charged is not believed', async () => {
    const { invoice, named } = await buildUnrecorded();
    const event = JSON.parse(named('payment.captured').body.toString());
    event.payload.payment.entity.amount = 100;
    await sendWebhook(app, { body: JSON.stringify(event), eventId: 'evt_cheap' });
    await expect(workOff(app, 'invoice.gateway-event')).rejects.toThrow(
      /over 1180\.00 rupees, and at the gateway over 100 paise/,
    );
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status: 'UNKNOWN' }]);
  });

  it('of others, or of a kind that we do not know, is kept and left alone', async () => {
    const strange = [
      ['evt_unknown', '{"event":"invoice.partially_paid","payload":{}}', 'invoice.partially_paid', 'ignored'],
      ['evt_dispute', '{"event":"payment.dispute.created","payload":{}}', 'payment.dispute.created', 'ignored'],
      ['evt_shapeless', '{"hello":"world"}', 'unreadable', 'unreadable'],
      ['evt_list', '[1,2]', 'unreadable', 'unreadable'],
    ] as const;
    for (const [eventId, body] of strange) expectSuccess(await sendWebhook(app, { eventId, body }));
    const { named } = await buildUnrecorded();
    const foreign = JSON.parse(named('payment.captured').body.toString());
    foreign.payload.payment.entity.order_id = 'order_ofSomebodyElse';
    await sendWebhook(app, { eventId: 'evt_foreign', body: JSON.stringify(foreign) });
    await workOff(app, 'invoice.gateway-event');
    for (const [eventId, , type, outcome] of strange) {
      expect(await eventsOf(eventId)).toMatchObject([{ type, outcome, tenant_id: null }]);
    }
    expect(await eventsOf('evt_foreign')).toMatchObject([{ outcome: 'not_ours' }]);
  });

  it('without an id is told apart by its bytes', async () => {
    const before = (await countEvents()) ?? 0;
    const body = '{"event":"settlement.processed","payload":{}}';
    expectSuccess(await sendWebhook(app, { body }));
    expectSuccess(await sendWebhook(app, { body }));
    expect(await countEvents()).toBe(before + 1);
  });
});

describe('What the gateway has not signed', () => {
  const post = async (rawBody: string, headers: Record<string, string>, path = '/api/payments/webhooks/sandbox') =>
    app.call('POST', path, { rawBody, headers });
  const event = '{"event":"payment.captured","payload":{}}';

  it('is a 401, and nothing is kept', async () => {
    const before = await countEvents();
    const right = await signatureFor(event);
    const flipped = right.startsWith('0') ? `1${right.slice(1)}` : `0${right.slice(1)}`;
    for (const signature of [
      '',
      'x',
      flipped,
      right.slice(0, -2),
      `${right}00`,
      '0'.repeat(64),
      await signatureFor('{}'),
    ]) {
      expectError(await post(event, { 'x-razorpay-signature': signature }), 401, 'unauthenticated');
    }
    expectError(await post(event, {}), 401, 'unauthenticated');
    // Another byte, a space more, or nothing at all.
    for (const body of [event.replace('captured', 'Captured'), `${event} `, '']) {
      expectError(await post(body, { 'x-razorpay-signature': right }), 401, 'unauthenticated');
    }
    expectError(await app.call('POST', '/api/payments/webhooks/sandbox'), 401, 'unauthenticated');
    expect(await countEvents()).toBe(before);
  });

  it('is verified over the bytes that came: what means the same is not the same', async () => {
    const spaced = JSON.stringify(JSON.parse(event), null, 1);
    expectError(await post(spaced, { 'x-razorpay-signature': await signatureFor(event) }), 401, 'unauthenticated');
    expectSuccess(
      await post(spaced, { 'x-razorpay-signature': await signatureFor(spaced), 'x-razorpay-event-id': 'evt_spaced' }),
    );
  });

  it('or is no JSON, too large, compressed, or of another gateway is refused', async () => {
    const text = 'event=payment.captured';
    expectError(await post(text, { 'x-razorpay-signature': await signatureFor(text) }), 400, 'malformed_request');
    const large = JSON.stringify({ event: 'x'.repeat(1_100_000) });
    expectError(await post(large, { 'x-razorpay-signature': await signatureFor(large) }), 413, 'payload_too_large');
    const compressed = await post(event, {
      'content-encoding': 'gzip',
      'x-razorpay-signature': await signatureFor(event),
    });
    expectError(compressed, 415, 'unsupported_media_type');
    const signed = { 'x-razorpay-signature': await signatureFor(event) };
    expectError(await post(event, signed, '/api/payments/webhooks/razorpay'), 404, 'not_found');
    expectError(await post(event, signed, '/api/payments/webhooks/paypal'), 400, 'validation_failed', 'path provider');
  });

  it('comes as it is, whatever it says of its type, and is not held back by the limit of addresses', async () => {
    const body = '{"event":"subscription.charged","payload":{}}';
    for (let times = 0; times < 30; times += 1) {
      const headers = {
        'content-type': 'text/plain',
        'x-razorpay-signature': await signatureFor(body),
        'x-razorpay-event-id': `evt_many_${times}`,
      };
      expectSuccess(await post(body, headers));
    }
  });
});

describe('The sandbox', () => {
  it('sends what it has to tell to our own address, and keeps what is not taken', async () => {
    const { invoice, tenantId, token } = await buildDebtor(app);
    await buildPaymentMethod(app, tenantId, 'token_timeout_captured');
    await deliverAll(app);
    expectSuccess(await collect(app, invoice.id, token));
    const waiting = app.sandbox.takeWebhooks(10);
    expect(waiting).toHaveLength(3);
    const { environment } = await import('../../../src/config/environment.ts');
    const settings = environment() as { PUBLIC_URL: string };
    const before = settings.PUBLIC_URL;
    try {
      settings.PUBLIC_URL = 'http://127.0.0.1:9';
      await runJob('webhook.sandbox-gateway', {});
      expect(app.sandbox.takeWebhooks(10)).toHaveLength(3);
      settings.PUBLIC_URL = app.url;
      await runJob('webhook.sandbox-gateway', {});
    } finally {
      settings.PUBLIC_URL = before;
    }
    expect(app.sandbox.takeWebhooks(10)).toHaveLength(0);
    await workOff(app, 'invoice.gateway-event');
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ status: 'PAID' });
  });
});
