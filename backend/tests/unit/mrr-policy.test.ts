import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SubscriptionStatus } from '../../src/generated/prisma/enums.ts';
import { movementBetween, mrrOf, periodPrice, type MrrFacts } from '../../src/services/mrr.policy.ts';
import { decimal, fromPaise, rupees, sumOf } from '../../src/utils/money.ts';

const facts = (changes: Partial<MrrFacts> = {}): MrrFacts => ({
  status: 'ACTIVE',
  billingCycle: 'MONTHLY',
  monthlyPrice: '2499.00',
  annualPrice: '24990.00',
  addOns: [],
  coupons: [],
  ...changes,
});
const mrr = (changes: Partial<MrrFacts> = {}) => rupees(mrrOf(facts(changes)));
const percent = (share: string, duration: 'ONCE' | 'REPEATING' | 'FOREVER' = 'FOREVER') => ({
  kind: 'PERCENT' as const,
  percent: share,
  amount: null,
  duration,
});
const fixed = (amount: string, duration: 'ONCE' | 'REPEATING' | 'FOREVER' = 'FOREVER') => ({
  kind: 'FIXED' as const,
  percent: null,
  amount,
  duration,
});
const sms = { quantity: 2, monthlyPrice: '250.00', annualPrice: '2500.00' };

describe('The MRR of a subscription', () => {
  it('rule 28: of a year is a twelfth: 24,990 a year is 2,082.50', () => {
    expect(mrr()).toBe('2499.00');
    expect(mrr({ billingCycle: 'ANNUAL' })).toBe('2082.50');
    expect(mrr({ billingCycle: 'ANNUAL', annualPrice: '1000.00' })).toBe('83.33');
  });

  it('rule 28: is reduced by coupons that recur, and not by those that do not', () => {
    expect(mrr({ coupons: [percent('10')] })).toBe('2249.10');
    expect(mrr({ coupons: [percent('10', 'REPEATING')] })).toBe('2249.10');
    expect(mrr({ coupons: [percent('10', 'ONCE')] })).toBe('2499.00');
    expect(mrr({ coupons: [fixed('499')] })).toBe('2000.00');
    expect(mrr({ coupons: [fixed('499', 'ONCE')] })).toBe('2499.00');
    expect(mrr({ coupons: [percent('50'), percent('50'), fixed('100')] })).toBe('524.75');
    expect(mrr({ coupons: [fixed('9999')] })).toBe('0.00');
    expect(mrr({ billingCycle: 'ANNUAL', coupons: [fixed('1200')] })).toBe('1982.50');
  });

  it('counts add-ons, each as often as it is had', () => {
    expect(mrr({ addOns: [sms] })).toBe('2999.00');
    expect(mrr({ addOns: [sms], billingCycle: 'ANNUAL' })).toBe('2499.17');
    expect(rupees(periodPrice(facts({ addOns: [sms], billingCycle: 'ANNUAL' })))).toBe('29990.00');
  });

  it.each(Object.values(SubscriptionStatus))('rule 28: trials are 0, and so is what brings nothing: %s', (status) => {
    const brings = status === 'ACTIVE' || status === 'PAST_DUE';
    expect(mrr({ status })).toBe(brings ? '2499.00' : '0.00');
  });
});

describe('A movement', () => {
  it.each([
    ['0', '999', false, 'NEW'],
    ['0', '999', true, 'REACTIVATION'],
    ['999', '2499', true, 'EXPANSION'],
    ['2499', '999', true, 'CONTRACTION'],
    ['999', '0', true, 'CHURN'],
    ['999', '999.00', true, null],
    ['0', '0', false, null],
  ] as const)('rule 28: from %s to %s, with MRR before: %s, is %s', (before, after, hadMrr, movement) => {
    expect(movementBetween(decimal(before), decimal(after), hadMrr)).toBe(movement);
  });

  it('rule 28: of each kind add up to what the MRR became, whatever happens', () => {
    const amounts = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 10_000_000 })), { maxLength: 40 });
    fc.assert(
      fc.property(amounts, (paise) => {
        const sums = new Map<string, ReturnType<typeof decimal>>();
        let before = decimal(0);
        let hadMrr = false;
        for (const after of paise.map(fromPaise)) {
          const movement = movementBetween(before, after, hadMrr);
          if (movement) {
            const sum = sums.get(movement) ?? decimal(0);
            sums.set(movement, sum.plus(after.minus(before)));
            const grows = movement === 'NEW' || movement === 'EXPANSION' || movement === 'REACTIVATION';
            expect(after.gt(before)).toBe(grows);
            expect(movement === 'NEW').toBe(before.isZero() && !hadMrr);
            expect(movement === 'CHURN').toBe(after.isZero());
            hadMrr = true;
          }
          before = after;
        }
        expect(rupees(sumOf(sums.values()))).toBe(rupees(before));
      }),
    );
  });

  it('is never less than nothing, whatever coupons there are', () => {
    const coupon = fc.oneof(
      fc.integer({ min: 1, max: 10_000 }).map((share) => percent(rupees(fromPaise(share)))),
      fc.integer({ min: 1, max: 10_000_000 }).map((paise) => fixed(rupees(fromPaise(paise)))),
    );
    fc.assert(
      fc.property(fc.array(coupon, { maxLength: 5 }), fc.boolean(), (coupons, annual) => {
        const found = mrrOf(facts({ coupons, billingCycle: annual ? 'ANNUAL' : 'MONTHLY' }));
        expect(found.gte(0) && found.lte('2499')).toBe(true);
        expect(found.decimalPlaces()).toBeLessThanOrEqual(2);
      }),
    );
  });
});
