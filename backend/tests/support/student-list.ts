import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';

// A list of students as a library keeps it, with mistakes of every kind.

const headings = [
  'Name',
  'Mobile No.',
  'Email',
  'DOB',
  'Roll No',
  'Type',
  'Branch',
  'Course',
  "Father's Name",
  "Father's Mobile",
];
type Student = Record<(typeof headings)[number], string>;

/** The kinds of mistakes, and what is said of them. */
export const badKinds = {
  'missing name': /^Name is missing/,
  'no phone and email': /^Mobile No\. is missing: give an email address or a phone number/,
  'bad phone': /^Mobile No\. must be a phone number/,
  'cut phone': /^Mobile No\. was cut by the spreadsheet/,
  'bad email': /^Email must be an email address/,
  'email twice': /^Email (is the email of row 2 already|belongs to another account)/,
  'email taken': /^Email belongs to another account/,
  'same person': /^Mobile No\. comes with the same name/,
  'bad date': /^DOB is a day that there is not/,
  'born in the future': /^DOB must not lie in the future/,
  'minor without guardian': /^Father's Name is missing: a student under 18 needs a guardian/,
  'unknown library': /^Branch is no library of this tenant/,
  'unknown kind': /^Type must be Student, Parent or Staff/,
  'number taken': /^Roll No is the number of/,
  'too long': /^Name must have at most 120 characters/,
  'control characters': /^Name must not contain control characters/,
} as const;
export type BadKind = keyof typeof badKinds;
const kinds = Object.keys(badKinds) as BadKind[];

const firstNames = ['Ravi', 'Asha', 'मीरा', 'Vikram', 'Sunita', 'अर्जुन', 'Kavita', 'Deepak'];

function student(index: number): Student {
  const isMinor = index % 3 === 0;
  return {
    Name: `${firstNames[index % firstNames.length]} Kumar ${index}`,
    'Mobile No.': String(9_800_000_000 + index * 7),
    Email: index % 2 === 0 ? `student-${index}@kota.example` : '',
    DOB: isMinor ? `${1 + (index % 28)}/0${1 + (index % 9)}/2012` : `200${index % 6}-0${1 + (index % 9)}-15`,
    'Roll No': `R-${index}`,
    Type: index % 5 === 0 ? 'Student' : '',
    Branch: '',
    Course: 'NEET',
    "Father's Name": isMinor ? `Father of ${index}` : '',
    "Father's Mobile": isMinor ? String(9_700_000_000 + index * 7) : '',
  };
}

const spoil: Record<BadKind, (student: Student, first: Student, taken: string) => Partial<Student>> = {
  'missing name': () => ({ Name: '' }),
  'no phone and email': () => ({ 'Mobile No.': '', Email: '' }),
  'bad phone': () => ({ 'Mobile No.': '12345' }),
  'cut phone': () => ({ 'Mobile No.': '9.82901E+09' }),
  'bad email': () => ({ Email: 'ravi at kota' }),
  'email twice': (_, first) => ({ Email: (first.Email ?? '').toUpperCase() }),
  'email taken': (_, _first, taken) => ({ Email: taken }),
  'same person': (_, first) => ({ Name: first.Name ?? '', 'Mobile No.': `+91 ${first['Mobile No.']}` }),
  'bad date': () => ({ DOB: '31/02/2009' }),
  'born in the future': () => ({ DOB: '01/01/2190' }),
  'minor without guardian': () => ({ DOB: '01/01/2013', "Father's Name": '', "Father's Mobile": '' }),
  'unknown library': () => ({ Branch: 'Nowhere' }),
  'unknown kind': () => ({ Type: 'Wizard' }),
  'number taken': (_, first) => ({ 'Roll No': first['Roll No'] ?? '' }),
  'too long': () => ({ Name: 'x'.repeat(121) }),
  'control characters': () => ({ Name: 'Ravi\u0007Kumar' }),
};

/**
 * A file of so many students, of whom some are wrong, spread over the whole of it and never the first one.
 * @param taken an email that belongs to somebody already
 */
export function listOfStudents(rows: number, badRows: number, taken: string) {
  const every = Math.floor(rows / badRows);
  const first = student(0);
  const bad: { number: number; kind: BadKind }[] = [];
  let parents = 0;
  const list = Array.from({ length: rows }, (_, index) => {
    const made = student(index);
    if (index % every === every - 1 && bad.length < badRows) {
      const kind = kinds[bad.length % kinds.length] ?? 'missing name';
      bad.push({ number: index + 2, kind });
      return { ...made, ...spoil[kind](made, first, taken) };
    }
    if (made["Father's Name"]) parents += 1;
    return made;
  });
  const records = list.map((made) => headings.map((heading) => made[heading] ?? ''));
  return { csv: stringify([headings, ...records], { bom: true, record_delimiter: 'windows' }), bad, parents };
}

let serial = 0;

/** What somebody does with the file of bad rows: corrects each cell that the last column names. */
export function correct(errorFile: string): string {
  const [names = [], ...rows] = parse(errorFile, { bom: true, relax_quotes: true });
  const corrected = rows.map((cells) => {
    serial += 1;
    const right = student(1_000_000 + serial * 2 + 1);
    return names.map((heading, index) => right[heading] ?? cells[index] ?? '');
  });
  return `\uFEFF${stringify([names, ...corrected])}`;
}
