import { z } from 'zod';
import { SecurityPolicyType } from '../generated/prisma/enums.ts';
import { SECURITY_POLICIES } from '../services/security-policies.service.ts';
import { isoDate } from '../utils/fields.ts';

const pathNames = ['password', 'session', 'mfa', 'lockout'] as const;

export const policyType = z.strictObject({
  type: z.enum(pathNames).meta({ description: 'Which policy', example: 'password' }),
});

/** Each field of each policy, optional and without its default: what is not sent stays as it is. */
const fields = Object.fromEntries(
  Object.values(SECURITY_POLICIES)
    .flatMap((schema) => Object.entries(schema.shape as Record<string, z.ZodDefault>))
    .map(([name, field]) => [name, (field.unwrap() as z.ZodType).optional().meta(field.meta() ?? {})]),
);

export const changePolicyBody = z
  .strictObject({
    dryRun: z
      .boolean()
      .default(false)
      .meta({ description: 'Change nothing, and tell whom the change would concern', example: true }),
    ...fields,
  })
  .meta({
    id: 'ChangeSecurityPolicy',
    description: 'Fields of the policy that the path names; those that are not sent stay as they are',
    example: { minLength: 14, dryRun: true },
  });

export const securityPolicy = z
  .object({
    type: z.enum(SecurityPolicyType).meta({ example: 'PASSWORD' }),
    value: z.record(z.string(), z.unknown()).meta({ description: 'What holds', example: { minLength: 14 } }),
    defaults: z
      .record(z.string(), z.unknown())
      .meta({ description: 'What holds while nobody has set anything', example: { minLength: 12 } }),
    version: z
      .number()
      .int()
      .meta({ description: 'Send it as If-Match when you change the policy; 0 before the first change', example: 1 }),
    updatedAt: isoDate.nullable(),
  })
  .meta({ id: 'SecurityPolicy' });

export const securityPolicies = z.array(securityPolicy);

const count = (description: string) => z.number().int().meta({ description, example: 2 });

export const securityPolicyChange = securityPolicy
  .extend({
    dryRun: z.boolean().meta({ description: 'Whether nothing was changed', example: true }),
    affected: z
      .object({
        admins: count('Portal admins whom it concerns'),
        people: count('Platform users whom it concerns'),
        sessionsEnded: count('Live sessions that end at once'),
        sessionsShortened: count('Live sessions that end earlier than they would have'),
        due: isoDate.nullable().meta({ description: 'By when they have to have done something' }),
      })
      .meta({ description: 'Whom the change concerns' }),
  })
  .meta({ id: 'SecurityPolicyChange' });
