import type { BillingStory } from './billing-stories.ts';
import { createRandom, type Random } from './deterministic.ts';
import type { PlanCode } from './plans.ts';
import type { TenantProfile } from './tenants.ts';

const plansBySize: { most: number; plan: PlanCode }[] = [
  { most: 1, plan: 'starter' },
  { most: 3, plan: 'growth' },
  { most: 25, plan: 'scale' },
];
const LARGEST: PlanCode = 'scale';
const ADD_ON_SHARE = 0.3;
/** Of a plan of 25 there have to be so many more. */
const EXTRA_LIBRARIES = 15;
const PATIENCE_DAYS = 75;

/** What one of the many has bought: as mixed as those of the demo. */
export function largeStory(profile: TenantProfile): BillingStory {
  const random = createRandom(`story:${profile.slug}`);
  const bought = profile.changes.find(({ to }) => to === 'ACTIVE')?.daysAgo;
  const latest = profile.changes.at(-1);
  const until = latest && latest.to !== 'ACTIVE' ? latest.daysAgo : 0;
  const story: BillingStory = {
    plan: plansBySize.find(({ most }) => profile.libraries <= most)?.plan ?? LARGEST,
    cycle: random.chance(0.7) ? 'MONTHLY' : 'ANNUAL',
    pays: bought === undefined ? null : random.pick(['CARD', 'CARD', 'UPI', 'TRANSFER'] as const),
    ...(random.chance(ADD_ON_SHARE) && { addOn: { code: 'sms-pack', quantity: random.integer(1, 5) } as const }),
    ...(random.chance(0.1) && { coupon: 'WELCOME10' as const }),
    ...(latest?.to === 'SUSPENDED' && { abandoned: { since: latest.daysAgo + PATIENCE_DAYS, ended: latest.daysAgo } }),
  };
  if (profile.libraries > 25) story.addOn = { code: 'extra-library', quantity: EXTRA_LIBRARIES };
  return bought === undefined ? story : { ...story, ...turn(random, story, { from: bought - 1, until: until + 1 }) };
}

/** Some take a larger plan after a while, and some stop for a while. */
function turn(random: Random, { plan }: BillingStory, days: { from: number; until: number }): Partial<BillingStory> {
  const [from, until] = [days.from - 30, days.until + 30];
  if (from <= until) return {};
  const daysAgo = random.integer(until, from);
  const share = random.next();
  if (share < 0.2 && plan !== 'scale') {
    // They began with less than they need now.
    return plan === 'growth'
      ? { plan: 'starter', larger: { to: 'growth', daysAgo } }
      : { larger: { to: 'growth', daysAgo } };
  }
  if (share < 0.25) return { pause: { daysAgo, days: random.integer(10, 25) } };
  return share < 0.3 ? { coupon: 'WELCOME10', couponDaysAgo: daysAgo } : {};
}
