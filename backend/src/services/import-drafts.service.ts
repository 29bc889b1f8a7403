import type { z } from 'zod';
import type { PersonKind } from '../generated/prisma/enums.ts';
import { personDraft, type PersonDraft } from '../validators/people.validator.ts';
import { readDay, readKind, readPhone, readRelation, readYesNo, type Read } from './import-cells.policy.ts';
import { importFields, type ImportField, type Mapping } from './import-columns.policy.ts';

/** What is wrong with one cell of a row, to be read after the heading of its column. */
export type RowError = { column: string; message: string };

export type RowDraft = { draft: PersonDraft; errors: [] } | { draft: undefined; errors: RowError[] };

/** What it takes to read the rows of one import. */
export type RowReader = {
  columns: readonly string[];
  mapping: Mapping;
  defaultKind: PersonKind | null;
  defaultLibraryId: string | null;
  /** Of the tenant, by name in lower case. */
  libraries: ReadonlyMap<string, string>;
};

/** The cells of a row by field; an empty cell is none. */
type Cells = Partial<Record<ImportField, string>>;

const guardianGroups = [
  { who: 'guardian', relation: 'GUARDIAN' },
  { who: 'father', relation: 'FATHER' },
  { who: 'mother', relation: 'MOTHER' },
] as const;

type Group = (typeof guardianGroups)[number]['who'];

/** Reads one row as a person: what `addPeople` takes, or all that is wrong with it. */
export function readRow(reader: RowReader, row: readonly string[]): RowDraft {
  const cells = cellsOf(reader, row);
  const found: { field: ImportField; message: string }[] = [];
  const take = <Value>(field: ImportField, read: (cell: string) => Read<Value>): Value | undefined => {
    const cell = cells[field];
    if (cell === undefined) return undefined;
    const taken = read(cell);
    if ('value' in taken) return taken.value;
    found.push({ field, message: taken.problem });
    return undefined;
  };
  const { guardians, groups } = guardiansOf(cells, take);
  const wanted = {
    kind: take('kind', readKind) ?? reader.defaultKind ?? 'STUDENT',
    name: cells.name,
    email: cells.email,
    phone: take('phone', readPhone),
    dateOfBirth: take('dateOfBirth', readDay),
    joinedOn: take('joinedOn', readDay),
    libraryId: take('library', (name) => libraryNamed(reader, name)) ?? reader.defaultLibraryId ?? undefined,
    memberNumber: cells.memberNumber,
    course: cells.course,
    jobTitle: cells.jobTitle,
    marketingConsent: take('marketingConsent', readYesNo),
    ...(guardians.length > 0 && { guardians }),
  };
  const checked = personDraft.safeParse(wanted);
  if (!checked.success) found.push(...checked.error.issues.flatMap((issue) => problemsOf(issue, groups)));
  const told = new Set<ImportField>();
  const errors = found
    .filter(({ field }) => !told.has(field) && told.add(field))
    .map(({ field, message }) => ({ column: columnOf(reader, field), message }));
  if (row.length > reader.columns.length) {
    errors.push({ column: reader.columns.at(-1) ?? '', message: 'is followed by a cell without a heading' });
  }
  return checked.success && errors.length === 0 ? { draft: checked.data, errors: [] } : { draft: undefined, errors };
}

function cellsOf({ columns, mapping }: RowReader, row: readonly string[]): Cells {
  const cells: Cells = {};
  for (const [index, heading] of columns.entries()) {
    const field = Object.hasOwn(mapping, heading) ? mapping[heading] : undefined;
    const cell = row[index];
    if (field && cell) cells[field] = cell;
  }
  return cells;
}

function guardiansOf(
  cells: Cells,
  take: <Value>(field: ImportField, read: (cell: string) => Read<Value>) => Value | undefined,
) {
  const groups: Group[] = [];
  const guardians: object[] = [];
  for (const { who, relation } of guardianGroups) {
    const [name, email] = [cells[`${who}Name`], cells[`${who}Email`]];
    const phone = take(`${who}Phone`, readPhone);
    if (name === undefined && email === undefined && cells[`${who}Phone`] === undefined) continue;
    const told = who === 'guardian' && cells.guardianRelation;
    groups.push(who);
    guardians.push({ name, phone, email, relation: told ? readRelation(told) : relation });
  }
  return { guardians, groups };
}

function libraryNamed({ libraries }: RowReader, name: string): Read<string> {
  const id = libraries.get(name.toLowerCase());
  return id ? { value: id } : { problem: `is no library of this tenant: ${name}` };
}

const capitalised: Readonly<Record<string, 'Name' | 'Phone' | 'Email'>> = {
  name: 'Name',
  phone: 'Phone',
  email: 'Email',
};

/** What the schema says, by the field of the file that it is about. */
function problemsOf(issue: z.core.$ZodIssue, groups: Group[]): { field: ImportField; message: string }[] {
  const [field, index, part] = issue.path.map(String);
  if (field === 'guardians' && index !== undefined) {
    // A guardian is an id or a person; a file gives persons.
    if (issue.code === 'invalid_union' && part === undefined) {
      const issues = issue.errors.at(-1) ?? [];
      return issues.flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }, groups));
    }
    const who = groups[Number(index)] ?? 'guardian';
    return [{ field: `${who}${capitalised[part ?? ''] ?? 'Name'}`, message: messageOf(issue) }];
  }
  if (field === 'guardians') return [{ field: `${groups[0] ?? 'guardian'}Name`, message: messageOf(issue) }];
  return [{ field: field === 'libraryId' ? 'library' : (field as ImportField), message: messageOf(issue) }];
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return 'is missing';
  if (issue.code === 'too_small') return `must have at least ${issue.minimum} characters`;
  if (issue.code === 'too_big') return `must have at most ${issue.maximum} characters`;
  return issue.message;
}

/** The heading above a field; what the template calls it where the file has no such column. */
export function columnOf({ mapping }: Pick<RowReader, 'mapping'>, field: ImportField): string {
  return Object.keys(mapping).find((heading) => mapping[heading] === field) ?? importFields[field];
}

/** Where `addPeople` found something wrong. */
export function columnOfDraft(reader: Pick<RowReader, 'mapping'>, field: string): string {
  const mapped = new Set<string>(Object.values(reader.mapping));
  if (field === 'guardians') {
    const who = guardianGroups.find(({ who: group }) => mapped.has(`${group}Name`))?.who ?? 'guardian';
    return columnOf(reader, `${who}Name`);
  }
  if (field === 'libraryId') return columnOf(reader, 'library');
  return Object.hasOwn(importFields, field) ? columnOf(reader, field as ImportField) : field;
}
