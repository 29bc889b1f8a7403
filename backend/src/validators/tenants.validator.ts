import { IANAZone } from 'luxon';
import { z } from 'zod';
import { PLATFORM_TIME_ZONE } from '../config/constants.ts';
import { PersonKind, TenantStatus, UserStatus } from '../generated/prisma/enums.ts';
import { day, email, isoDate, moment, phone, pincode, search, slug, text } from '../utils/fields.ts';
import { stateByCode, stateCodes } from '../utils/indian-states.ts';
import { isValidGstin } from '../utils/gstin.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';
import { billingCycle, couponCode, status as subscriptionStatus } from './subscriptions.validator.ts';

export const tenantId = z.strictObject({ id });

const status = z.enum(TenantStatus).meta({ description: 'Where the tenant is in its life', example: 'ACTIVE' });
const name = text(120, 2).meta({ description: 'Name of the business', example: 'Saraswati Reading Hall' });
export const city = text(80).meta({ description: 'City', example: 'Kota' });
export const state = z
  .enum(stateCodes)
  .meta({ description: 'State or union territory, ISO 3166-2:IN without the country', example: 'RJ' });
const reason = text(500, 5).meta({
  description: 'Why; it is kept in the history',
  example: 'Invoice SS/26-27/000123 is unpaid since June',
});
export const gstin = z
  .string()
  .trim()
  .toUpperCase()
  .max(15)
  .refine(isValidGstin, 'must be a GSTIN whose check character is right, such as 27AAPFU0939F1ZV')
  .meta({ description: 'GST registration, 15 characters', example: '08AAPFU0939F1ZV' });
const timeZone = z
  .string()
  .max(60)
  .refine((zone) => IANAZone.isValidZone(zone), 'must be an IANA time zone, such as Asia/Kolkata')
  .meta({ description: 'IANA time zone for business days', example: PLATFORM_TIME_ZONE });

const profile = {
  name,
  email,
  phone: phone.nullable().optional(),
  gstin: gstin.nullable().optional(),
  addressLine: text(300).nullable().optional().meta({ description: 'Street and area', example: '12 Talwandi Road' }),
  city: city.nullable().optional(),
  state: state.nullable().optional(),
  pincode: pincode.nullable().optional(),
  timeZone: timeZone.optional(),
};

/** A GSTIN begins with the code of the state that gave it. */
export const gstinFitsState = (tenant: { gstin?: string | null; state?: string | null }): boolean =>
  !tenant.gstin || !tenant.state || tenant.gstin.startsWith(stateByCode(tenant.state)?.gstCode ?? '');
export const gstinOfAnotherState = 'begins with the code of another state than `state`';
export const gstinOfState = { message: gstinOfAnotherState, path: ['gstin'] };

const withPlan = (field: string) => ({ message: 'is of use with a planId alone', path: [field] });

export const createTenantBody = z
  .strictObject({
    ...profile,
    slug: slug.optional().meta({ description: 'Default: made from the name' }),
    trialDays: z
      .number()
      .int()
      .min(0)
      .max(90)
      .optional()
      .meta({ description: 'Default: the setting tenants.trial_days', example: 14 }),
    planId: id.optional().meta({ description: 'What it subscribes to, on trial as long as the tenant is' }),
    billingCycle: billingCycle
      .optional()
      .meta({ description: 'With a plan: how long a period is; default: MONTHLY', example: 'MONTHLY' }),
    couponCode: couponCode.optional().meta({ description: 'With a plan: code of a coupon, whatever its case' }),
    owner: z
      .strictObject({ name: text(120, 2).meta({ example: 'Meera Sharma' }), email, phone: phone.optional() })
      .meta({ description: 'Gets a mail with a link to set a password' }),
  })
  .refine(gstinFitsState, gstinOfState)
  .refine(({ planId, billingCycle: cycle }) => planId !== undefined || cycle === undefined, withPlan('billingCycle'))
  .refine(({ planId, couponCode: code }) => planId !== undefined || code === undefined, withPlan('couponCode'))
  .meta({ id: 'CreateTenant' });

export const updateTenantBody = z
  .strictObject(profile)
  .partial()
  .refine((body) => Object.keys(body).length > 0, 'give at least one field to change')
  .refine(gstinFitsState, gstinOfState)
  .meta({ id: 'UpdateTenant' });

export const suspendTenantBody = z.strictObject({ reason }).meta({ id: 'SuspendTenant' });
export const activateTenantBody = z.strictObject({ reason: reason.optional() }).meta({ id: 'ActivateTenant' });

export const tenantSortColumns = ['createdAt', 'name', 'status', 'city', 'trialEndsAt'] as const;
export const listTenantsQuery = pageQuery(tenantSortColumns).extend({
  status: status.optional(),
  city: city.optional().meta({ description: 'City, whatever its case', example: 'Kota' }),
  state: state.optional(),
  plan: id.optional().meta({ description: 'Id of the plan that it has a subscription to which has not ended' }),
  createdFrom: moment.optional().meta({ description: 'Created then or later' }),
  createdTo: moment.optional().meta({ description: 'Created before' }),
  q: search.optional().meta({
    description:
      'All words of it are found: as part of name, slug, email, phone or GSTIN, or as the name sounds in either script',
  }),
});

export const userSortColumns = ['createdAt', 'name'] as const;
export const listTenantUsersQuery = pageQuery(userSortColumns).extend({
  kind: z.enum(PersonKind).optional().meta({ description: 'What the person is to the library', example: 'STUDENT' }),
  status: z.enum(UserStatus).optional().meta({ description: 'State of the account', example: 'ACTIVE' }),
  q: search.optional().meta({
    description:
      'All words of it are found: as part of name, email, phone or number, or as the name sounds in either script',
    example: 'meera',
  }),
});

export const listTransitionsQuery = pageQuery(['createdAt']).omit({ sort: true });

const owner = z.object({
  id,
  name: z.string().meta({ example: 'Meera Sharma' }),
  email: z.string().nullable().meta({ example: 'meera@saraswati-library.example' }),
  status: z.enum(UserStatus).meta({ example: 'ACTIVE' }),
});

const subscription = z.object({
  id,
  planId: id,
  planName: z.string().meta({ example: 'Growth' }),
  status: subscriptionStatus,
  billingCycle,
  currentPeriodEnd: day.meta({ description: 'The day after the last of the period', example: '2026-09-01' }),
});

export const tenant = z
  .object({
    id,
    name: z.string().meta({ example: 'Saraswati Reading Hall' }),
    slug: z.string().meta({ example: 'saraswati-reading-hall' }),
    email: z.string().meta({ example: 'office@saraswati-library.example' }),
    phone: z.string().nullable().meta({ example: '+919829012345' }),
    gstin: z.string().nullable().meta({ example: '08AAPFU0939F1ZV' }),
    addressLine: z.string().nullable().meta({ example: '12 Talwandi Road' }),
    city: z.string().nullable().meta({ example: 'Kota' }),
    state: z.string().nullable().meta({ example: 'RJ' }),
    pincode: z.string().nullable().meta({ example: '324005' }),
    timeZone: z.string().meta({ example: PLATFORM_TIME_ZONE }),
    status,
    trialEndsAt: isoDate.nullable(),
    owner: owner.nullable().meta({ description: 'The first owner' }),
    subscription: subscription
      .nullable()
      .meta({ description: 'The one that runs, else the newest; null where there never was one' }),
    version: z.number().int().meta({ description: 'Send it back as If-Match when you change the tenant', example: 1 }),
    createdAt: isoDate,
    updatedAt: isoDate,
  })
  .meta({ id: 'Tenant' });

export const tenantUser = z
  .object({
    id,
    name: z.string().meta({ example: 'Ravi Kumar' }),
    email: z.string().nullable().meta({ example: 'ravi.kumar@students.example' }),
    phone: z.string().nullable().meta({ example: '+919829054321' }),
    kind: z.enum(PersonKind).meta({ example: 'STUDENT' }),
    status: z.enum(UserStatus).meta({ example: 'ACTIVE' }),
    lastLoginAt: isoDate.nullable(),
    createdAt: isoDate,
  })
  .meta({ id: 'TenantUser' });

export const tenantTransition = z
  .object({
    id,
    from: status.nullable().meta({ description: 'Null for the first: the tenant was created', example: 'ACTIVE' }),
    to: status.meta({ example: 'SUSPENDED' }),
    reason: z.string().nullable().meta({ example: 'Invoice SS/26-27/000123 is unpaid since June' }),
    actor: z
      .object({ id: z.string(), name: z.string() })
      .nullable()
      .meta({
        description: 'Null when the system did it',
        example: { id: 'cm3k8v1x40000qp2h9d7f5a6b', name: 'Asha Menon' },
      }),
    createdAt: isoDate,
  })
  .meta({ id: 'TenantTransition' });
