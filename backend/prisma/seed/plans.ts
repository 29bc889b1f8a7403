import type { Limits } from '../../src/config/entitlements.ts';
import type { CouponDuration, CouponKind } from '../../src/generated/prisma/enums.ts';
import type { DunningPlan } from '../../src/services/dunning-schedule.policy.ts';
import type { AddOnRow, CampaignRow, CouponRow, PlanRow, PlanVersionRow } from './billing-rows.ts';
import { daysBefore, stableId } from './deterministic.ts';

// What the demo sells, and how it duns those whom it knows well.

export type PlanCode = 'starter' | 'growth' | 'scale';
export type AddOnCode = 'extra-library' | 'sms-pack';
export type CouponCode = 'WELCOME10' | 'DIWALI500';

const SOFTWARE = '997331';
const SMS = '998413';
const TRIAL_DAYS = 14;
/** The catalogue is older than the first customer. */
const SINCE_DAYS = 880;

type Plan = { name: string; description: string; monthly: string; annual: string; limits: Limits; features: string[] };

export const plans: Readonly<Record<PlanCode, Plan>> = {
  starter: {
    name: 'Starter',
    description: 'For one reading room',
    monthly: '999.00',
    annual: '9990.00',
    limits: { libraries: 1, seats: 250, students: 250, staff: 5 },
    features: ['One reading room', 'Seats, students and fees', 'Import from a spreadsheet', 'Help by mail'],
  },
  growth: {
    name: 'Growth',
    description: 'For two or three reading rooms',
    monthly: '2499.00',
    annual: '24990.00',
    limits: { libraries: 3, seats: 750, students: 1000, staff: 20 },
    features: ['Everything of Starter', 'Up to three reading rooms', 'Messages to parents', 'Help by phone'],
  },
  scale: {
    name: 'Scale',
    description: 'For chains of reading rooms',
    monthly: '4999.00',
    annual: '49990.00',
    limits: { libraries: 25, seats: 6000, students: null, staff: null },
    features: [
      'Everything of Growth',
      'Up to 25 reading rooms',
      'A person of your own to call',
      'Help within the hour',
    ],
  },
};

type AddOn = { name: string; description: string; monthly: string; annual: string; sacCode: string; limits: Limits };

export const addOns: Readonly<Record<AddOnCode, AddOn>> = {
  'extra-library': {
    name: 'Extra library',
    description: 'One more reading room than the plan has',
    monthly: '499.00',
    annual: '4990.00',
    sacCode: SOFTWARE,
    limits: { libraries: 1, seats: 150 },
  },
  'sms-pack': {
    name: 'SMS pack',
    description: '1,000 messages a month',
    monthly: '250.00',
    annual: '2500.00',
    sacCode: SMS,
    limits: {},
  },
};

type Coupon = {
  name: string;
  kind: CouponKind;
  percent: string | null;
  amount: string | null;
  duration: CouponDuration;
  months: number | null;
};

export const coupons: Readonly<Record<CouponCode, Coupon>> = {
  WELCOME10: {
    name: '10 % off the first three months',
    kind: 'PERCENT',
    percent: '10.00',
    amount: null,
    duration: 'REPEATING',
    months: 3,
  },
  DIWALI500: {
    name: '500 rupees off the next invoice',
    kind: 'FIXED',
    percent: null,
    amount: '500.00',
    duration: 'ONCE',
    months: null,
  },
};

/** Percent, by service accounting code. */
export const taxRates: Readonly<Record<string, string>> = { [SOFTWARE]: '18', [SMS]: '18' };
export const planSacCode = SOFTWARE;

/** For customers of long standing: more time before something happens. */
export const patientPlan: DunningPlan & { minimumAmount: string } = {
  attemptGaps: [2, 5, 14],
  steps: [
    { day: 2, consequence: 'REMINDER', channels: ['EMAIL'] },
    { day: 25, consequence: 'WARNING', channels: ['EMAIL'] },
    { day: 40, consequence: 'BLOCK', channels: ['EMAIL'] },
    { day: 75, consequence: 'CANCEL', channels: ['EMAIL'] },
  ],
  minimumAmount: '0.00',
};

const keys = <Key extends string>(of: Readonly<Record<Key, unknown>>): Key[] => Object.keys(of) as Key[];

export const planIdOf = (code: PlanCode): string => stableId(`plan:${code}`);
export const planVersionIdOf = (code: PlanCode): string => stableId(`plan-version:${code}`, 1);
export const addOnIdOf = (code: AddOnCode): string => stableId(`add-on:${code}`);
export const couponIdOf = (code: CouponCode): string => stableId(`coupon:${code}`);
export const patientCampaignId = stableId('campaign:patient');
/** Whom the migration brings along: for everybody else. */
export const standardCampaignId = 'cdun000000000000000standa';

export const planCodes = keys(plans);

export type Catalogue = {
  plans: PlanRow[];
  versions: PlanVersionRow[];
  addOns: AddOnRow[];
  coupons: CouponRow[];
  campaigns: CampaignRow[];
};

/** @param day 00:00 of the day that all dates are counted back from */
export function catalogue(day: Date): Catalogue {
  const since = daysBefore(day, SINCE_DAYS, 11 * 60);
  const stamps = { created_at: since, updated_at: since };
  const versionRow = (code: PlanCode): PlanVersionRow => ({
    id: planVersionIdOf(code),
    plan_id: planIdOf(code),
    number: 1,
    monthly_price: plans[code].monthly,
    annual_price: plans[code].annual,
    trial_days: TRIAL_DAYS,
    sac_code: SOFTWARE,
    features: plans[code].features,
    limits: plans[code].limits,
    created_at: since,
  });
  return {
    plans: planCodes.map((code) => ({
      id: planIdOf(code),
      code,
      name: plans[code].name,
      description: plans[code].description,
      ...stamps,
    })),
    versions: planCodes.map(versionRow),
    addOns: keys(addOns).map((code) => {
      const { monthly, annual, sacCode, ...rest } = addOns[code];
      return {
        id: addOnIdOf(code),
        code,
        ...rest,
        monthly_price: monthly,
        annual_price: annual,
        sac_code: sacCode,
        ...stamps,
      };
    }),
    coupons: keys(coupons).map((code) => {
      const { months, ...rest } = coupons[code];
      return { id: couponIdOf(code), code, ...rest, duration_months: months, plan_ids: [], ...stamps };
    }),
    campaigns: [
      {
        id: patientCampaignId,
        name: 'Patient',
        attempt_gaps: [...patientPlan.attemptGaps],
        steps: [...patientPlan.steps],
        minimum_amount: patientPlan.minimumAmount,
        ...stamps,
      },
    ],
  };
}
