import { z } from 'zod';
import { OnboardingStep } from '../generated/prisma/enums.ts';
import { email, isoDate, pincode, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import * as settings from './settings.validator.ts';
import { city, gstin, gstinFitsState, gstinOfState, state } from './tenants.validator.ts';

const person = z
  .object({ id: z.string(), name: z.string() })
  .meta({ example: { id: 'cm3k8v1x40000qp2h9d7f5a6b', name: 'Meera Sharma' } });

const step = z.enum(OnboardingStep).meta({ description: 'A step of onboarding', example: 'GSTIN' });

export const onboardingBody = z
  .strictObject({
    step,
    applies: z.boolean().meta({ description: 'Whether there is anything to do for this tenant', example: false }),
    reason: text(500, 5)
      .optional()
      .meta({ description: 'Why it does not apply; needed then', example: 'Not registered: below the threshold' }),
  })
  .refine(({ applies, reason }) => applies || reason !== undefined, {
    message: 'is needed where a step does not apply',
    path: ['reason'],
  })
  .meta({ id: 'OnboardingStepChange' });

const onboardingStep = z.object({
  step,
  title: z.string().meta({ example: 'Enter the GSTIN' }),
  done: z.boolean().meta({ description: 'By what there is, and not because somebody said so', example: false }),
  doneAt: isoDate.nullable().meta({ description: 'Since when, where that is known', example: null }),
  required: z.boolean().meta({ description: 'Whether it always applies', example: false }),
  skipped: z
    .object({ reason: z.string(), by: person, at: isoDate })
    .nullable()
    .meta({ description: 'Who said that it does not apply, and why', example: null }),
  hint: z.string().meta({ description: 'What to do', example: 'Give the GSTIN, or say that there is none.' }),
  endpoint: z.string().meta({ description: 'Where to do it', example: 'PUT /api/tenants/{id}' }),
});

export const onboarding = z
  .object({
    steps: z.array(onboardingStep).meta({ description: 'In the order in which they are best done' }),
    progress: z.object({
      done: z.number().int().meta({ description: 'Steps that are done', example: 3 }),
      skipped: z.number().int().meta({ description: 'Steps that are not, and do not apply', example: 1 }),
      total: z.number().int().meta({ example: 6 }),
    }),
    complete: z.boolean().meta({ description: 'Every step is done or does not apply', example: false }),
  })
  .meta({ id: 'Onboarding' });

export const tenantSettingsBody = z
  .strictObject({
    settings: z
      .array(
        z.strictObject({
          key: settings.key.meta({ description: 'Key of a setting', example: 'email.from_name' }),
          value: settings.newValue
            .nullable()
            .meta({ description: 'null: back to what holds for everybody', example: 'Saraswati Reading Hall' }),
          version: settings.seenVersion,
        }),
      )
      .min(1)
      .max(50)
      .refine((all) => new Set(all.map((one) => one.key)).size === all.length, 'must name each setting once'),
  })
  .meta({ id: 'TenantSettingsChange' });

export const tenantSetting = z
  .object({
    key: settings.knownKey.meta({ example: 'email.from_name' }),
    group: z.string().meta({ example: 'Email' }),
    description: z.string().meta({ example: 'The name that mails come from' }),
    stored: z.boolean().meta({ description: 'Whether the tenant has a value of its own', example: true }),
    value: settings.value.meta({ description: "The tenant's own; null: none", example: 'Saraswati Reading Hall' }),
    effective: z
      .object({ value: settings.value, layer: z.enum(['tenant', 'platform', 'environment', 'default']) })
      .meta({
        description: 'What holds, and where it comes from',
        example: { value: 'Saraswati Reading Hall', layer: 'tenant' },
      }),
    default: settings.defaultValue.meta({ description: 'What holds when nobody has set it', example: null }),
    consent: z
      .boolean()
      .meta({ description: 'Changed with PUT /api/tenants/{id}/support-access alone', example: false }),
    version: z.number().int().meta({ description: 'Send it back with a change; 0 before the first', example: 1 }),
    updatedAt: isoDate.nullable(),
  })
  .meta({ id: 'TenantSetting' });

export const tenantSettings = z.array(tenantSetting);

const legalName = text(200, 2).meta({
  description: 'Name of the business as the tax office knows it',
  example: 'Saraswati Reading Hall Private Limited',
});
const billingEmail = email.meta({ description: 'Where invoices go', example: 'accounts@saraswati-library.example' });
const addressLine = text(300).meta({ description: 'Street and area', example: '12 Talwandi Road' });

export const billingProfileBody = z
  .strictObject({
    legalName,
    gstin: gstin.nullable().optional().meta({ description: 'null or left out: not registered' }),
    email: billingEmail,
    addressLine,
    city,
    state,
    pincode,
  })
  .refine(gstinFitsState, gstinOfState)
  .meta({ id: 'BillingProfileInput' });

export const billingProfile = z
  .object({
    tenantId: id,
    legalName: z.string().meta({ example: 'Saraswati Reading Hall Private Limited' }),
    gstin: z.string().nullable().meta({ example: '08AAPFU0939F1ZV' }),
    email: z.string().meta({ example: 'accounts@saraswati-library.example' }),
    addressLine: z.string().meta({ example: '12 Talwandi Road' }),
    city: z.string().meta({ example: 'Kota' }),
    state: z.string().meta({ description: 'The place of supply', example: 'RJ' }),
    pincode: z.string().meta({ example: '324005' }),
    version: z.number().int().meta({ description: 'Send it back as If-Match when you change it', example: 1 }),
    createdAt: isoDate,
    updatedAt: isoDate,
  })
  .meta({ id: 'BillingProfile' });
