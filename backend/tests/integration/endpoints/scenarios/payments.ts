import { buildBilledTenant, buildPaymentMethod, freshKey } from '../../../support/billing.ts';
import { issuedInvoice } from '../../../support/dunning.ts';
import type { TestApp } from '../../../support/server.ts';
import { sendWebhook } from '../../revenue/payments-support.ts';
import { fresh, type Scenario } from './scenario.ts';

const METHODS = '/api/revenue/payment-methods';

/** The owner of a library with an open invoice and a payment method. */
async function buildDebtor(app: TestApp) {
  const built = await buildBilledTenant(app);
  const methodId = await buildPaymentMethod(app, built.tenantId);
  const { id } = await issuedInvoice(built.tenantId);
  return { ...built, methodId, invoicePath: `/api/revenue/invoices/${id}` };
}

export const paymentsScenarios: Record<string, Scenario> = {
  listPaymentMethods: async (app) => {
    const { token } = await buildDebtor(app);
    return { answer: await app.call('GET', METHODS, { token }) };
  },
  createPaymentMethod: async (app) => {
    const { token } = await buildBilledTenant(app);
    const body = { kind: 'UPI', maxAmount: '15000.00' };
    return { answer: await app.call('POST', METHODS, { token, body }) };
  },
  updatePaymentMethod: async (app) => {
    const { token, methodId } = await buildDebtor(app);
    await app.query('update payment_methods set is_default = false where id = $1', [methodId]);
    return { answer: await app.call('PUT', `${METHODS}/${methodId}`, { token, body: { isDefault: true } }) };
  },
  removePaymentMethod: async (app) => {
    const { token, methodId } = await buildDebtor(app);
    return { answer: await app.call('DELETE', `${METHODS}/${methodId}`, { token }) };
  },
  recordInvoicePayment: async (app) => {
    const { invoicePath } = await buildDebtor(app);
    const token = await app.adminToken({ role: 'finance' });
    const body = { amount: '1180.00', method: 'BANK_TRANSFER', reference: `UTR-${fresh()}` };
    return { answer: await app.call('POST', `${invoicePath}/payments`, { token, body, headers: freshKey() }) };
  },
  collectInvoice: async (app) => {
    const { token, invoicePath } = await buildDebtor(app);
    return { answer: await app.call('POST', `${invoicePath}/collect`, { token, body: {}, headers: freshKey() }) };
  },
  createPaymentLink: async (app) => {
    const { token, invoicePath } = await buildDebtor(app);
    return { answer: await app.call('POST', `${invoicePath}/payment-link`, { token, headers: freshKey() }) };
  },
  takeGatewayWebhook: async (app) => {
    const body = '{"event":"settlement.processed","payload":{}}';
    return { answer: await sendWebhook(app, { body, eventId: `evt_${fresh()}` }) };
  },
};
