import { demoSeller } from '../../src/config/demo-seller.ts';
import type { Environment } from '../../src/config/environment.ts';
import type { Seller } from '../../src/services/seller.service.ts';
import { stateByGstCode } from '../../src/utils/indian-states.ts';

const given = (field: Parameters<typeof demoSeller>[0]): string =>
  demoSeller(field)({ NODE_ENV: 'development' } as Environment) ?? '';

const gstin = given('gstin');

/** Who the invoices of the demo come from: as the settings have it on a laptop. */
export const seller: Seller = {
  legalName: given('name'),
  gstin,
  stateCode: gstin.slice(0, 2),
  stateName: stateByGstCode(gstin.slice(0, 2))?.name ?? '',
  addressLine: given('addressLine'),
  city: given('city'),
  pincode: given('pincode'),
  email: given('email'),
  upiVpa: given('vpa'),
  bank: null,
  terms: null,
};
