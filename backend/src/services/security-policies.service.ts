import { z } from 'zod';
import type { SecurityPolicyType } from '../generated/prisma/enums.ts';
import type { ReadContext } from '../types/context.ts';
import { join, sql, type Sql } from '../utils/sql.ts';

const whole = (least: number, most: number) => z.number().int().min(least).max(most);

/** What the platform demands, by type: what may be set, and what holds while nobody has set anything. */
export const SECURITY_POLICIES = {
  PASSWORD: z.strictObject({
    minLength: whole(8, 64).default(12).meta({ description: 'Fewest characters', example: 12 }),
    refuseCommon: z
      .boolean()
      .default(true)
      .meta({ description: 'Refuse those that many people use, from the list that comes with the API', example: true }),
    refusePersonal: z
      .boolean()
      .default(true)
      .meta({ description: 'Refuse those with the name, address or phone of the person', example: true }),
    historyCount: whole(0, 24).default(5).meta({ description: 'As many earlier ones do not come back', example: 5 }),
    maxAgeDays: whole(30, 730)
      .nullable()
      .default(null)
      .meta({ description: 'Older ones have to be changed; null: never', example: null }),
  }),
  SESSION: z.strictObject({
    idleMinutes: whole(15, 129_600)
      .default(43_200)
      .meta({ description: 'A session ends when unused for so long', example: 43_200 }),
    absoluteHours: whole(1, 8_760).default(2_160).meta({ description: 'A session ends after so long', example: 2_160 }),
    adminIdleMinutes: whole(15, 129_600)
      .default(43_200)
      .meta({ description: 'The same, for portal admins', example: 720 }),
    adminAbsoluteHours: whole(1, 8_760)
      .default(2_160)
      .meta({ description: 'The same, for portal admins', example: 168 }),
  }),
  MFA: z.strictObject({
    requiredRoles: z
      .array(z.string().max(60).meta({ description: 'Code of a role', example: 'super_admin' }))
      .max(50)
      .default([])
      .meta({ description: 'Who holds one of these needs a second factor', example: ['super_admin', 'finance'] }),
    graceDays: whole(0, 90).default(7).meta({ description: 'How long they have to set one up', example: 7 }),
  }),
  LOCKOUT: z.strictObject({
    freeTries: whole(3, 10)
      .default(5)
      .meta({ description: 'Wrong tries from one neighbourhood before the waits begin', example: 5 }),
    firstDelaySeconds: whole(5, 600)
      .default(30)
      .meta({ description: 'The first wait; each is twice as long', example: 30 }),
    longestDelaySeconds: whole(60, 3_600).default(900).meta({ description: 'The longest wait', example: 900 }),
    accountTriesPerHour: whole(10, 1_000)
      .default(50)
      .meta({ description: 'Tries on one account from all unknown devices together', example: 50 }),
    codeTries: whole(3, 10).default(5).meta({ description: 'Wrong codes before a wait; counted apart', example: 5 }),
  }),
} as const satisfies Record<SecurityPolicyType, z.ZodType>;

export type SecurityPolicy<Type extends SecurityPolicyType> = z.output<(typeof SECURITY_POLICIES)[Type]>;

export type StoredPolicy = { type: SecurityPolicyType; value: unknown; version: number; updatedAt: Date };

/** The stored ones of these types; a type that nobody has set is not there. */
export const storedPolicies = (...types: SecurityPolicyType[]): Sql => sql`
  select type, value, version, updated_at as "updatedAt" from security_policies where type::text in (${join(types)})`;

/** What holds, given the stored row of the type if there is one. A stored value that no longer fits counts as not set. */
export function policyFrom<Type extends SecurityPolicyType>(
  type: Type,
  stored: readonly StoredPolicy[],
): SecurityPolicy<Type> {
  const schema = SECURITY_POLICIES[type] as z.ZodType;
  const row = stored.find((one) => one.type === type);
  const read = schema.safeParse(row?.value ?? {});
  return (read.success ? read.data : schema.parse({})) as SecurityPolicy<Type>;
}

/** The policy that holds now. It can be read in every scope. */
export async function policyOf<Type extends SecurityPolicyType>(
  ctx: Pick<ReadContext, 'sql'>,
  type: Type,
): Promise<SecurityPolicy<Type>> {
  return policyFrom(type, await ctx.sql.many<StoredPolicy>(storedPolicies(type)));
}
