import type { Entry, ZipFile } from 'yauzl';
import { AppError } from '../utils/errors.ts';
import { badFile, type SheetSource } from './import-sheet.ts';

// An XLSX is a zip. What it says of itself is not believed: sizes are checked while it is read.

const MAX_PARTS = 1_000;
/** Of all parts together, inflated. 50,000 rows of sixty cells are well below. */
const MAX_INFLATED_BYTES = 120 * 1024 * 1024;
/** Spreadsheets come to twenty or thirty; only what is made to harm is beyond. */
const MAX_RATIO = 250;
const RATIO_FROM_BYTES = 1024 * 1024;

export type Parts = {
  names: ReadonlySet<string>;
  /** The content of one part, inflated as it is read; undefined where there is none. */
  read(name: string): Promise<AsyncIterable<Buffer> | undefined>;
  close(): void;
};

const unreadable = (error: unknown): AppError =>
  error instanceof AppError ? error : badFile('is a damaged XLSX. Open it in a spreadsheet and save it again.');

/** @throws AppError validation_failed for what is damaged, encrypted, or inflates to more than a spreadsheet does */
export async function openParts(source: SheetSource): Promise<Parts> {
  const zip = await source.zip().catch((error: unknown) => Promise.reject(unreadable(error)));
  try {
    const entries = await entriesOf(zip);
    return {
      names: new Set(entries.keys()),
      read: async (name) => {
        const entry = entries.get(name);
        return entry && contentOf(zip, entry);
      },
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw unreadable(error);
  }
}

async function entriesOf(zip: ZipFile): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  let inflated = 0;
  if (zip.entryCount > MAX_PARTS) throw tooMuch();
  for await (const entry of zip.eachEntry()) {
    inflated += entry.uncompressedSize;
    const isDense =
      entry.uncompressedSize > RATIO_FROM_BYTES && entry.uncompressedSize > entry.compressedSize * MAX_RATIO;
    if (inflated > MAX_INFLATED_BYTES || isDense || entries.size >= MAX_PARTS) throw tooMuch();
    if (entry.isEncrypted()) throw badFile('is protected by a password. Save it without one.');
    if (entries.has(entry.fileName)) throw badFile(`is no proper XLSX: it holds ${entry.fileName} twice`);
    entries.set(entry.fileName, entry);
  }
  return entries;
}

const tooMuch = () => badFile('inflates to far more than a list of people does. Save only the list itself.');

async function* contentOf(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of await zip.openReadStreamPromise(entry)) yield chunk as Buffer;
  } catch (error) {
    throw unreadable(error);
  }
}
