/**
 * Reasons for which the same card, account or mandate will never pay: razorpay.com/docs says of them that the payer has
 * to use another method or to allow it anew.
 */
const hardReasons = new Set([
  // The card
  'card_expired',
  'card_lost',
  'card_not_supported',
  'card_number_invalid',
  'card_stolen',
  'card_type_invalid',
  'debit_instrument_blocked',
  'debit_instrument_inactive',
  'incorrect_card_details',
  'incorrect_card_expiry_date',
  'invalid_card',
  'invalid_token',
  // The account
  'account_closed',
  'bank_account_invalid',
  'invalid_vpa',
  'mobile_number_invalid',
  'nature_of_debit_not_allowed',
  'no_financial_address_record_found',
  'payer_account_has_changed',
  'payment_stopped_by_court_order',
  'remitter_account_dormant',
  'transaction_not_allowed',
  'transaction_not_permitted_cardholder',
  // The mandate; one that is paused or not yet active may still pay
  'amount_does_not_match_mandate_amount',
  'mandate_cancelled',
  'mandate_debit_beyond_psp_amount_cap',
  'mandate_expired',
  'mandate_not_active',
  'mandate_revoked',
  'number_of_pin_tries_exceeded',
  'payment_mandate_cancelled',
  'payment_mandate_expired',
  'payment_mandate_revoked',
]);

/** Whether trying again can help. What is not known is SOFT: dunning ends by itself, and a wrong stop loses a customer. */
export const declineOf = (reason: string): 'HARD' | 'SOFT' => (hardReasons.has(reason) ? 'HARD' : 'SOFT');
