import type { PaymentChannel } from '../generated/prisma/enums.ts';
import type { JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { receivedNotice, type ReceivedNotice } from '../services/payment-mails.queries.ts';
import { decimal } from '../utils/money.ts';
import { portalLink, readableDay, readableRupees } from './recipients.ts';

const channels: Record<PaymentChannel, string> = {
  CARD: 'card',
  UPI: 'UPI',
  NETBANKING: 'net banking',
  WALLET: 'wallet',
  BANK_TRANSFER: 'bank transfer',
  CHEQUE: 'cheque',
  CASH: 'cash',
  CREDIT_BALANCE: 'credit balance',
  OTHER: 'another way',
};

const partOf = (amount: string): string | null => (decimal(amount).isZero() ? null : readableRupees(amount));

/** Confirms money that came, and says which invoices it has paid. */
export const sendPaymentReceived: JobHandler<'email.payment-received'> = async (ctx, { paymentId }) => {
  const received = await ctx.sql.one<ReceivedNotice>(receivedNotice(paymentId));
  if (received?.status !== 'SUCCEEDED') return ctx.log.info('No payment to confirm', { paymentId });
  const { tenantId, amount, method, label, receivedOn } = received;
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'payment-received',
    to: received.email,
    tenantId,
    signal: ctx.job.signal,
    variables: () => ({
      name: received.name,
      amount: readableRupees(amount),
      receivedOn: readableDay(receivedOn),
      method: label ?? channels[method],
      reference: received.reference,
      numbers: received.numbers,
      amountDue: partOf(received.amountDue),
      credited: partOf(received.credited),
      link: portalLink('/billing/payments'),
    }),
  });
};
