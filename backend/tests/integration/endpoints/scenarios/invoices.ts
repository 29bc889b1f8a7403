import { buildBilledTenant, freshKey } from '../../../support/billing.ts';
import type { TestApp } from '../../../support/server.ts';
import { desk } from '../../revenue/invoices-support.ts';
import type { Scenario } from './scenario.ts';

const lines = [{ description: 'Training of the staff', unitPrice: '500.00' }];

/** Finance, with somebody to bill. */
async function financeOf(app: TestApp) {
  const token = await app.adminToken();
  const billed = await buildBilledTenant(app);
  return { token, tenantId: billed.tenantId, ownerToken: billed.token, finance: desk(app, token) };
}

async function issued(app: TestApp) {
  const all = await financeOf(app);
  const invoice = await all.finance.issue(all.tenantId);
  return { ...all, invoice, path: `/invoices/${invoice.id}` };
}

async function drafted(app: TestApp) {
  const all = await financeOf(app);
  const draft = await all.finance.draft(all.tenantId);
  return { ...all, draft, path: `/api/revenue/invoices/${draft.id}` };
}

async function credited(app: TestApp) {
  const all = await issued(app);
  const note = await all.finance.credit(all.invoice.id);
  return { ...all, note, path: `/credit-notes/${note.id}` };
}

export const invoicesScenarios: Record<string, Scenario> = {
  listInvoices: async (app) => {
    const { ownerToken } = await issued(app);
    return { answer: await app.call('GET', '/api/revenue/invoices', { token: ownerToken }) };
  },
  previewInvoice: async (app) => {
    const { finance, tenantId } = await financeOf(app);
    return { answer: await finance.post('/invoices/preview', { tenantId, lines }, {}) };
  },
  createInvoice: async (app) => {
    const { finance, tenantId } = await financeOf(app);
    return { answer: await finance.post('/invoices', { tenantId, lines }) };
  },
  getInvoice: async (app) => {
    const { finance, path } = await issued(app);
    return { answer: await finance.get(path) };
  },
  getInvoicePdf: async (app) => {
    const { finance, path } = await issued(app);
    return { answer: await finance.get(`${path}/pdf`) };
  },
  updateInvoice: async (app) => {
    const { token, path } = await drafted(app);
    return { answer: await app.call('PUT', path, { token, body: { notes: 'As agreed by phone' } }) };
  },
  deleteInvoice: async (app) => {
    const { token, path } = await drafted(app);
    return { answer: await app.call('DELETE', path, { token }) };
  },
  sendInvoice: async (app) => {
    const { finance, path } = await issued(app);
    return { answer: await finance.post(`${path}/send`, {}, {}) };
  },
  finalizeInvoice: async (app) => {
    const { finance, draft } = await drafted(app);
    return { answer: await finance.post(`/invoices/${draft.id}/finalize`) };
  },
  bulkFinalizeInvoices: async (app) => {
    const { finance, draft } = await drafted(app);
    return { answer: await finance.post('/invoices/bulk-finalize', { ids: [draft.id] }) };
  },
  voidInvoice: async (app) => {
    const { finance, path } = await issued(app);
    return { answer: await finance.post(`${path}/void`, { reason: 'Billed by mistake' }) };
  },
  markInvoiceUncollectible: async (app) => {
    const { finance, path } = await issued(app);
    return { answer: await finance.post(`${path}/mark-uncollectible`, { reason: 'The library has closed' }) };
  },
  auditInvoiceNumbering: async (app) => {
    const { finance } = await issued(app);
    return { answer: await finance.get('/invoices/numbering-audit') };
  },
  listCreditNotes: async (app) => {
    const { finance } = await credited(app);
    return { answer: await finance.get('/credit-notes') };
  },
  previewCreditNote: async (app) => {
    const { finance, invoice } = await issued(app);
    return { answer: await finance.post('/credit-notes/preview', { invoiceId: invoice.id, full: true }, {}) };
  },
  createCreditNote: async (app) => {
    const { finance, invoice } = await issued(app);
    const body = { invoiceId: invoice.id, full: true, reason: 'CANCELLATION' };
    return { answer: await finance.post('/credit-notes', body, freshKey()) };
  },
  getCreditNote: async (app) => {
    const { finance, path } = await credited(app);
    return { answer: await finance.get(path) };
  },
  getCreditNotePdf: async (app) => {
    const { finance, path } = await credited(app);
    return { answer: await finance.get(`${path}/pdf`) };
  },
  voidCreditNote: async (app) => {
    const { finance, path } = await credited(app);
    return { answer: await finance.post(`${path}/void`, { reason: 'Issued for the wrong invoice' }) };
  },
};
