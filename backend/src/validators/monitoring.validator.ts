import { z } from 'zod';

export const live = z.object({ status: z.literal('live').meta({ example: 'live' }) }).meta({ id: 'Live' });
export const ready = z.object({ status: z.literal('ready').meta({ example: 'ready' }) }).meta({ id: 'Ready' });
