import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sandboxGateway, sandboxOutcomes } from '../../src/providers/payment-gateway-sandbox.provider.ts';
import { shortHash } from '../../src/providers/payment-gateway-sandbox-store.ts';
import { GatewayRefused } from '../../src/providers/payment-gateway.provider.ts';
import { verifyWebhookSignature } from '../../src/services/payment-gateway.service.ts';
import { paymentGatewayContract } from './payment-gateway-contract.ts';

const root = mkdtempSync(path.join(tmpdir(), 'studyspot-gateway-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const secret = 'secret of the webhooks';
let opened = 0;

function open() {
  const directory = path.join(root, String((opened += 1)));
  let time = new Date('2026-11-26T06:00:00Z');
  const sandbox = sandboxGateway(directory, secret, () => time);
  const setTime = (iso: string) => void (time = new Date(iso));
  return { directory, sandbox, gateway: sandbox, setTime, close: () => Promise.resolve() };
}

paymentGatewayContract('The sandbox', () => Promise.resolve(open()));

describe('The sandbox', () => {
  const order = (receipt: string) => ({ amountPaise: 10_000, currency: 'INR', receipt, notes: {} }) as const;
  const chargeOf = (orderId: string, tokenId: string, customerId = 'cust_x') => ({
    orderId,
    amountPaise: 10_000,
    customerId,
    tokenId,
    email: 'asha@library.example',
    description: 'x',
    receipt: 'r',
  });

  it('has a page to send the payer to, that nobody serves', async () => {
    const { sandbox } = open();
    const { id: customerId } = await sandbox.createCustomer({ name: 'A', email: 'a@b.example', reference: 'tenant' });
    const expiresAt = new Date('2030-01-01T00:00:00Z');
    const mandate = { customerId, method: 'CARD', maxAmountPaise: 10_000, expiresAt, reference: 'm' } as const;
    const { checkoutUrl, orderId } = await sandbox.createMandate(mandate);
    expect(checkoutUrl).toBe(`https://sandbox.invalid/${orderId}`);
    await sandbox.completeMandate(orderId, 'insufficient');
    await expect(sandbox.completeMandate(orderId)).rejects.toThrow(/authorised already/);
    const { id } = await sandbox.createOrder(order('no mandate'));
    await expect(sandbox.completeMandate(id)).rejects.toThrow(GatewayRefused);
  });

  it.each(sandboxOutcomes)('has a token for %s that nobody can take away', async (outcome) => {
    const { sandbox } = open();
    const id = `token_${outcome}`;
    await sandbox.deleteToken('cust_x', id);
    expect(await sandbox.fetchToken('cust_x', id)).toMatchObject({ id, mandate: { status: 'ACTIVE' } });
  });

  it('keeps what happened until it was delivered, in order, signed', async () => {
    const { sandbox } = open();
    for (const receipt of ['first', 'second']) {
      const { id } = await sandbox.createOrder(order(receipt));
      await sandbox.charge(chargeOf(id, 'token_success'));
    }
    const waiting = sandbox.takeWebhooks(10);
    const read = waiting.map(({ body, eventId }) => sandbox.parseWebhook(body, eventId));
    const ofOne = ['payment.authorized', 'payment.captured', 'order.paid'];
    expect(read.map(({ type }) => type)).toEqual([...ofOne, ...ofOne]);
    expect(read.map((event) => event.order?.receipt ?? null)).toEqual([null, null, 'first', null, null, 'second']);
    expect(read[0]).toMatchObject({
      id: waiting[0]?.eventId,
      createdAt: new Date('2026-11-26T06:00:00Z'),
      // As it was then, not as it is now.
      payment: { status: 'AUTHORIZED', feePaise: 0 },
    });
    for (const { body, signature } of waiting) {
      expect(verifyWebhookSignature(body, signature, [secret])).toBe(true);
    }
    expect(sandbox.takeWebhooks(10)).toEqual(waiting);
    for (const { eventId } of sandbox.takeWebhooks(4)) sandbox.markDelivered(eventId);
    expect(sandbox.takeWebhooks(10)).toEqual(waiting.slice(4));
    sandbox.markDelivered(waiting[0]!.eventId);
  });

  it('is found again by the next process, and is nobody else’s to read', async () => {
    const { directory, sandbox } = open();
    const { id } = await sandbox.createOrder(order('kept'));
    const payment = await sandbox.charge(chargeOf(id, 'token_success'));
    expect(await sandboxGateway(directory, secret).paymentsOfOrder(id)).toEqual([payment]);
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      const { mode } = statSync(path.join(entry.parentPath, entry.name));
      expect(mode & 0o077).toBe(0);
      expect(entry.name).not.toMatch(/tmp$/);
    }
  });

  it('goes on after somebody died with a lock in hand', async () => {
    const { directory, sandbox } = open();
    const { id } = await sandbox.createOrder(order('locked'));
    const lock = path.join(directory, 'locks', shortHash(`order ${id}`));
    mkdirSync(path.dirname(lock), { recursive: true });
    writeFileSync(lock, '');
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(lock, longAgo, longAgo);
    expect(await sandbox.charge(chargeOf(id, 'token_success'))).toMatchObject({ status: 'CAPTURED' });
    expect(readdirSync(path.join(directory, 'locks'))).toEqual([]);
  });

  it('does everything once, whichever of four processes does it', async () => {
    const { directory, sandbox } = open();
    const { id } = await sandbox.createOrder({ ...order('refunded'), amountPaise: 100_000 });
    const payment = await sandbox.charge({ ...chargeOf(id, 'token_success'), amountPaise: 100_000 });
    const { id: customerId } = await sandbox.createCustomer({ name: 'A', email: 'a@b.example', reference: 't' });
    const processes = Array.from({ length: 4 }, () =>
      fork(path.join(import.meta.dirname, '..', 'support', 'sandbox-process.ts'), {
        execArgv: ['--import', 'tsx'],
        env: { ...process.env, DIRECTORY: directory, PAYMENT: payment.id, CUSTOMER: customerId },
      }),
    );
    await Promise.all(processes.map(nextMessage));
    const answering = processes.map(nextMessage);
    for (const child of processes) child.send('go');
    const answers = (await Promise.all(answering)) as Answer[];
    expect(new Set(answers.flatMap(({ orders }) => orders)).size).toBe(30);
    // Of each order one charge came through.
    expect(answers.flatMap(({ charged }) => charged).toSorted()).toEqual(
      Array.from({ length: 30 }, (_, index) => `receipt ${index}`).toSorted(),
    );
    expect(answers.flatMap(({ refunded }) => refunded).length).toBe(16);
    expect(await sandbox.fetchPayment(payment.id)).toMatchObject({ status: 'CAPTURED', amountRefundedPaise: 96_000 });
    expect(answers.reduce((sum, { declined }) => sum + declined, 0)).toBe(2);
  }, 30_000);
});

type Answer = { orders: string[]; charged: string[]; refunded: string[]; declined: number };

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('The process ended without an answer')));
  const [message] = (await Promise.race([once(child, 'message'), ended])) as unknown[];
  return message;
}
