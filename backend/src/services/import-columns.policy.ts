import { invalidField } from '../utils/errors.ts';
import { badFile, MAX_COLUMNS, MAX_HEADING_LENGTH } from './import-sheet.ts';

// Which column of a file stands for what, by its heading in English or Hindi.

/** What a column can hold, and what stands above it in the template. */
export const importFields = {
  name: 'Name',
  kind: 'Kind',
  phone: 'Phone',
  email: 'Email',
  dateOfBirth: 'Date of birth',
  library: 'Library',
  memberNumber: 'Member number',
  joinedOn: 'Joined on',
  course: 'Course',
  jobTitle: 'Job title',
  marketingConsent: 'Marketing consent',
  guardianName: 'Guardian name',
  guardianPhone: 'Guardian phone',
  guardianEmail: 'Guardian email',
  guardianRelation: 'Guardian relation',
  fatherName: 'Father name',
  fatherPhone: 'Father phone',
  fatherEmail: 'Father email',
  motherName: 'Mother name',
  motherPhone: 'Mother phone',
  motherEmail: 'Mother email',
} as const;

export type ImportField = keyof typeof importFields;
export const importFieldNames = Object.keys(importFields) as [ImportField, ...ImportField[]];
export const dateFields: ReadonlySet<ImportField> = new Set(['dateOfBirth', 'joinedOn']);

/** Above the last column of the file of bad rows; a file that is imported again may still have it. */
export const REASONS_HEADING = 'What is wrong';

export type Layout = {
  columns: string[];
  /** Where in a row of the file each column is. */
  places: number[];
  /** How many headings the file has, those that are left out included. */
  width: number;
};

/** @throws AppError validation_failed for headings by which columns cannot be told apart */
export function layoutOf(headings: string[]): Layout {
  if (headings.length > MAX_COLUMNS + 1) throw badFile(`has more than ${MAX_COLUMNS} columns`);
  const seen = new Set<string>();
  const layout: Layout = { columns: [], places: [], width: headings.length };
  for (const [place, heading] of headings.entries()) {
    if (!heading) throw badFile(`has no heading above column ${columnName(place)}: add one, or remove the column`);
    if (heading.length > MAX_HEADING_LENGTH) {
      throw badFile(`has a heading of more than ${MAX_HEADING_LENGTH} characters above column ${columnName(place)}`);
    }
    if (heading === REASONS_HEADING) continue;
    if (seen.has(plain(heading))) throw badFile(`has the heading “${heading}” twice: rename one of them`);
    seen.add(plain(heading));
    layout.columns.push(heading);
    layout.places.push(place);
  }
  if (layout.columns.length > MAX_COLUMNS) throw badFile(`has more than ${MAX_COLUMNS} columns`);
  return layout;
}

/** `A` for the first. */
const columnName = (place: number): string =>
  (place >= 26 ? columnName(Math.floor(place / 26) - 1) : '') + String.fromCodePoint(65 + (place % 26));

/** Without case, marks and spaces around: `Father's  Name*` is `fathers name`. */
const plain = (heading: string): string =>
  heading
    .normalize('NFKC')
    .toLowerCase()
    .replace(/['’.]/g, '')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();

/** Words with commas between them. */
const listed = (spelled: string): string[] => spelled.trim().split(/,\s*/);

const words = {
  name: ['name', 'naam', 'नाम', 'का नाम'],
  phone: listed(`
    phone, phone no, phone number, mobile, mobile no, mobile number, mob, mob no, contact,
    contact no, contact number, cell, whatsapp, whatsapp no, whatsapp number, मोबाइल, मोबाइल नंबर,
    मोबाइल नम्बर, मोबाइल न, फोन, फोन नंबर, फ़ोन, फ़ोन नंबर, संपर्क, सम्पर्क, संपर्क नंबर, दूरभाष`),
  email: ['email', 'e mail', 'email id', 'e mail id', 'email address', 'mail', 'mail id', 'ईमेल', 'ई मेल', 'ईमेल आईडी'],
};

const people = {
  guardian: ['guardian', 'guardians', 'parent', 'parents', 'अभिभावक'],
  father: ['father', 'fathers', 'papa', 'पिता'],
  mother: ['mother', 'mothers', 'मम्मी', 'माता', 'माँ'],
};

const guardianSynonyms = (who: keyof typeof people, what: keyof typeof words): string[] => {
  const joined = people[who].flatMap((person) =>
    words[what].flatMap((word) => [`${person} ${word}`, `${person} का ${word}`, `${person} जी का ${word}`]),
  );
  // A bare “Father” is his name; a bare “Parents” may be a list.
  return what === 'name'
    ? [...joined, ...people[who].filter((person) => !/^(guardian|parent)s$/.test(person))]
    : joined;
};

const synonyms: Record<ImportField, readonly string[]> = {
  name: listed(`
    name, full name, naam, student name, students name, name of student, student, candidate name,
    person name, member name, नाम, पूरा नाम, छात्र का नाम, विद्यार्थी का नाम, छात्र, विद्यार्थी`),
  kind: ['kind', 'type', 'person type', 'user type', 'role', 'प्रकार'],
  phone: [...words.phone, ...words.phone.map((word) => `student ${word}`)],
  email: [...words.email, ...words.email.map((word) => `student ${word}`)],
  dateOfBirth: listed(`
    date of birth, dob, d o b, birth date, birthdate, birthday, born on, born, जन्म तिथि, जन्मतिथि,
    जन्म दिनांक, जन्मदिनांक, जन्म तारीख, जन्मदिन`),
  library: listed(`
    library, library name, branch, branch name, centre, center, reading hall, reading room,
    पुस्तकालय, लाइब्रेरी, शाखा`),
  memberNumber: listed(`
    member number, member no, member id, membership number, membership no, membership id,
    registration number, registration no, reg no, roll number, roll no, admission number,
    admission no, enrolment no, enrollment no, student id, id number, id no, सदस्य संख्या,
    सदस्यता संख्या, पंजीकरण संख्या, रोल नंबर, क्रमांक`),
  joinedOn: listed(`
    joined on, joined, joining date, date of joining, doj, join date, admission date,
    date of admission, start date, प्रवेश तिथि, शामिल होने की तिथि, प्रवेश दिनांक`),
  course: ['course', 'exam', 'preparing for', 'preparation', 'class', 'stream', 'कोर्स', 'पाठ्यक्रम', 'परीक्षा', 'कक्षा'],
  jobTitle: ['job title', 'designation', 'position', 'post', 'पद'],
  marketingConsent: ['marketing consent', 'consent', 'marketing', 'offers', 'promotions', 'सहमति'],
  guardianName: guardianSynonyms('guardian', 'name'),
  guardianPhone: guardianSynonyms('guardian', 'phone'),
  guardianEmail: guardianSynonyms('guardian', 'email'),
  guardianRelation: listed(`
    guardian relation, relation, relationship, relation with student, guardian relationship,
    parent relation, संबंध, सम्बन्ध, रिश्ता`),
  fatherName: guardianSynonyms('father', 'name'),
  fatherPhone: guardianSynonyms('father', 'phone'),
  fatherEmail: guardianSynonyms('father', 'email'),
  motherName: guardianSynonyms('mother', 'name'),
  motherPhone: guardianSynonyms('mother', 'phone'),
  motherEmail: guardianSynonyms('mother', 'email'),
};

const fieldOfHeading = new Map<string, ImportField>(
  importFieldNames
    .toReversed()
    .flatMap((field) => [...synonyms[field], importFields[field], field].map((heading) => [plain(heading), field])),
);

/** What is said of single headings: a field, or null for a column that is left out. */
export type MappingWish = Readonly<Record<string, ImportField | null>>;
export type Mapping = Record<string, ImportField>;

/**
 * Which field each column stands for: as it is wished, else as its heading says.
 * @returns the columns that are imported, and what the sender ought to know of the others
 * @throws AppError validation_failed for a wish that does not fit the file, or when there is no column with names
 */
export function mappingOf(
  columns: readonly string[],
  wish: MappingWish = {},
): { mapping: Mapping; warnings: string[] } {
  const unknown = Object.keys(wish).find((heading) => !columns.includes(heading));
  if (unknown !== undefined) throw badMapping(`names the heading “${unknown}”, which the file does not have`);
  const taken = new Map<ImportField, string>();
  const warnings: string[] = [];
  for (const heading of columns) {
    const field = Object.hasOwn(wish, heading) ? wish[heading] : undefined;
    if (!field) continue;
    if (taken.has(field)) throw badMapping(`gives the field ${field} to two columns`);
    taken.set(field, heading);
  }
  for (const heading of columns) {
    if (Object.hasOwn(wish, heading)) continue;
    const field = fieldOfHeading.get(plain(heading));
    if (field && !taken.has(field)) taken.set(field, heading);
    else {
      warnings.push(
        field
          ? `The column “${heading}” is not imported: “${taken.get(field)}” stands for the same already.`
          : `The column “${heading}” is not imported: no field is known by that heading.`,
      );
    }
  }
  warnings.push(...leaveOutNamesAlone(taken));
  if (!taken.has('name')) throw badFile('has no column for names: call it Name, or say in mapping which one it is');
  return { mapping: Object.fromEntries([...taken].map(([field, heading]) => [heading, field])), warnings };
}

/** Nobody can be added as a guardian of whom a file knows but the name. */
function leaveOutNamesAlone(taken: Map<ImportField, string>): string[] {
  const warnings: string[] = [];
  for (const who of ['guardian', 'father', 'mother'] as const) {
    const heading = taken.get(`${who}Name`);
    if (heading === undefined || taken.has(`${who}Phone`) || taken.has(`${who}Email`)) continue;
    taken.delete(`${who}Name`);
    warnings.push(
      `The column “${heading}” is not imported: a guardian needs a column with a phone or an email as well.`,
    );
  }
  return warnings;
}

const badMapping = (message: string) => invalidField('mapping', message);
