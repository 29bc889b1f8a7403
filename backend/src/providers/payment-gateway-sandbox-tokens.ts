import {
  addPayment,
  emit,
  lockOfOrder,
  mustRead,
  newId,
  RequestRefused,
  secondsNow,
  type KeptOrder,
  type KeptToken,
  type Sandbox,
  type TokenEntity,
} from './payment-gateway-sandbox-state.ts';
import {
  mandateVerdicts,
  sandboxOutcomes,
  type SandboxOutcome,
  type Verdict,
} from './payment-gateway-sandbox-outcomes.ts';

const YEAR_SECONDS = 365 * 86_400;
/** Of tokens that nobody authorised: ten lakh rupees. */
const ALWAYS_ALLOWED_PAISE = 100_000_000;

export type NewToken = {
  customerId: string;
  method: 'CARD' | 'UPI';
  outcome: SandboxOutcome;
  maxAmountPaise?: number;
};

type TokenDetails = { method: 'card' | 'upi'; maxAmount?: number; expireAt?: number; status?: string };

function tokenEntity(sandbox: Sandbox, id: string, outcome: SandboxOutcome, details: TokenDetails): TokenEntity {
  const { method, maxAmount = ALWAYS_ALLOWED_PAISE, status = 'confirmed' } = details;
  const now = secondsNow(sandbox);
  const year = sandbox.now().getUTCFullYear();
  const card = {
    entity: 'card',
    name: 'Asha Menon',
    last4: outcome === 'success' ? '1111' : '0002',
    network: 'Visa',
    type: 'credit',
    issuer: 'HDFC',
    international: false,
    expiry_month: 12,
    expiry_year: outcome === 'expired_card' ? year - 1 : year + 4,
  };
  return {
    id,
    entity: 'token',
    method,
    ...(method === 'card' ? { card } : { vpa: { username: 'asha.menon', handle: 'upi', name: null } }),
    recurring: true,
    recurring_details: { status, failure_reason: status === 'rejected' ? 'The payer said no' : null },
    max_amount: maxAmount,
    expired_at: details.expireAt ?? now + 4 * YEAR_SECONDS,
    created_at: now,
  };
}

const isOutcome = (name: string): name is SandboxOutcome => (sandboxOutcomes as readonly string[]).includes(name);

/** The token that always exists for an outcome, for every customer; nobody can delete it. */
function standingToken(sandbox: Sandbox, customerId: string, id: string): KeptToken | undefined {
  const outcome = id.replace(/^token_/, '');
  if (!isOutcome(outcome)) return undefined;
  const method = outcome === 'mandate_revoked' ? 'upi' : 'card';
  return { entity: tokenEntity(sandbox, id, outcome, { method }), own: { customerId, outcome } };
}

/** @throws RequestRefused when the customer has no such token */
export function tokenFor(sandbox: Sandbox, customerId: string, id: string): KeptToken {
  const standing = standingToken(sandbox, customerId, id);
  if (standing) return standing;
  const kept = mustRead<KeptToken>(sandbox, 'tokens', id);
  if (kept.own.customerId !== customerId) throw new RequestRefused('The id provided does not exist');
  return kept;
}

/** Undefined when the mandate allows to charge. */
export const verdictOfMandate = ({ recurring_details: { status } }: TokenEntity): Verdict | undefined =>
  mandateVerdicts[status];

const lockOfToken = (id: string): string => `token ${id}`;

export async function deleteToken(sandbox: Sandbox, customerId: string, id: string): Promise<{ deleted: true }> {
  await sandbox.store.locked(lockOfToken(id), () => {
    tokenFor(sandbox, customerId, id);
    sandbox.store.remove('tokens', id);
  });
  return { deleted: true };
}

export async function cancelToken(sandbox: Sandbox, customerId: string, id: string): Promise<{ status: string }> {
  tokenFor(sandbox, customerId, id);
  if (!standingToken(sandbox, customerId, id)) await changeMandate(sandbox, id, 'cancelled');
  return { status: 'cancellation_initiated' };
}

/** What the payer does in the app of the bank. */
export async function changeMandate(
  sandbox: Sandbox,
  id: string,
  status: 'confirmed' | 'paused' | 'cancelled',
): Promise<void> {
  await sandbox.store.locked(lockOfToken(id), () => {
    const kept = mustRead<KeptToken>(sandbox, 'tokens', id);
    kept.entity.recurring_details.status = status;
    sandbox.store.write('tokens', id, kept);
    emit(sandbox, `token.${status}`, { token: kept.entity });
  });
}

function keepToken(sandbox: Sandbox, id: string, customerId: string, outcome: SandboxOutcome, details: TokenDetails) {
  const entity = tokenEntity(sandbox, id, outcome, details);
  sandbox.store.write('tokens', id, { entity, own: { customerId, outcome } } satisfies KeptToken);
  return entity;
}

export function addToken(sandbox: Sandbox, { customerId, method, outcome, maxAmountPaise }: NewToken): string {
  const id = newId('token');
  const kind = method === 'CARD' ? 'card' : 'upi';
  keepToken(sandbox, id, customerId, outcome, { method: kind, maxAmount: maxAmountPaise });
  return id;
}

/**
 * What the payer does on the page of the gateway: allows the mandate, or says no.
 * @param outcome of the charges to come, or `rejected`
 */
export async function completeMandate(
  sandbox: Sandbox,
  orderId: string,
  outcome: SandboxOutcome | 'rejected',
): Promise<{ tokenId: string; paymentId: string }> {
  return sandbox.store.locked(lockOfOrder(orderId), () => {
    const order = mustRead<KeptOrder>(sandbox, 'orders', orderId);
    const { mandate, customerId } = order.own;
    if (!mandate || !customerId) throw new RequestRefused('The order is not that of a mandate');
    if (order.entity.status === 'paid') throw new RequestRefused('The mandate is authorised already');
    const isRejected = outcome === 'rejected';
    const tokenId = newId('token');
    const token = keepToken(sandbox, tokenId, customerId, isRejected ? 'mandate_revoked' : outcome, {
      ...mandate,
      status: isRejected ? 'rejected' : 'confirmed',
    });
    const details = { method: mandate.method, email: 'payer@sandbox.invalid', customerId, tokenId };
    const verdict: Verdict = isRejected ? rejection : { status: 'captured' };
    const payment = addPayment(sandbox, order, details, verdict);
    emit(sandbox, isRejected ? 'token.rejected' : 'token.confirmed', { token });
    return { tokenId, paymentId: payment.entity.id };
  });
}

const rejection: Verdict = {
  status: 'failed',
  error: {
    code: 'BAD_REQUEST_ERROR',
    source: 'customer',
    step: 'payment_authentication',
    reason: 'mandate_creation_declined',
    description: 'The payer did not allow the mandate.',
  },
};
