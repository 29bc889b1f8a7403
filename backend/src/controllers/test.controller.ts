import type { z } from 'zod';
import * as clock from '../services/clock.service.ts';
import type { Actor, ManualContext } from '../types/context.ts';
import type { advanceClockBody } from '../validators/test.validator.ts';

const DAY_SECONDS = 86_400;

export const getClock = async () => clock.getClock();

export const advanceClock = (ctx: ManualContext<Actor>, { body }: { body: z.output<typeof advanceClockBody> }) => {
  const { days = 0, hours = 0, minutes = 0, to } = body;
  return clock.advanceClock(ctx, to ? { to } : { seconds: days * DAY_SECONDS + hours * 3_600 + minutes * 60 });
};
