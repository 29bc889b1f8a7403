import { z } from 'zod';
import { GuardianRelation, PersonKind } from '../generated/prisma/enums.ts';
import { email, phone, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { dayInIndia } from '../utils/india-time.ts';

// What can be said of a person of a library: the same whether they are added one by one or come in a file.

const name = text(120, 2).meta({ description: 'Full name, in any script', example: 'Ravi Kumar' });

/** A day in a request, `YYYY-MM-DD`. */
const day = z.iso
  .date('must be a day such as 2009-04-17')
  .refine((value) => value >= '1900-01-01' && value <= '2999-12-31', 'must lie between the years 1900 and 2999');

export const personKind = z
  .enum(PersonKind)
  .meta({ description: 'What the person is to the library', example: 'STUDENT' });

export const relation = z
  .enum(GuardianRelation)
  .meta({ description: 'What the guardian is to the student', example: 'MOTHER' });

export const unreachable = 'is missing: give an email address or a phone number';
export const reachable = { message: unreachable, path: ['phone'] };
export const isReachable = (person: {
  email?: string | null | undefined;
  phone?: string | null | undefined;
}): boolean => Boolean(person.email ?? person.phone);

/**
 * A guardian who is there already, by id alone; or one to be found by phone or email and name, and added where there is
 * none.
 */
export const guardian = z
  .strictObject({
    id: id.optional().meta({ description: 'A parent who is there already; then nothing else but the relation' }),
    name: name.optional(),
    phone: phone.optional(),
    email: email.optional(),
    relation,
  })
  .superRefine((named, check) => {
    const refuse = (field: string, message: string) => check.addIssue({ code: 'custom', path: [field], message });
    if (named.id === undefined) {
      if (named.name === undefined) refuse('name', 'is missing: give the name, or the id of a parent who is there');
      else if (!isReachable(named)) refuse('phone', unreachable);
      return;
    }
    for (const field of ['name', 'phone', 'email'] as const) {
      if (named[field] !== undefined) refuse(field, 'is not for a parent who is named by id');
    }
  })
  .meta({ id: 'GuardianInput', example: { name: 'Sunita Kumar', phone: '+919829054322', relation: 'MOTHER' } });

export const personProfile = {
  name,
  email: email.nullable().optional(),
  phone: phone.nullable().optional(),
  dateOfBirth: day
    .refine((value) => value <= dayInIndia(new Date()), 'must not lie in the future')
    .nullable()
    .optional()
    .meta({ description: 'A student under 18 needs a guardian', example: '2009-04-17' }),
  libraryId: id.nullable().optional().meta({ description: 'The library where they sit or work' }),
  memberNumber: text(40)
    .nullable()
    .optional()
    .meta({ description: "Their number in the library's own register", example: 'KOTA-0187' }),
  joinedOn: day.nullable().optional().meta({ description: 'Day in India', example: '2026-07-01' }),
  course: text(80).nullable().optional().meta({ description: 'What a student prepares for', example: 'NEET' }),
  jobTitle: text(80).nullable().optional().meta({ description: 'What a member of staff does', example: 'Front desk' }),
  marketingConsent: z
    .boolean()
    .optional()
    .meta({ description: 'Whether they agreed to be written to for marketing', example: false }),
};

const guardians = z.array(guardian).max(4).optional().meta({ description: 'Of a student' });

type OfKind = {
  kind: PersonKind;
  course?: unknown;
  jobTitle?: unknown;
  guardians?: unknown[] | undefined;
};

/** Which facts only people of one kind have. @returns the fields that do not fit */
export function fieldsOfOtherKinds({ kind, course, jobTitle, guardians: named }: OfKind) {
  return [
    course && kind !== 'STUDENT' && { field: 'course', message: 'is for students only' },
    jobTitle && kind !== 'STAFF' && { field: 'jobTitle', message: 'is for staff only' },
    named && named.length > 0 && kind !== 'STUDENT' && { field: 'guardians', message: 'are for students only' },
  ].filter((problem): problem is { field: string; message: string } => Boolean(problem));
}

/** One person to be added: what `addPeople` takes. */
export const personDraft = z
  .strictObject({ kind: personKind, ...personProfile, guardians })
  .refine(isReachable, reachable)
  .superRefine((draft, check) => {
    for (const { field, message } of fieldsOfOtherKinds(draft)) {
      check.addIssue({ code: 'custom', path: [field], message });
    }
  })
  .meta({ id: 'PersonDraft' });

export type PersonDraft = z.output<typeof personDraft>;
export type GuardianInput = z.output<typeof guardian>;
