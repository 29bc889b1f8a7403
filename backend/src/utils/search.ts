import { containing, join, sql, type Sql } from './sql.ts';

/** More words than these are looked for as they stand, in one piece: each one costs a look-up of its own. */
const MOST_WORDS = 5;
const FEWEST_DIGITS = 4;
/** An Indian number without what is dialled before it. */
const PHONE_DIGITS = 10;

/**
 * The condition for a search text, over a column that holds, in lower case, what a row is found by, and the sound of
 * its name: `users.search_text`, `app.tenant_search_text(…)`. Each word has to be found, in whatever order: as a part
 * of the column, as the sound of a name in either script, or as the digits of a phone in any usual spelling.
 * Wildcards stand for themselves. A trigram index serves every word of three characters and more.
 */
export function searching(column: Sql, q: string): Sql {
  const words = wordsOf(q).map((word) => ({ word, indexed: hasTrigram(word) }));
  // What an index can serve comes first: as many texts of statements as numbers of words, and not as their orders.
  const ordered = [...words.filter(({ indexed }) => indexed), ...words.filter(({ indexed }) => !indexed)];
  const conditions = ordered.map(({ word, indexed }) => (indexed ? found(column, word) : foundAlong(column, word)));
  return sql`(${join(conditions, ' and ')})`;
}

/**
 * The same where a row is found by nothing but what stands in the column, such as numbers of documents: each word has to be
 * a part of it. A trigram index serves every word of three letters or digits and more.
 */
export function containingWords(column: Sql, q: string): Sql {
  const conditions = plainWordsOf(q).map((word) =>
    hasTrigram(word) ? sql`${column} like ${containing(word)}` : sql`strpos(${column}, ${word.toLowerCase()}) > 0`,
  );
  return sql`(${join(conditions, ' and ')})`;
}

const hasTrigram = (word: string): boolean => /[\p{L}\p{M}\p{N}]{3}/u.test(word);

/** Whether a trigram index can serve the search: one of its words at least is long enough. */
export const isServedByTrigrams = (q: string): boolean => wordsOf(q).some(hasTrigram);

/** A text that is one phone is one word, however it is spaced. */
function wordsOf(q: string): string[] {
  const text = q.trim();
  return phoneDigits(text) ? [text] : plainWordsOf(text);
}

function plainWordsOf(text: string): string[] {
  const words = text.trim().split(/\s+/u);
  return words.length <= MOST_WORDS
    ? words
    : [...words.slice(0, MOST_WORDS - 1), words.slice(MOST_WORDS - 1).join(' ')];
}

function found(column: Sql, word: string): Sql {
  const digits = phoneDigits(word);
  if (digits) return sql`(${column} like ${containing(word)} or ${column} like ${containing(digits)})`;
  return sql`(${column} like ${containing(word)} or ${column} like ${soundOf(word)})`;
}

/**
 * A word too short to have a trigram. LIKE would make the planner read a whole index for it: most rows hold two letters
 * anyway, so that going along the order of the list is cheapest.
 */
const foundAlong = (column: Sql, word: string): Sql =>
  sql`(strpos(${column}, ${word.toLowerCase()}) > 0 or ${column} like ${soundOf(word)})`;

/**
 * The pattern for the sound of a name: null, which finds nothing, when it says less than `~` and three letters. In a
 * query of its own it is worked out once, and not again for each row.
 */
const soundOf = (word: string): Sql =>
  sql`(select case when length(sound) >= 4 then '%' || sound || '%' end from app.name_key(${word}) sound)`;

/**
 * The digits of a text that has nothing but digits, in either script, and what people put between them, as far as they
 * stand in a stored number (E.164): without the 0, 91 or 0091 that is dialled before ten.
 */
function phoneDigits(spelled: string): string | undefined {
  if (!/^[\d०-९\s+().\-–/]+$/u.test(spelled)) return undefined;
  const digits = spelled.replace(/[०-९]/gu, (digit) => String(digit.charCodeAt(0) - 0x0966)).replaceAll(/\D/g, '');
  if (digits.length < FEWEST_DIGITS) return undefined;
  return digits.length > PHONE_DIGITS ? digits.replace(/^(?:0*910?(?=\d{10}$)|0+)/, '') : digits;
}
