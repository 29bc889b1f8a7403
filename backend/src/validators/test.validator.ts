import { z } from 'zod';
import { sandboxOutcomes } from '../providers/payment-gateway-sandbox-outcomes.ts';
import { isoDate, moment } from '../utils/fields.ts';

export const completeMandateBody = z
  .strictObject({
    outcome: z
      .enum([...sandboxOutcomes, 'rejected'])
      .default('success')
      .meta({ description: 'How charges will end; rejected: the payer says no', example: 'success' }),
  })
  .meta({ id: 'CompleteMandate' });

export const payLinkBody = z
  .strictObject({
    outcome: z
      .enum(sandboxOutcomes)
      .default('success')
      .meta({ description: 'How the payment ends', example: 'success' }),
  })
  .meta({ id: 'PayLink' });

export const played = z
  .object({ delivered: z.number().int().meta({ description: 'Webhooks that were taken', example: 4 }) })
  .meta({ id: 'SandboxPlayed' });

const MOST_DAYS = 3_660;
const whole = (most: number, description: string) =>
  z.number().int().min(0).max(most).optional().meta({ description, example: 1 });

export const advanceClockBody = z
  .strictObject({
    days: whole(MOST_DAYS, 'Days to set it ahead'),
    hours: whole(24 * 31, 'Hours, on top'),
    minutes: whole(60 * 24, 'Minutes, on top'),
    to: moment.optional().meta({ description: 'The moment to set it to, instead', example: '2027-04-01' }),
  })
  .refine(({ days, hours, minutes, to }) => (to === undefined) !== ((days ?? hours ?? minutes) === undefined), {
    message: 'is needed: either `to`, or days, hours and minutes',
    path: ['to'],
  })
  .meta({ id: 'ClockAdvance', example: { days: 30 } });

export const clock = z
  .object({
    now: isoDate.meta({ description: 'What requests and jobs take for the time' }),
    offsetSeconds: z.number().int().meta({ description: 'How far it is ahead of the real one', example: 2_592_000 }),
  })
  .meta({ id: 'Clock' });
