import { z } from 'zod';
import { settingKeys } from '../config/settings.ts';
import { email, isoDate } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';

export const key = z
  .string()
  .max(80)
  .regex(/^[a-z0-9_]+(\.[a-z0-9_]+)?$/, 'must be the key of a setting, such as tenants.trial_days')
  .meta({ description: 'Key of a setting', example: 'tenants.trial_days' });

export const settingKey = z.strictObject({ key });
export const tenantOfSettings = z.strictObject({ tenantId: id });
export const tenantSettingKey = z.strictObject({ tenantId: id, key });

const ofTenant = id.optional().meta({ description: 'That of this tenant; else of the platform' });
export const effectiveQuery = z.strictObject({ tenantId: ofTenant });
export const historyQuery = pageQuery(['version']).extend({ tenantId: ofTenant });

export const newValue = z
  .union([z.boolean(), z.number(), z.string().max(2000)], 'must be text, a number, or true or false')
  .meta({ description: 'As the definition of the setting says', example: 30 });
export const seenVersion = z
  .number()
  .int()
  .min(0)
  .max(999_999_999)
  .meta({ description: 'The version that you have seen; 0 before the first change', example: 0 });

export const setSettingBody = z.strictObject({ value: newValue });

export const bulkBody = z.strictObject({
  settings: z
    .array(z.strictObject({ key, value: newValue, version: seenVersion }))
    .min(1)
    .max(50)
    .refine((all) => new Set(all.map((one) => one.key)).size === all.length, 'must name each setting once'),
});

export const rollbackBody = z.strictObject({
  version: z.number().int().min(1).max(999_999_999).meta({ description: 'Of the history', example: 1 }),
  tenantId: id.optional().meta({ description: "Of this tenant's setting; else of the platform's" }),
});

export const testBody = z.strictObject({
  value: newValue.optional().meta({
    description: 'Tried instead of the stored one, and not stored',
    example: 'smtps://mailer:secret@mail.example.com:465',
  }),
  recipient: email.optional().meta({
    description: 'Who gets a test mail; without it only the sign-in is tried',
    example: 'asha@studyspot.example',
  }),
});

const hidden = z
  .object({ set: z.boolean() })
  .meta({ description: 'Stands for a secret, which is never shown', example: { set: true } });
export const value = z
  .union([z.boolean(), z.number(), z.string(), hidden])
  .nullable()
  .meta({ description: 'null: there is none', example: 30 });

export const defaultValue = value.meta({ description: 'What holds when nobody has set it', example: 14 });
export const knownKey = z.enum(settingKeys).meta({ description: 'Key of the setting', example: 'tenants.trial_days' });

export const definition = z.object({
  key: knownKey,
  group: z.string().meta({ example: 'Tenants' }),
  description: z.string().meta({ example: 'Days of trial that a new tenant gets' }),
  scope: z.enum(['platform', 'tenant', 'both']).meta({
    description: "The platform's, each tenant's own, or the platform's where a tenant has set none",
    example: 'platform',
  }),
  secret: z.boolean().meta({ description: 'Kept encrypted and never shown', example: false }),
  consent: z.boolean().meta({ description: 'Only the people of the tenant change it', example: false }),
  probe: z.enum(['smtp']).nullable().meta({ description: 'What can be tried with it', example: null }),
  default: defaultValue,
  example: z.union([z.boolean(), z.number(), z.string()]).meta({ example: 30 }),
  schema: z
    .record(z.string(), z.unknown())
    .meta({ description: 'JSON schema of the value', example: { type: 'integer', minimum: 0, maximum: 90 } }),
});

export const setting = z.object({
  key: knownKey,
  tenantId: id.nullable().meta({ description: 'null: the platform’s' }),
  stored: z.boolean().meta({ description: 'Whether somebody has set it here', example: true }),
  value: value.meta({ description: 'What is set here; null: nothing', example: 30 }),
  default: defaultValue,
  version: z.number().int().meta({ description: 'For If-Match; 0 before the first change', example: 1 }),
  updatedAt: isoDate.nullable(),
});

export const effectiveSetting = z.object({
  key: knownKey,
  value: value.meta({ description: 'What holds', example: 30 }),
  layer: z.enum(['tenant', 'platform', 'environment', 'default']).meta({
    description: 'Where it comes from: the first of these that there is',
    example: 'platform',
  }),
});

export const revision = z.object({
  version: z.number().int().meta({ example: 2 }),
  removed: z.boolean().meta({ description: 'Put back to the default', example: false }),
  before: value.meta({ example: 14 }),
  after: value.meta({ example: 30 }),
  changedBy: z
    .object({ id: z.string().nullable(), name: z.string().nullable() })
    .nullable()
    .meta({ description: 'null: the system', example: { id: 'cm3k8v1x40000qp2h9d7f5a6b', name: 'Asha Menon' } }),
  createdAt: isoDate,
});

export const probeResult = z.object({
  ok: z.boolean().meta({ example: true }),
  latencyMs: z.number().int().meta({ description: 'How long it took, in milliseconds', example: 184 }),
  message: z.string().meta({ description: 'What happened, in plain words', example: 'The server let us sign in.' }),
  tried: z
    .enum(['given', 'stored', 'environment'])
    .meta({ description: 'Whose value was tried: of the body, of the setting, of SMTP_URL', example: 'stored' }),
});
