// What numbers in spreadsheets stand for.

const DAY_MS = 86_400_000;
/** 31 December 9999, the last day that a spreadsheet knows. */
const LAST_SERIAL = 2_958_465;

/**
 * The day that a spreadsheet keeps as a number. In the usual system 1 is 1 January 1900, and 60 a 29 February that there
 * was not; in the other one, of old Macs, 0 is 1 January 1904.
 * @returns `YYYY-MM-DD`; undefined for a number that is no day
 */
export function serialDay(serial: number, is1904 = false): string | undefined {
  const days = Math.floor(serial);
  if (!Number.isFinite(serial) || days < 1 || days > LAST_SERIAL || (!is1904 && days === 60)) return undefined;
  const epoch = is1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, days < 60 ? 31 : 30);
  const day = new Date(epoch + days * DAY_MS).toISOString();
  return day.startsWith('+') ? undefined : day.slice(0, 10);
}

/** A number as somebody would type it: 9.829012345E9 is 9829012345. */
export function numberText(value: string): string {
  const number = Number(value);
  return value.trim() === '' || !Number.isFinite(number) ? value : String(number);
}

const isBuiltInDate = (id: number): boolean =>
  (id >= 14 && id <= 17) || id === 22 || (id >= 27 && id <= 36) || (id >= 50 && id <= 58);

/** Whether a number format shows a day: it has a place for one, outside of quoted text and brackets. */
export function isDateFormat(id: number, code: string | undefined): boolean {
  if (code === undefined) return isBuiltInDate(id);
  return /[dy]/i.test(code.replace(/"[^"]*"|\[[^\]]*\]|\\.|_./g, ''));
}
