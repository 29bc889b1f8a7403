// What Razorpay's documentation shows as answers and webhooks, field by field, with names of our own.

export const customerSample = {
  id: 'cust_1Aa00000000001',
  entity: 'customer',
  name: 'Gyan Library',
  email: 'asha@library.example',
  contact: '+919876543210',
  gstin: null,
  notes: { reference: 'tenant-1' },
  created_at: 1764136800,
};

export const orderSample = {
  id: 'order_1Aa00000000002',
  entity: 'order',
  amount: 50000,
  amount_paid: 0,
  amount_due: 50000,
  currency: 'INR',
  receipt: 'invoice-1',
  offer_id: null,
  status: 'created',
  attempts: 0,
  notes: [],
  created_at: 1764136800,
};

const noError = {
  error_code: null,
  error_description: null,
  error_source: null,
  error_step: null,
  error_reason: null,
};

export const paymentSample = {
  id: 'pay_1Aa00000000003',
  entity: 'payment',
  amount: 50000,
  currency: 'INR',
  status: 'captured',
  order_id: 'order_1Aa00000000002',
  invoice_id: null,
  international: false,
  method: 'card',
  amount_refunded: 0,
  refund_status: null,
  captured: true,
  description: 'Invoice SS/26-27/000001',
  card_id: 'card_1Aa00000000004',
  card: {
    id: 'card_1Aa00000000004',
    entity: 'card',
    name: 'Asha Menon',
    last4: '2002',
    network: 'Visa',
    type: 'credit',
    issuer: 'CITI',
    iin: '999999',
    international: false,
    emi: false,
    sub_type: 'consumer',
  },
  bank: null,
  wallet: null,
  vpa: null,
  email: 'asha@library.example',
  contact: '+919876543210',
  customer_id: 'cust_1Aa00000000001',
  token_id: 'token_1Aa00000000005',
  notes: { receipt: 'invoice-1' },
  fee: 1180,
  tax: 180,
  ...noError,
  acquirer_data: { auth_code: '541898', rrn: '322206890934' },
  created_at: 1764136860,
};

export const upiPaymentSample = {
  ...paymentSample,
  id: 'pay_1Aa00000000006',
  method: 'upi',
  card: null,
  card_id: null,
  vpa: 'asha.menon@upi',
  upi: { payer_account_type: 'bank_account', vpa: 'asha.menon@upi', flow: 'intent' },
  notes: [],
  acquirer_data: { rrn: '854977234911', upi_transaction_id: 'D0BED5A062ECDB3E9B3A1071C96BB273' },
};

export const failedPaymentSample = {
  ...paymentSample,
  id: 'pay_1Aa00000000007',
  status: 'failed',
  captured: false,
  fee: null,
  tax: null,
  error_code: 'BAD_REQUEST_ERROR',
  error_description: 'Transaction failed due to insufficient funds.',
  error_source: 'customer',
  error_step: 'payment_authorization',
  error_reason: 'insufficient_funds',
  acquirer_data: {},
};

/** Charged as mandates are: the bank debits a day and a half later. */
export const createdPaymentSample = {
  ...paymentSample,
  status: 'created',
  captured: false,
  fee: null,
  tax: null,
  acquirer_data: { auth_code: null },
};

/** Not captured: texts that are empty where others are null. */
export const emptyTextsPaymentSample = {
  ...createdPaymentSample,
  status: 'authorized',
  error_code: '',
  error_description: '',
};

export const cardTokenSample = {
  id: 'token_1Aa00000000005',
  entity: 'token',
  token: '2aqzyte2EqvuDr',
  bank: null,
  wallet: null,
  method: 'card',
  card: {
    entity: 'card',
    name: 'Asha Menon',
    last4: '2002',
    network: 'Visa',
    type: 'credit',
    issuer: 'CITI',
    international: false,
    emi: true,
    sub_type: 'consumer',
    token_iin: null,
    expiry_month: '01',
    expiry_year: '2029',
    flows: { recurring: true },
  },
  recurring: true,
  recurring_details: { status: 'confirmed', failure_reason: null },
  auth_type: null,
  mrn: null,
  used_at: 1764136860,
  created_at: 1764136860,
  expired_at: 1869676199,
  max_amount: 1500000,
  status: 'active',
  dcc_enabled: false,
};

export const upiTokenSample = {
  id: 'token_1Aa00000000008',
  entity: 'token',
  token: '9KHsdPaCELeQ0t',
  bank: null,
  wallet: null,
  method: 'upi',
  vpa: { username: 'asha.menon', handle: 'upi', name: null },
  recurring: true,
  recurring_details: { status: 'paused', failure_reason: null },
  auth_type: null,
  mrn: null,
  used_at: 1764136860,
  created_at: 1764136860,
  start_time: 1764136800,
  dcc_enabled: false,
};

export const refundSample = {
  id: 'rfnd_1Aa00000000009',
  entity: 'refund',
  amount: 20000,
  currency: 'INR',
  payment_id: 'pay_1Aa00000000003',
  notes: [],
  receipt: 'refund-1',
  acquirer_data: { arn: null },
  created_at: 1764140400,
  batch_id: null,
  status: 'pending',
  speed_processed: 'normal',
  speed_requested: 'normal',
};

export const linkSample = {
  accept_partial: false,
  amount: 50000,
  amount_paid: 0,
  callback_method: 'get',
  callback_url: 'https://portal.studyspot.example/paid',
  cancelled_at: 0,
  created_at: 1764136800,
  currency: 'INR',
  customer: { contact: '+919876543210', email: 'asha@library.example', name: 'Asha Menon' },
  description: 'Invoice SS/26-27/000001',
  expire_by: 1765346400,
  expired_at: 0,
  first_min_partial_amount: 0,
  id: 'plink_1Aa00000000010',
  notes: null,
  notify: { email: false, sms: false, whatsapp: false },
  payments: null,
  reference_id: 'invoice-1',
  reminder_enable: false,
  reminders: [],
  short_url: 'https://rzp.io/i/nxrHnLJ',
  status: 'created',
  updated_at: 1764136800,
  upi_link: false,
  user_id: '',
};

export const paidLinkSample = {
  ...linkSample,
  status: 'paid',
  amount_paid: 50000,
  payments: [
    {
      amount: 50000,
      created_at: 1764136860,
      method: 'card',
      payment_id: paymentSample.id,
      plink_id: linkSample.id,
      status: 'captured',
      updated_at: 1764136860,
    },
  ],
};

export const collection = (...items: unknown[]) => ({ entity: 'collection', count: items.length, items });

export const eventSample = (event: string, payload: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  entity: 'event',
  account_id: 'acc_1Aa00000000011',
  event,
  contains: Object.keys(payload),
  payload: Object.fromEntries(Object.entries(payload).map(([kind, entity]) => [kind, { entity }])),
  created_at: 1764136865,
  ...more,
});

/** Of a payment link, whose order is told in another shape: without its prefix, and with all it has inside. */
export const linkOrderSample = {
  id: '1Aa00000000002',
  amount: 50000,
  amount_due: 0,
  amount_paid: 50000,
  attempts: 1,
  authorized: true,
  currency: 'INR',
  merchant_id: '1Aa00000000011',
  notes: [],
  product_type: 'payment_link_v2',
  receipt: 'invoice-1',
  status: 'paid',
  created_at: 1764136800,
};

/** What we ask for, where the samples are the answers. */
export const chargeOfSamples = {
  orderId: orderSample.id,
  amountPaise: 50_000,
  customerId: customerSample.id,
  tokenId: cardTokenSample.id,
  email: 'asha@library.example',
  phone: '+919876543210',
  description: 'Invoice SS/26-27/000001',
  receipt: 'invoice-1',
};

export const refundOfSamples = {
  paymentId: paymentSample.id,
  amountPaise: 20_000,
  receipt: 'refund-1',
  notes: {},
};

export const chargePath = 'POST /payments/create/recurring';
export const refundsPath = `GET /payments/${paymentSample.id}/refunds`;
export const refundPath = `POST /payments/${paymentSample.id}/refund`;
