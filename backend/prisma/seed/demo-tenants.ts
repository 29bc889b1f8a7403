import { farhanQureshi, vikramRathore } from './accounts.ts';
import { cities, type CityKey } from './cities.ts';
import { createRandom } from './deterministic.ts';
import type { StatusChange, TenantProfile } from './tenants.ts';

const activated = (daysAgo: number, reason: string): StatusChange => ({
  to: 'ACTIVE',
  daysAgo,
  reason,
  by: farhanQureshi,
});
const suspended = (daysAgo: number, reason: string): StatusChange => ({
  to: 'SUSPENDED',
  daysAgo,
  reason,
  by: farhanQureshi,
});
const activatedAgain = (daysAgo: number, reason: string): StatusChange => ({
  to: 'ACTIVE',
  daysAgo,
  reason,
  by: vikramRathore,
});
const deactivated = (daysAgo: number, reason: string): StatusChange => ({
  to: 'INACTIVE',
  daysAgo,
  reason,
  by: vikramRathore,
});

const BOUGHT = 'Bought the yearly plan at the end of the trial';
const BOUGHT_EARLY = 'Bought a plan before the trial ended';
const BOUGHT_MONTHLY = 'Bought the monthly plan';

type Outline = [
  name: string,
  slug: string,
  city: CityKey,
  libraries: number,
  joinedDaysAgo: number,
  ...changes: StatusChange[],
];

const outlines: Outline[] = [
  ['Saraswati Reading Hall', 'saraswati-reading-hall', 'kota', 3, 812, activated(800, BOUGHT)],
  ['Vidya Study Point', 'vidya-study-point', 'prayagraj', 2, 764, activated(751, BOUGHT)],
  ['Lakshya Library', 'lakshya-library', 'delhi', 4, 731, activated(724, BOUGHT_EARLY)],
  ['ज्ञानदीप पुस्तकालय', 'gyandeep-pustakalaya', 'patna', 2, 689, activated(676, BOUGHT)],
  [
    'Sankalp Study Hub',
    'sankalp-study-hub',
    'sikar',
    2,
    640,
    activated(631, BOUGHT_EARLY),
    suspended(212, 'Two invoices unpaid for 45 days'),
    activatedAgain(203, 'Both invoices paid'),
  ],
  ['Dronacharya Reading Room', 'dronacharya-reading-room', 'indore', 3, 598, activated(585, BOUGHT)],
  ['Chanakya Abhyasika', 'chanakya-abhyasika', 'pune', 4, 561, activated(549, BOUGHT)],
  ['Nalanda Self Study Centre', 'nalanda-self-study-centre', 'jaipur', 2, 517, activated(503, BOUGHT_MONTHLY)],
  ['Shree Ganesh Abhyasika', 'shree-ganesh-abhyasika', 'nagpur', 1, 470, activated(459, BOUGHT_EARLY)],
  ['Akshara Study Hall', 'akshara-study-hall', 'hyderabad', 3, 433, activated(420, BOUGHT)],
  ['Ekagra Library', 'ekagra-library', 'lucknow', 1, 402, activated(389, BOUGHT_MONTHLY)],
  ['Kaveri Reading Room', 'kaveri-reading-room', 'bengaluru', 2, 365, activated(352, BOUGHT)],
  ['Arivu Study Centre', 'arivu-study-centre', 'chennai', 2, 318, activated(309, BOUGHT_EARLY)],
  ['Bodhi Library', 'bodhi-library', 'varanasi', 1, 287, activated(273, BOUGHT_MONTHLY)],
  [
    'Tapasya Study Zone',
    'tapasya-study-zone',
    'delhi',
    2,
    256,
    activated(243, BOUGHT),
    // What dunning has shut, paying opens again.
    { to: 'SUSPENDED', daysAgo: 18, reason: 'Unpaid invoice for the larger plan', by: null },
  ],
  [
    'Pratibha Reading Lounge',
    'pratibha-reading-lounge',
    'ranchi',
    1,
    221,
    activated(208, BOUGHT_MONTHLY),
    suspended(6, 'Ownership disputed between partners; until the court has decided'),
  ],
  ['Vijnana Study Hall', 'vijnana-study-hall', 'vijayawada', 2, 188, activated(176, BOUGHT)],
  [
    'College Street Study Club',
    'college-street-study-club',
    'kolkata',
    1,
    164,
    activated(151, BOUGHT_MONTHLY),
    deactivated(33, 'Closed the reading room; asked to keep the records'),
  ],
  ['Medha Study Space', 'medha-study-space', 'ahmedabad', 1, 41],
  ['Kitab Ghar Reading Room', 'kitab-ghar-reading-room', 'dehradun', 1, 20],
  ['Jnana Vihara Library', 'jnana-vihara-library', 'dharwad', 1, 13],
  ['Pathshala Silent Zone', 'pathshala-silent-zone', 'bhubaneswar', 2, 9],
  ['Abhyaas Study Point', 'abhyaas-study-point', 'gorakhpur', 1, 5],
  ['Uday Library and Study Centre', 'uday-library', 'bhilai', 1, 2],
];

/** The owner's address of this one is printed in the guides. */
const domains: Record<string, string> = { 'saraswati-reading-hall': 'saraswati-library' };

/** The tenants of the demo, the oldest customer first. */
export const demoTenants: readonly TenantProfile[] = outlines.map(
  ([name, slug, cityKey, libraries, joinedDaysAgo, ...changes], index) => {
    const random = createRandom(`size:${slug}`);
    const students = random.integer(10, 60);
    return {
      name,
      slug,
      domain: domains[slug] ?? slug,
      city: cities[cityKey],
      joinedDaysAgo,
      changes,
      registeredForGst: index % 3 !== 2,
      libraries,
      staff: random.integer(1, 4),
      students,
      parents: random.integer(2, Math.ceil(students / 4)),
      signIn: 'everybody',
    };
  },
);
