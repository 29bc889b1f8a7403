import { describe, expect, it } from 'vitest';
import type { GatewayPayment } from '../../src/providers/payment-gateway.provider.ts';
import { decisiveOf, isLost, nextPoll, outcomeOf } from '../../src/services/payment-outcome.policy.ts';

const told = (status: GatewayPayment['status'], changes: Partial<GatewayPayment> = {}): GatewayPayment => ({
  id: `pay_${status}`,
  orderId: 'order_1',
  status,
  amountPaise: 118_000,
  amountRefundedPaise: 0,
  feePaise: 0,
  taxPaise: 0,
  method: 'CARD',
  tokenId: null,
  customerId: null,
  failure: null,
  createdAt: new Date('2026-08-03T06:30:00Z'),
  raw: {},
  ...changes,
});

describe('What the gateway says of a payment', () => {
  it.each([
    ['CAPTURED', 'SUCCEEDED'],
    ['AUTHORIZED', 'AUTHORIZED'],
    ['CREATED', 'UNKNOWN'],
    ['FAILED', 'FAILED'],
    // Given back before we knew that it had come: there is nothing of it.
    ['REFUNDED', 'FAILED'],
  ] as const)('%s means %s', (status, outcome) => {
    expect(outcomeOf(told(status)).status).toBe(outcome);
  });

  it('keeps why it failed; without a word of that it may work later', () => {
    const failure = { code: 'X', reason: 'card_expired', description: 'Expired.', decline: 'HARD' } as const;
    expect(outcomeOf(told('FAILED', { failure }))).toMatchObject({
      failure: { code: 'card_expired', message: 'Expired.', decline: 'HARD' },
    });
    expect(outcomeOf(told('FAILED'))).toMatchObject({ failure: { code: 'unknown', decline: 'SOFT' } });
  });

  it('of all tries to pay one order counts money, then what may become money', () => {
    const all = (['FAILED', 'REFUNDED', 'CREATED', 'AUTHORIZED', 'CAPTURED'] as const).map((status) => told(status));
    for (let left = all.length; left > 0; left -= 1) {
      expect(decisiveOf(all.slice(0, left))?.status).toBe(all[left - 1]?.status);
    }
    expect(decisiveOf([])).toBeUndefined();
  });
});

describe('The poll of a payment', () => {
  const now = new Date('2026-08-03T06:30:00Z');

  it('comes after 1, 5, 15 and 60 minutes, then every hour', () => {
    const minutes = [0, 1, 2, 3, 4, 50].map((polls) => (nextPoll(now, polls).getTime() - now.getTime()) / 60_000);
    expect(minutes).toEqual([1, 5, 15, 60, 60, 60]);
  });

  it('gives a charge an hour to turn up', () => {
    expect(isLost(now, new Date('2026-08-03T05:30:00.001Z'))).toBe(false);
    expect(isLost(now, new Date('2026-08-03T05:30:00Z'))).toBe(true);
  });
});
