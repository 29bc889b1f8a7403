import { verdictOf, type SandboxOutcome } from './payment-gateway-sandbox-outcomes.ts';
import {
  addPayment,
  emit,
  mustRead,
  RequestRefused,
  secondsNow,
  type KeptLink,
  type KeptOrder,
  type LinkEntity,
  type Sandbox,
} from './payment-gateway-sandbox-state.ts';
import { shortHash } from './payment-gateway-sandbox-store.ts';

const linkIdOf = (reference: string): string => `plink_${shortHash(reference)}`;
const lockOfLink = (id: string): string => `link ${id}`;

/** Where a person would go; nothing listens there. */
export const sandboxPage = (path: string): string => `https://sandbox.invalid/${path}`;

/** One for each reference. */
export async function createLink(sandbox: Sandbox, body: Record<string, unknown>): Promise<LinkEntity> {
  const reference = String(body.reference_id);
  const id = linkIdOf(reference);
  const now = secondsNow(sandbox);
  const expireBy = Number(body.expire_by);
  if (expireBy < now + 15 * 60) throw new RequestRefused('timestamp must be atleast 15 minutes in future');
  const entity: LinkEntity = {
    id,
    short_url: sandboxPage(id),
    status: 'created',
    amount: Number(body.amount),
    amount_paid: 0,
    currency: 'INR',
    description: String(body.description),
    reference_id: reference,
    customer: body.customer as Record<string, unknown>,
    expire_by: expireBy,
    expired_at: 0,
    cancelled_at: 0,
    notes: body.notes as Record<string, unknown>,
    order_id: null,
    payments: null,
    created_at: now,
  };
  return sandbox.store.locked(lockOfLink(id), () => {
    if (sandbox.store.read('links', id)) {
      throw new RequestRefused('payment link with given reference_id already exists');
    }
    sandbox.store.write('links', id, { entity } satisfies KeptLink);
    return entity;
  });
}

/** As it is now: nobody tells the sandbox that time has passed, so that it expires when somebody looks. */
function currentLink(sandbox: Sandbox, id: string): LinkEntity {
  const { entity } = mustRead<KeptLink>(sandbox, 'links', id);
  if (entity.status !== 'created' || entity.expire_by > secondsNow(sandbox)) return entity;
  Object.assign(entity, { status: 'expired', expired_at: entity.expire_by });
  sandbox.store.write('links', id, { entity } satisfies KeptLink);
  emit(sandbox, 'payment_link.expired', { payment_link: entity });
  return entity;
}

export const linkOf = async (sandbox: Sandbox, id: string): Promise<LinkEntity> =>
  sandbox.store.locked(lockOfLink(id), () => currentLink(sandbox, id));

export async function findLinks(sandbox: Sandbox, reference: string): Promise<{ payment_links: LinkEntity[] }> {
  const id = linkIdOf(reference);
  return { payment_links: sandbox.store.read('links', id) ? [await linkOf(sandbox, id)] : [] };
}

export async function cancelLink(sandbox: Sandbox, id: string): Promise<LinkEntity> {
  return sandbox.store.locked(lockOfLink(id), () => {
    const entity = payable(sandbox, id, 'cannot cancel or expire');
    Object.assign(entity, { status: 'cancelled', cancelled_at: secondsNow(sandbox) });
    sandbox.store.write('links', id, { entity } satisfies KeptLink);
    emit(sandbox, 'payment_link.cancelled', { payment_link: entity });
    return entity;
  });
}

function payable(sandbox: Sandbox, id: string, cannot: string): LinkEntity {
  const entity = currentLink(sandbox, id);
  if (entity.status === 'created') return entity;
  const isPaid = entity.status === 'paid';
  throw new RequestRefused(`${cannot} an ${isPaid ? 'already paid/partially paid' : entity.status} link`);
}

/** What somebody does who follows the link. After a failed try they may try again. */
export async function payLink(sandbox: Sandbox, id: string, outcome: SandboxOutcome): Promise<{ paymentId: string }> {
  return sandbox.store.locked(lockOfLink(id), () => {
    const entity = payable(sandbox, id, 'cannot pay');
    // Nobody else knows the order, so that the lock of the link is the one of the order.
    const order = orderOfLink(sandbox, entity);
    const { email, contact } = entity.customer as { email: string; contact?: string };
    const details = { method: 'upi', email, contact, description: `#${id}`, notes: entity.notes };
    const verdict = verdictOf(outcome, 2);
    const payment = addPayment(sandbox, order, details, verdict).entity;
    entity.order_id = order.entity.id;
    if (verdict.status === 'captured') {
      const paid = { payment_id: payment.id, amount: payment.amount, status: payment.status };
      Object.assign(entity, { status: 'paid', amount_paid: payment.amount, payments: [paid] });
    }
    sandbox.store.write('links', id, { entity } satisfies KeptLink);
    if (verdict.status === 'captured') {
      emit(sandbox, 'payment_link.paid', { payment_link: entity, order: order.entity, payment });
    }
    return { paymentId: payment.id };
  });
}

function orderOfLink(sandbox: Sandbox, { id, amount, reference_id: receipt, notes }: LinkEntity): KeptOrder {
  const orderId = `order_${shortHash(`link ${id}`)}`;
  return (
    sandbox.store.read<KeptOrder>('orders', orderId) ?? {
      entity: {
        id: orderId,
        entity: 'order',
        amount,
        amount_paid: 0,
        amount_due: amount,
        currency: 'INR',
        receipt,
        status: 'created',
        attempts: 0,
        notes,
        created_at: secondsNow(sandbox),
      },
      own: { payments: [] },
    }
  );
}
