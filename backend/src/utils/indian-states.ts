type State = {
  /** ISO 3166-2:IN subdivision without the country. */
  code: string;
  /** First two digits of a GSTIN. */
  gstCode: string;
  name: string;
};

/** The 28 states and 8 union territories, in the order of their GST codes. Codes as of ISO's revision of November 2023. */
export const INDIAN_STATES = [
  { code: 'JK', gstCode: '01', name: 'Jammu and Kashmir' },
  { code: 'HP', gstCode: '02', name: 'Himachal Pradesh' },
  { code: 'PB', gstCode: '03', name: 'Punjab' },
  { code: 'CH', gstCode: '04', name: 'Chandigarh' },
  { code: 'UK', gstCode: '05', name: 'Uttarakhand' },
  { code: 'HR', gstCode: '06', name: 'Haryana' },
  { code: 'DL', gstCode: '07', name: 'Delhi' },
  { code: 'RJ', gstCode: '08', name: 'Rajasthan' },
  { code: 'UP', gstCode: '09', name: 'Uttar Pradesh' },
  { code: 'BR', gstCode: '10', name: 'Bihar' },
  { code: 'SK', gstCode: '11', name: 'Sikkim' },
  { code: 'AR', gstCode: '12', name: 'Arunachal Pradesh' },
  { code: 'NL', gstCode: '13', name: 'Nagaland' },
  { code: 'MN', gstCode: '14', name: 'Manipur' },
  { code: 'MZ', gstCode: '15', name: 'Mizoram' },
  { code: 'TR', gstCode: '16', name: 'Tripura' },
  { code: 'ML', gstCode: '17', name: 'Meghalaya' },
  { code: 'AS', gstCode: '18', name: 'Assam' },
  { code: 'WB', gstCode: '19', name: 'West Bengal' },
  { code: 'JH', gstCode: '20', name: 'Jharkhand' },
  { code: 'OD', gstCode: '21', name: 'Odisha' },
  { code: 'CG', gstCode: '22', name: 'Chhattisgarh' },
  { code: 'MP', gstCode: '23', name: 'Madhya Pradesh' },
  { code: 'GJ', gstCode: '24', name: 'Gujarat' },
  { code: 'DH', gstCode: '26', name: 'Dadra and Nagar Haveli and Daman and Diu' },
  { code: 'MH', gstCode: '27', name: 'Maharashtra' },
  { code: 'KA', gstCode: '29', name: 'Karnataka' },
  { code: 'GA', gstCode: '30', name: 'Goa' },
  { code: 'LD', gstCode: '31', name: 'Lakshadweep' },
  { code: 'KL', gstCode: '32', name: 'Kerala' },
  { code: 'TN', gstCode: '33', name: 'Tamil Nadu' },
  { code: 'PY', gstCode: '34', name: 'Puducherry' },
  { code: 'AN', gstCode: '35', name: 'Andaman and Nicobar Islands' },
  { code: 'TS', gstCode: '36', name: 'Telangana' },
  { code: 'AP', gstCode: '37', name: 'Andhra Pradesh' },
  { code: 'LA', gstCode: '38', name: 'Ladakh' },
] as const satisfies readonly State[];

export type IndianState = (typeof INDIAN_STATES)[number];
export type StateCode = IndianState['code'];
export type GstStateCode = IndianState['gstCode'];

export const stateCodes: readonly StateCode[] = INDIAN_STATES.map((state) => state.code);

const byCode = new Map<string, IndianState>(INDIAN_STATES.map((state) => [state.code, state]));
const byGstCode = new Map<string, IndianState>(INDIAN_STATES.map((state) => [state.gstCode, state]));

/** The state of an ISO code such as `MH`; undefined when there is none. */
export const stateByCode = (code: string): IndianState | undefined => byCode.get(code);

/** The state of a GST code such as `27`; undefined when there is none. */
export const stateByGstCode = (gstCode: string): IndianState | undefined => byGstCode.get(gstCode);
