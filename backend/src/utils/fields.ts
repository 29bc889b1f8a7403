import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { z } from 'zod';

// The fields that modules share. Each has a maximum length, and refuses what PostgreSQL cannot store.

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const controlCharacters = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/** Trimmed text of 1 to `most` characters, without control characters or broken Unicode. */
export const text = (most: number, least = 1) =>
  z
    .string()
    .trim()
    .min(least)
    .max(most)
    .refine((value) => !controlCharacters.test(value), 'must not contain control characters')
    .refine((value) => value.isWellFormed(), 'must be valid Unicode');

export const email = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .pipe(z.email('must be an email address'))
  .meta({ description: 'Email address; stored in lower case', example: 'meera@saraswati-library.example' });

/** Any usual spelling of an Indian number, or `+` and a country code; becomes E.164 (rule 14). */
export const phone = z
  .string()
  .trim()
  .max(40)
  .transform((spelled, check) => {
    const bare = spelled.replace(/^\((\+\d+)\)/, '$1');
    const number = parsePhoneNumberFromString(bare, { defaultCountry: 'IN', extract: false });
    if (number?.isValid()) return number.number;
    check.addIssue({ code: 'custom', message: 'must be a phone number, such as 98290 12345 or +91 98290 12345' });
    return z.NEVER;
  })
  .pipe(z.string())
  .meta({ description: 'Phone number, stored as E.164', example: '+919829012345' });

/** A new password, as far as it can be judged by itself: the policy that holds may ask for more. */
export const password = z
  .string()
  .min(8, 'must have at least 8 characters')
  .max(200)
  .refine((value) => value.isWellFormed(), 'must be valid Unicode')
  .meta({
    description: 'What the password policy asks for: 12 characters, unless set otherwise',
    example: 'three-quiet-reading-rooms',
    format: 'password',
  });

export const slug = z
  .string()
  .min(3)
  .max(60)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower-case letters and digits, in words joined by -')
  .meta({ description: 'Name in public addresses; never reused', example: 'saraswati-reading-hall' });

export const pincode = z
  .string()
  .regex(/^[1-9][0-9]{5}$/, 'must be six digits, the first not 0')
  .meta({ description: 'Indian postal code', example: '324005' });

/** A moment in an answer: ISO 8601, UTC. */
export const isoDate = z
  .union([z.date(), z.string()])
  .transform((moment) => (typeof moment === 'string' ? moment : moment.toISOString()))
  .pipe(z.string())
  .meta({ description: 'ISO 8601, UTC', format: 'date-time', example: '2026-08-11T06:30:00.000Z' });

// Beyond these the database has no such year, or the offset leads to one.
const earliest = new Date('1900-01-01T00:00:00Z');
const latest = new Date('3000-01-01T00:00:00Z');
const outOfRange = 'must lie between the years 1900 and 2999';

/** A moment in a request: a day (its start in India), or a full ISO 8601 time with its offset. */
export const moment = z
  .union(
    [z.iso.date(), z.iso.datetime({ offset: true })],
    'must be a date such as 2026-08-11 or a time such as 2026-08-11T06:30:00Z',
  )
  .transform((value) => new Date(value.length === 10 ? `${value}T00:00:00+05:30` : value))
  .pipe(z.date().min(earliest, outOfRange).max(latest, outOfRange))
  .meta({ description: 'A day in India, or a time with its offset', example: '2026-08-11' });

/** An amount in an answer: rupees, a text with two decimals. */
export const money = z
  .string()
  .regex(/^-?\d{1,12}\.\d\d$/)
  .meta({ description: 'Rupees, with two decimals', example: '2499.00' });

/** An amount in a request: rupees as text, never less than nothing. @param most the largest that is taken */
export const amount = (most = '99999999.99') =>
  z
    .string()
    .max(15)
    .regex(/^\d{1,12}(\.\d{1,2})?$/, 'must be an amount in rupees as text, such as "2499.00"')
    .refine((value) => Number(value) <= Number(most), `must be ${most} or less`)
    .transform((value) => Number(value).toFixed(2))
    .pipe(z.string())
    .meta({ description: 'Rupees, as text', example: '2499.00' });

/** A day in India: `YYYY-MM-DD`. */
export const day = z
  .string()
  .max(10)
  .pipe(z.iso.date('must be a day such as 2026-08-11'))
  .refine((value) => value >= '1900-01-01' && value < '3000-01-01', outOfRange)
  .meta({ description: 'A day in India', format: 'date', example: '2026-08-11' });

/** Part of a name to search for. */
export const search = text(100, 2).meta({ description: 'Search text, at least two characters', example: 'saraswati' });
