import cuid from '@bugsnag/cuid';
import { z } from 'zod';

/** An id of the shape that Prisma gives, for rows that are written in SQL. */
export const newId = (): string => cuid();

/** Only this shape reaches the database: `c` and 24 lower-case letters or digits. */
export const idPattern = /^c[a-z0-9]{24}$/;

export const id = z
  .string()
  .regex(idPattern, 'must be an id: c and 24 lower-case letters or digits')
  .meta({ description: 'Id', example: 'cm3k8v1x40000qp2h9d7f5a6b' });
