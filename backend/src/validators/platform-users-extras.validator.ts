import { z } from 'zod';
import { AuditOutcome, PersonKind, SignInMethod, type UserStatus } from '../generated/prisma/enums.ts';
import { exportColumnNames } from '../services/people-export-columns.ts';
import { isoDate } from '../utils/fields.ts';
import { fileOf } from '../utils/file-answer.ts';
import { id } from '../utils/ids.ts';
import { cursor, pageQuery } from '../utils/page.ts';
import { personKind, relation } from './people.validator.ts';
import { peopleFilters, studentFilters } from './platform-users.validator.ts';

// What is done with people beside their list: guardians, what they did, counts, exports.

export const guardianOfStudent = z.strictObject({ id, guardianId: id });

export const studentGuardians = z
  .object({
    studentId: id,
    minor: z.boolean().meta({ description: 'Whether the student is under 18 today in India', example: true }),
    guardians: z
      .array(
        z.object({
          id,
          relation,
          name: z.string().meta({ example: 'Sunita Kumar' }),
          phone: z.string().nullable().meta({ example: '+919829054322' }),
          email: z.string().nullable().meta({ example: 'sunita.kumar@parents.example' }),
          linkedAt: isoDate.meta({ description: 'Since when they answer for the student' }),
        }),
      )
      .meta({ description: 'Who answers for the student, the first linked first' }),
  })
  .meta({ id: 'StudentGuardians' });

export const activityQuery = pageQuery(['createdAt'])
  .omit({ sort: true, order: true })
  .extend({ cursor: cursor.optional() });

const namedPerson = z.object({ id: z.string().nullable(), name: z.string().nullable() });

export const personActivity = z
  .object({
    id,
    action: z.string().meta({ description: 'What was done', example: 'users.update' }),
    direction: z.enum(['BY_PERSON', 'IN_THEIR_NAME', 'TO_PERSON']).meta({
      description:
        'BY_PERSON: they did it. IN_THEIR_NAME: somebody who acted as them, or a key of theirs. TO_PERSON: it was done to them',
      example: 'TO_PERSON',
    }),
    actor: namedPerson.extend({ type: z.string().meta({ example: 'USER' }) }).meta({
      description: 'Who did it; nobody when it was the system',
      example: { id: 'cm3k8v1x40000qp2h9d7f5a6b', name: 'Asha Menon', type: 'USER' },
    }),
    resource: z.string().meta({ example: 'user' }),
    resourceId: z.string().nullable().meta({ example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    outcome: z.enum(AuditOutcome).meta({ example: 'SUCCESS' }),
    ipAddress: z
      .string()
      .nullable()
      .meta({ description: 'From where; only of what the person did themselves', example: '203.0.113.7' }),
    device: z
      .string()
      .nullable()
      .meta({ description: 'On what; only of what the person did themselves', example: 'Chrome on Windows' }),
    session: z
      .object({
        method: z.enum(SignInMethod).meta({ description: 'How they proved who they are', example: 'PASSWORD' }),
        mfa: z.boolean().meta({ description: 'Whether a second factor took part', example: false }),
        country: z.string().nullable().meta({ description: 'ISO 3166-1, as far as the address tells', example: 'IN' }),
        lastSeenAt: isoDate.meta({ description: 'When it last signed in or refreshed' }),
        endedAt: isoDate.nullable().meta({ description: 'Null while it is live' }),
      })
      .nullable()
      .meta({ description: 'Of a sign-in, for a month after the session ended' }),
    createdAt: isoDate.meta({ description: 'To the microsecond', example: '2026-08-11T06:30:00.123456Z' }),
  })
  .meta({ id: 'PersonActivity' });

export const analyticsQuery = z.strictObject({ tenantId: peopleFilters.tenantId });

const count = (description: string) => z.number().int().meta({ description, example: 12 });
const byStatus = z.object({
  ACTIVE: count('May sign in'),
  INACTIVE: count('Deactivated'),
  SUSPENDED: count('Suspended'),
  PENDING: count('Invited'),
} satisfies Record<UserStatus, z.ZodType>);
const byKind = {
  OWNER: count('Owners'),
  STAFF: count('Staff'),
  STUDENT: count('Students'),
  PARENT: count('Parents'),
} satisfies Record<PersonKind, z.ZodType>;

export const peopleAnalytics = z
  .object({
    countedAt: isoDate.meta({ description: 'When it was counted: at most an hour ago' }),
    total: count('All people'),
    byStatus,
    byKind: z.array(z.object({ kind: z.enum(PersonKind), total: count('Of this kind'), byStatus })),
    growth: z
      .array(
        z.object({
          month: z.string().meta({ description: 'Month in India', example: '2026-08' }),
          unfinished: z.boolean().meta({ description: 'Whether it goes on', example: false }),
          total: count('Added in it'),
          ...byKind,
        }),
      )
      .meta({ description: 'Who was added in each of the last twelve months and is still there, the oldest first' }),
    signedInLast7Days: count('Signed in within 7 days'),
    signedInLast30Days: count('Signed in within 30 days'),
    minors: count('Students under 18 today in India'),
    marketingAllowed: count('May be written to for marketing: they agreed, and are not under 18'),
    withoutPhone: count('Have no phone number'),
    withoutEmail: count('Have no email address'),
    topTenants: z
      .array(z.object({ id, name: z.string().meta({ example: 'Saraswati Reading Hall' }), people: count('People') }))
      .nullable()
      .meta({ description: 'The twenty with most people; null where the people of one tenant are counted' }),
    byCity: z.object({
      top: z
        .array(
          z.object({
            city: z.string().nullable().meta({ description: 'Null: the tenant has not told', example: 'Kota' }),
            people: count('People'),
          }),
        )
        .meta({ description: 'By the city of the tenant: the twenty with most people' }),
      rest: count('People in all other cities'),
    }),
  })
  .meta({ id: 'PeopleAnalytics' });

/** In JSON, other than in a query, a condition is true or false. */
const exportFilters = {
  ...peopleFilters,
  kind: personKind.optional(),
  course: studentFilters.course,
  minor: z
    .boolean()
    .optional()
    .meta({ description: 'Those who are under 18 today in India, or all others', example: true }),
};

/** As it is kept with the export. */
export const exportWish = z.strictObject({
  ...exportFilters,
  columns: z.array(z.enum(exportColumnNames)).optional(),
});

export const createPeopleExportBody = z
  .strictObject({
    format: z.enum(['CSV', 'XLSX']).meta({ description: 'A table as text, or a workbook', example: 'XLSX' }),
    columns: z
      .array(z.enum(exportColumnNames))
      .min(1)
      .max(exportColumnNames.length)
      .refine((all) => new Set(all).size === all.length, 'must name each column once')
      .optional()
      .meta({ description: 'Which, and in which order; all of them without', example: ['name', 'phone', 'library'] }),
    ...exportFilters,
  })
  .meta({ id: 'CreatePeopleExport' });

export const exportJob = z.strictObject({ jobId: id });

export const peopleFile = fileOf('text/csv', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet');
