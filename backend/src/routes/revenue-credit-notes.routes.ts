import * as creditNotes from '../controllers/credit-notes.controller.ts';
import { pageOf } from '../utils/page.ts';
import * as v from '../validators/credit-notes.validator.ts';
import { pdfFile } from '../validators/invoices.validator.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

const mayRead = { permission: 'revenue.read' } as const;
const mayWrite = { permission: 'revenue.invoices' } as const;

/** What takes an invoice back, whole or in part (rule 21). */
export const revenueCreditNotesEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/credit-notes',
    operationId: 'listCreditNotes',
    summary: 'List credit notes',
    description: 'With filters, search and sort, page by page.',
    access: mayRead,
    query: v.listCreditNotesQuery,
    response: pageOf(v.creditNoteListItem),
    handler: creditNotes.listCreditNotes,
  }),
  endpoint({
    method: 'post',
    path: '/credit-notes/preview',
    operationId: 'previewCreditNote',
    summary: 'See what a credit note would take back',
    description: 'The same computation as that of a credit note, and where its total would go. Writes nothing.',
    access: mayWrite,
    body: v.previewCreditNoteBody,
    response: v.creditNotePreview,
    audit: { none: 'It only computes' },
    idempotency: 'none',
    errors: ['not_found', 'conflict', 'invalid_transition'],
    handler: creditNotes.previewCreditNote,
  }),
  endpoint({
    method: 'post',
    path: '/credit-notes',
    operationId: 'createCreditNote',
    summary: 'Issue a credit note',
    description:
      'Takes back lines of an invoice or all that is left of it, never more; the tax goes in proportion, and its remainder with the note that takes the rest. The total is set off against what is due, put to the credit balance of the tenant, or refunded. It is numbered at once and mailed to the buyer. The same Idempotency-Key gets the same answer, and there is one credit note.',
    access: mayWrite,
    body: v.createCreditNoteBody,
    response: v.creditNote,
    status: 201,
    audit: 'revenue.credit_note_create',
    idempotency: 'required',
    errors: ['not_found', 'conflict', 'invalid_transition'],
    handler: creditNotes.createCreditNote,
  }),
  endpoint({
    method: 'get',
    path: '/credit-notes/:id',
    operationId: 'getCreditNote',
    summary: 'Get a credit note',
    description: 'With its lines, taxes by rate, and where its total went.',
    access: mayRead,
    params: v.creditNoteId,
    response: v.creditNote,
    handler: creditNotes.getCreditNote,
  }),
  endpoint({
    method: 'get',
    path: '/credit-notes/:id/pdf',
    operationId: 'getCreditNotePdf',
    summary: 'Download a credit note as PDF',
    description: 'The same file each time.',
    access: mayRead,
    params: v.creditNoteId,
    response: pdfFile,
    transaction: 'manual',
    handler: creditNotes.getPdf,
  }),
  endpoint({
    method: 'post',
    path: '/credit-notes/:id/void',
    operationId: 'voidCreditNote',
    summary: 'Void a credit note',
    description:
      'As long as what it did can be undone: what was set off is due again, and what was credited must still be in the balance. Refused once money went back. It keeps its number.',
    access: mayWrite,
    params: v.creditNoteId,
    body: v.voidCreditNoteBody,
    response: v.creditNote,
    audit: 'revenue.credit_note_void',
    errors: ['conflict', 'invalid_transition'],
    handler: creditNotes.voidCreditNote,
  }),
];
