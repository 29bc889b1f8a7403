import type { OnboardingStep } from '../generated/prisma/enums.ts';
import { sql, type Sql } from '../utils/sql.ts';

type Step = {
  title: string;
  /** Whether it applies to every tenant: it cannot be left out then. */
  required: boolean;
  hint: string;
  /** Where to do it. */
  endpoint: string;
  /**
   * The fact that the step is done by, over the tenant `t`, its branding `b` and its billing profile `p`: since when it
   * is one, where that is known, or whether it is.
   */
  fact: { since: Sql } | { holds: Sql };
};

const firstOfKind = (kind: 'STAFF' | 'STUDENT'): Sql => sql`
  (select min(u.created_at) from users u
    where u.tenant_id = t.id and u.kind = ${kind}::person_kind and u.deleted_at is null)`;

/**
 * What a new tenant does, in this order. A step is done by what there is in the database, never by a flag; adding one
 * here, and to the enum of steps, is all it takes.
 */
export const onboardingSteps: Readonly<Record<OnboardingStep, Step>> = {
  PROFILE: {
    title: 'Complete the profile',
    required: true,
    hint: 'Give address, city, state, postal code and phone of the business.',
    endpoint: 'PUT /api/tenants/{id}',
    fact: {
      holds: sql`(t.address_line is not null and t.city is not null and t.state is not null
                  and t.pincode is not null and t.phone is not null)`,
    },
  },
  GSTIN: {
    title: 'Enter the GSTIN',
    required: false,
    hint: 'Give the GSTIN of the business, or say that it is not registered.',
    endpoint: 'PUT /api/tenants/{id}',
    fact: { holds: sql`(t.gstin is not null or p.gstin is not null)` },
  },
  FIRST_LIBRARY: {
    title: 'Add the first library',
    required: true,
    hint: 'Add the reading room with its address and number of seats.',
    endpoint: 'POST /api/tenants/{id}/libraries',
    fact: { since: sql`(select min(l.created_at) from libraries l where l.tenant_id = t.id)` },
  },
  BRANDING: {
    title: 'Make the space look like yours',
    required: false,
    hint: 'Give the name that your people see, a colour or a logo.',
    endpoint: 'PUT /api/tenants/{id}/branding',
    fact: {
      holds: sql`(coalesce(b.display_name, b.tagline, b.primary_color, b.accent_color, b.logo_key) is not null)`,
    },
  },
  STAFF: {
    title: 'Add your staff',
    required: false,
    hint: 'Add those who work at the library, or say that nobody does.',
    endpoint: 'POST /api/platform-users',
    fact: { since: firstOfKind('STAFF') },
  },
  PLAN: {
    title: 'Choose a plan',
    required: true,
    hint: 'Take a plan with StudySpot; one on trial counts.',
    endpoint: 'POST /api/subscriptions',
    fact: {
      since: sql`(select s.created_at from subscriptions s
                   where s.tenant_id = t.id and s.status in ('TRIAL', 'ACTIVE', 'PAST_DUE', 'PAUSED'))`,
    },
  },
  PAYMENT_METHOD: {
    title: 'Add a payment method',
    required: false,
    hint: 'Add a card or a UPI mandate, or say that invoices are paid by transfer.',
    endpoint: 'POST /api/revenue/payment-methods',
    fact: {
      since: sql`(select min(m.created_at) from payment_methods m where m.tenant_id = t.id and m.status = 'ACTIVE')`,
    },
  },
  FIRST_STUDENT: {
    title: 'Add the first student',
    required: true,
    hint: 'Add a student, or import all of them from a file.',
    endpoint: 'POST /api/platform-users',
    fact: { since: firstOfKind('STUDENT') },
  },
};
