import { z } from 'zod';
import type { PersonKind, UserStatus } from '../generated/prisma/enums.ts';
import { isoDate } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';

const count = (description: string) => z.number().int().meta({ description, example: 12 });
const ratio = (description: string) => z.number().nullable().meta({ description, example: 0.85 });

const ofKind = (kind: string) =>
  z
    .object({
      total: count('All of them'),
      ACTIVE: count('May sign in'),
      INACTIVE: count('Deactivated'),
      SUSPENDED: count('Suspended'),
      PENDING: count('Have not set a password yet'),
    } satisfies Record<UserStatus | 'total', z.ZodType>)
    .meta({ description: kind });

const month = z.object({
  month: z.string().meta({ description: 'Month in India', example: '2026-08' }),
  unfinished: z.boolean().meta({ description: 'Whether it goes on', example: false }),
  added: count('People who were added in it and are still there'),
  students: count('Students among them'),
  total: count('People at its end who are still there'),
  growthRate: ratio('Those added, of those who were there before; null where nobody was'),
});

const library = z.object({
  id,
  name: z.string().meta({ example: 'Talwandi branch' }),
  seats: count('Seats'),
  students: count('Students who sit there; not those who were deactivated'),
  occupancy: ratio('Students by seats; above 1 where seats are shared, null without seats'),
});

export const tenantAnalytics = z
  .object({
    asOf: isoDate.meta({ description: 'When this was counted, at most an hour ago' }),
    people: z.object({
      total: count('All people'),
      byKind: z.object({
        OWNER: ofKind('Owners'),
        STAFF: ofKind('Staff'),
        STUDENT: ofKind('Students'),
        PARENT: ofKind('Parents'),
      } satisfies Record<PersonKind, z.ZodType>),
      activeLast7Days: count('Signed in, or used a session, within 7 days'),
      activeLast30Days: count('The same within 30 days'),
    }),
    growth: z.array(month).meta({ description: 'The last twelve months, the oldest first' }),
    courses: z
      .object({
        top: z.array(
          z.object({
            course: z.string().meta({ description: 'What they prepare for', example: 'NEET' }),
            students: count('Students'),
          }),
        ),
        others: count('Students of all other courses'),
        unknown: count('Students who have not told'),
      })
      .meta({ description: 'Students by course, the twenty with most students' }),
    libraries: z.array(library).meta({ description: 'The first hundred by name' }),
    seats: z
      .object({
        libraries: count('Libraries'),
        seats: count('Seats'),
        students: count('Students; not those who were deactivated'),
        unassigned: count('Students without a library'),
        occupancy: ratio('Students with a library by seats; null without seats'),
      })
      .meta({ description: 'All libraries together' }),
  })
  .meta({ id: 'TenantAnalytics' });
