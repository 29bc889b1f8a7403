import type { StateCode } from '../../src/utils/indian-states.ts';
import type { Region } from './names.ts';

export type Locality = { name: string; pincode: string };
export type City = { name: string; state: StateCode; region: Region; localities: readonly Locality[] };

/** @param localities such as `Talwandi 324005, Kunhari 324008` */
const city = (name: string, state: StateCode, region: Region, localities: string): City => ({
  name,
  state,
  region,
  localities: localities.split(',').map((text) => {
    const [, locality = '', pincode = ''] = /^(.*) (\d{6})$/.exec(text.trim()) ?? [];
    return { name: locality, pincode };
  }),
});

/** Where young people go to prepare for examinations. */
export const cities = {
  kota: city(
    'Kota',
    'RJ',
    'north',
    'Talwandi 324005, Vigyan Nagar 324005, Mahaveer Nagar 324005, Kunhari 324008, Dadabari 324009',
  ),
  prayagraj: city(
    'Prayagraj',
    'UP',
    'north',
    'Katra 211002, George Town 211002, Civil Lines 211001, Allahpur 211006, Teliarganj 211004',
  ),
  delhi: city(
    'Delhi',
    'DL',
    'north',
    'Mukherjee Nagar 110009, Old Rajinder Nagar 110060, Laxmi Nagar 110092, Karol Bagh 110005, Nehru Vihar 110054',
  ),
  patna: city('Patna', 'BR', 'north', 'Boring Road 800001, Kankarbagh 800020, Rajendra Nagar 800016, Naya Tola 800004'),
  sikar: city('Sikar', 'RJ', 'north', 'Piprali Road 332001, Nawalgarh Road 332001, Station Road 332001'),
  indore: city('Indore', 'MP', 'north', 'Bhawarkuan 452014, Vijay Nagar 452010, Palasia 452001, Geeta Bhawan 452001'),
  pune: city('Pune', 'MH', 'west', 'Sadashiv Peth 411030, Narayan Peth 411030, Shivajinagar 411005, Kothrud 411038'),
  jaipur: city(
    'Jaipur',
    'RJ',
    'north',
    'Gopalpura Bypass 302018, Tonk Phatak 302015, Mansarovar 302020, Malviya Nagar 302017',
  ),
  nagpur: city('Nagpur', 'MH', 'west', 'Dharampeth 440010, Sitabuldi 440012, Ramdaspeth 440010'),
  hyderabad: city(
    'Hyderabad',
    'TS',
    'south',
    'Ashok Nagar 500020, Ameerpet 500016, Dilsukhnagar 500060, Himayat Nagar 500029',
  ),
  lucknow: city('Lucknow', 'UP', 'north', 'Aliganj 226024, Hazratganj 226001, Indira Nagar 226016, Gomti Nagar 226010'),
  bengaluru: city(
    'Bengaluru',
    'KA',
    'south',
    'Vijayanagar 560040, Rajajinagar 560010, Jayanagar 560041, Malleshwaram 560003',
  ),
  chennai: city('Chennai', 'TN', 'south', 'Anna Nagar 600040, T. Nagar 600017, Adyar 600020, Mylapore 600004'),
  varanasi: city('Varanasi', 'UP', 'north', 'Lanka 221005, Durgakund 221005, Sigra 221010'),
  ranchi: city('Ranchi', 'JH', 'east', 'Lalpur 834001, Kanke Road 834008, Doranda 834002'),
  dharwad: city('Dharwad', 'KA', 'south', 'Saptapur 580001, Vidyagiri 580004'),
  bhubaneswar: city('Bhubaneswar', 'OD', 'east', 'Saheed Nagar 751007, Jaydev Vihar 751013, Khandagiri 751030'),
  gorakhpur: city('Gorakhpur', 'UP', 'north', 'Golghar 273001, Betiahata 273001'),
  ahmedabad: city('Ahmedabad', 'GJ', 'west', 'Navrangpura 380009, Maninagar 380008, Naranpura 380013'),
  dehradun: city('Dehradun', 'UK', 'north', 'Karanpur 248001, Rajpur Road 248001, Ballupur 248001'),
  kolkata: city('Kolkata', 'WB', 'east', 'College Street 700073, Gariahat 700019, Salt Lake 700064'),
  vijayawada: city('Vijayawada', 'AP', 'south', 'Benz Circle 520010, Labbipet 520010, Governorpet 520002'),
  bhilai: city('Bhilai', 'CG', 'north', 'Civic Centre 490006, Smriti Nagar 490020'),
  chandigarh: city('Chandigarh', 'CH', 'north', 'Sector 34 160022, Sector 17 160017, Sector 15 160015'),
  latur: city('Latur', 'MH', 'west', 'Moti Nagar 413512, Main Road 413512'),
  guwahati: city('Guwahati', 'AS', 'east', 'Chandmari 781003, Ganeshguri 781006, Uzan Bazar 781001'),
  thrissur: city('Thrissur', 'KL', 'south', 'Round East 680001, Poothole 680004'),
  jammu: city('Jammu', 'JK', 'north', 'Gandhi Nagar 180004, Rehari 180005'),
} as const satisfies Record<string, City>;

export type CityKey = keyof typeof cities;
