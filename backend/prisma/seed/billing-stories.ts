import type { BillingCycle } from '../../src/generated/prisma/enums.ts';
import type { AddOnCode, CouponCode, PlanCode } from './plans.ts';

/** What somebody has bought, and what became of it. Days are counted back from the day of seeding. */
export type BillingStory = {
  plan: PlanCode;
  cycle: BillingCycle;
  /** How they pay; `TRANSFER` gets invoices and pays them by bank; null: nothing is known of it yet. */
  pays: 'CARD' | 'UPI' | 'TRANSFER' | null;
  addOn?: { code: AddOnCode; quantity: number };
  coupon?: CouponCode;
  /** When they got it, if not at the beginning. */
  couponDaysAgo?: number;
  /** They went to a larger plan within a period. */
  larger?: { to: PlanCode; daysAgo: number; /** The bill of it was never paid. */ unpaid?: true };
  pause?: { daysAgo: number; days: number };
  /** Bills of these days were paid late. */
  late?: { since: number; until: number; paid: number };
  /** Bills since then were never paid, and the contract was ended for that. */
  abandoned?: { since: number; ended: number };
  /** The bill of that number, from 1, was declined once. */
  declined?: number;
  /** Something of the newest bill was given back to their credit. */
  credited?: true;
};

/** Of the tenants of the demo, by slug. Who is not here has tried without choosing a plan. */
export const demoStories: Readonly<Record<string, BillingStory>> = {
  'saraswati-reading-hall': { plan: 'growth', cycle: 'ANNUAL', pays: 'CARD', addOn: { code: 'sms-pack', quantity: 1 } },
  'vidya-study-point': { plan: 'growth', cycle: 'ANNUAL', pays: 'TRANSFER' },
  'lakshya-library': { plan: 'scale', cycle: 'ANNUAL', pays: 'TRANSFER', addOn: { code: 'sms-pack', quantity: 4 } },
  'gyandeep-pustakalaya': { plan: 'growth', cycle: 'ANNUAL', pays: 'UPI' },
  'sankalp-study-hub': {
    plan: 'growth',
    cycle: 'MONTHLY',
    pays: 'TRANSFER',
    late: { since: 275, until: 213, paid: 203 },
  },
  'dronacharya-reading-room': { plan: 'growth', cycle: 'ANNUAL', pays: 'CARD' },
  'chanakya-abhyasika': { plan: 'scale', cycle: 'ANNUAL', pays: 'CARD' },
  'nalanda-self-study-centre': {
    plan: 'starter',
    cycle: 'MONTHLY',
    pays: 'CARD',
    larger: { to: 'growth', daysAgo: 259 },
  },
  'shree-ganesh-abhyasika': { plan: 'starter', cycle: 'MONTHLY', pays: 'CARD', credited: true },
  'akshara-study-hall': { plan: 'growth', cycle: 'ANNUAL', pays: 'UPI' },
  'ekagra-library': { plan: 'starter', cycle: 'MONTHLY', pays: 'UPI', coupon: 'WELCOME10', declined: 6 },
  'kaveri-reading-room': { plan: 'growth', cycle: 'ANNUAL', pays: 'CARD' },
  'arivu-study-centre': {
    plan: 'growth',
    cycle: 'MONTHLY',
    pays: 'CARD',
    coupon: 'DIWALI500',
    addOn: { code: 'sms-pack', quantity: 2 },
  },
  'bodhi-library': { plan: 'starter', cycle: 'MONTHLY', pays: 'UPI', pause: { daysAgo: 120, days: 45 } },
  'tapasya-study-zone': {
    plan: 'starter',
    cycle: 'ANNUAL',
    pays: 'CARD',
    larger: { to: 'growth', daysAgo: 58, unpaid: true },
  },
  'pratibha-reading-lounge': {
    plan: 'starter',
    cycle: 'MONTHLY',
    pays: 'CARD',
    coupon: 'WELCOME10',
    couponDaysAgo: 75,
  },
  'vijnana-study-hall': { plan: 'growth', cycle: 'ANNUAL', pays: 'CARD' },
  'college-street-study-club': { plan: 'starter', cycle: 'MONTHLY', pays: 'UPI' },
  'jnana-vihara-library': { plan: 'starter', cycle: 'MONTHLY', pays: null },
  'pathshala-silent-zone': { plan: 'growth', cycle: 'MONTHLY', pays: 'CARD' },
  'abhyaas-study-point': { plan: 'starter', cycle: 'MONTHLY', pays: null, coupon: 'WELCOME10' },
  'uday-library': { plan: 'starter', cycle: 'ANNUAL', pays: null },
};
