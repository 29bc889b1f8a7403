import { text } from 'node:stream/consumers';
import type { InvoiceDocument } from '../../src/services/invoice-document.ts';
import { renderInvoicePdf } from '../../src/services/invoice-pdf.service.ts';

// A process of its own that makes one PDF: the document comes in as JSON, the file goes out.
const document = JSON.parse(await text(process.stdin)) as InvoiceDocument;
process.stdout.write(await renderInvoicePdf(document));
