/**
 * What must not stand in a name: control characters, signs that turn the direction of writing, halves of characters.
 * Not the joiners, which Devanagari is written with.
 */
const unwanted = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;
const LONGEST = 200;

/**
 * The name of a file as its sender calls it, fit for people to read. It is data and never a path: what looks like
 * folders is cut off, and so is what would mislead the eye.
 */
export function displayName(name: string): string {
  const last = name.normalize('NFC').replace(unwanted, '').split(/[/\\]/).at(-1)?.trim() ?? '';
  const cut = Array.from(last).slice(0, LONGEST).join('').trim();
  return /[^.\s]/.test(cut) ? cut : 'file';
}
