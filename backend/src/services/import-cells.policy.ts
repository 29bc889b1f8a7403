import type { GuardianRelation, PersonKind } from '../generated/prisma/enums.ts';
import { serialDay } from './import-numbers.policy.ts';

// What people write into the cells of a list, and what they mean by it.

/** What a cell stands for, or what is wrong with it, to follow the heading of its column. */
export type Read<Value> = { value: Value } | { problem: string };

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const fullMonths = 'january february march april may june july august september october november december'.split(' ');

const monthNamed = (name: string): number => {
  const bare = name.toLowerCase();
  return 1 + (bare === 'sept' ? 8 : Math.max(months.indexOf(bare), fullMonths.indexOf(bare)));
};

const notADay = 'must be a day such as 17/04/2009, 17 Apr 2009 or 2009-04-17';

function dayOf(year: number, month: number, day: number): Read<string> {
  if (month > 12 && day <= 12) return { problem: `has no month ${month}: write the day first, such as 17/04/2009` };
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return { problem: 'is a day that there is not' };
  return { value: date.toISOString().slice(0, 10) };
}

/** A day, in the Indian order where that matters; five digits are the number that a spreadsheet keeps for it. */
export function readDay(cell: string): Read<string> {
  const text = cell.replace(/[T ]\d{1,2}:\d\d(:\d\d)?(\.\d+)?Z?$/i, '');
  const iso = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/.exec(text);
  if (iso) return dayOf(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const indian = /^(\d{1,2})\s*[-/.\s]\s*(\d{1,2})\s*[-/.\s]\s*(\d{4})$/.exec(text);
  if (indian) return dayOf(Number(indian[3]), Number(indian[2]), Number(indian[1]));
  const named = /^(\d{1,2})(?:st|nd|rd|th)?[-/.,\s]*([A-Za-z]{3,9})[-/.,\s]*(\d{4})$/i.exec(text);
  if (named) return monthDay(named[2], named[1], named[3]);
  const american = /^([A-Za-z]{3,9})[.\s]+(\d{1,2})(?:st|nd|rd|th)?[,\s]+(\d{4})$/i.exec(text);
  if (american) return monthDay(american[1], american[2], american[3]);
  if (/^\d{5}(\.\d+)?$/.test(text)) {
    const day = serialDay(Number(text));
    if (day) return { value: day };
  }
  if (/^\d{1,2}[-/.\s]\d{1,2}[-/.\s]\d{2}$/.test(text)) {
    return { problem: 'must have the year with four digits, such as 17/04/2009' };
  }
  return { problem: notADay };
}

function monthDay(month = '', day = '', year = ''): Read<string> {
  const number = monthNamed(month);
  return number > 0 ? dayOf(Number(year), number, Number(day)) : { problem: notADay };
}

const scientific = /^\+?(\d)(?:[.,](\d+))?e\+?(\d{1,2})$/i;

/** Digits that a spreadsheet took for a number. Of `9.82901E+09` the last digits are lost, and nobody can tell them. */
export function readPhone(cell: string): Read<string> {
  const [, first = '', rest = '', exponent] = scientific.exec(cell) ?? [];
  if (exponent === undefined) return { value: cell.replace(/^(\d{10,13})\.0+$/, '$1') };
  if (rest.length < Number(exponent)) {
    return {
      problem: 'was cut by the spreadsheet and has lost its last digits: set the column to text, and enter it again',
    };
  }
  return { value: first + rest };
}

const yes = new Set(['yes', 'y', 'true', '1', 'haan', 'ha', 'हाँ', 'हां', 'जी', 'सही']);
const no = new Set(['no', 'n', 'false', '0', 'nahi', 'nahin', 'नहीं', 'नही', 'ना']);

export function readYesNo(cell: string): Read<boolean> {
  const text = cell.normalize('NFC').toLowerCase();
  if (yes.has(text)) return { value: true };
  return no.has(text) ? { value: false } : { problem: 'must be yes or no' };
}

export type ImportedKind = Exclude<PersonKind, 'OWNER'>;

const kinds = new Map<string, PersonKind>(
  Object.entries({
    student: 'STUDENT',
    students: 'STUDENT',
    छात्र: 'STUDENT',
    छात्रा: 'STUDENT',
    विद्यार्थी: 'STUDENT',
    parent: 'PARENT',
    parents: 'PARENT',
    guardian: 'PARENT',
    अभिभावक: 'PARENT',
    staff: 'STAFF',
    employee: 'STAFF',
    कर्मचारी: 'STAFF',
    owner: 'OWNER',
    मालिक: 'OWNER',
  } as const),
);

export function readKind(cell: string): Read<ImportedKind> {
  const kind = kinds.get(cell.normalize('NFC').toLowerCase());
  if (kind === 'OWNER') return { problem: 'is owner: owners are not imported, add them one by one' };
  return kind ? { value: kind } : { problem: 'must be Student, Parent or Staff' };
}

const relations = new Map<string, GuardianRelation>(
  Object.entries({
    mother: 'MOTHER',
    mom: 'MOTHER',
    माता: 'MOTHER',
    माँ: 'MOTHER',
    father: 'FATHER',
    dad: 'FATHER',
    papa: 'FATHER',
    पिता: 'FATHER',
    guardian: 'GUARDIAN',
    अभिभावक: 'GUARDIAN',
  } as const),
);

/** Uncles, grandmothers and so on are OTHER. */
export const readRelation = (cell: string): GuardianRelation =>
  relations.get(cell.normalize('NFC').toLowerCase()) ?? 'OTHER';
