import { invalidField } from './errors.ts';

/**
 * A slug made from a name: `Saraswati Reading Hall, Kota` → `saraswati-reading-hall-kota`.
 * @throws AppError validation_failed when the name has too few Latin letters or digits
 */
export function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/^-+|-+$/g, '');
  if (slug.length >= 3) return slug;
  const message = 'is needed, since the name has too few Latin letters to make one';
  throw invalidField('slug', message, `slug ${message}.`);
}
