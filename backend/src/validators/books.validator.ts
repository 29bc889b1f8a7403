import { z } from 'zod';
import { isoDate } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';

export const listBookChecksQuery = pageQuery(['checkedAt']);

export const bookCheck = z
  .object({
    id,
    checkedAt: isoDate,
    faults: z.number().int().meta({ description: '0: the books agree', example: 0 }),
    details: z
      .array(z.object({ invariant: z.string(), about: z.string(), found: z.string() }))
      .meta({ description: 'What does not hold, the first hundred', example: [] }),
  })
  .meta({ id: 'BookCheck' });
