/** Whole paise, 100 to the rupee. Amounts cross this seam as integers: the gateway counts like that, too. */
export type Paise = number;

export type GatewayMethod = 'CARD' | 'UPI' | 'NETBANKING' | 'WALLET' | 'EMANDATE' | 'OTHER';

/** Why money did not come. */
export type GatewayFailure = {
  /** The kind of error, such as `BAD_REQUEST_ERROR`. */
  code: string;
  /** What programs decide by, such as `insufficient_funds`; `unknown` when the gateway gave none. */
  reason: string;
  /** A sentence for people. */
  description: string;
  /** HARD: the same method will never pay this. SOFT: it may, later (rule 25). */
  decline: 'HARD' | 'SOFT';
};

export type GatewayPayment = {
  id: string;
  orderId: string | null;
  /**
   * CREATED is still under way: banks tell the payer a day before they debit a mandate. AUTHORIZED is held and has to
   * be captured. REFUNDED went back whole; what went back in part stays CAPTURED.
   */
  status: 'CREATED' | 'AUTHORIZED' | 'CAPTURED' | 'FAILED' | 'REFUNDED';
  amountPaise: Paise;
  amountRefundedPaise: Paise;
  /** What the gateway keeps, its tax included (rule 22); 0 until it is captured. */
  feePaise: Paise;
  /** GST: a part of the fee, not beside it. */
  taxPaise: Paise;
  method: GatewayMethod;
  tokenId: string | null;
  customerId: string | null;
  /** Of one that FAILED alone. */
  failure: GatewayFailure | null;
  createdAt: Date;
  /** What the gateway told, without secrets and without what names the payer: to be kept for disputes. */
  raw: Record<string, unknown>;
};

export type GatewayOrder = {
  id: string;
  status: 'CREATED' | 'ATTEMPTED' | 'PAID';
  amountPaise: Paise;
  amountPaidPaise: Paise;
  receipt: string | null;
};

export type GatewayRefund = {
  id: string;
  paymentId: string;
  amountPaise: Paise;
  status: 'PENDING' | 'PROCESSED' | 'FAILED';
  receipt: string | null;
  createdAt: Date;
};

/** A way to pay that the payer allowed us to use again. The number of the card is with the gateway alone. */
export type GatewayToken = {
  id: string;
  method: GatewayMethod;
  /** Who issued the card, such as `HDFC`. */
  brand: string | null;
  /** Such as `Visa` or `RuPay`. */
  network: string | null;
  last4: string | null;
  expiryMonth: number | null;
  expiryYear: number | null;
  /** Masked: `gau***@upi`. */
  vpa: string | null;
  mandate: {
    /** Only an ACTIVE one can be charged. */
    status: 'INITIATED' | 'ACTIVE' | 'REJECTED' | 'PAUSED' | 'CANCELLED';
    /** The most that one charge may be; null where the gateway does not tell. */
    maxAmountPaise: Paise | null;
    expiresAt: Date | null;
    failureReason: string | null;
  };
};

export type GatewayPaymentLink = {
  id: string;
  url: string;
  status: 'CREATED' | 'PARTIALLY_PAID' | 'PAID' | 'EXPIRED' | 'CANCELLED';
  amountPaise: Paise;
  amountPaidPaise: Paise;
  reference: string | null;
  /** Null: never, or not told. */
  expiresAt: Date | null;
};

/** Something that happened at the gateway, with what it was about as it was then: not as it is now. */
export type GatewayEvent = {
  /** The same for each delivery of the same event. */
  id: string;
  /** Such as `payment.captured`. */
  type: string;
  createdAt: Date | null;
  payment?: GatewayPayment;
  order?: GatewayOrder;
  refund?: GatewayRefund;
  paymentLink?: GatewayPaymentLink;
  token?: GatewayToken;
};

/** Up to 15 pairs of up to 256 characters; nothing that names a person. */
export type GatewayNotes = Record<string, string>;

export type NewCustomer = { name: string; email: string; phone?: string; reference: string };

export type NewMandate = {
  customerId: string;
  method: 'CARD' | 'UPI';
  maxAmountPaise: Paise;
  expiresAt: Date;
  reference: string;
};

export type NewOrder = { amountPaise: Paise; currency: 'INR'; receipt: string; notes: GatewayNotes };

export type NewCharge = {
  orderId: string;
  amountPaise: Paise;
  customerId: string;
  tokenId: string;
  email: string;
  phone?: string;
  description: string;
  receipt: string;
};

export type NewRefund = { paymentId: string; amountPaise: Paise; receipt: string; notes: GatewayNotes };

export type NewPaymentLink = {
  amountPaise: Paise;
  description: string;
  customer: { name: string; email: string; phone?: string };
  reference: string;
  expiresAt: Date;
  notes: GatewayNotes;
  /** Where the payer's browser goes afterwards. */
  callbackUrl?: string;
};

/**
 * Something that moves money: what we need of Razorpay, and no more. Receipts and references are ours, unique, at most
 * 40 characters. Every call may throw GatewayRefused or GatewayUnavailable; those that move money (charge, capture,
 * refund) also GatewayUnknown.
 */
export type PaymentGateway = {
  readonly name: 'sandbox' | 'razorpay';
  /**
   * The same reference (a tenant's id) with the same details gives the same customer. Keep the id: Razorpay knows
   * customers again by their details alone, and may share one between two libraries of one owner.
   */
  createCustomer(customer: NewCustomer): Promise<{ id: string }>;
  /**
   * Begins the authorisation of a mandate, of a card on file or UPI Autopay: what the payer's browser needs to go on.
   * The same reference gives the same order. The token stands on the payments of the order and comes with
   * `token.confirmed`. Look at the token, not at the payment: of UPI that may be a failed one with the reason
   * `upi_dummy_payment` though the mandate stands.
   */
  createMandate(mandate: NewMandate): Promise<{
    orderId: string;
    /** A page to send the payer to, where there is one. */
    checkoutUrl?: string;
    /** The public key that the gateway's script in the browser asks for, with the order and the customer. */
    keyId?: string;
  }>;
  /** @throws GatewayRefused when there is none */
  fetchToken(customerId: string, tokenId: string): Promise<GatewayToken>;
  /** Ends the mandate, at the payer's bank too. Does nothing when there is none. */
  deleteToken(customerId: string, tokenId: string): Promise<void>;
  /** The same receipt finds the same order, so that it may be called again after a crash. */
  createOrder(order: NewOrder): Promise<GatewayOrder>;
  /**
   * Charges a saved method. A decline is a payment that FAILED, not an error.
   * @throws GatewayRefused when no payment was made; GatewayUnknown when one may have been: ask `paymentsOfOrder`, and
   *   never charge again before it is known (rule 22)
   */
  charge(charge: NewCharge): Promise<GatewayPayment>;
  /** Takes what was held; all of it. May be called again. */
  capture(paymentId: string, amountPaise: Paise): Promise<GatewayPayment>;
  fetchPayment(paymentId: string): Promise<GatewayPayment>;
  /** Every try to pay an order, the failed ones too. */
  paymentsOfOrder(orderId: string): Promise<GatewayPayment[]>;
  /** Gives back all or a part. The same receipt gives back once: call it again with that when it is not known. */
  refund(refund: NewRefund): Promise<GatewayRefund>;
  fetchRefund(refundId: string): Promise<GatewayRefund>;
  /** A page where anybody can pay once. We tell the payer; the gateway does not. The same reference finds it again. */
  createPaymentLink(link: NewPaymentLink): Promise<GatewayPaymentLink>;
  fetchPaymentLink(linkId: string): Promise<GatewayPaymentLink & { payments: GatewayPayment[] }>;
  /** Does nothing when nobody can pay with it any more. @throws GatewayRefused when somebody has paid with it */
  cancelPaymentLink(linkId: string): Promise<void>;
  /**
   * Reads a webhook whose signature was verified.
   * @param eventId of the header `x-razorpay-event-id`
   * @throws GatewayRefused when it is none
   */
  parseWebhook(rawBody: Buffer, eventId: string): GatewayEvent;
};

/** The gateway said no, and nothing was done: the request is wrong, and will be tomorrow. The message is for our log. */
export class GatewayRefused extends Error {
  readonly failure: GatewayFailure | undefined;
  /** Of the payment that it speaks of, if any. */
  readonly paymentId: string | undefined;

  constructor(message: string, details: { failure?: GatewayFailure; paymentId?: string } = {}) {
    super(message);
    this.name = 'GatewayRefused';
    this.failure = details.failure;
    this.paymentId = details.paymentId;
  }
}

/** Nothing was done that moves money: try again later, with the same receipt or reference. */
export class GatewayUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GatewayUnavailable';
  }
}

/** It was sent, and what became of it is not known: ask for the state, never send it again blindly (rule 22). */
export class GatewayUnknown extends Error {
  /** Of the payment that was begun, where that much is known. */
  readonly paymentId: string | undefined;

  constructor(message: string, { paymentId, ...options }: ErrorOptions & { paymentId?: string } = {}) {
    super(message, options);
    this.name = 'GatewayUnknown';
    this.paymentId = paymentId;
  }
}

/** One rupee: less is taken from nobody and given back to nobody. */
const LEAST_PAISE = 100;

/** @throws GatewayRefused for what is no amount of money: rupees with a fraction, less than a rupee */
export function assertPaise(amount: Paise): void {
  if (!Number.isSafeInteger(amount) || amount < LEAST_PAISE) {
    throw new GatewayRefused(`Not an amount in paise: ${amount}`);
  }
}

/** @throws GatewayRefused for a receipt or reference that the gateway would cut off or mistake for another */
export function assertReference(reference: string): void {
  if (!/^[\x21-\x7e](?:[\x20-\x7e]{0,38}[\x21-\x7e])?$/.test(reference)) {
    throw new GatewayRefused(`Not a receipt of at most 40 plain characters: ${reference.slice(0, 60)}`);
  }
}

/** @throws GatewayRefused */
export function assertNotes(notes: GatewayNotes): void {
  const pairs = Object.entries(notes);
  if (pairs.length > 15 || pairs.flat().some((text) => text.length > 256)) {
    throw new GatewayRefused('Not notes: at most 15 pairs of at most 256 characters');
  }
}
