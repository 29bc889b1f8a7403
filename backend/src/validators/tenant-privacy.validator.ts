import { z } from 'zod';
import { PrivacyRequestStatus, PrivacyRequestType } from '../generated/prisma/enums.ts';
import { isoDate, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';

export const privacyRequestId = z.strictObject({ id, requestId: id });

const type = z.enum(PrivacyRequestType).meta({ description: 'What they ask for', example: 'ERASURE' });
const status = z.enum(PrivacyRequestStatus).meta({ example: 'OPEN' });
const resolution = text(2000, 5).meta({
  description: 'What was done, or why not; the person is told this',
  example: 'Her date of birth was corrected to 14 March 2009.',
});

export const privacySortColumns = ['createdAt', 'dueAt'] as const;
export const listPrivacyRequestsQuery = pageQuery(privacySortColumns).extend({
  type: type.optional(),
  status: status.optional(),
  overdue: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .meta({ description: 'Not answered in time, and still not', example: 'true' }),
});

export const createPrivacyRequestBody = z
  .strictObject({
    type,
    subjectId: id.meta({ description: 'Whom it is about: somebody of this library' }),
    details: text(2000, 5).meta({
      description: 'What they ask for, in their words',
      example: 'Please remove everything that you know of me.',
    }),
  })
  .meta({ id: 'CreatePrivacyRequest' });

export const updatePrivacyRequestBody = z
  .strictObject({
    status: z.enum(['IN_PROGRESS', 'COMPLETED', 'REJECTED']).meta({
      description: 'Completing an erasure removes the data; completing an access request has the file made',
      example: 'COMPLETED',
    }),
    resolution: resolution.optional().meta({ description: 'Needed to reject, and to complete a correction' }),
  })
  .meta({ id: 'UpdatePrivacyRequest' });

const person = z.object({ id: z.string(), name: z.string() });

export const privacyRequest = z
  .object({
    id,
    type,
    status,
    subject: person.meta({ example: { id: 'cm3k8v1x40002qp2h9d7f5a6b', name: 'Ravi Kumar' } }),
    details: z.string().meta({ example: 'Please remove everything that you know of me.' }),
    dueAt: isoDate.meta({ description: 'To be answered by then' }),
    overdue: z.boolean().meta({ example: false }),
    resolution: z.string().nullable().meta({ example: null }),
    exportId: z
      .string()
      .nullable()
      .meta({ description: 'The file of an access request that is completed', example: null }),
    requestedBy: person.meta({
      description: 'Who noted it down',
      example: { id: 'cm3k8v1x40000qp2h9d7f5a6b', name: 'Meera Sharma' },
    }),
    handledByName: z.string().nullable().meta({ example: null }),
    version: z.number().int().meta({ description: 'Send it back as If-Match when you work on it', example: 1 }),
    createdAt: isoDate,
    updatedAt: isoDate,
    resolvedAt: isoDate.nullable(),
  })
  .meta({ id: 'PrivacyRequest' });
