import type { ReadContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { stateByGstCode } from '../utils/indian-states.ts';
import { settingsOf } from './settings.service.ts';

/** Who supplies, as it is kept with each document. */
export type Seller = {
  legalName: string;
  gstin: string;
  /** GST code, such as `27`. */
  stateCode: string;
  stateName: string;
  addressLine: string;
  city: string;
  pincode: string;
  email: string | null;
  upiVpa: string | null;
  bank: { accountName: string; accountNumber: string; ifsc: string; bankName: string } | null;
  terms: string | null;
};

export type BillingSettings = {
  seller: Seller;
  invoicePrefix: string;
  creditNotePrefix: string;
  dueDays: number;
  defaultSac: string;
};

const KEYS = [
  'billing.seller_name',
  'billing.seller_gstin',
  'billing.seller_address',
  'billing.seller_city',
  'billing.seller_pincode',
  'billing.seller_email',
  'billing.upi_vpa',
  'billing.bank_account',
  'billing.bank_ifsc',
  'billing.bank_name',
  'billing.invoice_prefix',
  'billing.credit_note_prefix',
  'billing.due_days',
  'billing.default_sac',
  'billing.invoice_terms',
] as const;

const NEEDED = [
  'billing.seller_name',
  'billing.seller_gstin',
  'billing.seller_address',
  'billing.seller_city',
  'billing.seller_pincode',
] as const;

/**
 * What invoices need to know of the company, from the settings.
 * @throws AppError conflict while the company has not said who it is
 */
export async function billingSettings(ctx: Pick<ReadContext, 'sql' | 'log'>): Promise<BillingSettings> {
  const values = await settingsOf({ ...ctx, tenantId: null }, KEYS);
  const missing = NEEDED.filter((key) => values[key] === null);
  if (missing.length > 0) {
    throw new AppError('conflict', `Nothing can be invoiced before these settings are made: ${missing.join(', ')}.`, {
      settings: missing,
    });
  }
  const legalName = values['billing.seller_name'] ?? '';
  const gstin = values['billing.seller_gstin'] ?? '';
  const stateCode = gstin.slice(0, 2);
  const accountNumber = values['billing.bank_account'];
  const [ifsc, bankName] = [values['billing.bank_ifsc'], values['billing.bank_name']];
  return {
    seller: {
      legalName,
      gstin,
      stateCode,
      stateName: stateByGstCode(stateCode)?.name ?? '',
      addressLine: values['billing.seller_address'] ?? '',
      city: values['billing.seller_city'] ?? '',
      pincode: values['billing.seller_pincode'] ?? '',
      email: values['billing.seller_email'],
      upiVpa: values['billing.upi_vpa'],
      bank: accountNumber && ifsc && bankName ? { accountName: legalName, accountNumber, ifsc, bankName } : null,
      terms: values['billing.invoice_terms'],
    },
    invoicePrefix: values['billing.invoice_prefix'] ?? '',
    creditNotePrefix: values['billing.credit_note_prefix'] ?? '',
    dueDays: values['billing.due_days'] ?? 0,
    defaultSac: values['billing.default_sac'] ?? '',
  };
}
