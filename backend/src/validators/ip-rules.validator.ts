import { z } from 'zod';
import { IpRuleAudience, IpRuleEffect } from '../generated/prisma/enums.ts';
import { isoDate, moment, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { normalAddress, parseNetwork } from '../utils/ip-address.ts';
import { pageQuery } from '../utils/page.ts';

export const ipRuleId = z.strictObject({ id });

/** An address or a network, as the database keeps it. */
export const network = z
  .string()
  .trim()
  .max(60)
  .transform((typed, check) => {
    const parsed = parseNetwork(typed);
    if ('network' in parsed) return parsed.network;
    check.addIssue({ code: 'custom', message: parsed.problem });
    return z.NEVER;
  })
  .pipe(z.string())
  .meta({ description: 'An address, or a network in CIDR whose host bits are zero', example: '203.0.113.0/24' });

const effect = z.enum(IpRuleEffect).meta({ description: 'A denial beats an allowance', example: 'DENY' });
const audience = z
  .enum(IpRuleAudience)
  .meta({ description: 'ADMINS: portal admins and their API keys', example: 'ADMINS' });
const note = text(200, 3).meta({ description: 'What the rule is for', example: 'Scans us every night' });

const shutsEverybodyOut = (rule: { effect: IpRuleEffect; network: string }) =>
  rule.effect === 'DENY' && rule.network.endsWith('/0');

export const createIpRuleBody = z
  .strictObject({
    effect,
    audience,
    network,
    note,
    expiresAt: moment.nullable().default(null).meta({ description: 'From then on it no longer holds', example: null }),
  })
  .refine((rule) => !shutsEverybodyOut(rule), { message: 'must not be every address there is', path: ['network'] })
  .meta({
    id: 'CreateIpRule',
    example: { effect: 'DENY', audience: 'EVERYONE', network: '198.51.100.0/24', note: 'Scans us every night' },
  });

export const listIpRulesQuery = pageQuery(['createdAt'])
  .omit({ sort: true })
  .extend({
    effect: effect.optional(),
    audience: audience.optional(),
    current: z
      .enum(['true', 'false'])
      .optional()
      .meta({ description: 'Only those that hold now, or only those that are over', example: 'true' }),
  });

export const ipRule = z
  .object({
    id,
    effect,
    audience,
    network: z.string().meta({ example: '203.0.113.0/24' }),
    note: z.string().meta({ example: 'The office in Kota' }),
    createdById: z.string().nullable().meta({ example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    createdAt: isoDate,
    expiresAt: isoDate.nullable(),
  })
  .meta({ id: 'IpRule' });

export const testIpRulesBody = z
  .strictObject({
    address: z
      .string()
      .trim()
      .max(60)
      .transform((typed, check) => {
        const address = normalAddress(typed);
        if (address) return address;
        check.addIssue({ code: 'custom', message: 'must be an address, such as 203.0.113.7 or 2001:db8::7' });
        return z.NEVER;
      })
      .pipe(z.string())
      .meta({ description: 'The address to try', example: '203.0.113.7' }),
  })
  .meta({ id: 'TestIpRules' });

const verdict = z.object({
  allowed: z.boolean().meta({ example: true }),
  because: z.enum(['denied', 'allowed', 'not_on_allow_list', 'no_rule']).meta({
    description: 'A rule denies it; a rule allows it; there are rules that allow, and none of them does; nothing does',
    example: 'no_rule',
  }),
  rule: ipRule.nullable().meta({ description: 'The rule that decided', example: null }),
});

export const ipRulesVerdict = z
  .object({
    address: z.string().meta({ example: '203.0.113.7' }),
    admins: verdict.meta({ description: 'For portal admins and their API keys' }),
    everyone: verdict.meta({ description: 'For everybody else' }),
  })
  .meta({ id: 'IpRulesVerdict' });
