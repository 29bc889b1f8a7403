/** Who sells or buys, as it stood when the document was issued. */
export type Party = {
  legalName: string;
  /** Null: not registered for GST. */
  gstin: string | null;
  addressLine: string;
  city: string;
  stateName: string;
  /** First two digits of a GSTIN, such as `27`. */
  stateCode: string;
  pincode: string;
  email?: string | null;
  phone?: string | null;
  pan?: string | null;
};

/** Amounts are rupees with two decimals and rates per cent, as plain decimals: `123456.78`, `18`. */
export type DocumentLine = {
  description: string;
  /** Code of the service in the tariff: SAC, or HSN. */
  sac: string;
  /** First and last day, `YYYY-MM-DD`. */
  period: { from: string; to: string } | null;
  quantity: string;
  unitPrice: string;
  /** Before the discount. */
  amount: string;
  discount: string;
  taxable: string;
  /** Of CGST and SGST together, or of IGST. */
  taxRate: string;
  cgst: string;
  sgst: string;
  igst: string;
  total: string;
};

/** What was taxed at one rate. */
export type DocumentTax = { rate: string; taxable: string; cgst: string; sgst: string; igst: string };

/**
 * All that is on an invoice or a credit note (rules 46 and 53 of the CGST Rules), frozen when it is issued. Nothing that
 * changes afterwards has a place here, so that the same document is always the same file. Days are `YYYY-MM-DD` in India.
 */
export type InvoiceDocument = {
  kind: 'TAX_INVOICE' | 'CREDIT_NOTE';
  number: string;
  issueDate: string;
  dueDate: string | null;
  status?: never;
  /** What a credit note takes back from, and why. */
  originalInvoice?: { number: string; issueDate: string };
  reason?: string;
  seller: Party;
  buyer: Party;
  placeOfSupply: { code: string; name: string };
  reverseCharge: false;
  lines: DocumentLine[];
  taxes: DocumentTax[];
  /** Before discounts. */
  subtotal: string;
  discountTotal: string;
  taxable: string;
  cgst: string;
  sgst: string;
  igst: string;
  taxTotal: string;
  /** With tax, before rounding. */
  total: string;
  /** What rounding to the rupee adds; negative where it takes away. */
  roundOff: string;
  payable: string;
  amountInWords: string;
  /** Within the state: CGST and SGST. Between states: IGST. */
  supply: 'INTRA_STATE' | 'INTER_STATE';
  notes: string | null;
  terms: string | null;
  /** Where to pay by UPI; the address and the name that the payer's app shows. */
  upi: { vpa: string; payeeName: string } | null;
  bank: { accountName: string; accountNumber: string; ifsc: string; bankName: string } | null;
};
