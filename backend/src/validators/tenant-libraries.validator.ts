import { z } from 'zod';
import { isoDate, phone, pincode, search, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';
import { city, state } from './tenants.validator.ts';

export const libraryOfTenant = z.strictObject({ id, libraryId: id });

const library = {
  name: text(120, 2).meta({
    description: 'Name of the reading room, unique within the tenant whatever its case',
    example: 'Saraswati Reading Hall, Talwandi',
  }),
  addressLine: text(300).meta({ description: 'Street and area', example: '12 Talwandi Road' }),
  city,
  state,
  pincode,
  phone: phone.nullable().optional(),
  seatCount: z.number().int().min(1).max(10_000).meta({ description: 'Seats there are', example: 120 }),
};

export const createLibraryBody = z.strictObject(library).meta({ id: 'CreateLibrary' });

export const updateLibraryBody = z
  .strictObject(library)
  .partial()
  .refine((body) => Object.keys(body).length > 0, 'give at least one field to change')
  .meta({ id: 'UpdateLibrary' });

export const librarySortColumns = ['createdAt', 'name'] as const;
export const listLibrariesQuery = pageQuery(librarySortColumns).extend({
  city: city.optional().meta({ description: 'City, whatever its case', example: 'Kota' }),
  q: search.optional().meta({
    description: 'All words of it are found: as part of name or address, or as the name sounds in either script',
    example: 'talwandi',
  }),
});

export const libraryView = z
  .object({
    id,
    name: z.string().meta({ example: 'Saraswati Reading Hall, Talwandi' }),
    addressLine: z.string().meta({ example: '12 Talwandi Road' }),
    city: z.string().meta({ example: 'Kota' }),
    state: z.string().meta({ example: 'RJ' }),
    pincode: z.string().meta({ example: '324005' }),
    phone: z.string().nullable().meta({ example: '+919829012345' }),
    seatCount: z.number().int().meta({ example: 120 }),
    people: z
      .object({
        students: z.number().int().meta({ description: 'Students who sit there', example: 84 }),
        staff: z.number().int().meta({ description: 'Staff who work there', example: 3 }),
      })
      .meta({ description: 'Who is assigned to the library' }),
    version: z.number().int().meta({ description: 'Send it back as If-Match when you change it', example: 1 }),
    createdAt: isoDate,
    updatedAt: isoDate,
  })
  .meta({ id: 'Library' });
