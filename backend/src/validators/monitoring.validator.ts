import { z } from 'zod';
import { fileOf } from '../utils/file-answer.ts';

export const live = z.object({ status: z.literal('live').meta({ example: 'live' }) }).meta({ id: 'Live' });
export const ready = z.object({ status: z.literal('ready').meta({ example: 'ready' }) }).meta({ id: 'Ready' });

export const metricsText = fileOf('text/plain; version=0.0.4; charset=utf-8');
