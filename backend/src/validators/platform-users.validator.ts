import { z } from 'zod';
import { GuardianRelation, PersonKind, UserStatus } from '../generated/prisma/enums.ts';
import { isoDate, moment, search, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';
import { personDraft, personKind, personProfile } from './people.validator.ts';

export const personId = z.strictObject({ id });

const status = z.enum(UserStatus).meta({
  description: 'State of the account. PENDING: invited, and has not chosen a password yet',
  example: 'ACTIVE',
});
const reason = text(500, 5).meta({
  description: 'Why; it is kept in the audit trail',
  example: 'Has left the library',
});

/** What every list of people is filtered by, an export of it too. */
export const peopleFilters = {
  tenantId: id.optional().meta({ description: 'People of this tenant; for portal admins, who see all of them' }),
  status: status.optional(),
  libraryId: id.optional().meta({ description: 'Where they sit or work' }),
  createdFrom: moment.optional().meta({ description: 'Added then or later' }),
  createdTo: moment.optional().meta({ description: 'Added before' }),
  q: search.optional().meta({
    description:
      'All words of it are found: as part of name, email, phone or number, or as the name sounds in either script',
    example: 'meera',
  }),
};
/** What students are filtered by besides. */
export const studentFilters = {
  course: text(80).optional().meta({ description: 'Course, whatever its case', example: 'NEET' }),
  minor: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .meta({ description: 'Those who are under 18 today in India, or all others', example: 'true' }),
};

export const personSortColumns = ['createdAt', 'name', 'lastLoginAt'] as const;
const listQuery = pageQuery(personSortColumns);
export const listPeopleQuery = listQuery.extend({
  ...peopleFilters,
  kind: personKind.optional(),
  ...studentFilters,
});
export const listStudentsQuery = listQuery.extend({ ...peopleFilters, ...studentFilters });
export const listPeopleOfKindQuery = listQuery.extend(peopleFilters);

export const createPersonBody = personDraft
  .safeExtend({
    tenantId: id.optional().meta({
      description: 'The tenant they are added to. Portal admins name it here or in x-tenant-id; others leave it out',
    }),
    invite: z.boolean().optional().meta({
      description:
        'Whether they get a mail with a link to choose a password, and are PENDING until then. Default: owners and staff with an email address',
      example: true,
    }),
    allowDuplicate: z.boolean().default(false).meta({
      description: 'Adds the person though somebody of that kind, phone and name is there already',
      example: false,
    }),
  })
  .meta({
    id: 'CreatePerson',
    // Put together from the fields it would be of all kinds at once.
    example: {
      tenantId: 'cm3k8v1x40000qp2h9d7f5a6b',
      kind: 'STUDENT',
      name: 'Ravi Kumar',
      email: 'ravi.kumar@students.example',
      phone: '+919829054321',
      dateOfBirth: '2009-04-17',
      course: 'NEET',
      memberNumber: 'KOTA-0187',
      guardians: [{ name: 'Sunita Kumar', phone: '+919829054322', relation: 'MOTHER' }],
      invite: false,
    },
  });

export const updatePersonBody = z
  .strictObject(personProfile)
  .partial()
  .refine((body) => Object.keys(body).length > 0, 'give at least one field to change')
  .meta({ id: 'UpdatePerson' });

export const reasonBody = z.strictObject({ reason }).meta({ id: 'PersonReason' });
export const optionalReasonBody = z.strictObject({ reason: reason.optional() }).meta({ id: 'PersonOptionalReason' });

const named = z.object({ id, name: z.string().meta({ example: 'Saraswati Reading Hall' }) });
const day = z.string().nullable();
const count = (description: string) => z.number().int().meta({ description, example: 1 });

const common = {
  id,
  tenant: named.meta({ description: 'The tenant whose people they are' }),
  kind: z.enum(PersonKind).meta({ description: 'What the person is to the library', example: 'STUDENT' }),
  name: z.string().meta({ example: 'Ravi Kumar' }),
  email: z.string().nullable().meta({ example: 'ravi.kumar@students.example' }),
  phone: z.string().nullable().meta({ example: '+919829054321' }),
  status,
  library: named.nullable().meta({ description: 'Where they sit or work' }),
  memberNumber: z
    .string()
    .nullable()
    .meta({ description: "Their number in the library's own register", example: 'KOTA-0187' }),
  lastLoginAt: isoDate.nullable(),
  createdAt: isoDate,
};

const minor = z.boolean().meta({ description: 'Whether they are under 18 today in India', example: true });
const marketingAllowed = z.boolean().meta({
  description: 'Whether they may be written to for marketing: they agreed, and are not under 18',
  example: false,
});
const course = z.string().nullable().meta({ description: 'What a student prepares for', example: 'NEET' });
const jobTitle = z.string().nullable().meta({ description: 'What a member of staff does', example: 'Front desk' });

export const personRow = z.object(common).meta({ id: 'PersonRow' });
export const ownerRow = z.object({ ...common, libraries: count('Libraries of their tenant') }).meta({ id: 'OwnerRow' });
export const studentRow = z
  .object({ ...common, course, minor, marketingAllowed, guardians: count('People who answer for them') })
  .meta({ id: 'StudentRow' });
export const parentRow = z
  .object({ ...common, wards: count('Students for whom they answer') })
  .meta({ id: 'ParentRow' });
export const staffRow = z.object({ ...common, jobTitle }).meta({ id: 'StaffRow' });

const relation = z
  .enum(GuardianRelation)
  .meta({ description: 'What the guardian is to the student', example: 'MOTHER' });
const linked = {
  id,
  relation,
  name: z.string().meta({ example: 'Sunita Kumar' }),
  phone: z.string().nullable().meta({ example: '+919829054322' }),
  email: z.string().nullable().meta({ example: 'sunita.kumar@parents.example' }),
};
const guardians = z
  .array(z.object(linked).meta({ id: 'Guardian' }))
  .meta({ description: 'Who answers for them, the first linked first' });
const wards = z
  .array(z.object({ ...linked, minor }).meta({ id: 'Ward' }))
  .meta({ description: 'The students for whom they answer, at most a hundred' });
const libraries = z
  .array(named.extend({ city: z.string().meta({ example: 'Kota' }) }).meta({ id: 'LibraryOfOwner' }))
  .meta({ description: 'The libraries of their tenant, at most a hundred' });

const whole = {
  ...common,
  joinedOn: day.meta({ description: 'Day in India', example: '2026-07-01' }),
  dateOfBirth: day.meta({ example: '2009-04-17' }),
  minor,
  marketingConsent: z
    .boolean()
    .meta({ description: 'Whether they agreed to be written to for marketing', example: false }),
  marketingAllowed,
  emailVerified: z.boolean().meta({ description: 'Whether they have shown that the address is theirs', example: true }),
  signIn: z.enum(['PASSWORD', 'INVITED', 'NEVER']).meta({
    description: 'PASSWORD: they have one. INVITED: they have yet to choose one. NEVER: they have none',
    example: 'PASSWORD',
  }),
  version: z.number().int().meta({ description: 'Send it back as If-Match when you change the person', example: 1 }),
  updatedAt: isoDate,
};

export const person = z
  .object({
    ...whole,
    course,
    jobTitle,
    guardians: guardians.nullable().meta({ description: 'Of a student; else null' }),
    wards: wards.nullable().meta({ description: 'Of a parent: their students; else null' }),
    libraries: libraries.nullable().meta({ description: 'Of an owner: the libraries of the tenant; else null' }),
  })
  .meta({ id: 'Person' });
export const owner = z.object({ ...whole, libraries }).meta({ id: 'Owner' });
export const student = z.object({ ...whole, course, guardians }).meta({ id: 'Student' });
export const parent = z.object({ ...whole, wards }).meta({ id: 'Parent' });
export const staffMember = z.object({ ...whole, jobTitle }).meta({ id: 'StaffMember' });
