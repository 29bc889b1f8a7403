import type { DocumentLine, InvoiceDocument } from '../../src/services/invoice-document.ts';

/** The example of rule 18: seller in Maharashtra, a plan less 10 %, and a pack of SMS. */
export const invoiceDocument = (changes: Partial<InvoiceDocument> = {}): InvoiceDocument => ({
  kind: 'TAX_INVOICE',
  number: 'SS/26-27/000001',
  issueDate: '2026-08-01',
  dueDate: '2026-08-15',
  seller: {
    legalName: 'StudySpot Technologies Private Limited',
    gstin: '27AAPFU0939F1ZV',
    addressLine: '4th Floor, Tech Park One, Baner Road',
    city: 'Pune',
    stateName: 'Maharashtra',
    stateCode: '27',
    pincode: '411045',
    email: 'billing@studyspot.example',
    phone: '+91 20 6600 1234',
    pan: 'AAPFU0939F',
  },
  buyer: {
    legalName: 'Saraswati Reading Hall LLP',
    gstin: '27AAGCB7383J1Z8',
    addressLine: '12, FC Road, Shivajinagar',
    city: 'Mumbai',
    stateName: 'Maharashtra',
    stateCode: '27',
    pincode: '400071',
    email: 'owner@saraswati.example',
    phone: '+919822012345',
  },
  placeOfSupply: { code: '27', name: 'Maharashtra' },
  reverseCharge: false,
  lines: [planLine(), smsLine()],
  taxes: [{ rate: '18.00', taxable: '2499.10', cgst: '224.92', sgst: '224.92', igst: '0.00' }],
  subtotal: '2749.00',
  discountTotal: '249.90',
  taxable: '2499.10',
  cgst: '224.92',
  sgst: '224.92',
  igst: '0.00',
  taxTotal: '449.84',
  total: '2948.94',
  roundOff: '0.06',
  payable: '2949.00',
  amountInWords: 'Rupees Two Thousand Nine Hundred Forty-Nine Only',
  supply: 'INTRA_STATE',
  notes: 'Coupon WELCOME10 has been applied.',
  terms: 'Payment is due within 14 days.\nSubject to the courts of Pune.',
  upi: { vpa: 'studyspot@hdfcbank', payeeName: 'StudySpot & Co' },
  bank: {
    accountName: 'StudySpot Technologies Pvt Ltd',
    accountNumber: '50200012345678',
    ifsc: 'HDFC0000123',
    bankName: 'HDFC Bank, Baner',
  },
  ...changes,
});

const planLine = (): DocumentLine => ({
  description: 'Growth plan, monthly',
  sac: '998315',
  period: { from: '2026-08-01', to: '2026-08-31' },
  quantity: '1',
  unitPrice: '2499.00',
  amount: '2499.00',
  discount: '249.90',
  taxable: '2249.10',
  taxRate: '18.00',
  cgst: '202.42',
  sgst: '202.42',
  igst: '0.00',
  total: '2653.94',
});

const smsLine = (): DocumentLine => ({
  ...planLine(),
  description: 'SMS pack, 1,000 messages',
  sac: '998413',
  period: null,
  quantity: '3.000',
  unitPrice: '83.33',
  amount: '250.00',
  discount: '0.00',
  taxable: '250.00',
  cgst: '22.50',
  sgst: '22.50',
  total: '295.00',
});

/** The same, for a buyer in Karnataka. */
export const interStateDocument = (): InvoiceDocument => {
  const document = invoiceDocument();
  const move = <T extends { cgst: string; sgst: string }>(taxes: T, igst: string): T => ({
    ...taxes,
    cgst: '0.00',
    sgst: '0.00',
    igst,
  });
  return {
    ...move(document, '449.84'),
    supply: 'INTER_STATE',
    placeOfSupply: { code: '29', name: 'Karnataka' },
    buyer: { ...document.buyer, gstin: '29AAGCB7383J1Z4', city: 'Mysuru', stateName: 'Karnataka', stateCode: '29' },
    lines: document.lines.map((line, index) => move(line, index === 0 ? '404.84' : '45.00')),
    taxes: document.taxes.map((tax) => move(tax, '449.84')),
  };
};

/** What takes it back. */
export const creditNoteDocument = (): InvoiceDocument =>
  invoiceDocument({
    kind: 'CREDIT_NOTE',
    number: 'SSCN/26-27/00007',
    issueDate: '2026-09-05',
    dueDate: null,
    originalInvoice: { number: 'SS/26-27/000001', issueDate: '2026-08-01' },
    reason: 'Plan cancelled within the trial',
  });
