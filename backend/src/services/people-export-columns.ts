/** The cells of one row, in the order of the headings. */
export type SheetRow = (string | null)[];

/** Writes a table as a file: the headings first, then rows as they come, of which none is kept. */
export type SheetWriter = (
  headings: readonly string[],
  batches: AsyncIterable<SheetRow[]>,
) => AsyncIterable<string | Uint8Array>;

/** What an export can tell of a person, in the order of the file, and what stands above it. */
export const exportColumns = {
  tenant: 'Tenant',
  kind: 'Kind',
  name: 'Name',
  email: 'Email',
  phone: 'Phone',
  status: 'Status',
  library: 'Library',
  memberNumber: 'Member number',
  joinedOn: 'Joined on',
  dateOfBirth: 'Date of birth',
  course: 'Course',
  jobTitle: 'Job title',
  guardians: 'Guardians',
  createdAt: 'Created at (IST)',
} as const;

export type ExportColumn = keyof typeof exportColumns;
export const exportColumnNames = Object.keys(exportColumns) as [ExportColumn, ...ExportColumn[]];
