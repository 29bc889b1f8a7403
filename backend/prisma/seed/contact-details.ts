import { gstinCheckCharacter } from '../../src/utils/gstin.ts';
import { INDIAN_STATES } from '../../src/utils/indian-states.ts';
import type { City, Locality } from './cities.ts';
import type { Random } from './deterministic.ts';
import type { PersonName } from './names.ts';

/** Beginnings of ten-digit mobile numbers, chosen so that whatever digits follow make a valid mobile number. */
const mobileBeginnings = ['70', '90', '91', '92', '93', '94', '95', '96', '97', '98', '99', '6000', '8800'];
const floors = ['Ground floor', 'First floor', 'Second floor', 'Third floor', 'Basement'];
const landmarks = [
  'State Bank of India',
  'the post office',
  'the bus stand',
  'the metro station',
  'the water tank',
  'the temple',
  'the coaching lane',
  'the girls’ hostel',
  'the civil court',
  'the park',
];

/** E.164 */
export function mobileNumber(random: Random): string {
  let digits = random.pick(mobileBeginnings);
  while (digits.length < 10) digits += random.integer(0, 9);
  return `+91${digits}`;
}

export const addressLine = (random: Random, locality: Locality): string =>
  `${random.pick(floors)}, ${random.integer(1, 240)}, near ${random.pick(landmarks)}, ${locality.name}`;

/** Of a sole proprietor, as most study libraries are: the fourth letter of such a PAN is P, the fifth begins the surname. */
export function gstinOf(random: Random, city: City, owner: PersonName): string {
  const letter = () => String.fromCharCode(65 + random.integer(0, 25));
  const state = INDIAN_STATES.find((candidate) => candidate.code === city.state)?.gstCode;
  const number = String(random.integer(0, 9999)).padStart(4, '0');
  const pan = `${letter()}${letter()}${letter()}P${owner.surname.latin.charAt(0)}${number}${letter()}`;
  const first14 = `${state}${pan}1Z`;
  return first14 + gstinCheckCharacter(first14);
}
